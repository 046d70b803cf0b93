//! The few calls that the standard library does not offer. This is the only module with `unsafe` code.
#![allow(unsafe_code)] // each block is one libc call on values that live through it

use std::{ffi::CString, io, process::Command};

/// The account of an operating system user, as PostgreSQL is started under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// The three ways in which PostgreSQL is told to stop, and in which an initdb is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// SIGINT: "fast" shutdown, sessions are ended and a checkpoint is written.
    Fast,
    /// SIGQUIT: "immediate" shutdown, the next start recovers from the log.
    Immediate,
    /// SIGKILL.
    Kill,
}

impl Signal {
    fn number(self) -> libc::c_int {
        match self {
            Self::Fast => libc::SIGINT,
            Self::Immediate => libc::SIGQUIT,
            Self::Kill => libc::SIGKILL,
        }
    }
}

/// The user whose rights this program has.
pub(crate) fn effective_uid() -> u32 {
    // SAFETY: takes nothing, cannot fail.
    unsafe { libc::geteuid() }
}

/// Sends a signal; a process that is gone already is not an error for anyone here.
pub(crate) fn send(pid: u32, signal: Signal) {
    if let Some(pid) = one_process(pid) {
        // SAFETY: plain numbers.
        unsafe { libc::kill(pid, signal.number()) };
    }
}

/// Whether a process of this number exists, be it ours or not, be it a zombie or not.
pub(crate) fn exists(pid: u32) -> bool {
    let Some(pid) = one_process(pid) else { return false };
    // SAFETY: plain numbers; signal 0 only asks.
    let answer = unsafe { libc::kill(pid, 0) };
    answer == 0 || io::Error::last_os_error().raw_os_error() == Some(libc::EPERM)
}

/// 0 and the negative numbers mean groups of processes to `kill`, and 1 is never a database: none of them passes.
fn one_process(pid: u32) -> Option<libc::pid_t> {
    libc::pid_t::try_from(pid).ok().filter(|pid| *pid > 1)
}

/// Looks an account up by name.
pub(crate) fn account(name: &str) -> Option<Account> {
    const BUFFER_BYTES: usize = 16 * 1024;
    let c_name = CString::new(name).ok()?;
    let mut buffer = vec![0; BUFFER_BYTES];
    // SAFETY: passwd is plain data for which all-zero is a value; it is only read after getpwnam_r filled it.
    let mut entry: libc::passwd = unsafe { std::mem::zeroed() };
    let mut found = std::ptr::null_mut();
    // SAFETY: every pointer is to a local that outlives the call, and the length is the buffer's own.
    let status =
        unsafe { libc::getpwnam_r(c_name.as_ptr(), &mut entry, buffer.as_mut_ptr(), buffer.len(), &mut found) };
    (status == 0 && !found.is_null()).then(|| Account { name: name.to_owned(), uid: entry.pw_uid, gid: entry.pw_gid })
}

/// Makes the kernel send `signal` to the child when the THREAD that starts it ends.
///
/// A thread and not the process: whoever starts a long-lived child has to do so from a thread that lives as long.
/// macOS has nothing like it; there, what a killed program leaves behind is stopped by the next start.
#[cfg(target_os = "linux")]
pub(crate) fn die_with_parent(command: &mut Command, signal: Signal) {
    use std::os::unix::process::CommandExt;
    let parent = std::process::id();
    let number = signal.number();
    // SAFETY: between fork and exec only async-signal-safe calls are made (prctl, getppid). std runs this after it
    // has changed the user, which matters: a change of credentials would clear the wish.
    unsafe {
        command.pre_exec(move || {
            if libc::prctl(libc::PR_SET_PDEATHSIG, number) != 0 {
                return Err(io::Error::last_os_error());
            }
            // The parent may have died before the wish was made; then nobody would ever send the signal.
            if u32::try_from(libc::getppid()) != Ok(parent) {
                return Err(io::Error::from_raw_os_error(libc::ESRCH));
            }
            Ok(())
        });
    }
}

/// macOS: see the Linux version.
#[cfg(not(target_os = "linux"))]
pub(crate) fn die_with_parent(_command: &mut Command, _signal: Signal) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn group_numbers_are_never_signalled() {
        assert_eq!(one_process(0), None);
        assert_eq!(one_process(1), None);
        assert_eq!(one_process(u32::MAX), None);
        assert_eq!(one_process(4321), Some(4321));
    }

    #[test]
    fn own_process_exists_and_an_impossible_one_does_not() {
        assert!(exists(std::process::id()));
        assert!(!exists(i32::MAX as u32));
    }

    #[test]
    fn accounts_are_looked_up() {
        assert_eq!(account("root").map(|account| account.uid), Some(0));
        assert_eq!(account("no-such-account-here"), None);
    }
}
