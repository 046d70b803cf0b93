//! Telling merchants what happened on their account: one signed message an operation, made from the sealed batches, sent
//! until it is received or given up.
//!
//! ```text
//! sealed batch ── pump ──► message + job (one transaction with the position) ── job ──► merchant
//! ```

mod api;
mod deliver;
mod model;
mod pump;
mod store;

use chrono::TimeDelta;
use identity::session::Account;
use kernel::http::Page;
use kernel::keys::Purpose;
use kernel::{Failure, Timestamp};
use uuid::Uuid;

use crate::WalletError;
use crate::house::{Core, Wallet};
use crate::ledger::Unconfirmed;

pub(crate) use api::routes;
use api::{Delivery, Endpoint, EndpointWithSecret};
pub(crate) use deliver::jobs;
pub use pump::tell_merchants;

/// Addresses that one account may register.
const MAX_ENDPOINTS: i64 = 5;
/// The secret before goes on signing for so long.
const OVERLAP: TimeDelta = TimeDelta::hours(24);

/// Registers an address. Its secret is told now and never again.
pub(crate) async fn create(wallet: &Wallet, account: &Account, url: &str) -> Result<EndpointWithSecret, WalletError> {
    if !account.verified {
        return Err(WalletError::NotConfirmed(Unconfirmed::NotVerified));
    }
    deliver::client(wallet)?.check(url).map_err(|refused| WalletError::Field("url", deliver::code(refused)))?;
    let mut transaction = wallet.db.write.begin().await?;
    let own = wallet.own_account(&mut transaction, account.id_user).await?;
    let id = kernel::new_id(&wallet.clock, &wallet.random);
    let secret = model::secret(&wallet.random);
    let sealed = wallet.sealed(id, &secret)?;
    let row = store::New {
        id,
        id_user: account.id_user,
        id_compte: own.id_compte,
        url,
        secret: &sealed,
        now: wallet.clock.now(),
    };
    if !store::insert(&mut transaction, &row, MAX_ENDPOINTS).await? {
        return Err(WalletError::Rule("wallet.too_many_webhooks"));
    }
    // Whoever registers first hears of what happens from now on, not of the past.
    store::start_reading(&mut transaction).await?;
    let made = store::by_id(&mut transaction, account.id_user, id).await?.ok_or(WalletError::NotFound)?;
    transaction.commit().await?;
    Ok(EndpointWithSecret { endpoint: shown(made), secret })
}

/// One's addresses.
pub(crate) async fn list(wallet: &Wallet, account: &Account) -> Result<Vec<Endpoint>, WalletError> {
    let mut connection = wallet.db.write.acquire().await?;
    Ok(store::list(&mut connection, account.id_user).await?.into_iter().map(shown).collect())
}

/// Forgets an address and its messages.
pub(crate) async fn remove(wallet: &Wallet, account: &Account, id: Uuid) -> Result<(), WalletError> {
    let removed = store::remove(&mut *wallet.db.write.acquire().await?, account.id_user, id).await?;
    if removed { Ok(()) } else { Err(WalletError::NotFound) }
}

/// A new secret; the one before goes on signing for a day. Also wakes an address that was switched off.
pub(crate) async fn rotate(wallet: &Wallet, account: &Account, id: Uuid) -> Result<EndpointWithSecret, WalletError> {
    let secret = model::secret(&wallet.random);
    let (sealed, until) = (wallet.sealed(id, &secret)?, wallet.clock.now() + OVERLAP);
    let mut connection = wallet.db.write.acquire().await?;
    if !store::rotate(&mut connection, account.id_user, id, &sealed, until).await? {
        return Err(WalletError::NotFound);
    }
    let row = store::by_id(&mut connection, account.id_user, id).await?.ok_or(WalletError::NotFound)?;
    Ok(EndpointWithSecret { endpoint: shown(row), secret })
}

/// What was sent to an address, newest first.
pub(crate) async fn deliveries(
    wallet: &Wallet,
    account: &Account,
    id: Uuid,
    page: &Page<Uuid>,
) -> Result<(Vec<Delivery>, Option<String>), WalletError> {
    let mut connection = wallet.db.write.acquire().await?;
    store::by_id(&mut connection, account.id_user, id).await?.ok_or(WalletError::NotFound)?;
    let rows = store::deliveries(&mut connection, id, page.after, page.rows()).await?;
    let (rows, next) = page.cut(rows, |row| row.id);
    Ok((rows.into_iter().map(told).collect(), next))
}

/// Sends a message once more, as it was.
pub(crate) async fn resend(
    wallet: &Wallet,
    account: &Account,
    id: Uuid,
    delivery: Uuid,
) -> Result<Delivery, WalletError> {
    let mut transaction = wallet.db.write.begin().await?;
    store::by_id(&mut transaction, account.id_user, id).await?.ok_or(WalletError::NotFound)?;
    let row = store::again(&mut transaction, id, delivery).await?.ok_or(WalletError::NotFound)?;
    deliver::enqueue(wallet, &mut transaction, delivery).await?;
    transaction.commit().await?;
    Ok(told(row))
}

impl Core {
    fn sealed(&self, id: Uuid, secret: &str) -> Result<Vec<u8>, Failure> {
        let sealed = self.keys.seal(Purpose::Vault, &self.random, id.as_bytes(), secret.as_bytes());
        sealed.ok_or_else(|| Failure::internal("nothing can be sealed"))
    }
}

fn shown(row: store::Endpoint) -> Endpoint {
    Endpoint { id: row.id, url: row.url, active: row.actif, failures: row.echecs, created_at: row.cree_le.into() }
}

fn told(row: store::Delivery) -> Delivery {
    Delivery {
        id: row.id,
        event: row.evenement,
        status: match row.etat.as_str() {
            "recu" => "delivered",
            "abandonne" => "failed",
            _ => "pending",
        },
        attempts: row.essais,
        last_status: row.dernier_statut,
        last_error: row.derniere_erreur,
        payload: row.charge,
        created_at: row.cree_le.into(),
        ended_at: row.fait_le.map(Timestamp::from),
    }
}

#[cfg(test)]
mod tests;
