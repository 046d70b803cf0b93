//! Sending an order, looking at it, and what a worker does with it.

use std::time::Duration;

use chrono::TimeDelta;
use jobs::{Job, Outcome as Ended};
use kernel::{Failure, Francs};
use providers::Secret;
use providers::mobile_money::{Answer, Exchange, Handle, Observed, Outcome, Started};
use uuid::Uuid;

use super::model::{self, Sealed, Side};
use super::store::{self, Row};
use super::{opening, order, settle};
use crate::WalletError;
use crate::house::Wallet;
use crate::ledger::{Fingerprint, Verdict};

/// A request waits for an operator so long at most; then the answer tells that it goes on.
const PATIENCE: Duration = Duration::from_secs(10);
/// An operator that knows nothing of an order after so long never got it: longer than any exchange may take.
const LOST_AFTER: TimeDelta = TimeDelta::seconds(90);

/// Sends an order as part of a request. Whatever happens here, a job follows it.
pub(crate) async fn send_now(wallet: &Wallet, id: Uuid) -> Result<(), WalletError> {
    // A task of its own: a client that leaves must not cut an exchange with an operator in two.
    let (moved, sent) = (wallet.clone(), id);
    let task = tokio::spawn(async move { send(&moved, sent, None).await });
    match tokio::time::timeout(PATIENCE, task).await {
        Ok(Ok(Err(error))) => tracing::warn!(%error, instruction = %id, "an order was not sent at once"),
        Ok(Ok(Ok(()))) => {}
        Ok(Err(_)) | Err(_) => tracing::warn!(instruction = %id, "an operator is slow: the order is followed by a job"),
    }
    Ok(())
}

/// Sends an order again with the code that the customer got from the operator.
pub(crate) async fn send_code(wallet: &Wallet, id: Uuid, code: Secret) -> Result<bool, WalletError> {
    let mut connection = wallet.db.write.acquire().await?;
    if !store::with_code(&mut connection, id).await? {
        return Ok(false);
    }
    drop(connection);
    send(wallet, id, Some(code)).await?;
    Ok(true)
}

/// A worker's look at an order.
pub(super) async fn job(wallet: &Wallet, job: &Job) -> Ended {
    let Some(id) = job.payload.get("instruction").and_then(|id| id.as_str()).and_then(|id| id.parse().ok()) else {
        return Ended::GiveUp("no instruction is named".into());
    };
    match advance(wallet, id).await {
        Ok(true) => Ended::Done,
        Ok(false) => Ended::Retry("pending".into()),
        Err(error) => Ended::Retry(error.to_string()),
    }
}

/// One step further; true when it is over.
pub(crate) async fn advance(wallet: &Wallet, id: Uuid) -> Result<bool, WalletError> {
    let Some(row) = load(wallet, id).await? else { return Ok(true) };
    match row.etat.as_str() {
        "cree" => {
            if open_again(wallet, &row).await? {
                send(wallet, id, None).await?;
            }
        }
        // An operator may say late that it worked after all.
        "envoye" | "inconnu" | "expire" | "echoue" => look(wallet, &row).await?,
        _ => return Ok(true),
    }
    let after = load(wallet, id).await?;
    Ok(after.is_none_or(|row| !matches!(row.etat.as_str(), "cree" | "envoye" | "inconnu")))
}

/// A crash may have come between the order and the ledger: the same command again changes nothing when it had not.
async fn open_again(wallet: &Wallet, row: &Row) -> Result<bool, WalletError> {
    let fingerprint = <[u8; 16]>::try_from(row.empreinte.as_slice()).map_err(Failure::internal)?;
    let amount = Francs::new(row.montant).ok_or_else(|| Failure::internal("an instruction of no amount"))?;
    let side = Side::from_stored(&row.sens)?;
    let command = opening(row.id_user, row.id, &row.cle, Fingerprint(fingerprint), side, &row.operateur, amount, row.limite_le);
    let refused = match wallet.ledger.post(command).await? {
        Verdict::Done { receipt, .. } if receipt.id == row.id => return Ok(true),
        Verdict::Refused { reason, .. } => reason.code(),
        Verdict::Done { .. } | Verdict::KeyReused | Verdict::NotAuthorised(_) => "wallet.idempotency_key_reused",
    };
    let mut connection = wallet.db.write.acquire().await?;
    store::finish(&mut connection, row.id, "refuse", Some(refused), wallet.clock.now()).await?;
    Ok(false)
}

/// Sends an order that did not leave yet; whoever claims it sends it, alone.
async fn send(wallet: &Wallet, id: Uuid, code: Option<Secret>) -> Result<(), WalletError> {
    let Some(row) = load(wallet, id).await? else { return Ok(()) };
    // From here on no date gives the money back by itself.
    if !wallet.ledger.protect(id).await? {
        return settle::too_late(wallet, &row).await;
    }
    let mut sealed = Sealed::open(&wallet.keys, id, &row.secret)?;
    let sending = Sending::of(wallet, &row, &sealed, code).await?;
    sealed.handle = Some(sending.handle());
    let secret = sealed.seal(&wallet.keys, &wallet.random, id)?;
    let now = wallet.clock.now();
    if !store::claim(&mut *wallet.db.write.acquire().await?, id, &secret, now).await? {
        return Ok(());
    }
    let answer = sending.send(wallet, &row).await;
    record(wallet, id, &answer.exchanges).await?;
    match answer.outcome {
        Outcome::Known(started) => accepted(wallet, &row, sealed, started).await,
        Outcome::NotExecuted { code } => {
            wallet.ledger.unprotect(id).await?;
            store::back(&mut *wallet.db.write.acquire().await?, id, &code).await?;
            Ok(())
        }
        // Nobody knows: the next look asks the operator before anything else.
        Outcome::Unknown { .. } => Ok(()),
    }
}

/// The operator took note, or refused.
async fn accepted(wallet: &Wallet, row: &Row, mut sealed: Sealed, started: Started) -> Result<(), WalletError> {
    let action = model::stored(&started.action).map(|action| serde_json::to_value(action).map_err(Failure::internal)).transpose()?;
    let provider_id = started.handle.provider_id.clone();
    sealed.handle = Some(started.handle);
    let secret = sealed.seal(&wallet.keys, &wallet.random, row.id)?;
    store::sent(&mut *wallet.db.write.acquire().await?, row.id, &secret, provider_id.as_deref(), action).await?;
    settle::apply(wallet, row, &sealed, &started.observed).await
}

/// Reads the state back from the operator.
async fn look(wallet: &Wallet, row: &Row) -> Result<(), WalletError> {
    let sealed = Sealed::open(&wallet.keys, row.id, &row.secret)?;
    let Some(answer) = read(wallet, row, &sealed).await? else { return Ok(()) };
    record(wallet, row.id, &answer.exchanges).await?;
    let now = wallet.clock.now();
    store::looked(&mut *wallet.db.write.acquire().await?, row.id, now).await?;
    match answer.outcome {
        Outcome::Known(Some(observed)) => settle::apply(wallet, row, &sealed, &observed).await,
        Outcome::Known(None) => {
            let lost = row.etat == "inconnu" && row.envoye_le.is_none_or(|at| now - at > LOST_AFTER);
            if lost && store::back(&mut *wallet.db.write.acquire().await?, row.id, "unknown_to_operator").await? {
                send(wallet, row.id, None).await?;
            }
            Ok(())
        }
        Outcome::NotExecuted { .. } | Outcome::Unknown { .. } => Ok(()),
    }
}

async fn read(wallet: &Wallet, row: &Row, sealed: &Sealed) -> Result<Option<Answer<Option<Observed>>>, WalletError> {
    let Some(connector) = wallet.connector(order::provider(row)?) else { return Ok(None) };
    let side = Side::from_stored(&row.sens)?;
    let handle = order::handle(sealed, || match side {
        Side::Deposit => Ok(order::collect(wallet, row, sealed, row.montant, None)?.handle()),
        Side::Withdrawal => Ok(order::payout(wallet, row, sealed)?.handle()),
    })?;
    Ok(match (side, &connector.collect, &connector.payout) {
        (Side::Deposit, Some(collect), _) => Some(collect.state(&handle).await),
        (Side::Withdrawal, _, Some(payout)) if handle.provider_id.is_some() => Some(payout.state(&handle).await),
        (Side::Withdrawal, _, Some(payout)) => Some(payout.find_by_reference(&handle).await),
        (Side::Deposit, None, _) | (Side::Withdrawal, _, None) => None,
    })
}

/// An order as its connector takes it.
enum Sending {
    In(providers::mobile_money::CollectOrder),
    Out(providers::mobile_money::PayoutOrder),
}

impl Sending {
    async fn of(wallet: &Wallet, row: &Row, sealed: &Sealed, code: Option<Secret>) -> Result<Self, WalletError> {
        match Side::from_stored(&row.sens)? {
            Side::Deposit => {
                let opened = wallet.ledger.operation(row.id).await?;
                let fee = opened.map_or(0, |receipt| receipt.fee);
                Ok(Self::In(order::collect(wallet, row, sealed, row.montant + fee, code)?))
            }
            Side::Withdrawal => Ok(Self::Out(order::payout(wallet, row, sealed)?)),
        }
    }

    fn handle(&self) -> Handle {
        match self {
            Self::In(order) => order.handle(),
            Self::Out(order) => order.handle(),
        }
    }

    async fn send(&self, wallet: &Wallet, row: &Row) -> Answer<Started> {
        let absent = || Answer { outcome: Outcome::NotExecuted { code: "not_configured".into() }, exchanges: Vec::new() };
        let connector = order::provider(row).ok().and_then(|provider| wallet.connector(provider));
        match (self, connector) {
            (Self::In(order), Some(connector)) => match &connector.collect {
                Some(collect) => collect.request_payment(order).await,
                None => absent(),
            },
            (Self::Out(order), Some(connector)) => match &connector.payout {
                Some(payout) => payout.send(order).await,
                None => absent(),
            },
            (_, None) => absent(),
        }
    }
}

async fn load(wallet: &Wallet, id: Uuid) -> Result<Option<Row>, WalletError> {
    Ok(store::by_id(&mut *wallet.db.write.acquire().await?, id).await?)
}

async fn record(wallet: &Wallet, id: Uuid, exchanges: &[Exchange]) -> Result<(), WalletError> {
    let mut connection = wallet.db.write.acquire().await?;
    for exchange in exchanges {
        let own = kernel::new_id(&wallet.clock, &wallet.random);
        store::exchanged(&mut connection, own, id, exchange, wallet.clock.now()).await?;
    }
    Ok(())
}
