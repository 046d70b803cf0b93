//! Payments on a date, once or again and again. The PIN is given when the plan is made; each payment is a job that lives
//! and dies with its plan's row, and a key of the ledger makes each happen once.

mod api;
mod model;
mod store;

use chrono::{Datelike, TimeDelta};
use identity::session::Account;
use jobs::{Job, NewJob, Outcome, Policy, Worker};
use kernel::Francs;
use kernel::http::Page;
use serde_json::json;
use uuid::Uuid;

use crate::WalletError;
use crate::house::Wallet;
use crate::ledger::{Action, Command, Fingerprint, Kind, Movement, Party, Tariff, Verdict};
use crate::operation::{Asked, fingerprint, note};

pub(crate) use api::routes;
use api::{Plan, PlanOrder};
use store::Row;

const PAY: &str = "wallet.plan.pay";
/// A payment that could not be decided (the ledger is away) is tried again for some hours.
const POLICY: Policy = Policy { max_tries: 30, lease: std::time::Duration::from_secs(60) };
/// The first payment lies within so many days.
const MAX_AHEAD: TimeDelta = TimeDelta::days(366);
/// Plans that one person may have.
const MAX_PLANS: i64 = 100;
/// Payments of a plan that says nothing.
const DEFAULT_OCCURRENCES: i32 = 1000;

/// Makes a plan. The owner confirms it now for all of its payments.
pub(crate) async fn create(wallet: &Wallet, account: &Account, order: &PlanOrder) -> Result<Plan, WalletError> {
    let now = wallet.clock.now();
    let note = note(order.note.as_deref())?;
    let first = order.start_at.unwrap_or(now);
    if first < now - TimeDelta::minutes(5) || first > now + MAX_AHEAD {
        return Err(WalletError::Field("startAt", "out_of_range"));
    }
    let most = order.occurrences.unwrap_or(if order.cadence == model::Cadence::Once { 1 } else { DEFAULT_OCCURRENCES });
    if !(1..=DEFAULT_OCCURRENCES).contains(&most) {
        return Err(WalletError::Field("occurrences", "out_of_range"));
    }
    if order.end_at.is_some_and(|end| end < first) {
        return Err(WalletError::Field("endAt", "out_of_range"));
    }
    // A plan has no key of its own: nothing moves yet, and a second one can be taken back.
    let key = kernel::http::IdempotencyKey::parse("plan").ok_or(WalletError::NotFound)?;
    let asked = Asked {
        account,
        key: &key,
        fingerprint: fingerprint("POST /scheduled-transfers", order)?,
        pin: order.pin.as_ref(),
    };
    wallet.confirmed(&asked).await?;
    let payee = wallet.payee("to", &order.to).await?;
    if payee.id_user == account.id_user {
        return Err(WalletError::Rule("wallet.same_account"));
    }
    let row = Row {
        id: kernel::new_id(&wallet.clock, &wallet.random),
        id_user: account.id_user,
        id_beneficiaire: payee.id_user,
        montant: order.amount.get(),
        note,
        cadence: order.cadence.stored().to_owned(),
        jour: i16::try_from(first.day()).unwrap_or(1),
        prochaine_le: Some(first.max(now)),
        fin_le: order.end_at,
        occurrence: 0,
        maximum: most,
        etat: "actif".to_owned(),
        dernier_code: None,
        derniere_operation: None,
        cree_le: now,
    };
    let mut transaction = wallet.db.write.begin().await?;
    if !store::insert(&mut transaction, &row, MAX_PLANS).await? {
        return Err(WalletError::Rule("wallet.too_many_plans"));
    }
    enqueue(wallet, &mut transaction, &row).await?;
    transaction.commit().await?;
    Ok(Plan::of(row, payee.shown))
}

/// The job of the plan's next payment, when it has one.
async fn enqueue(wallet: &Wallet, transaction: &mut sqlx::PgConnection, row: &Row) -> Result<(), WalletError> {
    let Some(run_at) = row.prochaine_le.filter(|_| row.etat == "actif") else { return Ok(()) };
    let id = kernel::new_id(&wallet.clock, &wallet.random);
    let payload = json!({"plan": row.id, "occurrence": row.occurrence});
    Ok(jobs::enqueue(transaction, &NewJob { id, kind: PAY, payload, secret: None, run_at, expires_at: None }).await?)
}

/// One page of one's plans, newest first.
pub(crate) async fn list(
    wallet: &Wallet,
    account: &Account,
    page: &Page<Uuid>,
) -> Result<(Vec<Plan>, Option<String>), WalletError> {
    let mut connection = wallet.db.write.acquire().await?;
    let rows = store::list(&mut connection, account.id_user, page.after, page.rows()).await?;
    let (rows, next) = page.cut(rows, |row| row.id);
    let payees: Vec<i32> = rows.iter().map(|row| row.id_beneficiaire).collect();
    let people = wallet.people(&mut connection, &payees).await?;
    let shown = |row: Row| {
        let payee = people.get(&row.id_beneficiaire).cloned().unwrap_or_else(|| crate::people::system(None));
        Plan::of(row, payee)
    };
    Ok((rows.into_iter().map(shown).collect(), next))
}

/// Ends a plan; what was paid stays paid.
pub(crate) async fn cancel(wallet: &Wallet, account: &Account, id: Uuid) -> Result<Plan, WalletError> {
    let mut connection = wallet.db.write.acquire().await?;
    store::cancel(&mut connection, account.id_user, id).await?;
    let row = store::by_id(&mut connection, id).await?.filter(|row| row.id_user == account.id_user);
    let row = row.ok_or(WalletError::NotFound)?;
    let payee = wallet.person(&mut connection, row.id_beneficiaire).await?;
    Ok(Plan::of(row, payee))
}

/// Gives the plans' jobs to a worker.
#[must_use]
pub(crate) fn jobs(wallet: &Wallet, worker: Worker) -> Worker {
    let wallet = wallet.clone();
    worker.handle(PAY, POLICY, move |job| {
        let wallet = wallet.clone();
        async move {
            match run(&wallet, &job).await {
                Ok(()) => Outcome::Done,
                Err(error) => Outcome::Retry(error.to_string()),
            }
        }
    })
}

async fn run(wallet: &Wallet, job: &Job) -> Result<(), WalletError> {
    let id = job.payload.get("plan").and_then(|id| id.as_str()).and_then(|id| Uuid::parse_str(id).ok());
    let occurrence = job.payload.get("occurrence").and_then(serde_json::Value::as_i64);
    let row = match id {
        Some(id) => store::by_id(&mut *wallet.db.write.acquire().await?, id).await?,
        None => None,
    };
    // A plan that ended, or a payment that another run of this job made.
    let Some(row) = row.filter(|row| row.etat == "actif" && Some(i64::from(row.occurrence)) == occurrence) else {
        return Ok(());
    };
    let (code, operation) = match wallet.payer_stop(row.id_user).await? {
        Some(stop) => (Some(stop), None),
        None => pay(wallet, &row).await?,
    };
    let next = model::next(&row);
    let mut transaction = wallet.db.write.begin().await?;
    if store::advance(&mut transaction, &row, next, code, operation).await? {
        let after = Row { occurrence: row.occurrence + 1, prochaine_le: next, ..row };
        enqueue(wallet, &mut transaction, &after).await?;
    }
    Ok(transaction.commit().await?)
}

/// The payment of one date: a refusal is noted and the next date is tried again.
async fn pay(wallet: &Wallet, row: &Row) -> Result<(Option<&'static str>, Option<Uuid>), WalletError> {
    let Some(amount) = Francs::new(row.montant) else { return Ok((Some("wallet.out_of_range"), None)) };
    let movement = Movement {
        kind: Kind::Transfer,
        from: Party::User(row.id_user),
        to: Party::User(row.id_beneficiaire),
        amount,
        tariff: Tariff::Schedule(None),
    };
    let key = format!("plan:{}:{}", row.id, row.occurrence);
    let fingerprint = Fingerprint::of(&[b"plan", row.id.as_bytes()]);
    let command = Command::new(Party::User(row.id_user), key, fingerprint, Action::Move(movement));
    Ok(match wallet.ledger.post(Command { note: row.note.clone(), ..command }).await? {
        Verdict::Done { receipt, .. } => (None, Some(receipt.id)),
        Verdict::Refused { reason, .. } => (Some(reason.code()), None),
        Verdict::KeyReused => (Some("wallet.idempotency_key_reused"), None),
        Verdict::NotAuthorised(_) => (Some("wallet.pin_required"), None),
    })
}

impl crate::house::Core {
    /// Why no money may leave this account at present, beside what the ledger knows.
    async fn payer_stop(&self, id_user: i32) -> Result<Option<&'static str>, WalletError> {
        let blocked = store::blocked(&mut *self.db.write.acquire().await?, id_user, self.clock.now()).await?;
        Ok(blocked.then_some("wallet.outgoing_blocked"))
    }
}

#[cfg(test)]
mod tests;
