//! Cards. Every account has one of ours: a holder, a reference and the account's code. It is no payment card: it has no
//! number. Bank cards will be tokens of an acquirer; a number never enters this program.

mod api;
mod model;
mod store;

use identity::session::Account;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::WalletError;
use crate::house::Wallet;

pub(crate) use api::routes;
pub use api::{Card, CardQr};

/// One's cards, the Hostolink card first.
pub(crate) async fn list(wallet: &Wallet, account: &Account) -> Result<Vec<Card>, WalletError> {
    let mut connection = wallet.db.write.acquire().await?;
    let mut cards = vec![hostolink(wallet, &mut connection, account.id_user).await?];
    cards.extend(store::bank_cards(&mut connection, account.id_user).await?.into_iter().map(Card::bank));
    Ok(cards)
}

/// The card of the account, made at the first look.
pub(crate) async fn hostolink(
    wallet: &Wallet,
    connection: &mut PgConnection,
    id_user: i32,
) -> Result<Card, WalletError> {
    let row = match store::hostolink(connection, id_user).await? {
        Some(row) => row,
        None => {
            let id = kernel::new_id(&wallet.clock, &wallet.random);
            let reference = model::reference(&wallet.random);
            store::insert_hostolink(connection, id_user, id, &reference, wallet.clock.now()).await?;
            let made = store::hostolink(connection, id_user).await?;
            made.ok_or_else(|| kernel::Failure::internal("a card that was made is not there"))?
        }
    };
    let holder = store::holder(connection, id_user).await?;
    let own = wallet.own_account(connection, id_user).await?;
    let shown = wallet.person(connection, id_user).await?;
    let payload = crate::qr::fixed_payload(&own, &shown)?;
    Ok(Card::hostolink(row, holder.unwrap_or(shown.display_name), payload))
}

/// Forgets a bank card. The Hostolink card stays with its account.
pub(crate) async fn remove(wallet: &Wallet, account: &Account, id: Uuid) -> Result<(), WalletError> {
    let mut connection = wallet.db.write.acquire().await?;
    match store::kind(&mut connection, account.id_user, id).await?.as_deref() {
        Some("hostolink") => Err(WalletError::Conflict("wallet.hostolink_card_stays")),
        Some(_) => Ok(store::remove(&mut connection, account.id_user, id).await?),
        None => Err(WalletError::NotFound),
    }
}

#[cfg(test)]
mod tests;
