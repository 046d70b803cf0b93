//! The outside world of Hostolink. Mail, SMS and mobile money leave the program here and nowhere else: no other crate
//! depends on an HTTP or SMTP client.
//!
//! * [`mail`]: one [`mail::Mailer`], by SMTP or into a development mailbox.
//! * [`outbound`]: HTTP to addresses that customers choose, never to ourselves or our neighbours.
//! * [`sms`]: one [`sms::Router`] over several routes, with fallback.
//! * [`mobile_money`]: one connector a provider, behind the capabilities [`mobile_money::Collect`],
//!   [`mobile_money::Payout`], [`mobile_money::Webhook`], [`mobile_money::Statement`] and [`mobile_money::Float`].
//!
//! An adapter never decides twice whether a message left: it answers with a class of [`SendError`], and only a class that
//! proves that nothing left lets somebody else try freely.

mod delivery;
mod http;
pub mod mail;
mod mailbox;
mod mask;
pub mod mobile_money;
mod oauth;
pub mod outbound;
mod secret;
pub mod sms;
pub mod vars;

pub use delivery::{Receipt, SendError};
pub use secret::Secret;

/// Where the present comes from, in seconds since 1970: passed in, so that a test can hold it.
pub type UnixSeconds = std::sync::Arc<dyn Fn() -> i64 + Send + Sync>;
