//! Asking someone for money. Paying, declining and withdrawing race for one row of the ledger: the first wins.

mod api;
mod store;

use chrono::{DateTime, TimeDelta, Utc};
use identity::session::Account;
use kernel::Timestamp;
use kernel::http::{IdempotencyKey, Page};
use kernel::money::CURRENCY;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::WalletError;
use crate::house::{Core, Wallet};
use crate::ledger::{Action, Command, Effect, Kind, Movement, Party, Refusal, Tariff, Unconfirmed};
use crate::operation::{Asked, Transaction, fingerprint, note};

pub(crate) use api::routes;
use api::{PayOrder, PaymentRequest, RequestOrder};
pub(crate) use store::Role;
use store::Row;

/// Life of a request that says nothing, and the bounds of one that does, in seconds: an hour to 90 days.
const LIFE: TimeDelta = TimeDelta::days(7);
const LIFE_S: std::ops::RangeInclusive<i64> = 3600..=90 * 24 * 3600;
/// Requests that one person may have open to one other: asking is not a way to write to people.
const MAX_OPEN: i64 = 5;

/// Asks somebody.
pub(crate) async fn create(
    wallet: &Wallet,
    account: &Account,
    order: &RequestOrder,
) -> Result<PaymentRequest, WalletError> {
    if !account.verified {
        return Err(WalletError::NotConfirmed(Unconfirmed::NotVerified));
    }
    let now = wallet.clock.now();
    let note = note(order.note.as_deref())?;
    let expires = match order.expires_in {
        None => now + LIFE,
        Some(seconds) if LIFE_S.contains(&seconds) => now + TimeDelta::seconds(seconds),
        Some(_) => return Err(WalletError::Field("expiresIn", "out_of_range")),
    };
    let payer = wallet.payee("from", &order.from).await?;
    if payer.id_user == account.id_user {
        return Err(WalletError::Rule("wallet.same_account"));
    }
    let row = Row {
        id: kernel::new_id(&wallet.clock, &wallet.random),
        id_demandeur: account.id_user,
        id_payeur: payer.id_user,
        montant: order.amount.get(),
        note,
        etat: "ouverte".to_owned(),
        expire_le: expires,
        cree_le: now,
        usage: None,
        operation: None,
    };
    let mut transaction = wallet.db.write.begin().await?;
    if !store::insert(&mut transaction, &row, MAX_OPEN, now).await? {
        return Err(WalletError::Rule("wallet.too_many_requests"));
    }
    let shown = wallet.request_shown(&mut transaction, row, account.id_user).await?;
    transaction.commit().await?;
    Ok(shown)
}

/// One page of the requests that one made or got.
pub(crate) async fn list(
    wallet: &Wallet,
    account: &Account,
    role: Option<Role>,
    page: &Page<Uuid>,
) -> Result<(Vec<PaymentRequest>, Option<String>), WalletError> {
    let mut connection = wallet.db.write.acquire().await?;
    let rows = store::list(&mut connection, account.id_user, role, page.after, page.rows()).await?;
    let (rows, next) = page.cut(rows, |row| row.id);
    let others: Vec<i32> = rows.iter().map(|row| row.other(account.id_user)).collect();
    let people = wallet.people(&mut connection, &others).await?;
    let now = wallet.clock.now();
    let shown = rows.into_iter().map(|row| {
        let other = people.get(&row.other(account.id_user)).cloned().unwrap_or_else(|| crate::people::system(None));
        view(row, account.id_user, other, now)
    });
    Ok((shown.collect(), next))
}

/// One request, for its two sides.
pub(crate) async fn show(wallet: &Wallet, account: &Account, id: Uuid) -> Result<PaymentRequest, WalletError> {
    let mut connection = wallet.db.write.acquire().await?;
    let row = of(&mut connection, account, id).await?;
    wallet.request_shown(&mut connection, row, account.id_user).await
}

/// Pays a request that one got.
pub(crate) async fn pay(
    wallet: &Wallet,
    account: &Account,
    key: &IdempotencyKey,
    id: Uuid,
    order: &PayOrder,
) -> Result<(Transaction, bool), WalletError> {
    let fingerprint = fingerprint(&format!("POST /payment-requests/{id}/pay"), order)?;
    let asked = Asked { account, key, fingerprint, pin: order.pin.as_ref() };
    let verdict = wallet
        .decide(&asked, async {
            let row = of(&mut *wallet.db.write.acquire().await?, account, id).await?;
            // Whoever asked does not pay it: for him it is nothing that can be paid.
            let row = if row.id_payeur == account.id_user { row } else { return Err(WalletError::NotFound) };
            let amount = kernel::Francs::new(row.montant).ok_or(WalletError::NotFound)?;
            let from = Party::User(account.id_user);
            let movement = Movement {
                kind: Kind::Transfer,
                from: from.clone(),
                to: Party::User(row.id_demandeur),
                amount,
                tariff: Tariff::Schedule(None),
            };
            let effects = vec![
                Effect::UseOnce { subject: id, used: Refusal::RequestPaid, closed: Refusal::RequestClosed },
                Effect::Before { deadline: row.expire_le, late: Refusal::RequestExpired },
            ];
            let command = Command::new(from, key.as_str(), fingerprint, Action::Move(movement));
            Ok(Command { note: row.note, effects, ..command })
        })
        .await?;
    let (receipt, replayed) = verdict.accepted()?;
    let to = wallet.shown_to(&receipt, None).await?;
    Ok((Transaction::sent(receipt, to), replayed))
}

/// Declines a request that one got, or withdraws one that one made.
pub(crate) async fn close(
    wallet: &Wallet,
    account: &Account,
    id: Uuid,
    role: Role,
) -> Result<PaymentRequest, WalletError> {
    let mut connection = wallet.db.write.acquire().await?;
    let row = of(&mut connection, account, id).await?;
    let (own, state) = match role {
        Role::Received => (row.id_payeur, "refusee"),
        Role::Sent => (row.id_demandeur, "annulee"),
    };
    if own != account.id_user {
        return Err(WalletError::NotFound);
    }
    if wallet.ledger.close_subject(id).await? {
        store::close(&mut connection, id, state, wallet.clock.now()).await?;
    }
    let row = of(&mut connection, account, id).await?;
    if row.usage.as_deref() == Some("utilise") {
        return Err(WalletError::Conflict("wallet.request_paid"));
    }
    wallet.request_shown(&mut connection, row, account.id_user).await
}

async fn of(connection: &mut PgConnection, account: &Account, id: Uuid) -> Result<Row, WalletError> {
    let row = store::by_id(connection, id).await?;
    let own = |row: &Row| row.id_demandeur == account.id_user || row.id_payeur == account.id_user;
    row.filter(own).ok_or(WalletError::NotFound)
}

impl Core {
    async fn request_shown(
        &self,
        connection: &mut PgConnection,
        row: Row,
        viewer: i32,
    ) -> Result<PaymentRequest, WalletError> {
        let other = self.person(connection, row.other(viewer)).await?;
        Ok(view(row, viewer, other, self.clock.now()))
    }
}

fn view(row: Row, viewer: i32, counterparty: crate::people::Counterparty, now: DateTime<Utc>) -> PaymentRequest {
    PaymentRequest {
        status: row.status(now),
        id: row.id,
        direction: if row.id_demandeur == viewer { "sent" } else { "received" },
        counterparty,
        amount: row.montant,
        currency: CURRENCY,
        note: row.note,
        transaction_id: row.operation,
        expires_at: row.expire_le.into(),
        created_at: Timestamp(row.cree_le),
    }
}

#[cfg(test)]
mod tests;
