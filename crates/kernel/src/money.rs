//! Francs. XOF has no minor unit: an amount is a whole number and nothing else.

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// The only currency, ISO 4217, exponent 0.
pub const CURRENCY: &str = "XOF";

/// What one operation may move at most, in francs. It lies far above every limit of the regulator and keeps
/// sums over any number of operations inside 64 bits.
pub const MAX_AMOUNT: i64 = 1_000_000_000_000;

/// A positive amount of francs in a request: 1 to [`MAX_AMOUNT`]. Fractions, texts, zero and negative numbers are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, utoipa::ToSchema)]
#[schema(value_type = i64, minimum = 1, maximum = 1_000_000_000_000_i64, examples(1500))]
pub struct Francs(i64);

impl Francs {
    /// `None` outside of 1 to [`MAX_AMOUNT`].
    pub fn new(value: i64) -> Option<Self> {
        (1..=MAX_AMOUNT).contains(&value).then_some(Self(value))
    }

    /// The number of francs.
    pub fn get(self) -> i64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Francs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WholeFrancs)
    }
}

struct WholeFrancs;

impl Visitor<'_> for WholeFrancs {
    type Value = Francs;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a whole number of francs, at least 1")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Francs, E> {
        Francs::new(value).ok_or_else(|| E::invalid_value(Unexpected::Signed(value), &self))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Francs, E> {
        let signed = i64::try_from(value).unwrap_or(i64::MAX);
        Francs::new(signed).ok_or_else(|| E::invalid_value(Unexpected::Unsigned(value), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_positive_numbers_pass() {
        assert_eq!(serde_json::from_str::<Francs>("1500").unwrap().get(), 1500);
        for refused in ["0", "-5", "1.5", "1500.0", "\"1500\"", "null", "1e3", "99999999999999999999", "1000000000001"]
        {
            assert!(serde_json::from_str::<Francs>(refused).is_err(), "{refused}");
        }
    }
}
