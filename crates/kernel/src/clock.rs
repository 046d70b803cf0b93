//! Time that is passed in, so that a test can hold it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde::{Serialize, Serializer};

/// Where the present comes from: the machine, or a hand that a test moves.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    /// Microseconds since 1970 that are added to the machine's time.
    Shifted(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that a test may move forwards and backwards; it starts at the machine's time and goes on with it,
    /// so that rows written by the database's own `now()` stay comparable.
    pub fn movable() -> Self {
        Self(Source::Shifted(Arc::new(AtomicI64::new(0))))
    }

    /// The present, rounded to the microseconds that PostgreSQL keeps.
    #[expect(clippy::disallowed_methods, reason = "the one place where the machine's time is read")]
    pub fn now(&self) -> DateTime<Utc> {
        let machine = Utc::now();
        let shifted = match &self.0 {
            Source::System => machine,
            Source::Shifted(micros) => machine + TimeDelta::microseconds(micros.load(Ordering::SeqCst)),
        };
        shifted.trunc_subsecs(6)
    }

    /// Moves a movable clock; a negative step sets it back. The machine's clock is not ours to move: nothing happens.
    pub fn shift(&self, by: TimeDelta) {
        if let Source::Shifted(micros) = &self.0 {
            micros.fetch_add(by.num_microseconds().unwrap_or(0), Ordering::SeqCst);
        }
    }
}

/// An instant as clients read it: UTC, RFC 3339, milliseconds, `Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, utoipa::ToSchema)]
#[schema(value_type = String, format = DateTime, examples("2026-11-22T14:05:09.123Z"))]
pub struct Timestamp(pub DateTime<Utc>);

impl Timestamp {
    /// `2026-11-22T14:05:09.123Z`
    pub fn text(&self) -> String {
        self.0.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(at: DateTime<Utc>) -> Self {
        Self(at)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_movable_clock_moves_both_ways() {
        let clock = Clock::movable();
        let before = clock.now();
        clock.shift(TimeDelta::minutes(5));
        assert!(clock.now() >= before + TimeDelta::minutes(5));
        clock.shift(TimeDelta::minutes(-10));
        assert!(clock.now() < before);
    }

    #[test]
    fn timestamps_have_milliseconds_and_z() {
        let at = DateTime::from_timestamp(1_732_801_500, 7_000_000).unwrap();
        assert_eq!(Timestamp(at).text(), "2024-11-28T13:45:00.007Z");
    }
}
