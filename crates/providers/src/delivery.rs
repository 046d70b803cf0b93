//! What sending a message can come to.

use thiserror::Error;

/// Proof that a provider took charge of a message. It is not proof that a person received it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Name of the route that took it.
    pub route: String,
    /// The provider's own identifier, when it gives one.
    pub provider_id: Option<String>,
}

impl Receipt {
    pub(crate) fn new(route: &str, provider_id: Option<String>) -> Self {
        Self { route: route.to_owned(), provider_id }
    }
}

/// Why a message was not taken. Codes are stable and hold nothing personal: they may be logged and counted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SendError {
    /// The provider, or the network before it, certainly did not take the message: another route may try.
    #[error("{route} refused the message: {code}")]
    Definite {
        /// Name of the route.
        route: String,
        /// Stable code, such as `http_429`, `twilio_21211`, `unreachable`.
        code: String,
        /// The destination or the text itself is at fault: trying again later cannot help.
        permanent: bool,
    },
    /// Nobody knows whether the message left (time-out after it was written, unreadable answer).
    #[error("outcome unknown at {route}: {code}")]
    Unknown {
        /// Name of the route.
        route: String,
        /// Stable code, such as `timeout`.
        code: String,
    },
    /// Our keys or settings are refused: nothing left, and a person must act.
    #[error("{route} is misconfigured: {code}")]
    Misconfigured {
        /// Name of the route.
        route: String,
        /// Stable code, such as `http_401`.
        code: String,
    },
}

impl SendError {
    pub(crate) fn refused(route: &str, code: impl Into<String>) -> Self {
        Self::Definite { route: route.to_owned(), code: code.into(), permanent: false }
    }

    pub(crate) fn hopeless(route: &str, code: impl Into<String>) -> Self {
        Self::Definite { route: route.to_owned(), code: code.into(), permanent: true }
    }

    pub(crate) fn unknown(route: &str, code: impl Into<String>) -> Self {
        Self::Unknown { route: route.to_owned(), code: code.into() }
    }

    pub(crate) fn misconfigured(route: &str, code: impl Into<String>) -> Self {
        Self::Misconfigured { route: route.to_owned(), code: code.into() }
    }

    /// The stable code.
    pub fn code(&self) -> &str {
        match self {
            Self::Definite { code, .. } | Self::Unknown { code, .. } | Self::Misconfigured { code, .. } => code,
        }
    }

    /// Whether sending the same message later may help without risking a double: true for a passing refusal and for a
    /// configuration that a person will repair, false for a hopeless destination and for an unknown outcome.
    pub fn may_retry(&self) -> bool {
        match self {
            Self::Definite { permanent, .. } => !permanent,
            Self::Misconfigured { .. } => true,
            Self::Unknown { .. } => false,
        }
    }
}
