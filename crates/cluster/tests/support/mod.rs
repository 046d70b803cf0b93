//! Folders, killable programs and questions to processes, for the scenarios.
#![allow(unsafe_code)] // kill and a pseudo terminal: one libc call each

use cluster::{Cluster, Options};
use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write},
    os::{
        fd::{FromRawFd, OwnedFd},
        unix::{
            fs::{MetadataExt, PermissionsExt, chown},
            process::CommandExt,
        },
    },
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver},
    },
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Enough for a slow and busy machine; what is awaited normally takes a second at most.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
pub(crate) const DATABASE: &str = "hostolink";
pub(crate) const NOBODY: u32 = 65_534;

pub(crate) fn is_root() -> bool {
    unsafe { libc::geteuid() == 0 }
}

/// Says aloud that a scenario cannot be played here.
pub(crate) fn skip(why: &str) {
    eprintln!("SKIPPED: {why}");
}

/// A temporary folder that PostgreSQL's account may pass through.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        let folder = TempDir::with_prefix("cluster-").unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    /// A copy of the keeper that any user may run, with a data folder that belongs to that user.
    pub(crate) fn keeper_for(&self, uid: u32) -> Command {
        let copy = self.path().join("keeper");
        fs::copy(keeper_program(), &copy).unwrap();
        fs::create_dir(self.data()).unwrap();
        chown(self.data(), Some(uid), Some(uid)).unwrap();
        let mut command = Command::new(copy);
        command.arg(self.data()).uid(uid).gid(uid);
        command
    }
}

pub(crate) fn options(data_dir: &Path) -> Options {
    Options { data_dir: data_dir.to_path_buf(), fsync: false, settings: Vec::new() }
}

/// A cluster in this very process.
pub(crate) fn start(data_dir: &Path) -> Cluster {
    Cluster::start(options(data_dir)).unwrap_or_else(|error| panic!("{error}"))
}

/// `cargo test` and `cargo nextest run` build the examples of the package beside its tests.
fn keeper_program() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().and_then(Path::parent).unwrap().join("examples/keeper");
    assert!(program.is_file(), "missing {}: cargo build -p cluster --examples", program.display());
    program
}

pub(crate) fn keeper(data_dir: &Path) -> Command {
    let mut command = Command::new(keeper_program());
    command.arg(data_dir);
    command
}

/// A running keeper: another program, that can be killed.
pub(crate) struct Keeper {
    child: Child,
    lines: Receiver<String>,
    log: Arc<Mutex<String>>,
    data_dir: PathBuf,
    pub(crate) url: String,
}

impl Keeper {
    /// Waits until it writes rows.
    pub(crate) fn start(data_dir: &Path) -> Self {
        Self::run(keeper(data_dir), data_dir)
    }

    pub(crate) fn run(mut command: Command, data_dir: &Path) -> Self {
        let mut keeper = Self::spawn(&mut command, data_dir);
        keeper.await_ready();
        keeper
    }

    pub(crate) fn spawn(command: &mut Command, data_dir: &Path) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let log = Arc::new(Mutex::new(String::new()));
        let (kept, stderr) = (log.clone(), BufReader::new(child.stderr.take().unwrap()));
        thread::spawn(move || {
            stderr.lines().map_while(Result::ok).for_each(|line| *kept.lock().unwrap() += &format!("{line}\n"));
        });
        Self { child, lines, log, data_dir: data_dir.to_path_buf(), url: String::new() }
    }

    pub(crate) fn await_ready(&mut self) {
        self.url = self.expect("ready ");
        self.expect("acknowledged ");
    }

    /// What follows this word in the next line that begins with it.
    pub(crate) fn expect(&self, word: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    if let Some(rest) = line.strip_prefix(word) {
                        return rest.to_owned();
                    }
                }
                Err(error) => panic!("no line {word:?} ({error}); its log:\n{}", self.log()),
            }
        }
    }

    /// Rows acknowledged and statements failed, of its next line of progress (or of its last line).
    pub(crate) fn counts(&self, word: &str) -> (i64, i64) {
        let line = self.expect(word);
        let (acknowledged, failed) = line.split_once(' ').unwrap();
        (acknowledged.parse().unwrap(), failed.parse().unwrap())
    }

    /// The last progress that it reported before it died.
    pub(crate) fn last_acknowledged(&self) -> i64 {
        let lines = std::iter::from_fn(|| self.lines.recv_timeout(Duration::from_millis(200)).ok());
        let counts = lines.filter_map(|line| line.strip_prefix("acknowledged ")?.split(' ').next()?.parse().ok());
        counts.max().unwrap_or(1)
    }

    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, number: i32) {
        kill(self.child.id(), number);
    }

    /// Its end, which has to come.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        let ended = eventually(|| {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        assert!(ended, "the keeper does not end; its log:\n{}", self.log());
        status.unwrap()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let server = postmaster(&self.data_dir);
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(server) = server {
            eventually(|| !is_alive(server));
        }
    }
}

/// Gives the keeper a terminal of its own and returns our end of it: what is written there is typed.
pub(crate) fn with_terminal(command: &mut Command) -> File {
    let (mut ours, mut theirs) = (-1, -1);
    let null = std::ptr::null_mut();
    let status = unsafe { libc::openpty(&mut ours, &mut theirs, null, null.cast(), null.cast()) };
    assert_eq!(status, 0, "{}", std::io::Error::last_os_error());
    let terminal = unsafe { OwnedFd::from_raw_fd(theirs) };
    command.stdin(Stdio::from(terminal));
    unsafe {
        command.pre_exec(|| {
            let own = libc::setsid() >= 0 && libc::ioctl(0, libc::TIOCSCTTY, 0) == 0;
            own.then_some(()).ok_or_else(std::io::Error::last_os_error)
        });
        File::from_raw_fd(ours)
    }
}

pub(crate) fn press_ctrl_c(terminal: &mut File) {
    terminal.write_all(&[3]).unwrap();
}

pub(crate) fn kill(pid: u32, number: i32) {
    let pid = i32::try_from(pid).unwrap();
    assert!(pid > 1);
    unsafe { libc::kill(pid, number) };
}

/// The folder of the cluster, whatever its major.
pub(crate) fn cluster_dir(data_dir: &Path) -> PathBuf {
    let folders = fs::read_dir(data_dir).unwrap().flatten().map(|entry| entry.path());
    folders.filter(|path| path.join("PG_VERSION").is_file() && !path.ends_with("pg.new")).max().unwrap()
}

/// The process of the server, from its own file.
pub(crate) fn postmaster(data_dir: &Path) -> Option<u32> {
    let mut text = String::new();
    let majors = (15..=18).map(|major| data_dir.join(format!("pg{major}/postmaster.pid")));
    majors.filter_map(|path| File::open(path).ok()).next()?.read_to_string(&mut text).ok()?;
    text.lines().next()?.trim().parse().ok()
}

/// Living, and no zombie.
pub(crate) fn is_alive(pid: u32) -> bool {
    stat(pid).is_some_and(|(state, _)| state != "Z" && state != "X")
}

pub(crate) fn children_of(parent: u32) -> Vec<u32> {
    let numbers = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter(|pid| stat(*pid).is_some_and(|(_, of)| of == parent)).collect()
}

pub(crate) fn owner_of_process(pid: u32) -> u32 {
    fs::metadata(format!("/proc/{pid}")).unwrap().uid()
}

/// State and parent of a process.
fn stat(pid: u32) -> Option<(String, u32)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut after_name = text.rsplit_once(") ")?.1.split(' ');
    Some((after_name.next()?.to_owned(), after_name.next()?.parse().ok()?))
}

pub(crate) fn eventually(mut happened: impl FnMut() -> bool) -> bool {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        if happened() {
            return true;
        }
        thread::sleep(Duration::from_millis(2));
    }
    false
}

/// The first value of the first row, through tokio-postgres.
pub(crate) fn ask(url: &str, sql: &str) -> Result<String, tokio_postgres::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        let answers = client.simple_query(sql).await?;
        let value = answers.iter().find_map(|answer| match answer {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        });
        Ok(value.unwrap_or_default())
    })
}

pub(crate) fn value(url: &str, sql: &str) -> String {
    ask(url, sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// The same through sqlx.
pub(crate) fn value_by_sqlx(url: &str, sql: &'static str) -> String {
    use sqlx::Connection;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
        sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
    })
}

/// The same through libpq.
pub(crate) fn value_by_psql(url: &str, sql: &str) -> String {
    let output = Command::new("psql").args(["-X", "-A", "-t", "-c", sql, url]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

pub(crate) fn rows(url: &str) -> i64 {
    value(url, "SELECT count(*) FROM essai").parse().unwrap()
}

/// The program goes on after a failure, and what it was told to be written is written. A statement whose answer was
/// lost may have been written as well, so failures are the slack.
pub(crate) fn goes_on_without_loss(mut keeper: Keeper, data: &Path) {
    let before = keeper.counts("acknowledged ").0;
    let target = before + 60;
    while keeper.counts("acknowledged ").0 < target {}
    keeper.signal(libc::SIGTERM);
    let (acknowledged, failed) = keeper.counts("drained ");
    assert!(keeper.wait().success());
    eprintln!("{acknowledged} rows acknowledged, {failed} statements failed");
    let kept = rows(&start(data).database_url(DATABASE));
    assert!((acknowledged..=acknowledged + failed).contains(&kept), "{kept} of {acknowledged}, {failed} failed");
}

/// A process that the server's account may signal: PostgreSQL by itself takes any such process for its server.
pub(crate) fn stranger(program: &str, argument: &str, data: &Path) -> Child {
    let mut command = Command::new(program);
    command.arg(argument).stdin(Stdio::null());
    if is_root() {
        let owner = fs::metadata(cluster_dir(data)).unwrap();
        command.uid(owner.uid()).gid(owner.gid());
    }
    command.spawn().unwrap()
}

pub(crate) fn every_client_reaches(cluster: &Cluster) {
    let url = cluster.database_url(DATABASE);
    let sql = "SELECT current_database()::text";
    assert_eq!(value(&url, sql), DATABASE);
    assert_eq!(value_by_sqlx(&url, sql), DATABASE);
    assert_eq!(value_by_psql(&url, sql), DATABASE);
}
