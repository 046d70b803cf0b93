//! The pure heart: accounts under lock and commands in, verdicts and rows out. No clock, no chance, no I/O.
//!
//! Commands are decided one after the other, in the order in which they came; a refusal never touches the others.

mod fold;
mod held;
mod movement;
mod state;

pub(crate) use fold::fold;
pub(crate) use state::*;

#[cfg(test)]
pub(crate) mod memory;
#[cfg(test)]
mod naive;
#[cfg(test)]
pub(crate) mod tests;
