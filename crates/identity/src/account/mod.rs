//! People, and the steps of signing up.

mod finder;
mod model;
pub(crate) mod store;

pub(crate) use finder::{Finder, start as start_finder};
pub(crate) use model::Person;
pub use model::{Found, NextStep};
