//! Passwords: which ones are taken, and how they are kept.

pub(crate) mod hasher;
mod model;
mod phc;

pub(crate) use hasher::Hasher;
pub(crate) use model::{check, confirmed};
pub(crate) use phc::Verdict;

#[cfg(test)]
mod tests;
