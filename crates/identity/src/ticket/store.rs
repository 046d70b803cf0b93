use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;

use super::Known;

#[expect(clippy::too_many_arguments, reason = "the columns of one row")]
pub(super) async fn insert(
    connection: &mut PgConnection,
    id_user: i32,
    digest: &[u8],
    kind: &str,
    purpose: &str,
    destination: &str,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO ticket_parcours (id_user, empreinte, nature, objet, destination, cree_le, expire_le)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(id_user)
    .bind(digest)
    .bind(kind)
    .bind(purpose)
    .bind(destination)
    .bind(now)
    .bind(expires_at)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn find(
    connection: &mut PgConnection,
    id_user: i32,
    digest: &[u8],
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Known>> {
    sqlx::query_as(
        "SELECT nature, objet, destination, utilise_le IS NOT NULL AS utilise
           FROM ticket_parcours WHERE id_user = $1 AND empreinte = $2 AND expire_le > $3",
    )
    .bind(id_user)
    .bind(digest)
    .bind(now)
    .fetch_optional(connection)
    .await
}

pub(super) async fn consume(
    connection: &mut PgConnection,
    id_user: i32,
    digest: &[u8],
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE ticket_parcours SET utilise_le = $3
          WHERE id_user = $1 AND empreinte = $2 AND utilise_le IS NULL AND expire_le > $3",
    )
    .bind(id_user)
    .bind(digest)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn delete_of(connection: &mut PgConnection, id_user: i32) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM ticket_parcours WHERE id_user = $1").bind(id_user).execute(connection).await?;
    Ok(())
}

/// Housekeeping: at most `limit` tickets that nobody can use.
pub(crate) async fn forget_expired(connection: &mut PgConnection, now: DateTime<Utc>, limit: i64) -> sqlx::Result<u64> {
    let done = sqlx::query(
        "DELETE FROM ticket_parcours WHERE empreinte IN
           (SELECT empreinte FROM ticket_parcours WHERE expire_le < $1 LIMIT $2)",
    )
    .bind(now - TimeDelta::days(1))
    .bind(limit)
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}
