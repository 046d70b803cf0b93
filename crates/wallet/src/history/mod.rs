//! What happened to one's money, newest first.
//!
//! Two streams are merged. Postings, by the account's own version: everything that moved at once. And operations that
//! were opened first and settled later (deposits, withdrawals) or came from the first backend: few, by their id. Each
//! stream is read through an index from where the page before ended, however long the history is.

mod api;
mod model;
pub(crate) mod store;

use identity::session::Account;
use kernel::http::Page;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::WalletError;
use crate::house::{Core, Wallet};
use crate::operation::Transaction;

pub(crate) use api::routes;
pub(crate) use model::{Cursor, Filter};
use store::Row;

/// One page of one's history.
pub(crate) async fn list(
    wallet: &Wallet,
    account: &Account,
    filter: &Filter,
    page: &Page<Cursor>,
) -> Result<(Vec<Transaction>, Option<String>), WalletError> {
    let mut connection = wallet.db.write.acquire().await?;
    let Some((account, _)) = store::account(&mut connection, account.id_user).await? else {
        return Ok((Vec::new(), None));
    };
    wallet.page(&mut connection, account, filter, page).await
}

/// One operation, for those who are part of it.
pub(crate) async fn show(wallet: &Wallet, account: &Account, id: Uuid) -> Result<Transaction, WalletError> {
    let mut connection = wallet.db.write.acquire().await?;
    let (own, _) = store::account(&mut connection, account.id_user).await?.ok_or(WalletError::NotFound)?;
    let row = store::one(&mut connection, own, id).await?.ok_or(WalletError::NotFound)?;
    let mut shown = wallet.shown_rows(&mut connection, own, vec![row]).await?;
    shown.pop().ok_or(WalletError::NotFound)
}

impl Core {
    /// One page of an account's history.
    pub(crate) async fn page(
        &self,
        connection: &mut PgConnection,
        account: i64,
        filter: &Filter,
        page: &Page<Cursor>,
    ) -> Result<(Vec<Transaction>, Option<String>), WalletError> {
        let from = page.after.unwrap_or(Cursor::START);
        let posted = store::posted(connection, account, filter, from.version, page.rows()).await?;
        let opened = store::opened(connection, account, filter, from.operation, page.rows()).await?;
        let merged = model::merge(posted, opened, from);
        let (rows, next) = page.cut(merged, |(_, cursor)| *cursor);
        let rows = rows.into_iter().map(|(row, _)| row).collect();
        Ok((self.shown_rows(connection, account, rows).await?, next))
    }

    /// Rows as the account's owner sees them.
    pub(crate) async fn shown_rows(
        &self,
        connection: &mut PgConnection,
        account: i64,
        rows: Vec<Row>,
    ) -> Result<Vec<Transaction>, WalletError> {
        let others: Vec<i32> = rows.iter().filter_map(|row| row.other(account).0).collect();
        let people = self.people(connection, &others).await?;
        Ok(rows.into_iter().map(|row| model::shown(row, account, &people)).collect())
    }
}

#[cfg(test)]
mod tests;
