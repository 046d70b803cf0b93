//! One try at a time. A try is counted before it is evaluated, so that parallel guesses are all counted; without turns,
//! a person who signs in on several devices at once would be taken for somebody who guesses.

use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};

use crate::IdentityError;

/// Subjects share that many locks: two that meet on one wait for each other and nothing worse.
const LOCKS: usize = 1024;
/// Who waited for so long is told to come back.
const PATIENCE: Duration = Duration::from_secs(2);

/// Locks by subject, within this process; several processes still count each other's tries in the database.
#[derive(Debug)]
pub(crate) struct Turns(Vec<Mutex<()>>);

impl Default for Turns {
    fn default() -> Self {
        Self((0..LOCKS).map(|_| Mutex::default()).collect())
    }
}

impl Turns {
    /// Waits for the turn of a subject (a hash).
    pub(crate) async fn wait(&self, subject: &[u8; 32]) -> Result<MutexGuard<'_, ()>, IdentityError> {
        let at = usize::from(u16::from_be_bytes([subject[0], subject[1]])) % LOCKS;
        let lock = self.0.get(at).ok_or(IdentityError::Busy)?;
        tokio::time::timeout(PATIENCE, lock.lock()).await.map_err(|_| IdentityError::Busy)
    }
}
