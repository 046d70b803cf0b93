//! What a flow asks of the ledger. Names and plain values only: accounts are found, locked and judged by the ledger.

use chrono::{DateTime, Utc};
use kernel::Francs;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::verdict::Refusal;

/// An account by its row, in the books only: clients see `public_id`.
pub type AccountId = i64;

/// Who pays, who receives, who asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Party {
    /// The principal account of a user; opened at its first use.
    User(i32),
    /// An account that the flow read already.
    Account(AccountId),
    /// A system account by its code: `flottant:wave`, `transit:wave:depot`, `suspens:wave`, `ouverture`, …
    System(String),
}

impl Party {
    /// A system account.
    pub fn system(code: impl Into<String>) -> Self {
        Party::System(code.into())
    }
}

/// What an operation is, for people and for limits and fees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// From a person to a person.
    Transfer,
    /// By scanning a code.
    QrPayment,
    /// From an operator, a bank or a card into a wallet.
    Deposit,
    /// Out of a wallet to an operator or a bank.
    Withdrawal,
    /// What a payee gives back.
    Refund,
    /// A fee on its own.
    Fee,
    /// The balance an account starts with.
    Opening,
    /// A correction by the treasury.
    Adjustment,
    /// The undoing of an operation by the treasury.
    Reversal,
    /// The capture of an open operation: never shown, its open operation is.
    Settlement,
}

impl Kind {
    const ALL: [(Kind, &'static str, &'static str); 10] = [
        (Kind::Transfer, "transfert", "transfer"),
        (Kind::QrPayment, "paiement_qr", "qr_payment"),
        (Kind::Deposit, "depot", "deposit"),
        (Kind::Withdrawal, "retrait", "withdrawal"),
        (Kind::Refund, "remboursement", "refund"),
        (Kind::Fee, "frais", "fee"),
        (Kind::Opening, "ouverture", "opening"),
        (Kind::Adjustment, "ajustement", "adjustment"),
        (Kind::Reversal, "annulation", "reversal"),
        (Kind::Settlement, "reglement", "settlement"),
    ];

    /// `transaction.nature`
    pub fn stored(self) -> &'static str {
        Self::ALL.iter().find(|entry| entry.0 == self).map_or("", |entry| entry.1)
    }

    /// `transaction.type` of the HTTP contract.
    pub fn api(self) -> &'static str {
        Self::ALL.iter().find(|entry| entry.0 == self).map_or("", |entry| entry.2)
    }

    /// From `transaction.nature`.
    pub fn from_stored(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|entry| entry.1 == text).map(|entry| entry.0)
    }

    /// Limits of people, ceilings and fees are about what people do, not about what the treasury corrects.
    pub(crate) fn limited(self) -> bool {
        matches!(self, Kind::Transfer | Kind::QrPayment | Kind::Deposit | Kind::Withdrawal)
    }

    /// Whether a payee may give it back.
    pub(crate) fn refundable(self) -> bool {
        matches!(self, Kind::Transfer | Kind::QrPayment)
    }
}

/// 16 bytes of SHA-256 over what was asked: the same key with another fingerprint is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 16]);

impl Fingerprint {
    /// Each part is prefixed with its length, so that `ab|c` and `a|bc` differ. A PIN never belongs in it.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        let whole: [u8; 32] = digest.finalize().into();
        let mut half = [0; 16];
        half.copy_from_slice(&whole[..16]);
        Self(half)
    }
}

/// Whether the owner confirmed. It is asked after the key: a replay needs no PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authorisation {
    /// Confirmed, or in need of none (deposits, system operations).
    Confirmed,
    /// Not confirmed, and why: a new operation is not decided and nothing is written.
    PinRequired(Unconfirmed),
}

/// What is missing before money may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unconfirmed {
    /// The account did not prove its identifier.
    NotVerified,
    /// No PIN within the last minutes.
    PinMissing,
    /// The password or the PIN was reset less than 24 hours ago.
    OutgoingBlocked,
}

/// The fee of a movement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tariff {
    /// By the schedule of its kind (and of this provider, when it has one of its own).
    Schedule(Option<String>),
    /// None, whatever the schedule says.
    Free,
}

/// Money from one account to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// What it is.
    pub kind: Kind,
    /// Who pays: the amount and the fee on top.
    pub from: Party,
    /// Who receives the amount.
    pub to: Party,
    /// What arrives.
    pub amount: Francs,
    /// What it costs the payer on top.
    pub tariff: Tariff,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Money moves now.
    Move(Movement),
    /// The amount is held on one side and expected on the other, until it is settled, cancelled or expires.
    Open {
        /// What will move.
        movement: Movement,
        /// When it is released by itself; never while [`super::Ledger::protect`] holds it.
        expires_at: Option<DateTime<Utc>>,
    },
    /// Captures an open operation: all that is left, or a part. `last` releases the rest.
    Settle {
        /// The open operation.
        operation: Uuid,
        /// A part; `None`: all that is left.
        amount: Option<Francs>,
        /// Nothing more will be captured.
        last: bool,
    },
    /// Releases what an open operation still holds.
    Cancel {
        /// The open operation.
        operation: Uuid,
        /// What it becomes when nothing was captured.
        outcome: Outcome,
    },
    /// The payee gives back, at most what it received.
    Refund {
        /// The transfer or QR payment.
        operation: Uuid,
        /// A part; `None`: all that is left.
        amount: Option<Francs>,
    },
    /// The treasury undoes what is left of an operation; its fee is not given back.
    Reverse {
        /// The operation.
        operation: Uuid,
    },
}

/// What becomes of an open operation of which nothing was captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did not work, or was given up.
    Failed,
    /// Its time ran out: refused while it has not, or while the hold is protected.
    Expired,
    /// An operator said that nobody acted in time, whatever our own date is.
    Lapsed,
}

/// What changes or has to hold together with the money, in the same commit. A new kind needs what it
/// reads (`store/read.rs`), when it refuses (`core/fold.rs`) and what it writes (`store/write.rs`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The subject (a single-use QR, a payment request) is used by this operation and never again.
    UseOnce {
        /// Its id.
        subject: Uuid,
        /// The refusal when it was used before.
        used: Refusal,
        /// The refusal when it was closed before, with [`super::Ledger::close_subject`].
        closed: Refusal,
    },
    /// The operation is decided before this instant or refused.
    Before {
        /// The instant.
        deadline: DateTime<Utc>,
        /// The refusal from then on.
        late: Refusal,
    },
}

impl Effect {
    /// The subject that is used, when there is one.
    pub(crate) fn subject(&self) -> Option<Uuid> {
        match self {
            Effect::UseOnce { subject, .. } => Some(*subject),
            Effect::Before { .. } => None,
        }
    }
}

/// One request to the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The visible id of the operation, when the flow made one already; else the ledger makes it.
    pub id: Option<Uuid>,
    /// Whose key it is.
    pub initiator: Party,
    /// The idempotency key, 1 to 255 characters.
    pub key: String,
    /// Of what was asked.
    pub fingerprint: Fingerprint,
    /// Whether the owner confirmed.
    pub authorised: Authorisation,
    /// What is asked.
    pub action: Action,
    /// A word of the payer, at most 280 characters.
    pub note: Option<String>,
    /// What has to hold, and what changes with it.
    pub effects: Vec<Effect>,
}

impl Command {
    /// A confirmed command without note and effects.
    pub fn new(initiator: Party, key: impl Into<String>, fingerprint: Fingerprint, action: Action) -> Self {
        Self {
            id: None,
            initiator,
            key: key.into(),
            fingerprint,
            authorised: Authorisation::Confirmed,
            action,
            note: None,
            effects: Vec::new(),
        }
    }
}

/// Many commands in one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Together {
    /// All of them or none, in one commit.
    Linked,
    /// Each for itself.
    Each,
}
