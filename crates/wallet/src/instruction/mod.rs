//! Orders to operators. One life, whatever the operator:
//!
//! ```text
//! cree ── claim ──► inconnu ── answer ──► envoye ── state read back ──► reussi │ echoue │ expire
//!   ▲                 │                                              (the ledger settles or releases)
//!   └── never left ───┘                              another story than ours ──► a_revoir
//! ```
//!
//! The order and its open operation in the ledger are committed before the first byte leaves. A webhook only makes us
//! ask; what moves money is the operator's answer, compared with the order. Every step may be done twice, by the request,
//! by jobs and by webhooks at once: guarded updates let one of them send, and the ledger's keys let money move once.

mod model;
mod order;
mod run;
mod settle;
mod store;

use chrono::TimeDelta;
use identity::session::Account;
use jobs::{NewJob, Policy, Worker};
use kernel::http::IdempotencyKey;
use kernel::{Failure, Francs};
use serde_json::json;
use uuid::Uuid;

use crate::WalletError;
use crate::house::Wallet;
use crate::ledger::{Action, Command, Fingerprint, Kind, Movement, Party, Receipt, Tariff, Verdict};
use crate::provider::ProviderCode;

pub(crate) use model::{AtOperator, NEW_CARD, NextAction, Side};
pub(crate) use run::{send_code, send_now};
pub(crate) use store::Row;

/// Follows an instruction until its operator has said how it ended.
const FOLLOW: &str = "wallet.instruction.run";
/// Looks once, because a webhook said that there is something to see.
const NOTICED: &str = "wallet.instruction.notice";
/// The request itself sends first; the job comes after it, in milliseconds.
const HEAD_START_MS: i64 = 2_000;
/// An operation that never left is released after so long.
const LIFE: TimeDelta = TimeDelta::hours(24);

/// What is to be ordered.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) side: Side,
    pub(crate) provider: ProviderCode,
    pub(crate) amount: Francs,
    pub(crate) at: AtOperator,
    /// The customer wants to give a code instead of opening a page.
    pub(crate) with_code: bool,
}

/// Writes the order and the job that follows it, and gives the command that opens it in the ledger. The same key gives the
/// same order again, so that a crash in between leaves nothing twice; the second value says that it was there.
pub(crate) async fn plan(
    wallet: &Wallet,
    account: &Account,
    key: &IdempotencyKey,
    fingerprint: Fingerprint,
    wish: &Wish,
) -> Result<(Command, bool), WalletError> {
    let now = wallet.clock.now();
    let id = kernel::new_id(&wallet.clock, &wallet.random);
    let sealed = model::Sealed { at: wish.at.clone(), handle: None };
    let row = store::New {
        id,
        id_user: account.id_user,
        side: wish.side,
        provider: wish.provider.code(),
        amount: wish.amount.get(),
        masked: wish.at.masked(&wallet.config.countries),
        secret: sealed.seal(&wallet.keys, &wallet.random, id)?,
        reference: model::reference(wish.side, &wallet.random),
        provider_key: model::key(&wallet.random),
        key: key.as_str(),
        fingerprint: &fingerprint.0,
        action: wish.with_code.then(model::asks_code).transpose()?,
        deadline: now + LIFE,
        now,
    };
    let mut transaction = wallet.db.write.begin().await?;
    let new = store::insert(&mut transaction, &row).await?;
    let id = if new {
        let run_at = now + TimeDelta::milliseconds(HEAD_START_MS);
        jobs::enqueue(&mut transaction, &job(wallet, FOLLOW, id, run_at)).await?;
        id
    } else {
        // A twin of this request, or what a crash left: the ledger tells whether it was the same request.
        store::by_key(&mut transaction, account.id_user, key.as_str()).await?.ok_or(WalletError::KeyReused)?
    };
    transaction.commit().await?;
    let provider = wish.provider.code();
    let command = opening(account.id_user, id, key.as_str(), fingerprint, wish.side, provider, wish.amount, now + LIFE);
    Ok((command, !new))
}

/// The command that holds the money, or expects it.
#[expect(clippy::too_many_arguments, reason = "the parts of one command, from a request or from its row")]
fn opening(
    user: i32,
    id: Uuid,
    key: &str,
    fingerprint: Fingerprint,
    side: Side,
    provider: &str,
    amount: Francs,
    expires_at: chrono::DateTime<chrono::Utc>,
) -> Command {
    let float = Party::system(format!("flottant:{provider}"));
    let (kind, from, to) = match side {
        Side::Deposit => (Kind::Deposit, float, Party::User(user)),
        Side::Withdrawal => (Kind::Withdrawal, Party::User(user), float),
    };
    let movement = Movement { kind, from, to, amount, tariff: Tariff::Schedule(Some(provider.to_owned())) };
    let action = Action::Open { movement, expires_at: Some(expires_at) };
    Command { id: Some(id), ..Command::new(Party::User(user), key, fingerprint, action) }
}

/// After the ledger's word: a refused order is closed, an accepted one leaves at once. `known`: the order was there before
/// this request, which the ledger cannot see from its id.
pub(crate) async fn after(
    wallet: &Wallet,
    account: &Account,
    key: &IdempotencyKey,
    verdict: Verdict,
    known: bool,
) -> Result<(Receipt, bool, Row), WalletError> {
    let refused = match &verdict {
        Verdict::Refused { reason, .. } => Some(reason.code()),
        Verdict::KeyReused => Some("wallet.idempotency_key_reused"),
        Verdict::Done { .. } | Verdict::NotAuthorised(_) => None,
    };
    if let Some(code) = refused {
        let mut connection = wallet.db.write.acquire().await?;
        store::refuse(&mut connection, account.id_user, key.as_str(), code, wallet.clock.now()).await?;
    }
    let (receipt, replayed) = verdict.accepted()?;
    let replayed = replayed || known;
    if !replayed {
        send_now(wallet, receipt.id).await?;
    }
    let mut connection = wallet.db.write.acquire().await?;
    let row = store::by_id(&mut connection, receipt.id).await?.ok_or(WalletError::NotFound)?;
    Ok((receipt, replayed, row))
}

/// Somebody's own order.
pub(crate) async fn own(wallet: &Wallet, account: &Account, id: Uuid) -> Result<Row, WalletError> {
    let mut connection = wallet.db.write.acquire().await?;
    let row = store::by_id(&mut connection, id).await?;
    row.filter(|row| row.id_user == account.id_user).ok_or(WalletError::NotFound)
}

/// Makes a worker look at an order because an operator said something; with the caller's transaction.
pub(crate) async fn noticed(wallet: &Wallet, transaction: &mut sqlx::PgConnection, id: Uuid) -> Result<(), Failure> {
    jobs::enqueue(transaction, &job(wallet, NOTICED, id, wallet.clock.now())).await
}

/// Keeps the operator's identifier that a signed webhook told.
pub(crate) async fn learned(
    wallet: &Wallet,
    connection: &mut sqlx::PgConnection,
    row: &Row,
    provider_id: Option<&str>,
) -> Result<(), WalletError> {
    match provider_id {
        Some(provider_id) if row.reference_operateur.is_none() => {
            run::learn(wallet, connection, row, provider_id).await
        }
        _ => Ok(()),
    }
}

/// The order that a notice is about.
pub(crate) async fn found(
    connection: &mut sqlx::PgConnection,
    reference: Option<&str>,
    provider_id: Option<&str>,
    providers: &[&str],
) -> Result<Option<Row>, Failure> {
    Ok(store::by_reference(connection, reference, provider_id, providers).await?)
}

fn job(wallet: &Wallet, kind: &'static str, id: Uuid, run_at: chrono::DateTime<chrono::Utc>) -> NewJob {
    let job = kernel::new_id(&wallet.clock, &wallet.random);
    NewJob { id: job, kind, payload: json!({"instruction": id}), secret: None, run_at, expires_at: None }
}

/// Pending orders are looked at again and again: after the back-off has grown to a quarter of an hour, for some three days.
const FOLLOWING: Policy = Policy { max_tries: 300, lease: std::time::Duration::from_secs(60) };
/// A webhook's look is worth a few tries: the following goes on anyway.
const NOTICING: Policy = Policy { max_tries: 5, lease: std::time::Duration::from_secs(60) };

/// Gives the orders' jobs to a worker.
#[must_use]
pub(crate) fn jobs(wallet: &Wallet, worker: Worker) -> Worker {
    let (following, noticing) = (wallet.clone(), wallet.clone());
    worker
        .handle(FOLLOW, FOLLOWING, move |job| {
            let wallet = following.clone();
            async move { run::job(&wallet, &job).await }
        })
        .handle(NOTICED, NOTICING, move |job| {
            let wallet = noticing.clone();
            async move { run::job(&wallet, &job).await }
        })
}
