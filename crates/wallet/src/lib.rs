//! Money. [`ledger`] moves it; the features beside it ask for that and show it.

pub mod ledger;
