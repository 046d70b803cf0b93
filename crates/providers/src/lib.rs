//! The outside world of Hostolink. Mail, SMS and mobile money leave the program here and nowhere else: no other crate
//! depends on an HTTP or SMTP client.
//!
//! * [`mail`]: one [`mail::Mailer`], by SMTP or into a development mailbox.
//! * [`sms`]: one [`sms::Router`] over several routes, with fallback.
//!
//! An adapter never decides twice whether a message left: it answers with a class of [`SendError`], and only a class that
//! proves that nothing left lets somebody else try freely.

mod delivery;
mod http;
pub mod mail;
mod mailbox;
mod mask;
mod oauth;
mod secret;
pub mod sms;
pub mod vars;

pub use delivery::{Receipt, SendError};
pub use secret::Secret;
