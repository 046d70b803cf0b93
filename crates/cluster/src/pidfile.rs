//! Reading `postmaster.pid`, the only place where a running PostgreSQL says who and where it is.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The name that PostgreSQL gives the file.
pub(crate) const NAME: &str = "postmaster.pid";

/// What a server wrote about itself.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Pidfile {
    pub(crate) pid: u32,
    pub(crate) socket_dir: PathBuf,
    /// True once connections are accepted; during recovery and shutdown it is false.
    pub(crate) ready: bool,
}

/// Reads the file of the cluster in this folder; `None` when there is none, or it is not complete enough to name a process.
pub(crate) fn read(cluster_dir: &Path) -> Option<Pidfile> {
    parse(&fs::read_to_string(cluster_dir.join(NAME)).ok()?)
}

// One line each: process, data folder, start time, port, socket folder, listen address, shared memory, status.
// A server that has just begun has written the first of them only.
fn parse(text: &str) -> Option<Pidfile> {
    let lines: Vec<&str> = text.lines().collect();
    let line = |at: usize| lines.get(at).copied().unwrap_or_default();
    // PostgreSQL writes a minus sign before the number when it is a single-user backend; that one serves nobody.
    let pid = line(0).trim().parse().ok()?;
    Some(Pidfile { pid, socket_dir: PathBuf::from(line(4)), ready: line(7).trim() == "ready" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ready_server() {
        let text = "42\n/d/pg15\n1763820000\n5432\n/d/run\n\n  5432001    123456\nready   \n";
        let expected = Pidfile { pid: 42, socket_dir: PathBuf::from("/d/run"), ready: true };
        assert_eq!(parse(text), Some(expected));
    }

    #[test]
    fn a_server_that_has_just_begun_is_not_ready() {
        assert_eq!(parse("42\n/d/pg15\n"), Some(Pidfile { pid: 42, socket_dir: PathBuf::new(), ready: false }));
        let recovering = "42\n/d\n1\n5432\n/d/run\n\n  1  1\nstarting\n";
        assert!(parse(recovering).is_some_and(|file| !file.ready));
    }

    #[test]
    fn nonsense_and_single_user_backends_name_nobody() {
        assert_eq!(parse(""), None);
        assert_eq!(parse("-42\n/d/pg15\n"), None);
        assert_eq!(parse("hello"), None);
    }
}
