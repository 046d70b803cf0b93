//! Reading the books: the balance now and at a date, entries, operations. Nothing here decides anything.

use chrono::{DateTime, Utc};
use kernel::Failure;
use uuid::Uuid;

use super::Ledger;
use super::command::AccountId;
use super::store::{receipt_of, shown};
use super::verdict::Receipt;

/// An account as of now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    /// The account's row.
    pub account: AccountId,
    /// What clients see of it.
    pub public_id: Uuid,
    /// Its owner.
    pub user: Option<i32>,
    /// What was moved.
    pub balance: i64,
    /// What may leave: without what is held and what the floor keeps.
    pub available: i64,
    /// What open operations hold.
    pub held: i64,
    /// What open operations will bring.
    pub expected: i64,
    /// The tier of its owner.
    pub tier: Option<i16>,
    /// Frozen, or its owner suspended.
    pub frozen: bool,
    /// The version of its last entry.
    pub version: i64,
}

/// One posting of an account with its operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Without gaps, 1 is the first.
    pub version: i64,
    /// Negative when it left; the fee of a payer is in it.
    pub amount: i64,
    /// The balance after it.
    pub balance: i64,
    /// When it was posted.
    pub at: DateTime<Utc>,
    /// The operation as people are shown it.
    pub operation: Receipt,
}

/// A page and where the next one begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// Newest first.
    pub items: Vec<T>,
    /// `before` of the next page; none at the end.
    pub next: Option<i64>,
}

const BALANCE: &str = "SELECT c.id_compte, c.public_id, c.id_user, c.credits - c.debits, \
    c.credits - c.debits - c.debits_attente - coalesce(c.plancher, 0), c.debits_attente, c.credits_attente, u.palier, \
    c.gele_le IS NOT NULL OR coalesce(u.statut <> 'actif', false), c.version \
    FROM compte c LEFT JOIN utilisateur u ON u.id_user = c.id_user WHERE c.id_compte = $1";

const ENTRIES: &str = concat!(
    "SELECT e.version, e.montant, e.solde_apres, e.cree_le, ",
    shown!(),
    " FROM (SELECT * FROM ecriture WHERE id_compte = $1 AND version > $2 AND version < $3 ORDER BY version DESC LIMIT $4) e \
     JOIN transaction t ON t.id_transaction = e.id_transaction \
     JOIN transaction v ON v.id_transaction = CASE WHEN t.nature = 'reglement' THEN t.lie_a ELSE t.id_transaction END \
     LEFT JOIN compte a ON a.id_compte = v.id_compte_expediteur LEFT JOIN compte b ON b.id_compte = v.id_compte_recepteur \
     ORDER BY e.version DESC"
);

const OPERATION: &str = concat!(
    "SELECT ",
    shown!(),
    " FROM transaction v LEFT JOIN compte a ON a.id_compte = v.id_compte_expediteur \
     LEFT JOIN compte b ON b.id_compte = v.id_compte_recepteur \
     WHERE v.public_id = $1 AND v.nature <> 'reglement'"
);

const UNPOSTED: &str = concat!(
    "SELECT v.id_transaction, ",
    shown!(),
    " FROM (SELECT * FROM transaction WHERE id_compte_expediteur = $1 AND (differee OR initiateur IS NULL) \
            UNION SELECT * FROM transaction WHERE id_compte_recepteur = $1 AND (differee OR initiateur IS NULL)) v \
     LEFT JOIN compte a ON a.id_compte = v.id_compte_expediteur LEFT JOIN compte b ON b.id_compte = v.id_compte_recepteur \
     WHERE (v.initiateur IS NULL OR v.solde_expediteur IS NULL) AND v.id_transaction < $2 ORDER BY v.id_transaction DESC LIMIT $3"
);

const ENTRY_TIME: &str = "SELECT cree_le, solde_apres FROM ecriture WHERE id_compte = $1 AND version = $2";

impl Ledger {
    /// An account as of now, from the primary.
    pub async fn balance(&self, account: AccountId) -> Result<Option<Balance>, Failure> {
        let connection = self.db.hot.client().await?;
        let statement = connection.prepared(BALANCE).await?;
        let row = connection.client().query_opt(&statement, &[&account]).await?;
        Ok(row.map(|row| Balance {
            account: row.get(0),
            public_id: row.get(1),
            user: row.get(2),
            balance: row.get(3),
            available: row.get(4),
            held: row.get(5),
            expected: row.get(6),
            tier: row.get(7),
            frozen: row.get(8),
            version: row.get(9),
        }))
    }

    /// The principal account of a user as of now; none while nothing ever touched it.
    pub async fn balance_of_user(&self, user: i32) -> Result<Option<Balance>, Failure> {
        match self.directory.existing(user).await? {
            Some(account) => self.balance(account).await,
            None => Ok(None),
        }
    }

    /// Entries with `after < version < before`, newest first, at most `limit` (1 to 1000).
    pub async fn entries(
        &self,
        account: AccountId,
        after: i64,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Page<Entry>, Failure> {
        let limit = limit.clamp(1, 1000);
        let connection = self.db.hot.client().await?;
        let statement = connection.prepared(ENTRIES).await?;
        let rows =
            connection.client().query(&statement, &[&account, &after, &before.unwrap_or(i64::MAX), &limit]).await?;
        let items: Vec<Entry> = rows
            .iter()
            .map(|row| Entry {
                version: row.get(0),
                amount: row.get(1),
                balance: row.get(2),
                at: row.get(3),
                operation: receipt_of(row, 4),
            })
            .collect();
        let next = items
            .last()
            .map(|entry| entry.version)
            .filter(|version| *version > after + 1 && rows.len() as i64 == limit);
        Ok(Page { items, next })
    }

    /// An operation by its visible id, refusals included. Whether the asker may see it is the flow's to check.
    pub async fn operation(&self, id: Uuid) -> Result<Option<Receipt>, Failure> {
        let connection = self.db.hot.client().await?;
        let statement = connection.prepared(OPERATION).await?;
        Ok(connection.client().query_opt(&statement, &[&id]).await?.map(|row| receipt_of(&row, 0)))
    }

    /// Operations of an account that posted nothing: open, failed and expired ones, and the history of the first backend.
    /// Newest first, at most `limit` (1 to 100), with their row ids as cursors.
    pub async fn unposted(
        &self,
        account: AccountId,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Page<Receipt>, Failure> {
        let limit = limit.clamp(1, 100);
        let connection = self.db.hot.client().await?;
        let statement = connection.prepared(UNPOSTED).await?;
        let rows = connection.client().query(&statement, &[&account, &before.unwrap_or(i64::MAX), &limit]).await?;
        let next = rows.last().map(|row| row.get(0)).filter(|_| rows.len() as i64 == limit);
        Ok(Page { items: rows.iter().map(|row| receipt_of(row, 1)).collect(), next })
    }

    /// The balance of an account after everything that was posted until then (included).
    pub async fn balance_at(&self, account: AccountId, at: DateTime<Utc>) -> Result<i64, Failure> {
        Ok(self.last_until(account, at).await?.1)
    }

    /// The version of the last entry until then (included); 0 before the first. Bounds of a statement's period.
    pub async fn version_at(&self, account: AccountId, at: DateTime<Utc>) -> Result<i64, Failure> {
        Ok(self.last_until(account, at).await?.0)
    }

    /// Entries of an account are in order of time: some twenty looks find one among millions.
    async fn last_until(&self, account: AccountId, at: DateTime<Utc>) -> Result<(i64, i64), Failure> {
        let Some(balance) = self.balance(account).await? else { return Ok((0, 0)) };
        let connection = self.db.hot.client().await?;
        let statement = connection.prepared(ENTRY_TIME).await?;
        let (mut low, mut low_balance, mut high) = (0, 0, balance.version);
        while low < high {
            let middle = low + (high - low + 1) / 2;
            let row = connection.client().query_one(&statement, &[&account, &middle]).await?;
            if row.get::<_, DateTime<Utc>>(0) <= at {
                (low, low_balance) = (middle, row.get(1));
            } else {
                high = middle - 1;
            }
        }
        Ok((low, low_balance))
    }
}
