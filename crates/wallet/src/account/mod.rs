//! One's wallet: balance, and what the tier allows.

mod api;
mod model;
mod store;

use identity::session::Account;
use kernel::Failure;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::WalletError;
use crate::house::{Core, Wallet};
use crate::ledger::{Party, Window};

pub(crate) use api::routes;
pub use api::{Limits, WalletView};
pub(crate) use store::Row;

/// The wallet of a person, opened at the first look.
pub(crate) async fn show(wallet: &Wallet, account: &Account) -> Result<WalletView, WalletError> {
    let mut connection = wallet.db.write.acquire().await?;
    let row = wallet.own_account(&mut connection, account.id_user).await?;
    view(wallet, &mut connection, &row, account.tier).await
}

/// An account with what its tier allows.
pub(crate) async fn view(
    wallet: &Wallet,
    connection: &mut PgConnection,
    row: &Row,
    tier: i16,
) -> Result<WalletView, WalletError> {
    let rules = store::limits(connection, tier).await?;
    let month = Window::Month.start(wallet.clock.now());
    let loaded = store::loaded(connection, row.id_compte, month).await?;
    Ok(model::view(row, tier, &rules, loaded))
}

impl Core {
    /// The principal account of a person; the ledger opens it for whoever asks first.
    pub(crate) async fn own_account(&self, connection: &mut PgConnection, id_user: i32) -> Result<Row, WalletError> {
        if let Some(row) = store::principal(connection, id_user).await? {
            return Ok(row);
        }
        self.ledger.account_of(&Party::User(id_user)).await?;
        let opened = store::principal(connection, id_user).await?;
        Ok(opened.ok_or_else(|| Failure::internal("an account that was opened is not there"))?)
    }

    /// The account with this visible id: its row and its owner.
    pub(crate) async fn account_by_id(
        &self,
        connection: &mut PgConnection,
        id: Uuid,
    ) -> Result<Option<(i64, i32)>, Failure> {
        Ok(store::by_public_id(connection, id).await?)
    }
}

#[cfg(test)]
mod tests;
