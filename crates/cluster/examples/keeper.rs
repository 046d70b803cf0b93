//! Opens a cluster, says so, writes rows until it is told to stop, and says how many were acknowledged.
//! The tests kill it, or parts of it, in every way there is. By hand: `cargo run -p cluster --example keeper -- /tmp/x`.
#![allow(clippy::print_stdout)] // what it prints is what the tests read

use cluster::{Cluster, Options};
use std::{env, io::Write, path::PathBuf, process::ExitCode, time::Duration};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_postgres::{Client, NoTls};
use tracing::Level;

const PAUSE: Duration = Duration::from_millis(5);
const SAY_EVERY_ROWS: u64 = 20;

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).with_max_level(Level::DEBUG).init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("refused {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    let data_dir = PathBuf::from(env::args_os().nth(1).ok_or("usage: keeper DATA_DIR")?);
    let cluster = Cluster::start(Options { data_dir, fsync: true, settings: Vec::new() })?;
    let url = cluster.database_url("hostolink");
    say(&format!("ready {url}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve(&url))?;
    cluster.stop();
    say("stopped");
    Ok(())
}

/// At once: the reader may kill us after any line.
fn say(line: &str) {
    println!("{line}");
    let _ = std::io::stdout().flush();
}

async fn serve(url: &str) -> Result<(), Failure> {
    let mut asked = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut client = None;
    let (mut acknowledged, mut failed) = (0, 0);
    while !stop_asked(&mut asked).await {
        match insert(&mut client, url).await {
            Ok(()) => acknowledged += 1,
            Err(_) => {
                failed += 1;
                client = None;
            }
        }
        if acknowledged % SAY_EVERY_ROWS == 1 {
            say(&format!("acknowledged {acknowledged} {failed}"));
        }
    }
    // What a server does with its last requests: the database has to be there still.
    match insert(&mut client, url).await {
        Ok(()) => say(&format!("drained {} {failed}", acknowledged + 1)),
        Err(error) => say(&format!("drain failed: {error}")),
    }
    Ok(())
}

async fn stop_asked((terminate, interrupt): &mut (Signal, Signal)) -> bool {
    tokio::select! {
        _ = terminate.recv() => true,
        _ = interrupt.recv() => true,
        () = tokio::time::sleep(PAUSE) => false,
    }
}

/// One row through a connection that is made anew after a failure.
async fn insert(client: &mut Option<Client>, url: &str) -> Result<(), tokio_postgres::Error> {
    let client = match client {
        Some(client) => client,
        None => client.insert(connect(url).await?),
    };
    client.execute("INSERT INTO essai DEFAULT VALUES", &[]).await.map(|_| ())
}

async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    client.batch_execute("CREATE TABLE IF NOT EXISTS essai (id bigint GENERATED ALWAYS AS IDENTITY)").await?;
    Ok(client)
}
