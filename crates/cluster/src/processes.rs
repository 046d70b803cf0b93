//! Which processes of a cluster are alive, and how they are brought to an end.

use crate::os::{self, Signal};
use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

const POLL: Duration = Duration::from_millis(5);

/// The signals of a shutdown in their order, and how long each is given to work.
pub(crate) const STOP_LADDER: [(Signal, Duration); 3] = [
    (Signal::Fast, Duration::from_secs(20)),
    (Signal::Immediate, Duration::from_secs(5)),
    (Signal::Kill, Duration::from_secs(5)),
];

/// How long the processes of a server that is dead get to notice it by themselves; normally milliseconds,
/// longer only while one is in the middle of a long statement.
const LEFTOVER_PATIENCE: Duration = Duration::from_secs(3);

/// Whether this process is the living postmaster of exactly this folder: a number in a file proves nothing, because
/// after a crash the same number may belong to anybody. A zombie is dead: in a container without an init process
/// nobody buries it, and PostgreSQL by itself would then refuse to start for ever.
pub(crate) fn is_server_of(pid: u32, cluster_dir: &Path) -> bool {
    os::exists(pid) && command_line_names(pid, cluster_dir)
}

#[cfg(target_os = "linux")]
fn command_line_names(pid: u32, cluster_dir: &Path) -> bool {
    use std::os::unix::ffi::OsStrExt;
    // Empty for a zombie. The arguments are separated by zero bytes.
    let Ok(line) = std::fs::read(format!("/proc/{pid}/cmdline")) else { return false };
    let mut arguments = line.split(|byte| *byte == 0);
    let is_postgres = arguments.next().is_some_and(|program| program.ends_with(b"postgres"));
    is_postgres && arguments.any(|argument| argument == cluster_dir.as_os_str().as_bytes())
}

/// macOS has no /proc; `ps` tells the same. Untried.
#[cfg(not(target_os = "linux"))]
fn command_line_names(pid: u32, cluster_dir: &Path) -> bool {
    let Ok(answer) = std::process::Command::new("ps").args(["-ww", "-o", "command=", "-p", &pid.to_string()]).output()
    else {
        return false;
    };
    let line = String::from_utf8_lossy(&answer.stdout);
    line.contains("postgres") && line.contains(&*cluster_dir.to_string_lossy())
}

/// Ends a server that is not our child (our children are waited for in `supervisor`). False when it survives everything.
pub(crate) fn stop_stranger(pid: u32, cluster_dir: &Path) -> bool {
    STOP_LADDER.iter().any(|(signal, patience)| {
        os::send(pid, *signal);
        within(*patience, || !is_server_of(pid, cluster_dir))
    })
}

/// Waits until no process works in this folder any more, and ends those that stay. Gives the one that survives that.
///
/// The children of a postmaster that was killed may still write for a moment; a new server that recovers meanwhile
/// would destroy the data. PostgreSQL guards against that by itself (it looks whether the old shared memory is in use),
/// so on a system where they cannot be listed, its refusal and our next try do the same, only later.
pub(crate) fn outlast_leftovers(folder: &Path) -> Result<(), u32> {
    if within(LEFTOVER_PATIENCE, || working_in(folder).is_empty()) {
        return Ok(());
    }
    for pid in working_in(folder) {
        tracing::warn!(pid, "a process of a dead PostgreSQL does not end by itself: killing it");
        os::send(pid, Signal::Kill);
    }
    within(LEFTOVER_PATIENCE, || working_in(folder).is_empty());
    working_in(folder).first().map_or(Ok(()), |pid| Err(*pid))
}

/// Processes of PostgreSQL that have this folder as their working folder, which all of them but `psql` and its kind do.
#[cfg(target_os = "linux")]
fn working_in(folder: &Path) -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| {
            // The name first: an administrator's shell may stand in that folder too. Reading the link of somebody
            // else's process is refused, and somebody else's process cannot have our folder open.
            std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim_end() == "postgres")
                && std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == folder)
        })
        .collect()
}

#[cfg(not(target_os = "linux"))]
fn working_in(_folder: &Path) -> Vec<u32> {
    Vec::new()
}

/// Asks again and again until the answer is yes or the time is over; says which.
pub(crate) fn within(patience: Duration, mut happened: impl FnMut() -> bool) -> bool {
    let began = Instant::now();
    loop {
        if happened() {
            return true;
        }
        if began.elapsed() >= patience {
            return false;
        }
        thread::sleep(POLL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_test_is_not_a_server() {
        assert!(!is_server_of(std::process::id(), Path::new("/")));
        assert!(working_in(&std::env::temp_dir()).is_empty());
    }

    #[test]
    fn waiting_ends_when_it_happened_and_when_the_time_is_over() {
        let mut asked = 0;
        assert!(within(Duration::from_secs(5), || {
            asked += 1;
            asked == 3
        }));
        assert_eq!(asked, 3);
        assert!(!within(Duration::from_millis(20), || false));
    }
}
