//! Called by the test runner before the first test: makes sure that the test server runs and the template is there, and
//! tells the tests where. The server is kept by a second copy of this program in the background, which ends when nobody
//! was connected for [`IDLE`].

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use sqlx::{Connection, PgConnection};

const IDLE: Duration = Duration::from_secs(90);
const START: Duration = Duration::from_secs(60);

fn main() -> anyhow::Result<()> {
    let dir = data_dir();
    if std::env::args().nth(1).as_deref() == Some("keep") {
        return keep(&dir);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let server = runtime.block_on(living(&dir))?;
    let template = runtime.block_on(testkit::template::ensure(&server))?;
    tell(&[(testkit::SERVER_URL, &server), (testkit::TEMPLATE, &template)])
}

fn data_dir() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"), PathBuf::from);
    // A clone under root's home cannot be entered by the account that runs PostgreSQL for root.
    cluster::reachable_dir(&target.join("testdb"))
}

/// nextest reads variables from the file that it names; without it they are printed.
fn tell(variables: &[(&str, &String)]) -> anyhow::Result<()> {
    let mut out: Box<dyn Write> = match std::env::var_os("NEXTEST_ENV") {
        Some(file) => Box::new(std::fs::OpenOptions::new().append(true).open(file)?),
        None => Box::new(std::io::stdout()),
    };
    for (name, value) in variables {
        writeln!(out, "{name}={value}")?;
    }
    Ok(())
}

/// The URL of a server that answers: the one that runs, or a new one.
async fn living(dir: &Path) -> anyhow::Result<String> {
    // Two runners at once start one server.
    std::fs::create_dir_all(dir.parent().unwrap_or(dir))?;
    let turn = std::fs::File::create(dir.with_extension("lock"))?;
    turn.lock()?;
    if let Some(url) = answering(dir).await {
        return Ok(url);
    }
    // What an earlier server held is of no use any more.
    if dir.exists() {
        std::fs::remove_dir_all(dir)?;
    }
    let log = std::fs::File::create(dir.with_extension("log"))?;
    // A group and standard streams of its own: it outlives this program and the terminal's Ctrl-C.
    let mut keeper = Command::new(std::env::current_exe()?)
        .arg("keep")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .process_group(0)
        .spawn()
        .context("the keeper of the test server")?;
    let started = Instant::now();
    while started.elapsed() < START {
        if let Some(url) = answering(dir).await {
            return Ok(url);
        }
        if let Some(status) = keeper.try_wait()? {
            bail!("the test server ended ({status}): see {}", dir.with_extension("log").display());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bail!("the test server did not start within {START:?}: see {}", dir.with_extension("log").display())
}

async fn answering(dir: &Path) -> Option<String> {
    let url = cluster::running_url(dir, "postgres")?;
    let mut connection = PgConnection::connect(&url).await.ok()?;
    connection.ping().await.ok()?;
    Some(url)
}

/// Runs the server until nobody was connected for a while.
fn keep(dir: &Path) -> anyhow::Result<()> {
    let settings = [("max_connections", "400"), ("shared_buffers", "256MB"), ("max_locks_per_transaction", "256")];
    let server = cluster::Cluster::start(cluster::Options {
        data_dir: dir.to_owned(),
        fsync: false,
        settings: settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
    })?;
    let url = server.database_url("postgres");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut seen = Instant::now();
    while seen.elapsed() < IDLE {
        std::thread::sleep(Duration::from_secs(2));
        if runtime.block_on(others(&url)).unwrap_or(true) {
            seen = Instant::now();
        }
    }
    server.stop();
    Ok(())
}

async fn others(url: &str) -> anyhow::Result<bool> {
    let mut connection = PgConnection::connect(url).await?;
    let sql = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid())";
    Ok(sqlx::query_scalar(sql).fetch_one(&mut connection).await?)
}
