//! Counterparts that run beside a test, on free loopback ports, and end with it.

use std::{
    ffi::OsStr,
    fs,
    io::{self, BufRead as _, BufReader, Read},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use axum::Router;

/// Longest wait for a counterpart, in seconds. Two cores are shared with a build, so it is generous.
const PATIENCE_S: u64 = 30;

/// A process that dies with the value, and the lines that it prints on one of its outputs.
pub(crate) struct Program {
    child: Child,
    lines: mpsc::Receiver<String>,
}

/// Which output is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    Out,
    Err,
}

impl Program {
    pub(crate) fn start(program: impl AsRef<OsStr>, arguments: &[&str], read: Output) -> io::Result<Self> {
        let pick = |which: Output| if which == read { Stdio::piped() } else { Stdio::null() };
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(pick(Output::Out))
            .stderr(pick(Output::Err))
            .spawn()?;
        let lines = match read {
            Output::Out => child.stdout.take().map(follow),
            Output::Err => child.stderr.take().map(follow),
        };
        let lines = lines.ok_or_else(|| io::Error::other("no output to read"))?;
        Ok(Self { child, lines })
    }

    /// The next line that `wanted` turns into something.
    pub(crate) fn wait_for<T>(&self, wanted: impl Fn(&str) -> Option<T>) -> T {
        let deadline = Instant::now() + Duration::from_secs(PATIENCE_S);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left).expect("the counterpart said nothing of the kind in time");
            if let Some(found) = wanted(&line) {
                return found;
            }
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn follow(output: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        // Kannel writes texts in the operator's character set: read bytes, not strings.
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                break;
            }
        }
    });
    lines
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Waits until somebody listens.
pub(crate) fn wait_for_port(port: u16) {
    let deadline = Instant::now() + Duration::from_secs(PATIENCE_S);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < deadline, "nobody listens on {port}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// A real HTTP server on a free port, for the life of the test's runtime.
pub(crate) async fn serve(app: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// A Python that has this module, or nothing and a loud word about what is missing.
pub(crate) fn python_with(module: &str) -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools");
    let tools = std::env::var_os("HOSTOLINK_TOOLS").map_or(target, PathBuf::from);
    let candidates = [tools.join("venv/bin/python"), PathBuf::from("python3")];
    let found = candidates.into_iter().find(|python| {
        let import = format!("import {module}");
        Command::new(python).args(["-c", &import]).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    });
    if found.is_none() {
        eprintln!("SKIPPED: no Python with '{module}' (looked in {} and python3)", tools.display());
    }
    found
}

/// The path of a program, or nothing and a loud word about what is missing.
pub(crate) fn program(paths: &[&str]) -> Option<PathBuf> {
    let found = paths.iter().map(PathBuf::from).find(|path| fs::metadata(path).is_ok());
    if found.is_none() {
        eprintln!("SKIPPED: none of {paths:?} is installed");
    }
    found
}
