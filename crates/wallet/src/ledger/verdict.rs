//! What the ledger answers. Everything that a client is shown is in it: nothing is read again after the commit.

use chrono::{DateTime, Utc};
use kernel::Failure;
use uuid::Uuid;

use super::command::{AccountId, Kind, Unconfirmed};

/// The ledger's word on one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is done, or open.
    Done {
        /// The operation.
        receipt: Receipt,
        /// The key was known: this is the first answer again.
        replayed: bool,
    },
    /// It is refused, and stays refused for its key.
    Refused {
        /// The id under which the refusal is kept.
        id: Uuid,
        /// Why.
        reason: Refusal,
        /// The key was known: this is the first answer again.
        replayed: bool,
    },
    /// The key is new and the owner has not confirmed: nothing was written.
    NotAuthorised(Unconfirmed),
    /// The key was used for another request: nothing was written.
    KeyReused,
}

/// An operation as the books know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The id that both parties see.
    pub id: Uuid,
    /// What it is.
    pub kind: Kind,
    /// How far it is.
    pub status: Status,
    /// Who pays.
    pub from: Side,
    /// Who receives.
    pub to: Side,
    /// What arrives.
    pub amount: i64,
    /// What the payer pays on top, tax included.
    pub fee: i64,
    /// The tax inside of the fee.
    pub tax: i64,
    /// A word of the payer.
    pub note: Option<String>,
    /// When it was decided.
    pub created_at: DateTime<Utc>,
    /// When the money moved.
    pub settled_at: Option<DateTime<Utc>>,
    /// What was given back since.
    pub refunded: i64,
}

/// One side of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// The account.
    pub account: AccountId,
    /// Its owner; none for system accounts.
    pub user: Option<i32>,
    /// The code of a system account.
    pub code: Option<String>,
    /// The balance after the operation; none while it is open.
    pub balance: Option<i64>,
}

/// How far an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Open: held, not moved.
    Pending,
    /// The money moved.
    Succeeded,
    /// It did not, and will not.
    Failed,
    /// Its time ran out.
    Expired,
    /// The ledger refused it.
    Refused,
}

impl Status {
    const ALL: [(Status, &'static str, &'static str); 5] = [
        (Status::Pending, "attente", "pending"),
        (Status::Succeeded, "reussie", "succeeded"),
        (Status::Failed, "echouee", "failed"),
        (Status::Expired, "expiree", "expired"),
        (Status::Refused, "refusee", "failed"),
    ];

    /// `transaction.statut`
    pub fn stored(self) -> &'static str {
        Self::ALL.iter().find(|entry| entry.0 == self).map_or("", |entry| entry.1)
    }

    /// `transaction.status` of the HTTP contract.
    pub fn api(self) -> &'static str {
        Self::ALL.iter().find(|entry| entry.0 == self).map_or("", |entry| entry.2)
    }

    /// From `transaction.statut`.
    pub fn from_stored(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|entry| entry.1 == text).map(|entry| entry.0)
    }
}

/// Why the ledger refuses. All of these are kept with their key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The payer has less than the amount and its fee.
    InsufficientFunds,
    /// Payer and payee are the same account.
    SameAccount,
    /// The payer's account is frozen or suspended.
    PayerFrozen,
    /// The payee's account is frozen or suspended.
    PayeeFrozen,
    /// The payee would hold more than its tier may.
    BalanceCeiling,
    /// One amount is above what the tier may move at once.
    AmountLimit,
    /// The sum or the count of a day, week or month would be exceeded.
    PeriodLimit,
    /// More than what is left to give back.
    RefundExceeds,
    /// This operation cannot be given back.
    NotRefundable,
    /// The open operation is settled, cancelled or expired.
    NotPending,
    /// More than the operation still holds.
    CaptureExceeds,
    /// A single-use code was used.
    QrUsed,
    /// A code is closed.
    QrClosed,
    /// A code is expired.
    QrExpired,
    /// A payment request was paid.
    RequestPaid,
    /// A payment request was declined or withdrawn.
    RequestClosed,
    /// A payment request is expired.
    RequestExpired,
    /// Another command of the same group was refused.
    Linked,
    /// A balance would leave what 64 bits and the database can hold.
    OutOfRange,
}

impl Refusal {
    /// Every refusal with its stored form and its code.
    pub const ALL: [(Refusal, &'static str, &'static str); 19] = [
        (Refusal::InsufficientFunds, "solde_insuffisant", "wallet.insufficient_funds"),
        (Refusal::SameAccount, "meme_compte", "wallet.same_account"),
        (Refusal::PayerFrozen, "payeur_gele", "wallet.payer_frozen"),
        (Refusal::PayeeFrozen, "beneficiaire_gele", "wallet.payee_frozen"),
        (Refusal::BalanceCeiling, "plafond_solde", "wallet.balance_ceiling"),
        (Refusal::AmountLimit, "plafond_operation", "wallet.amount_limit"),
        (Refusal::PeriodLimit, "plafond_periode", "wallet.period_limit"),
        (Refusal::RefundExceeds, "remboursement_excessif", "wallet.refund_exceeds"),
        (Refusal::NotRefundable, "non_remboursable", "wallet.not_refundable"),
        (Refusal::NotPending, "deja_reglee", "wallet.not_pending"),
        (Refusal::CaptureExceeds, "capture_excessive", "wallet.capture_exceeds"),
        (Refusal::QrUsed, "qr_utilise", "wallet.qr_used"),
        (Refusal::QrClosed, "qr_ferme", "wallet.qr_closed"),
        (Refusal::QrExpired, "qr_expire", "wallet.qr_expired"),
        (Refusal::RequestPaid, "demande_payee", "wallet.request_paid"),
        (Refusal::RequestClosed, "demande_fermee", "wallet.request_closed"),
        (Refusal::RequestExpired, "demande_expiree", "wallet.request_expired"),
        (Refusal::Linked, "groupe_refuse", "wallet.linked_refused"),
        (Refusal::OutOfRange, "hors_limites", "wallet.out_of_range"),
    ];

    /// `transaction.code_refus`
    pub fn stored(self) -> &'static str {
        Self::ALL.iter().find(|entry| entry.0 == self).map_or("", |entry| entry.1)
    }

    /// The code that a client branches on; always with status 422.
    pub fn code(self) -> &'static str {
        Self::ALL.iter().find(|entry| entry.0 == self).map_or("", |entry| entry.2)
    }

    /// From `transaction.code_refus`.
    pub fn from_stored(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|entry| entry.1 == text).map(|entry| entry.0)
    }
}

/// Why there is no verdict. Nothing was written, unless it is [`LedgerError::OutcomeUnknown`].
#[derive(Clone, Debug, thiserror::Error)]
pub enum LedgerError {
    /// Too many commands wait: try again in a moment.
    #[error("the ledger's queue is full")]
    Busy,
    /// The database went away around the commit: the same request with the same key tells.
    #[error("the outcome is not known yet")]
    OutcomeUnknown,
    /// No such user or account.
    #[error("no such account")]
    UnknownParty,
    /// No such operation, or not one of the initiator's.
    #[error("no such operation")]
    UnknownOperation,
    /// A key, a note or a group of a wrong size: the caller should have refused it.
    #[error("a command that cannot be: {0}")]
    Invalid(&'static str),
    /// The database, or a bug.
    #[error(transparent)]
    Failure(Failure),
}

kernel::failure_into!(LedgerError);

impl From<tokio_postgres::Error> for LedgerError {
    #[track_caller]
    fn from(error: tokio_postgres::Error) -> Self {
        LedgerError::Failure(Failure::from(error))
    }
}
