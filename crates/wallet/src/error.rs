//! What the wallet refuses: a variant is a stable code; its sentences are in `messages/`, section `wallet`.

use axum::http::{HeaderName, HeaderValue, StatusCode};
use chrono::{DateTime, Utc};
use identity::IdentityError;
use kernel::http::FieldError;
use kernel::{Failure, Problem, Timestamp};

use crate::ledger::{LedgerError, Receipt, Refusal, Unconfirmed, Verdict};
use crate::qr::emv::Damage;

/// Why a request about money is refused.
#[derive(Clone, Debug, thiserror::Error)]
pub enum WalletError {
    /// 422: the ledger refused it and keeps the refusal with its key.
    #[error("refused: {}", reason.code())]
    Refused {
        /// Why.
        reason: Refusal,
        /// It was refused before, with the same key.
        replayed: bool,
    },
    /// 422: the key was used for another request.
    #[error("the key was used for another request")]
    KeyReused,
    /// 403: not confirmed by its owner.
    #[error("not confirmed: {0:?}")]
    NotConfirmed(Unconfirmed),
    /// 404: nobody to pay under this identifier.
    #[error("payee unknown")]
    PayeeUnknown,
    /// 404: not there, or someone else's.
    #[error("not found")]
    NotFound,
    /// 403: the password or the PIN was reset a short while ago.
    #[error("outgoing money is blocked")]
    OutgoingBlocked {
        /// Until when.
        until: DateTime<Utc>,
    },
    /// 400: a field that does not fit; the code is that of the field.
    #[error("{0}: {1}")]
    Field(&'static str, &'static str),
    /// 400: a code that is damaged.
    #[error("damaged code: {0}")]
    QrDamaged(Damage),
    /// 422: a readable code of somebody else's network.
    #[error("foreign code: {0}")]
    QrForeign(String),
    /// 422: the code asks for another amount than the request.
    #[error("the code asks for {asked} francs")]
    QrAmount {
        /// In francs.
        asked: i64,
    },
    /// 422: below or above what the provider takes.
    #[error("outside of {minimum} to {maximum} francs")]
    ProviderBounds {
        /// In francs.
        minimum: i64,
        /// In francs.
        maximum: i64,
    },
    /// 503: this way in or out is not open at present.
    #[error("provider unavailable")]
    ProviderUnavailable,
    /// 409: the answer does not fit the state of the thing.
    #[error("conflict: {0}")]
    Conflict(&'static str),
    /// 422: a rule of the feature, with its code.
    #[error("refused: {0}")]
    Rule(&'static str),
    /// What identity refused, as it said it: a wrong PIN, a locked one.
    #[error("refused: {}", .0.code)]
    Other(Box<Problem>),
    /// 401: a webhook that its operator did not write.
    #[error("webhook refused")]
    WebhookRefused,
    /// 503: too much waits.
    #[error("busy")]
    Busy,
    /// 503: the same request with the same key tells what became of it.
    #[error("outcome unknown")]
    OutcomeUnknown,
    /// The database, or a bug.
    #[error(transparent)]
    Failure(Failure),
}

kernel::failure_into!(WalletError);

/// The header that says that an answer is a first answer given again.
pub const REPLAYED: (HeaderName, HeaderValue) =
    (HeaderName::from_static("idempotency-replayed"), HeaderValue::from_static("true"));

impl From<IdentityError> for WalletError {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::Failure(failure) => WalletError::Failure(failure),
            other => WalletError::Other(Box::new(other.into())),
        }
    }
}

impl From<LedgerError> for WalletError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Busy => WalletError::Busy,
            LedgerError::OutcomeUnknown => WalletError::OutcomeUnknown,
            LedgerError::UnknownParty => WalletError::PayeeUnknown,
            LedgerError::UnknownOperation => WalletError::NotFound,
            LedgerError::Invalid(what) => WalletError::Failure(Failure::internal(what)),
            LedgerError::Failure(failure) => WalletError::Failure(failure),
        }
    }
}

impl Verdict {
    /// The receipt and whether it was replayed, or the refusal to answer with.
    pub fn accepted(self) -> Result<(Receipt, bool), WalletError> {
        match self {
            Verdict::Done { receipt, replayed } => Ok((receipt, replayed)),
            Verdict::Refused { reason, replayed, .. } => Err(WalletError::Refused { reason, replayed }),
            Verdict::NotAuthorised(missing) => Err(WalletError::NotConfirmed(missing)),
            Verdict::KeyReused => Err(WalletError::KeyReused),
        }
    }
}

impl From<WalletError> for Problem {
    fn from(error: WalletError) -> Self {
        let unavailable = |code| {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, code).with_retry_after(std::time::Duration::from_secs(1))
        };
        match error {
            WalletError::Refused { reason, replayed } => {
                let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, reason.code());
                if replayed { problem.with_header(REPLAYED.0, REPLAYED.1) } else { problem }
            }
            WalletError::KeyReused => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "wallet.idempotency_key_reused"),
            WalletError::NotConfirmed(missing) => Problem::new(StatusCode::FORBIDDEN, unconfirmed(missing)),
            WalletError::PayeeUnknown => Problem::new(StatusCode::NOT_FOUND, "wallet.payee_unknown"),
            WalletError::NotFound => Problem::not_found(),
            WalletError::OutgoingBlocked { until } => {
                let until = Timestamp(until).text();
                Problem::new(StatusCode::FORBIDDEN, "wallet.outgoing_blocked")
                    .with_param("until", &until)
                    .with_member("until", until)
            }
            WalletError::Field(field, reason) => Problem::field(field, reason),
            WalletError::QrDamaged(damage) => Problem::new(StatusCode::BAD_REQUEST, "wallet.qr_damaged")
                .with_errors(vec![FieldError::new("payload", damage.code())]),
            WalletError::QrForeign(network) => {
                unprocessable("wallet.qr_foreign").with_param("network", &network).with_member("network", network)
            }
            WalletError::QrAmount { asked } => {
                unprocessable("wallet.qr_amount_differs").with_param("amount", asked).with_member("amount", asked)
            }
            WalletError::ProviderBounds { minimum, maximum } => unprocessable("wallet.provider_bounds")
                .with_param("minimum", minimum)
                .with_param("maximum", maximum)
                .with_member("minimum", minimum)
                .with_member("maximum", maximum),
            WalletError::ProviderUnavailable => {
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "wallet.provider_unavailable")
                    .with_retry_after(PROVIDER_RETRY)
            }
            WalletError::Conflict(code) => Problem::new(StatusCode::CONFLICT, code),
            WalletError::Rule(code) => unprocessable(code),
            WalletError::WebhookRefused => Problem::new(StatusCode::UNAUTHORIZED, "wallet.webhook_refused"),
            WalletError::Other(problem) => *problem,
            WalletError::Busy => unavailable("wallet.busy"),
            WalletError::OutcomeUnknown => unavailable("wallet.outcome_unknown"),
            WalletError::Failure(failure) => failure.into(),
        }
    }
}

fn unprocessable(code: &'static str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code)
}

/// A provider that is switched off does not come back within seconds.
const PROVIDER_RETRY: std::time::Duration = std::time::Duration::from_secs(300);

fn unconfirmed(missing: Unconfirmed) -> &'static str {
    match missing {
        Unconfirmed::NotVerified => "wallet.not_verified",
        Unconfirmed::PinMissing => "wallet.pin_required",
        Unconfirmed::OutgoingBlocked => "wallet.outgoing_blocked",
    }
}
