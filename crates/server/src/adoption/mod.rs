//! Taking over the running database of the first backend (NestJS, TypeORM) without losing a row.
//!
//! ```text
//! preflight ── only reads: what a person has to decide stops here, with nothing touched
//!    │
//! one transaction: lock, read again, fit the old tables, all migrations, old states, commit
//!    │
//! complete ── in steps that are recorded and can be done again after a crash:
//!             identifiers and passwords, balances through the ledger, telephone numbers of facilities
//! ```

mod balances;
mod columns;
mod guards;
mod history;
mod host;
mod passwords;
mod people;
mod plan;
mod report;
mod roles;
mod shape;
mod sql;
mod tables;
#[cfg(test)]
mod tests;
mod wanted;

use anyhow::Context;
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, PgConnection};

pub use plan::Plan;
pub use report::Report;

use shape::Shape;
use wanted::Wanted;

/// How long the migration waits for the tables of an application that still runs.
const LOCK_WAIT: &str = "15s";

/// Reads what is there and says what taking it over means. A database that this program made, or took over before, has
/// nothing to report.
pub async fn preflight(connection: &mut PgConnection, migrations: &Migrator) -> anyhow::Result<Plan> {
    let mut plan = Plan { first: !exists(connection, "_sqlx_migrations").await?, ..Plan::default() };
    let shape = Shape::read(connection).await.context("reading the tables")?;
    if plan.first {
        let wanted = Wanted::of(migrations);
        host::inspect(connection, &wanted.extensions, &mut plan.report).await.context("reading the server")?;
        tables::names(connection, &wanted, &mut plan).await.context("reading the names")?;
        if shape.has("utilisateur") {
            inspect(connection, &wanted, &shape, &mut plan).await?;
        }
    } else if !open_steps(connection).await?.is_empty() {
        people::inspect(connection, &shape, &mut plan.report).await.context("reading utilisateur")?;
    }
    Ok(plan)
}

async fn inspect(connection: &mut PgConnection, wanted: &Wanted, shape: &Shape, plan: &mut Plan) -> anyhow::Result<()> {
    roles::inspect(connection, shape, plan).await.context("reading role_permission")?;
    tables::inspect(connection, wanted, shape, plan).await.context("comparing the tables")?;
    tables::owners(connection, shape, plan).await.context("reading utilisateur")?;
    if shape.column("utilisateur", "id_user").is_some_and(|key| key.whole()) {
        people::inspect(connection, shape, &mut plan.report).await.context("reading utilisateur")?;
    }
    plan.after.push(people::DATE.to_owned());
    balances::inspect(connection, shape, plan).await.context("reading compte")?;
    history::inspect(connection, shape, plan).await.context("reading transaction")
}

/// Whether everything that [`complete`] needs can be reached.
pub async fn reach(url: &str) -> anyhow::Result<()> {
    balances::reach(url).await
}

/// In the transaction of the migrations, before the second look: nobody writes these tables until it ends.
pub async fn hold(connection: &mut PgConnection, plan: &Plan) -> anyhow::Result<()> {
    run(connection, &format!("SET LOCAL lock_timeout = '{LOCK_WAIT}'")).await?;
    if plan.tables.is_empty() {
        return Ok(());
    }
    let tables: Vec<String> = plan.tables.iter().map(|table| sql::quoted(table)).collect();
    run(connection, &format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", tables.join(", ")))
        .await
        .context("the tables are in use: stop the first application, then try again")
}

/// Before the migrations: the old tables get the columns that the brief names.
pub async fn fit(connection: &mut PgConnection, plan: &Plan) -> anyhow::Result<()> {
    for statement in &plan.before {
        run(connection, statement).await.context("fitting the old tables")?;
    }
    Ok(())
}

/// After the migrations, in their transaction.
pub async fn settle(connection: &mut PgConnection, plan: &Plan) -> anyhow::Result<()> {
    for statement in &plan.after {
        run(connection, statement).await.context("completing the old tables")?;
    }
    if let Some(history) = &plan.history {
        history::settle(connection, history).await.context("reading the old operations")?;
    }
    Ok(())
}

/// A value of a row may stand in what the server says: its code and its first line have to do.
async fn run(connection: &mut PgConnection, statement: &str) -> anyhow::Result<()> {
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
        .execute(connection)
        .await
        .map(drop)
        .map_err(kernel::Failure::from)
        .with_context(|| statement.to_owned())
}

/// Turns the rows that were found into ours; at the second run there is nothing left to do.
pub async fn complete(url: &str, connection: &mut PgConnection) -> anyhow::Result<()> {
    for step in open_steps(connection).await? {
        match step.as_str() {
            "utilisateurs" => people::convert(connection).await?,
            "comptes" => balances::enter(&balances::pools(url)?).await.context("taking over the balances")?,
            "etablissements" => {
                let numbers =
                    health::adopt(&balances::pools(url)?).await.context("reading the numbers of facilities")?;
                tracing::info!(read = numbers.read, unreadable = numbers.unreadable, "numbers of facilities");
            }
            _ => continue,
        }
        sqlx::query("UPDATE adoption SET termine_le = now() WHERE etape = $1")
            .bind(&step)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// What is not done yet, people first. Nothing in a database that was never migrated.
pub async fn open_steps(connection: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    if !exists(connection, "adoption").await? {
        return Ok(Vec::new());
    }
    sqlx::query_scalar("SELECT etape FROM adoption WHERE termine_le IS NULL ORDER BY etape DESC")
        .fetch_all(connection)
        .await
}

async fn exists(connection: &mut PgConnection, table: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL").bind(table).fetch_one(connection).await
}
