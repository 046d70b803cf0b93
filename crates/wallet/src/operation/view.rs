use kernel::money::CURRENCY;
use kernel::{Reply, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::REPLAYED;
use crate::ledger::Receipt;
use crate::people::Counterparty;

/// Which way money goes, seen by who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Into the wallet.
    In,
    /// Out of the wallet.
    Out,
}

/// An operation as one of its parties sees it. Both parties see the same `id`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Transaction {
    pub id: Uuid,
    /// `transfer`, `qr_payment`, `deposit`, `withdrawal`, `refund`, `fee`, `opening`, `adjustment`, `reversal`; more may come.
    #[serde(rename = "type")]
    #[schema(value_type = String, examples("transfer"))]
    pub kind: &'static str,
    /// `pending`, `succeeded`, `failed`, `expired`
    #[schema(value_type = String, examples("succeeded"))]
    pub status: &'static str,
    pub direction: Direction,
    /// Francs that arrive.
    #[schema(examples(1500))]
    pub amount: i64,
    /// Francs that the payer pays on top; the payee sees 0.
    #[schema(examples(0))]
    pub fee: i64,
    #[schema(value_type = String, examples("XOF"))]
    pub currency: &'static str,
    pub counterparty: Counterparty,
    #[schema(examples("Loyer de novembre"))]
    pub note: Option<String>,
    pub created_at: Timestamp,
    /// When the money moved; null while it has not.
    pub settled_at: Option<Timestamp>,
    /// Francs in the wallet right after; null while the money has not moved.
    #[schema(examples(48500))]
    pub balance_after: Option<i64>,
}

impl Transaction {
    /// The payer's view of what the ledger just did.
    pub(crate) fn sent(receipt: Receipt, to: Counterparty) -> Self {
        Self::of(receipt, Direction::Out, to)
    }

    /// The payee's view.
    pub(crate) fn received(receipt: Receipt, from: Counterparty) -> Self {
        Self::of(receipt, Direction::In, from)
    }

    fn of(receipt: Receipt, direction: Direction, counterparty: Counterparty) -> Self {
        let (own, fee) = match direction {
            Direction::Out => (&receipt.from, receipt.fee),
            Direction::In => (&receipt.to, 0),
        };
        Self {
            id: receipt.id,
            kind: receipt.kind.api(),
            status: receipt.status.api(),
            direction,
            amount: receipt.amount,
            fee,
            currency: CURRENCY,
            counterparty,
            balance_after: own.balance,
            created_at: receipt.created_at.into(),
            settled_at: receipt.settled_at.map(Timestamp::from),
            note: receipt.note,
        }
    }
}

/// `data` of an answer about one transaction.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct TransactionData {
    /// The operation.
    pub(crate) transaction: Transaction,
}

kernel::answer!(TransactionAnswer, TransactionData);

/// 201, and whether it is a first answer given again.
pub(crate) fn answered(code: &'static str, transaction: Transaction, replayed: bool) -> Reply<TransactionData> {
    let reply = Reply::created(code, TransactionData { transaction });
    if replayed { reply.with_header(REPLAYED.0, REPLAYED.1) } else { reply }
}
