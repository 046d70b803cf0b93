//! The private PostgreSQL of development mode: the system's own server programs, run as a supervised child process on
//! a Unix socket, so that one command starts everything and several can run side by side.
//!
//! - No port: nobody but the user who started it reaches the database.
//! - It dies with the program, however the program ends. On macOS, whose kernel does not offer that, what a killed
//!   program leaves behind is stopped at the next start. macOS is written for, but untried; Windows is not supported.
//! - Data is safe (fsync is on); what is half made is never used; a crash of either side is recovered from.
//! - Neither statements nor their values are written to any log.
//!
//! [`Cluster::start`] and [`Cluster::stop`] block: an asynchronous program calls them outside its event loop.

#[cfg(not(unix))]
compile_error!("the private PostgreSQL needs Unix sockets; on Windows work in WSL2");

mod binaries;
mod error;
mod folder;
mod initdb;
mod journal;
mod os;
mod pidfile;
mod processes;
mod settings;
mod supervisor;

pub use error::ClusterError;

use folder::Folder;
use std::{
    env, fs, io,
    os::unix::{ffi::OsStrExt, net::UnixStream},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};
use supervisor::{Server, Supervisor};

/// What cluster to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Made where there is none. One program uses it at a time.
    pub data_dir: PathBuf,
    /// Whether data survives a failure of the machine. Only a test harness, which throws its data away, says no.
    pub fsync: bool,
    /// Further PostgreSQL settings (`("shared_buffers", "1GB")`). Those that say where the server is reached or what
    /// it writes to its log are refused.
    pub settings: Vec<(String, String)>,
}

/// A running cluster with the database `hostolink` in it. Dropping it stops it.
pub struct Cluster {
    socket_dir: PathBuf,
    running: Mutex<Option<Running>>,
}

/// The supervisor, and the folder that stays locked until the server has stopped.
struct Running {
    supervisor: Supervisor,
    folder: Folder,
}

impl Cluster {
    /// Starts the cluster of this folder, making it first where there is none, and returns when it accepts connections.
    pub fn start(options: Options) -> Result<Self, ClusterError> {
        let folder = Folder::open(&options.data_dir)?;
        let binaries = binaries::choose(folder.existing_cluster())?;
        let cluster_dir = match folder.existing_cluster() {
            Some((_, cluster_dir)) => cluster_dir,
            None => initdb::create(&folder, &binaries, &options)?,
        };
        settings::write(&cluster_dir, &options, &folder, &binaries)?;
        let socket_dir = folder.socket_dir.clone();
        let account = folder.account.clone();
        let server = Server { binaries, cluster_dir, socket_dir: socket_dir.clone(), account };
        let supervisor = Supervisor::start(server)?;
        Ok(Self { socket_dir, running: Mutex::new(Some(Running { supervisor, folder })) })
    }

    /// The folder of the server's socket, what `psql -h` takes.
    pub fn socket_dir(&self) -> &Path {
        &self.socket_dir
    }

    /// The address of one of the cluster's databases, for libpq, sqlx and tokio-postgres alike.
    pub fn database_url(&self, db: &str) -> String {
        url(&self.socket_dir, db)
    }

    /// Ends the sessions, writes everything to disk and stops. A second call does nothing.
    pub fn stop(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Running { supervisor, folder }) = running else { return };
        supervisor.stop();
        if !self.socket_dir.starts_with(&folder.root) {
            // The short folder in /tmp: PostgreSQL has emptied it, or it stays for the next start.
            let _ = fs::remove_dir(&self.socket_dir);
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The address of a database in the cluster that another living process serves from this folder, if one does.
/// Takes no lock and changes nothing.
pub fn running_url(data_dir: &Path, db: &str) -> Option<String> {
    let root = data_dir.canonicalize().ok()?;
    let (_, cluster_dir) = folder::existing_cluster(&root)?;
    let file = pidfile::read(&cluster_dir)?;
    let serves = file.ready && processes::is_server_of(file.pid, &cluster_dir);
    // Somebody who may not connect shall not be given an address.
    let socket = file.socket_dir.join(format!(".s.PGSQL.{}", folder::PORT));
    (serves && UnixStream::connect(socket).is_ok()).then(|| url(&file.socket_dir, db))
}

/// Where the data goes when nobody said: `./data`, or what [`reachable_dir`] gives instead. The same working folder
/// gives the same answer, so every command finds what `hostolink dev` serves.
pub fn default_data_dir() -> io::Result<PathBuf> {
    Ok(reachable_dir(&env::current_dir()?.join("data")))
}

/// This folder where a cluster can be in it. Root is the exception: PostgreSQL refuses to run as root, and the account
/// that it runs as cannot enter a folder under root's home; then it is a folder under `/var/lib/hostolink`.
pub fn reachable_dir(preferred: &Path) -> PathBuf {
    folder::reachable(preferred)
}

/// The host is the percent-encoded socket folder. The port is written out, since each client would otherwise take it
/// from PGPORT in its environment.
fn url(socket_dir: &Path, db: &str) -> String {
    let host = percent_encoded(socket_dir.as_os_str().as_bytes());
    let database = percent_encoded(db.as_bytes());
    format!("postgresql://{}@{host}:{}/{database}", initdb::USER, folder::PORT)
}

fn percent_encoded(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 3), |mut text, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => text.push(char::from(*byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_carry_any_folder() {
        let expected = "postgresql://hostolink@%2Fd%2FDonn%C3%A9es%20%C3%A0%20moi%2Frun:5432/hostolink";
        assert_eq!(url(Path::new("/d/Données à moi/run"), "hostolink"), expected);
    }

    #[test]
    fn no_folder_no_url() {
        assert_eq!(running_url(Path::new("/nowhere/at/all"), "hostolink"), None);
    }
}
