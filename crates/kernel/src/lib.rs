//! What every house shares and nothing of any house: time, randomness and ids that are passed in, money, identifiers,
//! the failure and success envelopes, extractors, database pools, derived keys.
//!
//! The kernel depends on nothing of ours. It knows no table and no sentence that a person reads.

pub mod clock;
pub mod db;
pub mod http;
pub mod identifier;
pub mod keys;
pub mod limits;
pub mod money;
pub mod random;

pub use clock::{Clock, Timestamp};
pub use db::{Db, Failure};
pub use http::{Lang, Problem, Reply};
pub use identifier::{Email, Identifier, Phone};
pub use keys::Keys;
pub use money::Francs;
pub use random::{Random, new_id};
