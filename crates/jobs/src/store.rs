use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Job, NewJob};

pub(crate) const CHANNEL: &str = "travail";

pub(crate) async fn insert(connection: &mut PgConnection, job: &NewJob) -> sqlx::Result<()> {
    // One notice a transaction at most: PostgreSQL folds equal ones.
    sqlx::query(
        "WITH ecrit AS (
           INSERT INTO travail (id, nature, charge, secret, prochain_le, expire_le) VALUES ($1, $2, $3, $4, $5, $6) RETURNING nature)
         SELECT pg_notify('travail', '') FROM ecrit",
    )
    .bind(job.id)
    .bind(job.kind)
    .bind(&job.payload)
    .bind(&job.secret)
    .bind(job.run_at)
    .bind(job.expires_at)
    .execute(connection)
    .await
    .map(drop)
}

pub(crate) async fn waiting(connection: &mut PgConnection, kind: &str) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT count(*) FROM travail WHERE etat = 'attente' AND nature = $1")
        .bind(kind)
        .fetch_one(connection)
        .await
}

/// Takes due jobs under a lease. Each take counts as a try, so that a job that kills its worker ends too.
pub(crate) async fn take(
    connection: &mut PgConnection,
    kind: &str,
    now: DateTime<Utc>,
    lease: TimeDelta,
    most: i64,
) -> sqlx::Result<Vec<Job>> {
    sqlx::query_as(
        "UPDATE travail SET reserve_jusqu = $2 + $3, essais = essais + 1
          WHERE id IN (SELECT id FROM travail
                        WHERE nature = $1 AND etat = 'attente' AND prochain_le <= $2 AND (reserve_jusqu IS NULL OR reserve_jusqu <= $2)
                        ORDER BY prochain_le LIMIT $4 FOR UPDATE SKIP LOCKED)
      RETURNING id, charge AS payload, secret, essais AS tries, expire_le AS expires_at",
    )
    .bind(kind)
    .bind(now)
    .bind(lease)
    .bind(most)
    .fetch_all(connection)
    .await
}

pub(crate) async fn done(connection: &mut PgConnection, id: Uuid, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query("UPDATE travail SET etat = 'fait', fait_le = $2, secret = NULL, reserve_jusqu = NULL, derniere_erreur = NULL WHERE id = $1")
        .bind(id)
        .bind(now)
        .execute(connection)
        .await
        .map(drop)
}

pub(crate) async fn later(
    connection: &mut PgConnection,
    id: Uuid,
    at: DateTime<Utc>,
    reason: &str,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE travail SET prochain_le = $2, reserve_jusqu = NULL, derniere_erreur = $3 WHERE id = $1 AND etat = 'attente'")
        .bind(id)
        .bind(at)
        .bind(reason)
        .execute(connection)
        .await
        .map(drop)
}

pub(crate) async fn give_up(
    connection: &mut PgConnection,
    id: Uuid,
    now: DateTime<Utc>,
    reason: &str,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE travail SET etat = 'abandonne', fait_le = $2, secret = NULL, reserve_jusqu = NULL, derniere_erreur = $3 WHERE id = $1",
    )
    .bind(id)
    .bind(now)
    .bind(reason)
    .execute(connection)
    .await
    .map(drop)
}

/// Forgets what ended long ago, a bounded number at once.
pub(crate) async fn forget(connection: &mut PgConnection, before: DateTime<Utc>, most: i64) -> sqlx::Result<u64> {
    let sql =
        "DELETE FROM travail WHERE id IN (SELECT id FROM travail WHERE etat <> 'attente' AND fait_le < $1 LIMIT $2)";
    sqlx::query(sql).bind(before).bind(most).execute(connection).await.map(|result| result.rows_affected())
}
