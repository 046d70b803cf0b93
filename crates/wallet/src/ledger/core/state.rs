//! The values that the fold decides on: what was read under lock, and what it makes of it.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::ledger::command::{AccountId, Authorisation, Effect, Fingerprint, Kind, Outcome, Tariff};
use crate::ledger::rules::{Rules, Window};
use crate::ledger::verdict::{LedgerError, Receipt, Refusal, Status, Verdict};

/// One command whose parties were found.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub id: Uuid,
    pub initiator: AccountId,
    pub key: String,
    pub fingerprint: Fingerprint,
    pub authorised: Authorisation,
    pub note: Option<String>,
    pub effects: Vec<Effect>,
    pub task: Task,
}

#[derive(Clone, Debug)]
pub(crate) enum Task {
    Move(Legs),
    Open { legs: Legs, expires_at: Option<DateTime<Utc>> },
    Settle { target: Target, amount: Option<i64>, last: bool },
    Cancel { target: Target, outcome: Outcome },
    Refund { target: Target, amount: Option<i64> },
    Reverse { target: Target },
}

#[derive(Clone, Debug)]
pub(crate) struct Legs {
    pub kind: Kind,
    pub from: AccountId,
    pub to: AccountId,
    pub amount: i64,
    pub tariff: Tariff,
}

/// What never changes about an operation that a command names.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub row: i64,
    pub id: Uuid,
    pub kind: Kind,
    pub from: AccountId,
    pub to: AccountId,
    pub amount: i64,
    pub fee: i64,
    pub tax: i64,
    pub fee_account: Option<AccountId>,
    pub tax_account: Option<AccountId>,
    pub deferred: bool,
    pub note: Option<String>,
    pub created_at: DateTime<Utc>,
}

impl Task {
    pub(crate) fn target(&self) -> Option<&Target> {
        match self {
            Task::Move(_) | Task::Open { .. } => None,
            Task::Settle { target, .. }
            | Task::Cancel { target, .. }
            | Task::Refund { target, .. }
            | Task::Reverse { target } => Some(target),
        }
    }

    /// Who pays and who receives, as the operation's row will say.
    pub(crate) fn sides(&self) -> (AccountId, AccountId) {
        match self {
            Task::Move(legs) | Task::Open { legs, .. } => (legs.from, legs.to),
            Task::Settle { target, .. } | Task::Cancel { target, .. } => (target.from, target.to),
            Task::Refund { target, .. } | Task::Reverse { target } => (target.to, target.from),
        }
    }
}

impl Order {
    /// Every account that has to be locked for it, the fee's aside.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = AccountId> {
        let (from, to) = self.task.sides();
        let target = self.task.target();
        [
            Some(self.initiator),
            Some(from),
            Some(to),
            target.and_then(|t| t.fee_account),
            target.and_then(|t| t.tax_account),
        ]
        .into_iter()
        .flatten()
    }
}

/// Orders that share a fate, or one on its own.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub orders: Vec<Order>,
    pub linked: bool,
}

/// An account under lock.
#[derive(Clone, Debug, Default)]
pub(crate) struct Account {
    pub user: Option<i32>,
    pub code: Option<String>,
    pub tier: Option<i16>,
    pub frozen: bool,
    pub floor: Option<i64>,
    pub ceiling: Option<i64>,
    pub figures: Figures,
    /// As read: the fence of the write.
    pub read: Figures,
    /// Where the locked row lies: the write finds it there again without an index.
    pub place: Place,
}

/// A row's physical place (`ctid`): block and line. It stays while the row is locked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place(pub(crate) [u8; 6]);

/// What changes about an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    pub debits: i64,
    pub credits: i64,
    pub held: i64,
    pub expected: i64,
    pub version: i64,
    pub last_at: Option<DateTime<Utc>>,
}

impl Figures {
    /// What was moved.
    pub(crate) fn balance(self) -> i64 {
        self.credits - self.debits
    }

    /// What may leave.
    pub(crate) fn available(self) -> i64 {
        self.credits - self.debits - self.held
    }

    /// What the ceiling counts.
    pub(crate) fn coming(self) -> i64 {
        self.credits + self.expected - self.debits
    }
}

/// The present state of an operation that a command names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TargetState {
    pub status: Status,
    pub refunded: i64,
    pub hold: Option<Hold>,
    /// When its last capture moved money, and the balances after it.
    pub settled: Option<(DateTime<Utc>, i64, i64)>,
}

/// `retenue`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hold {
    pub amount: i64,
    pub fee: i64,
    pub captured: i64,
    pub released: i64,
    pub fee_taken: bool,
    pub protected: bool,
    pub expires_at: Option<DateTime<Utc>>,
}

impl Hold {
    pub(crate) fn left(self) -> i64 {
        self.amount - self.captured - self.released
    }

    /// The fee that is still held.
    pub(crate) fn fee_left(self) -> i64 {
        if self.fee_taken || self.left() == 0 { 0 } else { self.fee }
    }
}

/// Which counter: account, day on which the window began, kind, window.
pub(crate) type CounterKey = (AccountId, NaiveDate, Kind, Window);

/// `compteur_argent`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counter {
    pub moved: i64,
    pub reserved: i64,
    pub count: i32,
}

/// What became of a subject that may be used once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Used,
    Closed,
}

/// What is stored under a key.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub id: Uuid,
    pub fingerprint: Fingerprint,
    pub answer: Answer,
}

#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Receipt(Box<Receipt>),
    Refusal(Refusal),
}

impl Known {
    /// The stored verdict for an order; not "replayed" when it is this very order, committed by an attempt whose answer was lost.
    pub(crate) fn verdict(&self, fingerprint: Fingerprint, own: Uuid) -> Verdict {
        if fingerprint != self.fingerprint {
            return Verdict::KeyReused;
        }
        let replayed = self.id != own;
        match &self.answer {
            Answer::Receipt(receipt) => Verdict::Done { receipt: receipt.as_ref().clone(), replayed },
            Answer::Refusal(reason) => Verdict::Refused { id: self.id, reason: *reason, replayed },
        }
    }
}

/// Where fees and their tax go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FeeAccounts {
    pub by_kind: HashMap<Kind, AccountId>,
    pub tax: AccountId,
}

/// Everything that was read for a batch.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    pub now: DateTime<Utc>,
    /// Ids that were asked for: one that is missing from `accounts` does not exist.
    pub asked: BTreeSet<AccountId>,
    pub accounts: HashMap<AccountId, Account>,
    /// By (group, order).
    pub known: HashMap<(usize, usize), Known>,
    pub targets: HashMap<i64, TargetState>,
    /// As read: the fence of the write.
    pub targets_read: HashMap<i64, TargetState>,
    /// Counters of the asked accounts were read from this day on; `None`: not at all.
    pub counters_since: Option<NaiveDate>,
    pub counters: HashMap<CounterKey, Counter>,
    pub subjects: HashMap<Uuid, Subject>,
    pub rules: Rules,
    pub fees: FeeAccounts,
}

/// What the fold needs and was not read: the batch is read again with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    Account(AccountId),
    CountersSince(NaiveDate),
}

/// A row of `transaction`.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub row: i64,
    pub id: Uuid,
    pub kind: Kind,
    pub status: Status,
    pub initiator: AccountId,
    pub key: String,
    pub fingerprint: Fingerprint,
    pub from: AccountId,
    pub to: AccountId,
    pub amount: i64,
    pub fee: i64,
    pub tax: i64,
    pub fee_account: Option<AccountId>,
    pub tax_account: Option<AccountId>,
    pub refusal: Option<Refusal>,
    pub linked: Option<i64>,
    pub from_balance: Option<i64>,
    pub to_balance: Option<i64>,
    pub deferred: bool,
    pub at: DateTime<Utc>,
    pub settled_at: Option<DateTime<Utc>>,
    pub note: Option<String>,
}

/// A row of `ecriture`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub account: AccountId,
    pub version: i64,
    pub operation: i64,
    pub amount: i64,
    pub balance: i64,
    pub at: DateTime<Utc>,
}

/// What is written for a batch, and what is answered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    /// By group, in the order of its commands.
    pub verdicts: Vec<Vec<Result<Verdict, LedgerError>>>,
    pub operations: Vec<Operation>,
    pub entries: Vec<Entry>,
    /// New rows of `retenue`, by the open operation.
    pub holds: Vec<(i64, AccountId, AccountId, Hold)>,
    pub used: Vec<(Uuid, i64)>,
    pub accounts: HashSet<AccountId>,
    pub targets: HashSet<i64>,
    pub counters: HashSet<CounterKey>,
}
