//! What arrives by webhook, and why it is refused.

use thiserror::Error;

use super::{Direction, OperationState};

/// Largest webhook body read, in bytes.
pub(crate) const MAX_WEBHOOK_BYTES: usize = 1024 * 1024;

/// A webhook as it arrived. Headers have lower-case names; the body is the exact bytes.
#[derive(Clone, Copy)]
pub struct Delivery<'a> {
    /// HTTP method.
    pub method: &'a str,
    /// Path as the provider addressed it.
    pub path: &'a str,
    /// Header names (lower case) and values.
    pub headers: &'a [(String, String)],
    /// Body, untouched.
    pub body: &'a [u8],
}

impl Delivery<'_> {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Whether somebody could have written the webhook who is not the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Signed with a secret that only the provider and we know.
    Signed,
    /// Not signed: anybody who knows the address could have written it. Reading the state again is all that it may cause.
    Unsigned,
}

/// What a webhook is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeKind {
    /// An operation of ours.
    Operation(Direction),
    /// Money that we did not ask for (a person scanned our merchant code, a bank transfer arrived).
    MoneyReceived,
    /// Something else, kept for the record.
    Other,
}

/// One event of a webhook: what to look up, never what to believe.
#[derive(Clone, PartialEq, Eq)]
pub struct Notice {
    /// Unique at this provider: a second one is a repeat.
    pub event_id: String,
    /// What it is about.
    pub kind: NoticeKind,
    /// Our reference.
    pub reference: Option<String>,
    /// The provider's identifier.
    pub provider_id: Option<String>,
    /// Secret to compare with [`Handle::notify_token`] by [`Handle::is_notified_by`].
    pub notify_token: Option<String>,
    /// What the webhook claims.
    pub hint: OperationState,
    /// Who may have written it.
    pub trust: Trust,
}

impl std::fmt::Debug for Notice {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Notice")
            .field("event_id", &self.event_id)
            .field("kind", &self.kind)
            .field("reference", &self.reference)
            .field("hint", &self.hint)
            .field("trust", &self.trust)
            .finish_non_exhaustive()
    }
}

/// Why a webhook is refused. The provider hears 401 without a word of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Rejected {
    /// Larger than 1 MiB.
    #[error("webhook_too_large")]
    TooLarge,
    /// No signature where one is due.
    #[error("webhook_unsigned")]
    MissingSignature,
    /// No active secret gives this signature.
    #[error("webhook_bad_signature")]
    BadSignature,
    /// Signed too long ago, or in the future.
    #[error("webhook_too_old")]
    TooOld,
    /// Signed, and yet not what the provider documents.
    #[error("webhook_unreadable")]
    Unreadable,
    /// We have no secret to check it with.
    #[error("webhook_not_configured")]
    NotConfigured,
}
