//! Counters in the database: how often something was done by, to or from somebody within a window of time. They survive
//! a restart and are shared by every process. Whom they count is a keyed hash, never a number or an address.

mod store;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use kernel::Failure;
use kernel::keys::Purpose;
use sqlx::PgConnection;

use crate::{Core, IdentityError};

pub(crate) use store::forget_old;

/// How much of something is allowed in a window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    /// What is counted; a part of the counter's name.
    pub(crate) name: &'static str,
    /// How often.
    pub(crate) limit: u32,
    /// In how much time; windows start at multiples of it.
    pub(crate) window: TimeDelta,
}

/// A counter: a budget of somebody.
#[derive(Clone, Debug)]
pub(crate) struct Counter {
    budget: Budget,
    scope: String,
}

impl Budget {
    /// The counter of `whom`, in the present window.
    pub(crate) fn of(self, core: &Core, whom: &str) -> Counter {
        let mac =
            core.keys.mac(Purpose::Token, core.keys.current(), &[b"compteur", self.name.as_bytes(), whom.as_bytes()]);
        // A generation of ours always has its key; an empty hash would only merge counters.
        let hash =
            mac.map(|mac| mac[..16].iter().map(|byte| format!("{byte:02x}")).collect::<String>()).unwrap_or_default();
        Counter { budget: self, scope: format!("{}:{hash}", self.name) }
    }
}

/// Takes one from each counter, or says when to come back. Roll the transaction back on refusal: nothing is then taken.
/// Callers give counters in one order (from the narrow to the wide), so that two of them never wait for each other.
pub(crate) async fn take(
    connection: &mut PgConnection,
    core: &Core,
    counters: &[Counter],
) -> Result<(), IdentityError> {
    let now = core.clock.now();
    for counter in counters {
        let start = window_start(now, counter.budget.window);
        if store::add(connection, &counter.scope, start, 1).await? > i64::from(counter.budget.limit) {
            return Err(IdentityError::TooMany { retry_after: until(now, start + counter.budget.window) });
        }
    }
    Ok(())
}

/// Refuses when a counter is full, without taking from it.
pub(crate) async fn check(
    connection: &mut PgConnection,
    core: &Core,
    counters: &[Counter],
) -> Result<(), IdentityError> {
    let now = core.clock.now();
    for counter in counters {
        let start = window_start(now, counter.budget.window);
        if store::read(connection, &counter.scope, start).await? >= i64::from(counter.budget.limit) {
            return Err(IdentityError::TooMany { retry_after: until(now, start + counter.budget.window) });
        }
    }
    Ok(())
}

/// Counts one more, whatever the limit: what happened has happened.
pub(crate) async fn add(connection: &mut PgConnection, core: &Core, counter: &Counter) -> Result<i64, Failure> {
    let start = window_start(core.clock.now(), counter.budget.window);
    Ok(store::add(connection, &counter.scope, start, 1).await?)
}

/// Gives one back, when what was taken turned out to be harmless.
pub(crate) async fn give_back(connection: &mut PgConnection, core: &Core, counter: &Counter) -> Result<(), Failure> {
    let start = window_start(core.clock.now(), counter.budget.window);
    Ok(store::subtract(connection, &counter.scope, start).await?)
}

/// How much was taken in the present window.
pub(crate) async fn taken(connection: &mut PgConnection, core: &Core, counter: &Counter) -> Result<i64, Failure> {
    let start = window_start(core.clock.now(), counter.budget.window);
    Ok(store::read(connection, &counter.scope, start).await?)
}

/// Notes that something holds from now on, for the length of the budget's window.
pub(crate) async fn mark(connection: &mut PgConnection, core: &Core, counter: &Counter) -> Result<(), Failure> {
    store::add(connection, &counter.scope, core.clock.now(), 1).await?;
    Ok(())
}

/// How long what was noted with [`mark`] holds still.
pub(crate) async fn marked(
    connection: &mut PgConnection,
    core: &Core,
    counter: &Counter,
) -> Result<Option<Duration>, Failure> {
    let now = core.clock.now();
    let since = store::latest(connection, &counter.scope, now - counter.budget.window).await?;
    Ok(since.map(|since| until(now, since + counter.budget.window)))
}

/// From now to then, at least a second.
pub(crate) fn until(now: DateTime<Utc>, then: DateTime<Utc>) -> Duration {
    (then - now).to_std().unwrap_or_default().max(Duration::from_secs(1))
}

fn window_start(now: DateTime<Utc>, window: TimeDelta) -> DateTime<Utc> {
    let seconds = window.num_seconds().max(1);
    DateTime::from_timestamp(now.timestamp().div_euclid(seconds) * seconds, 0).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_start_at_multiples_of_their_length() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        assert_eq!(window_start(at("2026-11-22T14:59:59Z"), TimeDelta::hours(1)), at("2026-11-22T14:00:00Z"));
        assert_eq!(window_start(at("2026-11-22T14:59:59Z"), TimeDelta::days(1)), at("2026-11-22T00:00:00Z"));
        assert_eq!(until(at("2026-11-22T14:59:59Z"), at("2026-11-22T15:00:00Z")), Duration::from_secs(1));
    }
}
