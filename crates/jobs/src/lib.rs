//! Durable work. A job is a row of the transaction that causes it: both exist or neither does. Workers take jobs under
//! a lease with `SKIP LOCKED`, so that several processes share one queue and a killed one loses nothing.
//!
//! A job is done *at least* once: a handler has to bear a second run. Table: `travail`.

mod store;
mod worker;

use chrono::{DateTime, Utc};
use kernel::Failure;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

pub use worker::{Handler, Outcome, Policy, Worker};

/// Work to be done after the commit.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// UUIDv7 made by the caller; also the context under which `secret` is sealed.
    pub id: Uuid,
    /// `house.verb`: which handler does it.
    pub kind: &'static str,
    /// What the handler needs, without secrets: operators read this table.
    pub payload: Value,
    /// A sealed part, erased when the job ends.
    pub secret: Option<Vec<u8>>,
    /// Not before.
    pub run_at: DateTime<Utc>,
    /// Not worth doing after.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A job in the hands of a worker.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Job {
    /// Its id.
    pub id: Uuid,
    /// Its payload.
    pub payload: Value,
    /// Its sealed part.
    pub secret: Option<Vec<u8>>,
    /// How often it was tried, this time included.
    pub tries: i16,
    /// Not worth doing after.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Writes a job with the caller's transaction and wakes a worker at its commit.
pub async fn enqueue(transaction: &mut PgConnection, job: &NewJob) -> Result<(), Failure> {
    store::insert(transaction, job).await?;
    Ok(())
}

/// How many jobs of a kind wait to be done.
pub async fn waiting(connection: &mut PgConnection, kind: &str) -> Result<i64, Failure> {
    Ok(store::waiting(connection, kind).await?)
}

#[cfg(test)]
mod tests;
