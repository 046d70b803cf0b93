//! The built program as a process: what it starts, what it refuses, how it dies.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_hostolink");
const PATIENCE: Duration = Duration::from_secs(60);

/// A data folder that PostgreSQL's own account can enter, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let path = std::env::temp_dir().join(format!("hostolink-it-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

struct Running {
    child: Child,
    port: u16,
}

impl Running {
    fn dev(folder: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let log = std::fs::File::create(folder.join("log")).unwrap();
        let out = std::fs::File::create(folder.join("out")).unwrap();
        let child = command(&["dev", "--port", &port.to_string(), "--data-dir"])
            .arg(folder.join("data"))
            .stdout(out)
            .stderr(log)
            .spawn()
            .unwrap();
        let mut running = Self { child, port };
        running.wait_ready(folder);
        running
    }

    fn wait_ready(&mut self, folder: &Path) {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if self.get("/readyz").is_some_and(|answer| answer.starts_with("HTTP/1.1 200")) {
                return;
            }
            assert!(
                self.child.try_wait().unwrap().is_none(),
                "it ended: {}",
                std::fs::read_to_string(folder.join("log")).unwrap()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("not ready: {}", std::fs::read_to_string(folder.join("log")).unwrap());
    }

    fn get(&self, path: &str) -> Option<String> {
        self.send(&format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"))
    }

    fn post(&self, path: &str, body: &str) -> serde_json::Value {
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        let answer = self.send(&request).unwrap();
        let json = answer.split("\r\n\r\n").nth(1).unwrap().to_owned();
        serde_json::from_str(&json).unwrap_or_else(|_| panic!("{answer}"))
    }

    fn send(&self, request: &str) -> Option<String> {
        let mut stream = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], self.port))).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    fn signal(&mut self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
        let started = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(started.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program with nothing of our own environment in it.
fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).stdin(Stdio::null()).current_dir(std::env::temp_dir());
    for (key, _) in
        std::env::vars_os().filter(|(key, _)| key.to_string_lossy().starts_with("HOSTOLINK_") || key == "DATABASE_URL")
    {
        command.env_remove(key);
    }
    command
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Processes whose command line names this folder.
fn named(folder: &Path) -> Vec<String> {
    let output = Command::new("ps").args(["-eo", "args"]).output().unwrap();
    let folder = folder.display().to_string();
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter(|line| line.contains(&folder) && !line.contains("<defunct>"))
        .map(str::to_owned)
        .collect()
}

fn until_gone(folder: &Path) {
    let started = Instant::now();
    while !named(folder).is_empty() {
        assert!(started.elapsed() < Duration::from_secs(20), "left behind: {:?}", named(folder));
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn production_starts_with_its_keys_only() {
    let refused = command(&["serve"]).output().unwrap();
    assert!(!refused.status.success());
    assert!(
        text(&refused).contains("DATABASE_URL is missing") && text(&refused).contains("HOSTOLINK_SECRET is missing"),
        "{}",
        text(&refused)
    );
    let loose = command(&["serve"])
        .env("DATABASE_URL", "postgresql://x")
        .env("HOSTOLINK_SECRET", "ab".repeat(32))
        .env("HOSTOLINK_RATE_LIMITS", "off")
        .output()
        .unwrap();
    assert!(!loose.status.success() && text(&loose).contains("development mode only"), "{}", text(&loose));
}

#[test]
fn development_starts_alone_runs_side_by_side_and_leaves_nothing() {
    let (one, two) = (Folder::new("one"), Folder::new("two"));
    let (mut first, mut second) = (Running::dev(&one.0), Running::dev(&two.0));
    let line = command(&["database-url", "--data-dir"]).arg(one.0.join("data")).output().unwrap();
    let url = String::from_utf8(line.stdout).unwrap();
    assert_eq!(url.lines().count(), 1, "{url}");
    let psql = Command::new("psql").args([url.trim(), "-Atc", "SELECT count(*) FROM utilisateur"]).output();
    if let Ok(psql) = psql {
        assert_eq!(String::from_utf8_lossy(&psql.stdout).trim(), "0", "{}", text(&psql));
    }
    let large = format!(
        "POST /api/check-user HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{}",
        10 << 20,
        " ".repeat(10 << 20)
    );
    let refused = first.send(&large).unwrap();
    assert!(refused.starts_with("HTTP/1.1 413") && refused.contains("request.too_large"), "{refused}");
    let again = command(&["dev", "--port", "0", "--data-dir"]).arg(one.0.join("data")).output().unwrap();
    assert!(!again.status.success() && text(&again).contains("another"), "{}", text(&again));
    let audit = command(&["audit", "--data-dir"]).arg(one.0.join("data")).output().unwrap();
    assert!(audit.status.success(), "beside the running server: {}", text(&audit));

    assert!(
        named(&one.0).iter().any(|line| line.contains("postgres"))
            && named(&one.0).iter().any(|line| line.contains("simulator"))
    );
    first.signal("-TERM");
    until_gone(&one.0.join("data"));
    second.signal("-KILL");
    until_gone(&two.0.join("data"));
}

#[test]
fn neither_codes_nor_numbers_reach_the_console_or_the_log() {
    let folder = Folder::new("quiet");
    let mut running = Running::dev(&folder.0);
    let (number, password) = ("0707070733", "MonMotDePasse123");
    running.post("/api/register-user", &format!(r#"{{"identifier":"{number}"}}"#));
    let defined =
        running.post("/api/define-password", &format!(r#"{{"identifier":"{number}","password":"{password}"}}"#));
    let sent = running.post("/api/generate-otp", &format!(r#"{{"identifier":"{number}"}}"#));
    let code = sent["data"]["otp"].as_str().unwrap().to_owned();
    running.post("/api/verify-otp", &format!(r#"{{"identifier":"{number}","otpCode":"000000"}}"#));
    std::thread::sleep(Duration::from_secs(2));
    running.signal("-TERM");
    let said = ["log", "out"].map(|name| std::fs::read_to_string(folder.0.join(name)).unwrap()).concat();
    let token = defined["data"]["accessToken"].as_str().unwrap();
    for secret in [code.as_str(), "0707070733", "+2250707070733", password, token] {
        let shown = said.lines().find(|line| line.contains(secret));
        assert_eq!(shown, None, "a secret was said");
    }
    assert!(said.contains("/api/generate-otp"), "the log is there");
    let mailbox = std::fs::read_dir(folder.0.join("data/mailbox")).unwrap().count();
    assert!(mailbox >= 1, "the SMS was left in the mailbox");
}

#[test]
fn what_production_marked_development_refuses() {
    let server = std::env::var(testkit::SERVER_URL).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let test = runtime.block_on(testkit::db());
    assert!(server.starts_with("postgresql://"));
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let child = command(&["serve", "--port", &port.to_string()])
        .env("DATABASE_URL", &test.url)
        .env("HOSTOLINK_SECRET", "ab".repeat(32))
        .env("HOSTOLINK_METRICS_ADDR", "127.0.0.1:0")
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let folder = Folder::new("production");
    std::fs::write(folder.0.join("log"), "").unwrap();
    let mut running = Running { child, port };
    running.wait_ready(&folder.0);
    let registered = running.post("/api/register-user", r#"{"identifier":"prod@example.ci"}"#);
    assert_eq!(registered["status"], "success");
    let sent = running.post("/api/generate-otp", r#"{"identifier":"prod@example.ci"}"#);
    assert!(sent["data"].get("otp").is_none_or(serde_json::Value::is_null), "no code in an answer of production");
    running.signal("-TERM");
    let refused = command(&["dev", "--port", "0", "--data-dir"])
        .arg(folder.0.join("data"))
        .env("DATABASE_URL", &test.url)
        .output()
        .unwrap();
    assert!(!refused.status.success() && text(&refused).contains("production"), "{}", text(&refused));
}
