//! The thread that starts the server, restarts it when it dies, and stops it.
//!
//! It is a thread of its own that lives as long as the server, because the kernel ends the server together with the
//! thread that started it (see `os::die_with_parent`). A borrowed thread of a pool would take the database with it
//! when the pool shrinks.

use crate::{
    ClusterError,
    binaries::Binaries,
    journal::Reader,
    os::{self, Account, Signal},
    pidfile, processes,
};
use std::{
    fs,
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// PostgreSQL is ready some 20 ms after its start; asking more rarely would be most of the waiting.
const READY_POLL: Duration = Duration::from_millis(3);
/// Recovery after a crash under load may read a gigabyte of log.
const READY_PATIENCE: Duration = Duration::from_secs(600);
const RECOVERY_NOTE_EVERY: Duration = Duration::from_secs(10);
/// How late a death of the server may be noticed.
const WATCH_POLL: Duration = Duration::from_millis(50);
const RESTART_DELAY: Duration = Duration::from_millis(200);
const RESTART_DELAY_MAX: Duration = Duration::from_secs(5);
/// A server that ran for so long has recovered from whatever killed the one before.
const STABLE_AFTER: Duration = Duration::from_secs(60);

/// Everything that is needed to start the server, again and again.
pub(crate) struct Server {
    pub(crate) binaries: Binaries,
    pub(crate) cluster_dir: PathBuf,
    pub(crate) socket_dir: PathBuf,
    pub(crate) account: Option<Account>,
}

/// A running supervisor. Nothing is sent to it: closing the channel is the order to stop.
pub(crate) struct Supervisor {
    keep_running: Sender<()>,
    thread: JoinHandle<()>,
}

impl Supervisor {
    /// Returns when the server accepts connections.
    pub(crate) fn start(server: Server) -> Result<Self, ClusterError> {
        let (keep_running, orders) = mpsc::channel();
        let (report, first_start) = mpsc::sync_channel(1);
        let cluster_dir = server.cluster_dir.clone();
        let thread = thread::Builder::new()
            .name("postgres-supervisor".into())
            .spawn(move || supervise(&server, &orders, &report))
            .map_err(ClusterError::io("cannot start the supervisor of", &cluster_dir))?;
        match first_start.recv() {
            Ok(Ok(())) => Ok(Self { keep_running, thread }),
            Ok(Err(error)) => Err(error),
            Err(mpsc::RecvError) => {
                Err(ClusterError::Start { data_dir: cluster_dir, reason: "its supervisor ended".into() })
            }
        }
    }

    /// Stops the server and waits for it: at most the sum of the stop ladder's patience.
    pub(crate) fn stop(self) {
        drop(self.keep_running);
        if self.thread.join().is_err() {
            tracing::error!("the supervisor of PostgreSQL had ended by itself");
        }
    }
}

/// A server that was started, with the reader of its journal.
struct Running {
    child: Child,
    journal: Reader,
}

enum Launch {
    Ready(Running),
    StopAsked,
}

fn supervise(server: &Server, orders: &Receiver<()>, report: &SyncSender<Result<(), ClusterError>>) {
    let mut running = match server.launch(orders) {
        Ok(Launch::Ready(running)) => running,
        Ok(Launch::StopAsked) => return,
        Err(error) => {
            let _ = report.send(Err(error));
            return;
        }
    };
    let _ = report.send(Ok(()));
    let mut failures = 0;
    loop {
        let up_since = Instant::now();
        let Some(status) = wait_for_death(&mut running.child, orders) else {
            stop(&mut running.child);
            return;
        };
        tracing::warn!(%status, "PostgreSQL died: starting it again");
        if up_since.elapsed() > STABLE_AFTER {
            failures = 0;
        }
        match server.relaunch(orders, &mut failures) {
            Some(again) => running = again,
            None => return,
        }
    }
}

/// The status of a server that ended by itself, or nothing when it is to be stopped.
fn wait_for_death(child: &mut Child, orders: &Receiver<()>) -> Option<ExitStatus> {
    loop {
        match orders.recv_timeout(WATCH_POLL) {
            Err(RecvTimeoutError::Timeout) => {
                if let Ok(Some(status)) = child.try_wait() {
                    return Some(status);
                }
            }
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return None,
        }
    }
}

/// Fast, then immediate, then killed. Each server is our child, so a number that somebody else got meanwhile cannot be hit.
fn stop(child: &mut Child) {
    let began = Instant::now();
    let pid = child.id();
    for (signal, patience) in processes::STOP_LADDER {
        os::send(pid, signal);
        if processes::within(patience, || matches!(child.try_wait(), Ok(Some(_)) | Err(_))) {
            tracing::debug!(milliseconds = began.elapsed().as_millis(), ?signal, "PostgreSQL stopped");
            return;
        }
    }
    tracing::error!(pid, "PostgreSQL survived every signal");
}

impl Server {
    /// Tries until it runs or is not wanted any more, ever more slowly.
    fn relaunch(&self, orders: &Receiver<()>, failures: &mut u32) -> Option<Running> {
        loop {
            match self.launch(orders) {
                Ok(Launch::Ready(running)) => {
                    tracing::info!("PostgreSQL runs again");
                    return Some(running);
                }
                Ok(Launch::StopAsked) => return None,
                Err(error) => tracing::error!(code = error.code(), "{error}"),
            }
            *failures = failures.saturating_add(1);
            let delay = RESTART_DELAY.saturating_mul(*failures).min(RESTART_DELAY_MAX);
            if !matches!(orders.recv_timeout(delay), Err(RecvTimeoutError::Timeout)) {
                return None;
            }
        }
    }

    fn launch(&self, orders: &Receiver<()>) -> Result<Launch, ClusterError> {
        self.clear_the_way()?;
        let mut running = self.spawn()?;
        match self.wait_until_ready(&mut running, orders) {
            Ok(true) => Ok(Launch::Ready(running)),
            Ok(false) => {
                stop(&mut running.child);
                Ok(Launch::StopAsked)
            }
            Err(error) => {
                stop(&mut running.child);
                Err(error)
            }
        }
    }

    /// Removes what an earlier server left: the server itself, its processes, and its name in files.
    ///
    /// PostgreSQL recognises a dead owner of its files by itself, and knows more than we do (whether old processes
    /// still use the shared memory). The one thing that it cannot know is that a living process of that number is
    /// somebody else, or a zombie. Only then the file is removed, and only under our lock on the folder.
    fn clear_the_way(&self) -> Result<(), ClusterError> {
        let stays = |pid| ClusterError::OrphanStays { data_dir: self.cluster_dir.clone(), pid };
        let named = pidfile::read(&self.cluster_dir).map(|file| file.pid);
        if let Some(pid) = named.filter(|pid| processes::is_server_of(*pid, &self.cluster_dir)) {
            tracing::warn!(pid, "a PostgreSQL of an earlier run still serves this folder: stopping it");
            if !processes::stop_stranger(pid, &self.cluster_dir) {
                return Err(stays(pid));
            }
        }
        processes::outlast_leftovers(&self.cluster_dir).map_err(stays)?;
        // Nobody of this cluster lives any more, so a process that still has the number is not of this cluster.
        if named.is_some_and(os::exists) {
            tracing::warn!(pid = named, "postmaster.pid names a process that is not its server: removing it");
            remove(self.cluster_dir.join(pidfile::NAME));
        }
        let socket = format!(".s.PGSQL.{}", crate::folder::PORT);
        remove(self.socket_dir.join(format!("{socket}.lock")));
        remove(self.socket_dir.join(socket));
        Ok(())
    }

    fn spawn(&self) -> Result<Running, ClusterError> {
        let mut command = self.binaries.command("postgres", self.account.as_ref());
        command.arg("-D").arg(&self.cluster_dir).stdout(Stdio::null()).stderr(Stdio::piped());
        // Ctrl-C goes to the whole group of the terminal: in a group of its own, the server outlives the requests
        // that are being answered, and is stopped by us after them.
        command.process_group(0);
        os::die_with_parent(&mut command, Signal::Fast);
        let start = |reason: &str| ClusterError::Start { data_dir: self.cluster_dir.clone(), reason: reason.into() };
        let mut child = command.spawn().map_err(|error| start(&error.to_string()))?;
        let stderr = child.stderr.take().ok_or_else(|| start("its output cannot be read"))?;
        Ok(Running { child, journal: Reader::follow(stderr) })
    }

    /// False when the server is not wanted any more.
    fn wait_until_ready(&self, running: &mut Running, orders: &Receiver<()>) -> Result<bool, ClusterError> {
        let failed = |reason: String| ClusterError::Start { data_dir: self.cluster_dir.clone(), reason };
        let began = Instant::now();
        let mut next_note = RECOVERY_NOTE_EVERY;
        loop {
            if let Ok(Some(status)) = running.child.try_wait() {
                return Err(failed(format!("{status}; {}", running.journal.last_lines())));
            }
            let file = pidfile::read(&self.cluster_dir);
            if file.is_some_and(|file| file.ready && file.pid == running.child.id()) {
                return Ok(true);
            }
            let waited = began.elapsed();
            if waited > READY_PATIENCE {
                return Err(failed(format!("not ready after {} s", READY_PATIENCE.as_secs())));
            }
            if waited > next_note {
                tracing::info!(seconds = waited.as_secs(), "waiting for PostgreSQL, which recovers from its log");
                next_note += RECOVERY_NOTE_EVERY;
            }
            match orders.recv_timeout(READY_POLL) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return Ok(false),
            }
        }
    }
}

/// That it was not there is as good.
fn remove(path: PathBuf) {
    let _ = fs::remove_file(path);
}
