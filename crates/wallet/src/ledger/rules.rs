//! Limits and fees are rows of `limite` and `bareme`: read with every batch, so that a change counts from the next payment.

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};

use super::command::Kind;

/// Basis points in a whole.
const BASIS: i64 = 10_000;

/// All limits and fees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Rows of `limite`.
    pub limits: Vec<Limit>,
    /// Active rows of `bareme` with their brackets.
    pub schedules: Vec<Schedule>,
}

/// One limit of one tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Whose.
    pub tier: i16,
    /// Of what.
    pub measure: Measure,
    /// The highest value that is allowed, in francs or in operations.
    pub maximum: i64,
    /// Since when it is counted.
    pub since: DateTime<Utc>,
}

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// The balance after a credit.
    Balance,
    /// One amount.
    Operation(Kind),
    /// The sum in a window.
    Sum(Kind, Window),
    /// How many in a window.
    Count(Kind, Window),
}

/// A window that turns at midnight UTC, which is Abidjan's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Window {
    /// A calendar day.
    Day,
    /// From Monday.
    Week,
    /// A calendar month.
    Month,
}

impl Window {
    /// `compteur_argent.fenetre`
    pub fn stored(self) -> &'static str {
        match self {
            Window::Day => "jour",
            Window::Week => "semaine",
            Window::Month => "mois",
        }
    }

    /// From `fenetre`.
    pub fn from_stored(text: &str) -> Option<Self> {
        [Window::Day, Window::Week, Window::Month].into_iter().find(|window| window.stored() == text)
    }

    /// The day on which the window that holds this instant began.
    pub fn start(self, at: DateTime<Utc>) -> NaiveDate {
        let day = at.date_naive();
        match self {
            Window::Day => day,
            Window::Week => {
                day.checked_sub_days(Days::new(u64::from(day.weekday().num_days_from_monday()))).unwrap_or(day)
            }
            Window::Month => day.with_day(1).unwrap_or(day),
        }
    }
}

/// The fee schedule of a kind of operation, of one provider or of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Of which operations.
    pub kind: Kind,
    /// Of which provider; empty: any.
    pub provider: String,
    /// The fee is at least this, tax not included.
    pub minimum: i64,
    /// The fee is at most this, tax not included.
    pub maximum: Option<i64>,
    /// Tax on the fee, in basis points.
    pub tax_bp: i64,
    /// Sorted by `from`.
    pub brackets: Vec<Bracket>,
}

/// What applies from an amount on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bracket {
    /// The lowest amount of the bracket.
    pub from: i64,
    /// A fixed part.
    pub fixed: i64,
    /// A part of the whole amount, in basis points.
    pub rate_bp: i64,
}

/// What an operation costs its payer on top.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fee {
    /// Fee and tax.
    pub total: i64,
    /// The tax in it.
    pub tax: i64,
}

impl Rules {
    /// The fee of an amount: the provider's own schedule, else the one for any provider, else nothing.
    pub fn fee(&self, kind: Kind, provider: Option<&str>, amount: i64) -> Fee {
        let of = |name: &str| self.schedules.iter().find(|schedule| schedule.kind == kind && schedule.provider == name);
        let schedule = provider.and_then(of).or_else(|| of(""));
        schedule.map_or(Fee::default(), |schedule| schedule.fee(amount))
    }

    /// The highest balance of a tier.
    pub fn ceiling(&self, tier: i16) -> Option<i64> {
        self.of_tier(tier).find(|limit| limit.measure == Measure::Balance).map(|limit| limit.maximum)
    }

    /// The limits of a tier.
    pub fn of_tier(&self, tier: i16) -> impl Iterator<Item = &Limit> {
        self.limits.iter().filter(move |limit| limit.tier == tier)
    }

    /// Since when a kind is counted in a window; `None`: it is not.
    pub fn counted_since(&self, kind: Kind, window: Window) -> Option<DateTime<Utc>> {
        let counted = |limit: &&Limit| matches!(limit.measure, Measure::Sum(k, w) | Measure::Count(k, w) if (k, w) == (kind, window));
        self.limits.iter().filter(counted).map(|limit| limit.since).min()
    }

    /// The windows in which a kind is counted, whatever the tier: an account that changes its tier is counted already.
    pub fn windows(&self, kind: Kind) -> Vec<Window> {
        let mut windows: Vec<Window> = self
            .limits
            .iter()
            .filter_map(|limit| match limit.measure {
                Measure::Sum(of, window) | Measure::Count(of, window) if of == kind => Some(window),
                _ => None,
            })
            .collect();
        windows.sort_unstable();
        windows.dedup();
        windows
    }
}

impl Schedule {
    fn fee(&self, amount: i64) -> Fee {
        let Some(bracket) = self.brackets.iter().rev().find(|bracket| bracket.from <= amount) else {
            return Fee::default();
        };
        let bare = bracket.fixed.saturating_add(half_up(amount, bracket.rate_bp)).max(self.minimum);
        let bare = self.maximum.map_or(bare, |maximum| bare.min(maximum));
        let tax = half_up(bare, self.tax_bp);
        Fee { total: bare.saturating_add(tax), tax }
    }
}

/// A part in basis points, to the nearest franc, halves up.
fn half_up(amount: i64, basis_points: i64) -> i64 {
    let product = i128::from(amount) * i128::from(basis_points) + i128::from(BASIS / 2);
    i64::try_from(product / i128::from(BASIS)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(
        provider: &str,
        minimum: i64,
        maximum: Option<i64>,
        tax_bp: i64,
        brackets: &[(i64, i64, i64)],
    ) -> Schedule {
        let brackets = brackets.iter().map(|&(from, fixed, rate_bp)| Bracket { from, fixed, rate_bp }).collect();
        Schedule { kind: Kind::Withdrawal, provider: provider.into(), minimum, maximum, tax_bp, brackets }
    }

    #[test]
    fn fees_follow_brackets_bounds_tax_and_rounding() {
        let one_percent = schedule("", 0, None, 0, &[(0, 0, 100)]);
        assert_eq!(one_percent.fee(149).total, 1, "1.49 is one franc");
        assert_eq!(one_percent.fee(150).total, 2, "half a franc goes up");
        let taxed = schedule("", 25, Some(500), 1800, &[(0, 0, 100), (100_000, 200, 50)]);
        assert_eq!(taxed.fee(100), Fee { total: 25 + 5, tax: 5 }, "minimum 25, 18 % of it is 4.5");
        assert_eq!(taxed.fee(100_000), Fee { total: 500 + 90, tax: 90 }, "700 is above the maximum");
        assert_eq!(taxed.fee(20_000), Fee { total: 200 + 36, tax: 36 });
    }

    #[test]
    fn a_providers_own_schedule_wins() {
        let rules = Rules {
            limits: Vec::new(),
            schedules: vec![schedule("", 0, None, 0, &[(0, 10, 0)]), schedule("wave", 0, None, 0, &[(0, 7, 0)])],
        };
        assert_eq!(rules.fee(Kind::Withdrawal, Some("wave"), 1000).total, 7);
        assert_eq!(rules.fee(Kind::Withdrawal, Some("mtn_momo"), 1000).total, 10);
        assert_eq!(rules.fee(Kind::Transfer, None, 1000).total, 0);
    }

    #[test]
    fn windows_turn_at_abidjans_midnight() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert_eq!(Window::Day.start(at("2026-11-22T23:59:59Z")), day("2026-11-22"));
        assert_eq!(Window::Day.start(at("2026-11-23T00:00:00Z")), day("2026-11-23"));
        assert_eq!(Window::Week.start(at("2026-11-22T12:00:00Z")), day("2026-11-16"), "a Sunday");
        assert_eq!(Window::Month.start(at("2026-11-30T23:59:59Z")), day("2026-11-01"));
    }
}
