//! SMS: one short text to one number, over several routes with fallback.
//!
//! The [`Router`] tries routes in the order of preference for the number. A definite failure lets the next route try. After
//! an unknown outcome the text is sent again at most once, because a person who gets two codes is confused and pays twice.

mod config;
mod folder;
pub mod gsm7;
mod kannel;
mod orange;
mod router;
mod twilio;

use std::{io, path::Path};

pub use config::{KannelConfig, OrangeConfig, TwilioConfig};
pub use router::Router;

use self::{folder::Folder, kannel::Kannel, orange::Orange, twilio::Twilio};
use crate::{Receipt, SendError};

/// Time for one exchange with a provider, in seconds.
const EXCHANGE_TIMEOUT_S: u64 = 10;

/// A text to one number.
#[derive(Clone, PartialEq, Eq)]
pub struct Sms {
    /// Number in E.164, such as `+2250708091011`.
    pub to: String,
    /// The text. Texts that stay in [`gsm7`] cost half as much.
    pub text: String,
}

/// What every SMS provider must be able to do.
pub trait SmsRoute {
    /// Short stable name, as in configuration and logs.
    fn name(&self) -> &'static str;

    /// Hands one text over. `id` is ours; it goes to the provider where the provider has a place for it.
    fn send(&self, sms: &Sms, id: &str) -> impl Future<Output = Result<Receipt, SendError>> + Send;
}

/// One configured provider.
#[derive(Debug)]
pub enum Route {
    /// Orange SMS API.
    Orange(Box<Orange>),
    /// Twilio, or anything that speaks like it.
    Twilio(Box<Twilio>),
    /// Kannel's `sendsms`.
    Kannel(Box<Kannel>),
    /// Development mailbox.
    Folder(Box<Folder>),
}

impl Route {
    /// Orange SMS API.
    pub fn orange(config: OrangeConfig) -> Result<Self, SendError> {
        Ok(Self::Orange(Box::new(Orange::new(config)?)))
    }

    /// Twilio-compatible interface.
    pub fn twilio(config: TwilioConfig) -> Result<Self, SendError> {
        Ok(Self::Twilio(Box::new(Twilio::new(config)?)))
    }

    /// Kannel's `sendsms`.
    pub fn kannel(config: KannelConfig) -> Result<Self, SendError> {
        Ok(Self::Kannel(Box::new(Kannel::new(config)?)))
    }

    /// Development mailbox: each text becomes one file with one line of JSON (`id`, `to`, `text`).
    pub fn folder(path: &Path) -> io::Result<Self> {
        Ok(Self::Folder(Box::new(Folder::open(path)?)))
    }
}

impl SmsRoute for Route {
    fn name(&self) -> &'static str {
        match self {
            Self::Orange(route) => route.name(),
            Self::Twilio(route) => route.name(),
            Self::Kannel(route) => route.name(),
            Self::Folder(route) => route.name(),
        }
    }

    async fn send(&self, sms: &Sms, id: &str) -> Result<Receipt, SendError> {
        match self {
            Self::Orange(route) => route.send(sms, id).await,
            Self::Twilio(route) => route.send(sms, id).await,
            Self::Kannel(route) => route.send(sms, id).await,
            Self::Folder(route) => route.send(sms, id).await,
        }
    }
}

/// `+` and 8 to 15 digits: anything else would be read differently by each provider.
fn is_e164(number: &str) -> bool {
    number
        .strip_prefix('+')
        .is_some_and(|digits| (8..=15).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit()))
}
