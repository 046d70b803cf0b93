//! Requests with the same refresh token that are on their way at the same moment. A telephone that renews its session
//! from two screens at once is no thief: what comes while another is under way counts as having come with the first.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};

use super::token::Fingerprint;

/// The tokens that are being exchanged in this process: one entry while a request is under way.
#[derive(Debug, Default)]
pub(crate) struct Bursts(Mutex<HashMap<Fingerprint, Burst>>);

#[derive(Debug)]
struct Burst {
    began: DateTime<Utc>,
    under_way: usize,
}

/// A request's part in a burst; leaves it when dropped.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    bursts: &'a Bursts,
    token: Fingerprint,
    /// When the first of those that overlap came.
    pub(crate) began: DateTime<Utc>,
}

impl Bursts {
    /// Joins the requests with this token that are under way, or begins anew.
    pub(crate) fn join(&self, token: Fingerprint, now: DateTime<Utc>) -> Part<'_> {
        let mut bursts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let burst = bursts.entry(token).or_insert(Burst { began: now, under_way: 0 });
        burst.under_way += 1;
        Part { bursts: self, token, began: burst.began }
    }
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        let mut bursts = self.bursts.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(burst) = bursts.get_mut(&self.token) else { return };
        burst.under_way -= 1;
        if burst.under_way == 0 {
            bursts.remove(&self.token);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn what_overlaps_came_together() {
        let (bursts, start) = (Bursts::default(), DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let after = |seconds| start + TimeDelta::seconds(seconds);
        let first = bursts.join([1; 32], start);
        let second = bursts.join([1; 32], after(1));
        assert_eq!((first.began, second.began), (start, start));
        assert_eq!(bursts.join([2; 32], after(1)).began, after(1), "another token");
        drop(first);
        assert_eq!(bursts.join([1; 32], after(2)).began, start, "the second is still under way");
        drop(second);
        assert_eq!(bursts.join([1; 32], after(3)).began, after(3));
        assert!(bursts.0.lock().unwrap().is_empty());
    }
}
