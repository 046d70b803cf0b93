//! Passwords: which ones are taken, and how they are kept.

pub(crate) mod hasher;
mod model;
mod phc;

pub(crate) use hasher::Hasher;
pub(crate) use model::{check, confirmed};
pub(crate) use phc::Verdict;

/// Whether a stored value is a hash that sign-in can compare with: argon2 or bcrypt. Anything else in the column is
/// clear text that the first backend left.
pub fn is_hash(stored: &str) -> bool {
    phc::is_readable(stored)
}

/// Hashes on the calling thread, outside of the pool: adoption of clear passwords, never a request.
pub fn hash_now(clear: &str, random: &kernel::Random) -> Result<String, kernel::Failure> {
    phc::Bench::new(random.clone()).hash(clear.as_bytes())
}

#[cfg(test)]
mod tests;
