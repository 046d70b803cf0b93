//! Money that is set aside for somebody: a deposit on a room, a ride whose price is not known yet. The payer confirms
//! once; the payee takes it, whole or in parts, or lets it go; what is left goes back by itself on its date.

mod api;
mod store;

use chrono::{DateTime, TimeDelta, Utc};
use identity::session::Account;
use kernel::http::IdempotencyKey;
use kernel::money::CURRENCY;
use uuid::Uuid;

use crate::WalletError;
use crate::house::Wallet;
use crate::ledger::{Action, Command, Kind, Movement, Outcome, Party, Refusal, Tariff, Verdict};
use crate::operation::{Asked, fingerprint, note};

pub(crate) use api::routes;
use api::{CaptureOrder, Hold, HoldOrder};
use store::Row;

/// Life of a hold that says nothing, and the bounds of one that does, in seconds: a minute to 30 days.
const LIFE: TimeDelta = TimeDelta::days(7);
const LIFE_S: std::ops::RangeInclusive<i64> = 60..=30 * 24 * 3600;

/// Sets money aside for somebody.
pub(crate) async fn create(
    wallet: &Wallet,
    account: &Account,
    key: &IdempotencyKey,
    order: &HoldOrder,
) -> Result<(Hold, bool), WalletError> {
    let fingerprint = fingerprint("POST /holds", order)?;
    let asked = Asked { account, key, fingerprint, pin: order.pin.as_ref() };
    let verdict = wallet
        .decide(&asked, async {
            let note = note(order.note.as_deref())?;
            let expires_at = Some(expiry(order.expires_in, wallet.clock.now())?);
            let payee = wallet.payee("to", &order.to).await?;
            let from = Party::User(account.id_user);
            let movement = Movement {
                kind: Kind::Transfer,
                from: from.clone(),
                to: Party::User(payee.id_user),
                amount: order.amount,
                tariff: Tariff::Schedule(None),
            };
            let action = Action::Open { movement, expires_at };
            Ok(Command { note, ..Command::new(from, key.as_str(), fingerprint, action) })
        })
        .await?;
    let (receipt, replayed) = verdict.accepted()?;
    Ok((show(wallet, account, receipt.id).await?, replayed))
}

fn expiry(seconds: Option<i64>, now: DateTime<Utc>) -> Result<DateTime<Utc>, WalletError> {
    match seconds {
        None => Ok(now + LIFE),
        Some(seconds) if LIFE_S.contains(&seconds) => Ok(now + TimeDelta::seconds(seconds)),
        Some(_) => Err(WalletError::Field("expiresIn", "out_of_range")),
    }
}

/// A hold, for its two sides.
pub(crate) async fn show(wallet: &Wallet, account: &Account, id: Uuid) -> Result<Hold, WalletError> {
    let row = of(wallet, account, id).await?;
    let payer = row.payeur == account.id_user;
    let mut connection = wallet.db.write.acquire().await?;
    let counterparty = wallet.person(&mut connection, if payer { row.beneficiaire } else { row.payeur }).await?;
    Ok(Hold {
        id: row.id,
        direction: if payer { "out" } else { "in" },
        counterparty,
        amount: row.montant,
        captured: row.capture,
        released: row.libere,
        remaining: row.montant - row.capture - row.libere,
        currency: CURRENCY,
        status: row.status(),
        note: row.note,
        expires_at: row.expire_le.map(kernel::Timestamp::from),
        created_at: row.cree_le.into(),
    })
}

/// The payee takes what was set aside for it.
pub(crate) async fn capture(
    wallet: &Wallet,
    account: &Account,
    key: &IdempotencyKey,
    id: Uuid,
    order: &CaptureOrder,
) -> Result<(Hold, bool), WalletError> {
    let fingerprint = fingerprint(&format!("POST /holds/{id}/captures"), order)?;
    let row = of(wallet, account, id).await?;
    if row.beneficiaire != account.id_user {
        return Err(WalletError::NotFound);
    }
    // Without an amount all of it is taken, and nothing is left to take.
    let last = order.last.unwrap_or(order.amount.is_none());
    let action = Action::Settle { operation: id, amount: order.amount, last };
    let command = Command::new(Party::User(account.id_user), key.as_str(), fingerprint, action);
    let (_, replayed) = wallet.ledger.post(command).await?.accepted()?;
    Ok((show(wallet, account, id).await?, replayed))
}

/// The payee lets go what is left.
pub(crate) async fn release(wallet: &Wallet, account: &Account, id: Uuid) -> Result<Hold, WalletError> {
    let row = of(wallet, account, id).await?;
    if row.beneficiaire != account.id_user {
        return Err(WalletError::NotFound);
    }
    let action = Action::Cancel { operation: id, outcome: Outcome::Failed };
    let key = format!("release:{id}");
    let fingerprint = fingerprint("POST /holds/release", &id)?;
    match wallet.ledger.post(Command::new(Party::system("systeme"), key, fingerprint, action)).await? {
        // Whatever ended it before: nothing is left, which is what was asked.
        Verdict::Refused { reason: Refusal::NotPending, .. } | Verdict::Done { .. } => show(wallet, account, id).await,
        other => other.accepted().map(|_| ()).and(Err(WalletError::NotFound)),
    }
}

async fn of(wallet: &Wallet, account: &Account, id: Uuid) -> Result<Row, WalletError> {
    let row = store::by_id(&mut *wallet.db.write.acquire().await?, id).await?;
    row.filter(|row| row.payeur == account.id_user || row.beneficiaire == account.id_user).ok_or(WalletError::NotFound)
}

#[cfg(test)]
mod tests;
