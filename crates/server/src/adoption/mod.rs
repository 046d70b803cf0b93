//! Taking over the running database of the first backend (NestJS, TypeORM) without losing a row.
//!
//! [`preflight`] only reads, and says what a person has to decide: two people with one identifier, a number that cannot
//! be read, a balance with centimes. While it finds any of these, nothing is changed. [`complete`] then turns the old
//! rows into ours, in steps that are recorded and can be done again after a crash.

mod passwords;
mod people;
mod report;

use anyhow::Context;
use kernel::db::Sizes;
use kernel::{Clock, Db, Random};
use sqlx::PgConnection;
use wallet::ledger::{Ledger, LedgerConfig};

pub use report::Report;

/// Reads what is there. A database without the brief's tables, or one that was adopted already, has nothing to report.
pub async fn preflight(connection: &mut PgConnection) -> anyhow::Result<Report> {
    let mut report = Report::default();
    if !exists(connection, "utilisateur").await? || is_adopted(connection).await? {
        return Ok(report);
    }
    people::inspect(connection, &mut report).await.context("reading utilisateur")?;
    wallet_columns(connection, &mut report).await.context("reading compte")?;
    Ok(report)
}

/// Turns the rows that were found into ours; at the second run there is nothing left to do.
pub async fn complete(url: &str, connection: &mut PgConnection) -> anyhow::Result<()> {
    let open: Vec<String> = sqlx::query_scalar("SELECT etape FROM adoption WHERE termine_le IS NULL ORDER BY etape DESC").fetch_all(&mut *connection).await?;
    for step in open {
        match step.as_str() {
            "utilisateurs" => people::convert(connection).await?,
            "comptes" => open_accounts(url).await.context("taking over the balances")?,
            _ => continue,
        }
        sqlx::query("UPDATE adoption SET termine_le = now() WHERE etape = $1").bind(&step).execute(&mut *connection).await?;
    }
    Ok(())
}

/// A balance becomes an opening posting of the ledger, once: its key sees to that.
async fn open_accounts(url: &str) -> anyhow::Result<()> {
    let (db, clock) = (Db::connect(url, Sizes { write: 2, read: 1, hot: 1 })?, Clock::system());
    let config = LedgerConfig { background: false, ..LedgerConfig::default() };
    let opened = Ledger::start(&db, &clock, &Random::system(), config).adopt().await?;
    tracing::info!(opened, "balances of the first backend entered the books");
    Ok(())
}

async fn exists(connection: &mut PgConnection, table: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL").bind(table).fetch_one(connection).await
}

async fn is_adopted(connection: &mut PgConnection) -> sqlx::Result<bool> {
    if !exists(connection, "adoption").await? {
        return Ok(false);
    }
    sqlx::query_scalar("SELECT NOT EXISTS (SELECT FROM adoption WHERE etape = 'utilisateurs' AND termine_le IS NULL)").fetch_one(connection).await
}

/// Balances become opening postings, in whole francs or not at all.
async fn wallet_columns(connection: &mut PgConnection, report: &mut Report) -> sqlx::Result<()> {
    if !exists(connection, "compte").await? {
        return Ok(());
    }
    let columns: Vec<String> = sqlx::query_scalar("SELECT column_name::text FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = 'compte'")
        .fetch_all(&mut *connection)
        .await?;
    for needed in ["id_compte", "id_user"] {
        if !columns.iter().any(|column| column == needed) {
            report.block(format!("compte has no column {needed}: it has to be given one before the money can be taken over"));
        }
    }
    if !columns.iter().any(|column| column == "solde_compte") {
        report.note("compte has no column solde_compte: accounts start at 0");
        return Ok(());
    }
    let broken: Vec<i64> = sqlx::query_scalar("SELECT id_compte::bigint FROM compte WHERE solde_compte <> trunc(solde_compte) OR solde_compte < 0 ORDER BY 1 LIMIT 20")
        .fetch_all(connection)
        .await?;
    for id in broken {
        report.block(format!("compte {id}: the balance is not a whole number of francs of at least 0"));
    }
    Ok(())
}
