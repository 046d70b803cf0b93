//! Who may go on to the password hasher, and when. A flood of sign-ins waits here, where waiting costs a few bytes,
//! instead of keeping the database busy with work that the hasher would refuse.

use std::thread::available_parallelism;
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard, Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::IdentityError;

/// Subjects share that many locks: two that meet on one wait for each other and nothing worse.
const LOCKS: usize = 1024;
/// Sign-ins under way for each thread of the hasher: enough to keep it busy while others speak to the database.
const INSIDE_PER_THREAD: usize = 8;
/// Who waited for so long is told to come back.
const PATIENCE: Duration = Duration::from_secs(2);

/// One try at a time for a subject, and a few at a time for all.
#[derive(Debug)]
pub(crate) struct Turns {
    locks: Vec<Mutex<()>>,
    entrance: Semaphore,
}

/// A try's turn: over when dropped.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    _lock: MutexGuard<'a, ()>,
    _place: SemaphorePermit<'a>,
}

impl Default for Turns {
    fn default() -> Self {
        let threads = available_parallelism().map_or(1, usize::from).saturating_sub(1).max(1);
        Self {
            locks: (0..LOCKS).map(|_| Mutex::default()).collect(),
            entrance: Semaphore::new(threads * INSIDE_PER_THREAD),
        }
    }
}

impl Turns {
    /// One try at a time for a subject (a hash), within this process; several processes still count each other's tries
    /// in the database. Tries are counted before they are evaluated: without turns, a person who signs in on several
    /// devices at once would be taken for somebody who guesses.
    pub(crate) async fn of(&self, subject: &[u8; 32]) -> Result<MutexGuard<'_, ()>, IdentityError> {
        let at = usize::from(u16::from_be_bytes([subject[0], subject[1]])) % LOCKS;
        let lock = self.locks.get(at).ok_or(IdentityError::Busy)?;
        timeout(PATIENCE, lock.lock()).await.map_err(|_| IdentityError::Busy)
    }

    /// The same, and a place among those who sign in.
    pub(crate) async fn to_sign_in(&self, subject: &[u8; 32]) -> Result<Turn<'_>, IdentityError> {
        let lock = self.of(subject).await?;
        let place = timeout(PATIENCE, self.entrance.acquire()).await;
        let place = place.map_err(|_| IdentityError::Busy)?.map_err(|_| IdentityError::Busy)?;
        Ok(Turn { _lock: lock, _place: place })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_subject_has_one_turn_and_others_do_not_wait_for_it() {
        let turns = Turns::default();
        let first = turns.of(&[1; 32]).await.unwrap();
        assert!(matches!(turns.of(&[1; 32]).await, Err(IdentityError::Busy)), "after two seconds");
        drop(turns.of(&[2; 32]).await.unwrap());
        drop(first);
        drop(turns.of(&[1; 32]).await.unwrap());
    }

    #[tokio::test]
    async fn only_so_many_are_inside() {
        let turns = Turns::default();
        let places = turns.entrance.available_permits();
        let mut inside = Vec::new();
        for number in 0..places {
            let mut subject = [0; 32];
            subject[1] = u8::try_from(number).unwrap();
            inside.push(turns.to_sign_in(&subject).await.unwrap());
        }
        assert!(matches!(turns.to_sign_in(&[255; 32]).await, Err(IdentityError::Busy)));
        inside.pop();
        assert!(turns.to_sign_in(&[255; 32]).await.is_ok());
    }
}
