//! Sending an order, looking at it, and what a worker does with it.

use std::time::Duration;

use chrono::TimeDelta;
use jobs::{Job, Outcome as Ended};
use kernel::{Failure, Francs};
use providers::Secret;
use providers::mobile_money::{Answer, Blame, Exchange, Handle, Observed, OperationState, Outcome, Started};
use uuid::Uuid;

use super::model::{self, ActionType, Sealed, Side};
use super::store::{self, Row};
use super::{opening, order, settle};
use crate::WalletError;
use crate::alert::{self, Alert, AlertKind};
use crate::house::Wallet;
use crate::ledger::{Fingerprint, Verdict};
use crate::provider::Connector;

/// A request waits for an operator so long at most; then the answer tells that it goes on.
const PATIENCE: Duration = Duration::from_secs(10);
/// An operator that knows nothing of an order after so long never got it: longer than any exchange may take.
const LOST_AFTER: TimeDelta = TimeDelta::seconds(90);
/// Routes that one order may try at once.
const MAX_WAYS: usize = 16;
/// What connectors answer where the operator offers no search.
const NO_SEARCH: &str = "no_search";

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
    if let Some(waiting) = after.as_ref().filter(|row| matches!(row.etat.as_str(), "envoye" | "inconnu")) {
        overdue(wallet, waiting).await?;
    }
    Ok(after.is_none_or(|row| !matches!(row.etat.as_str(), "cree" | "envoye" | "inconnu")))
}

/// Nobody heard how it ended long after it had to: a person is told, and the looks go on.
async fn overdue(wallet: &Wallet, row: &Row) -> Result<(), WalletError> {
    if wallet.clock.now() < row.limite_le {
        return Ok(());
    }
    let raised = Alert {
        kind: AlertKind::Overdue,
        subject: row.id.to_string(),
        detail: format!("{} par {}", row.operateur, row.route.as_deref().unwrap_or("?")),
        instruction: Some(row.id),
    };
    Ok(alert::raise(wallet, raised).await?)
}

/// A crash may have come between the order and the ledger: the same command again changes nothing when it had not.
async fn open_again(wallet: &Wallet, row: &Row) -> Result<bool, WalletError> {
    let fingerprint = <[u8; 16]>::try_from(row.empreinte.as_slice()).map_err(Failure::internal)?;
    let amount = Francs::new(row.montant).ok_or_else(|| Failure::internal("an instruction of no amount"))?;
    let side = Side::from_stored(&row.sens)?;
    let command =
        opening(row.id_user, row.id, &row.cle, Fingerprint(fingerprint), side, &row.operateur, amount, row.limite_le);
    let refused = match wallet.ledger.post(command).await? {
        Verdict::Done { receipt, .. } if receipt.id == row.id => return Ok(true),
        Verdict::Refused { reason, .. } => reason.code(),
        Verdict::Done { .. } | Verdict::KeyReused | Verdict::NotAuthorised(_) => "wallet.idempotency_key_reused",
    };
    let mut connection = wallet.db.write.acquire().await?;
    store::finish(&mut connection, row.id, "refuse", Some(refused), wallet.clock.now()).await?;
    Ok(false)
}

/// Sends an order that did not leave yet, by the first way that takes it; whoever claims it sends it, alone. A way that
/// certainly did nothing (unreachable, left alone for a while, refused at the door) gives its turn to the next one.
async fn send(wallet: &Wallet, id: Uuid, code: Option<Secret>) -> Result<(), WalletError> {
    for _ in 0..MAX_WAYS {
        let Some(row) = load(wallet, id).await? else { return Ok(()) };
        if row.etat != "cree" {
            return Ok(());
        }
        match choose(wallet, &row, code.is_some())? {
            Choice::Way(route) => {
                if !attempt(wallet, &row, route, code.clone()).await? {
                    return Ok(());
                }
            }
            Choice::AskCode => return ask_code(wallet, &row).await,
            Choice::Exhausted => return exhausted(wallet, &row, code.is_some()).await,
        }
    }
    Ok(())
}

/// What can be done with an order now.
enum Choice {
    /// It leaves by this route.
    Way(&'static str),
    /// The ways that are left need a code of the customer.
    AskCode,
    /// Every way was tried.
    Exhausted,
}

fn choose(wallet: &Wallet, row: &Row, with_code: bool) -> Result<Choice, Failure> {
    let (provider, side) = (order::provider(row)?, Side::from_stored(&row.sens)?);
    let able = || wallet.ways(provider).filter(|way| way.serves(side));
    if let Some(route) = row.route.as_deref() {
        // Something may have left by it: nothing may leave by another.
        return Ok(able().find(|way| way.route == route).map_or(Choice::Exhausted, |way| Choice::Way(way.route)));
    }
    let asked = row.next_action().is_some_and(|action| action.kind == ActionType::EnterCode);
    let left = || able().filter(|way| !row.routes_essayees.iter().any(|tried| tried == way.route));
    let wanted = match side {
        Side::Withdrawal => left().next(),
        Side::Deposit => left().find(|way| way.needs_code == with_code),
    };
    Ok(match wanted {
        _ if asked && !with_code => Choice::AskCode,
        Some(way) => Choice::Way(way.route),
        None if side == Side::Deposit && !with_code && left().any(|way| way.needs_code) => Choice::AskCode,
        None => Choice::Exhausted,
    })
}

/// Waits for the customer's code; the order is given up with the date of its operation.
async fn ask_code(wallet: &Wallet, row: &Row) -> Result<(), WalletError> {
    if wallet.clock.now() >= row.limite_le {
        return settle::too_late(wallet, row).await;
    }
    Ok(store::start_over(&mut *wallet.db.write.acquire().await?, row.id, Some(model::asks_code()?)).await?)
}

/// Nobody takes it at present: a later look begins anew. A code is good for once, so another one is asked for.
async fn exhausted(wallet: &Wallet, row: &Row, with_code: bool) -> Result<(), WalletError> {
    tracing::warn!(instruction = %row.id, provider = row.operateur, "no route takes an order at present");
    if with_code {
        return ask_code(wallet, row).await;
    }
    if wallet.clock.now() >= row.limite_le && !row.doute {
        return settle::too_late(wallet, row).await;
    }
    Ok(store::start_over(&mut *wallet.db.write.acquire().await?, row.id, None).await?)
}

/// One way; true when another one may be tried.
async fn attempt(wallet: &Wallet, row: &Row, route: &'static str, code: Option<Secret>) -> Result<bool, WalletError> {
    let id = row.id;
    // From here on no date gives the money back by itself.
    if !wallet.ledger.protect(id).await? {
        settle::too_late(wallet, row).await?;
        return Ok(false);
    }
    let mut sealed = Sealed::open(&wallet.keys, id, &row.secret)?;
    let sending = Sending::of(wallet, row, &sealed, route, code).await?;
    sealed.handle = Some(sending.handle());
    let secret = sealed.seal(&wallet.keys, &wallet.random, id)?;
    let now = wallet.clock.now();
    if !store::claim(&mut *wallet.db.write.acquire().await?, row, route, &secret, now).await? {
        return Ok(false);
    }
    let answer = sending.send(wallet, row, route).await;
    record(wallet, id, &answer.exchanges).await?;
    match answer.outcome {
        Outcome::Known(started) if refused_by_route(wallet, row, route, &started) => {
            tracing::warn!(instruction = %id, route, "a route refuses an order: another one is tried");
            not_taken(wallet, row, route, "refused_by_route").await?;
            Ok(true)
        }
        Outcome::Known(started) => {
            accepted(wallet, row, sealed, started).await?;
            Ok(false)
        }
        Outcome::NotExecuted { code } => {
            not_taken(wallet, row, route, &code).await?;
            // A route that may hold an earlier attempt is asked again later, not replaced.
            Ok(!row.doute)
        }
        // Nobody knows: the next look asks the operator before anything else.
        Outcome::Unknown { .. } => Ok(false),
    }
}

async fn not_taken(wallet: &Wallet, row: &Row, route: &str, code: &str) -> Result<(), WalletError> {
    if !row.doute {
        wallet.ledger.unprotect(row.id).await?;
    }
    Ok(store::not_taken(&mut *wallet.db.write.acquire().await?, row, route, code).await?)
}

/// Our float there is empty, or our settings are wrong: not the customer's fault, and another way may serve. Only the very
/// first word about an order counts: later ones may contradict it.
fn refused_by_route(wallet: &Wallet, row: &Row, route: &str, started: &Started) -> bool {
    let OperationState::Failed { blame: Blame::Float | Blame::Route, .. } = &started.observed.state else {
        return false;
    };
    let (Ok(provider), Ok(side)) = (order::provider(row), Side::from_stored(&row.sens)) else { return false };
    let other = |way: &&Connector| {
        way.serves(side)
            && way.route != route
            && (side == Side::Withdrawal || !way.needs_code)
            && !row.routes_essayees.iter().any(|tried| tried == way.route)
    };
    !row.doute && wallet.ways(provider).any(|way| other(&way))
}

/// The operator took note, or refused.
async fn accepted(wallet: &Wallet, row: &Row, mut sealed: Sealed, started: Started) -> Result<(), WalletError> {
    let action = model::stored(&started.action)
        .map(|action| serde_json::to_value(action).map_err(Failure::internal))
        .transpose()?;
    let provider_id = started.handle.provider_id.clone();
    sealed.handle = Some(started.handle);
    let secret = sealed.seal(&wallet.keys, &wallet.random, row.id)?;
    store::sent(&mut *wallet.db.write.acquire().await?, row.id, &secret, provider_id.as_deref(), action).await?;
    settle::apply(wallet, row, &sealed, &started.observed).await
}

/// Reads the state back from the operator.
async fn look(wallet: &Wallet, row: &Row) -> Result<(), WalletError> {
    let sealed = Sealed::open(&wallet.keys, row.id, &row.secret)?;
    let Some((way, side)) = way(wallet, row)? else { return Ok(()) };
    let Some(answer) = read(wallet, row, &sealed, way, side).await? else { return Ok(()) };
    record(wallet, row.id, &answer.exchanges).await?;
    let now = wallet.clock.now();
    store::looked(&mut *wallet.db.write.acquire().await?, row.id, now).await?;
    let lost = row.etat == "inconnu" && row.envoye_le.is_none_or(|at| now - at > LOST_AFTER);
    match answer.outcome {
        Outcome::Known(Some(observed)) => settle::apply(wallet, row, &sealed, &observed).await,
        Outcome::Known(None) if lost => again(wallet, row, way, side).await,
        // Where no search is offered, a repeat under the same reference answers instead of moving anything twice.
        Outcome::Unknown { code } if lost && code == NO_SEARCH => again(wallet, row, way, side).await,
        Outcome::Known(None) | Outcome::NotExecuted { .. } | Outcome::Unknown { .. } => Ok(()),
    }
}

/// The operator never heard of it: the same order leaves again by the same route. A payout is repeated only where the
/// operator itself keeps it from being paid twice; elsewhere a person decides.
async fn again(wallet: &Wallet, row: &Row, way: &Connector, side: Side) -> Result<(), WalletError> {
    if side == Side::Withdrawal && !way.payout.as_ref().is_some_and(|payout| payout.may_repeat()) {
        return settle::review(wallet, row, "not_repeatable").await;
    }
    if store::back(&mut *wallet.db.write.acquire().await?, row.id, "unknown_to_operator").await? {
        send(wallet, row.id, None).await?;
    }
    Ok(())
}

/// The way that it left by; an order of before routes were kept left by the preferred one.
fn way<'a>(wallet: &'a Wallet, row: &Row) -> Result<Option<(&'a Connector, Side)>, Failure> {
    let (provider, side) = (order::provider(row)?, Side::from_stored(&row.sens)?);
    let found = match row.route.as_deref() {
        Some(route) => wallet.way(provider, route),
        None => wallet.ways(provider).find(|way| way.serves(side)),
    };
    Ok(found.map(|way| (way, side)))
}

async fn read(
    wallet: &Wallet,
    row: &Row,
    sealed: &Sealed,
    way: &Connector,
    side: Side,
) -> Result<Option<Answer<Option<Observed>>>, WalletError> {
    let handle = order::handle(sealed, || match side {
        Side::Deposit => Ok(order::collect(wallet, row, sealed, way.route, row.montant, None)?.handle()),
        Side::Withdrawal => Ok(order::payout(wallet, row, sealed, way.route)?.handle()),
    })?;
    Ok(match (side, &way.collect, &way.payout) {
        (Side::Deposit, Some(collect), _) => Some(collect.state(&handle).await),
        (Side::Withdrawal, _, Some(payout)) if handle.provider_id.is_some() => Some(payout.state(&handle).await),
        (Side::Withdrawal, _, Some(payout)) => Some(payout.find_by_reference(&handle).await),
        (Side::Deposit, None, _) | (Side::Withdrawal, _, None) => None,
    })
}

/// A signed webhook names the operation that a lost answer had kept from us.
pub(super) async fn learn(
    wallet: &Wallet,
    connection: &mut sqlx::PgConnection,
    row: &Row,
    provider_id: &str,
) -> Result<(), WalletError> {
    let mut sealed = Sealed::open(&wallet.keys, row.id, &row.secret)?;
    let Some(handle) = sealed.handle.as_mut().filter(|handle| handle.provider_id.is_none()) else { return Ok(()) };
    handle.provider_id = Some(provider_id.to_owned());
    let secret = sealed.seal(&wallet.keys, &wallet.random, row.id)?;
    Ok(store::learned(connection, row.id, &secret, provider_id).await?)
}

/// An order as its connector takes it.
enum Sending {
    In(providers::mobile_money::CollectOrder),
    Out(providers::mobile_money::PayoutOrder),
}

impl Sending {
    async fn of(
        wallet: &Wallet,
        row: &Row,
        sealed: &Sealed,
        route: &str,
        code: Option<Secret>,
    ) -> Result<Self, WalletError> {
        match Side::from_stored(&row.sens)? {
            Side::Deposit => {
                let opened = wallet.ledger.operation(row.id).await?;
                let fee = opened.map_or(0, |receipt| receipt.fee);
                Ok(Self::In(order::collect(wallet, row, sealed, route, row.montant + fee, code)?))
            }
            Side::Withdrawal => Ok(Self::Out(order::payout(wallet, row, sealed, route)?)),
        }
    }

    fn handle(&self) -> Handle {
        match self {
            Self::In(order) => order.handle(),
            Self::Out(order) => order.handle(),
        }
    }

    async fn send(&self, wallet: &Wallet, row: &Row, route: &str) -> Answer<Started> {
        let way = order::provider(row).ok().and_then(|provider| wallet.way(provider, route));
        match (self, way) {
            (Self::In(order), Some(Connector { collect: Some(collect), .. })) => collect.request_payment(order).await,
            (Self::Out(order), Some(Connector { payout: Some(payout), .. })) => payout.send(order).await,
            _ => Answer { outcome: Outcome::NotExecuted { code: "not_configured".into() }, exchanges: Vec::new() },
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
