//! What the server writes to its standard error, passed on to the program's own log.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Read},
    process::ChildStderr,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

const LINE_BYTES: u64 = 4096;
const KEPT_LINES: usize = 20;
/// How long the last lines of a server that has ended may take to arrive.
const LAST_LINES_PATIENCE: Duration = Duration::from_millis(500);

/// The last lines, for the error of a start that failed.
#[derive(Clone, Default)]
pub(crate) struct Journal {
    lines: Arc<Mutex<VecDeque<String>>>,
}

/// The thread that reads; it ends with the server.
pub(crate) struct Reader {
    journal: Journal,
    thread: Option<thread::JoinHandle<()>>,
}

impl Reader {
    pub(crate) fn follow(stderr: ChildStderr) -> Self {
        let journal = Journal::default();
        let kept = journal.clone();
        let work = move || read_lines(stderr, &kept);
        // Without the thread the server still runs; its pipe is closed, and it ignores that.
        let thread = thread::Builder::new().name("postgres-journal".into()).spawn(work).ok();
        Self { journal, thread }
    }

    /// The last lines of a server that has ended.
    pub(crate) fn last_lines(&self) -> String {
        let finished = || self.thread.as_ref().is_none_or(thread::JoinHandle::is_finished);
        crate::processes::within(LAST_LINES_PATIENCE, finished);
        let lines = self.journal.lines.lock().unwrap_or_else(PoisonError::into_inner);
        Vec::from_iter(lines.iter().map(String::as_str)).join("; ")
    }
}

fn read_lines(stderr: ChildStderr, journal: &Journal) {
    let mut reader = BufReader::new(stderr);
    let mut line = Vec::new();
    loop {
        line.clear();
        // A longer line comes in pieces.
        match reader.by_ref().take(LINE_BYTES).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => journal.note(String::from_utf8_lossy(&line).trim_end()),
        }
    }
}

impl Journal {
    fn note(&self, line: &str) {
        if line.is_empty() {
            return;
        }
        match weight(line) {
            Weight::Alarm => tracing::error!(target: "postgres", "{line}"),
            Weight::Notable => tracing::warn!(target: "postgres", "{line}"),
            Weight::Routine => tracing::debug!(target: "postgres", "{line}"),
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT_LINES {
            lines.pop_front();
        }
        lines.push_back(line.to_owned());
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Weight {
    Alarm,
    Notable,
    Routine,
}

/// The server speaks English ("LC_ALL=C") and begins each line with its level.
fn weight(line: &str) -> Weight {
    // What each session is told at a shutdown or while the server recovers: expected then.
    const EXPECTED: [&str; 4] = ["terminating connection", "is shutting down", "is starting up", "in recovery mode"];
    const NOTABLE: [&str; 4] = ["recovery", "not properly shut down", "was terminated by signal", "reinitializing"];
    let says = |words: &[&str]| words.iter().any(|word| line.contains(word));
    if line.starts_with("PANIC") {
        Weight::Alarm
    } else if line.starts_with("FATAL") && !says(&EXPECTED) || line.starts_with("LOG") && says(&NOTABLE) {
        Weight::Notable
    } else {
        Weight::Routine
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_weighed() {
        assert_eq!(weight("PANIC:  could not write to file"), Weight::Alarm);
        assert_eq!(weight("FATAL:  sorry, too many clients already"), Weight::Notable);
        assert_eq!(weight("FATAL:  the database system is in recovery mode"), Weight::Routine);
        assert_eq!(weight("FATAL:  terminating connection due to administrator command"), Weight::Routine);
        assert_eq!(weight("LOG:  server process (PID 12) was terminated by signal 9: Killed"), Weight::Notable);
        assert_eq!(weight("LOG:  database system is ready to accept connections"), Weight::Routine);
    }

    #[test]
    fn only_the_last_lines_are_kept() {
        let journal = Journal::default();
        for number in 0..KEPT_LINES + 5 {
            journal.note(&format!("LOG:  {number}"));
        }
        let lines = journal.lines.lock().unwrap();
        assert_eq!(lines.len(), KEPT_LINES);
        assert_eq!(lines.front().map(String::as_str), Some("LOG:  5"));
    }
}
