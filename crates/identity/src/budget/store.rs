use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;

pub(super) async fn add(
    connection: &mut PgConnection,
    scope: &str,
    start: DateTime<Utc>,
    by: i32,
) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "INSERT INTO compteur (portee, periode, nombre) VALUES ($1, $2, $3)
         ON CONFLICT (portee, periode) DO UPDATE SET nombre = compteur.nombre + $3
         RETURNING nombre::bigint",
    )
    .bind(scope)
    .bind(start)
    .bind(by)
    .fetch_one(connection)
    .await
}

pub(super) async fn subtract(connection: &mut PgConnection, scope: &str, start: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query("UPDATE compteur SET nombre = nombre - 1 WHERE portee = $1 AND periode = $2 AND nombre > 0")
        .bind(scope)
        .bind(start)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn read(connection: &mut PgConnection, scope: &str, start: DateTime<Utc>) -> sqlx::Result<i64> {
    let known: Option<i64> =
        sqlx::query_scalar("SELECT nombre::bigint FROM compteur WHERE portee = $1 AND periode = $2")
            .bind(scope)
            .bind(start)
            .fetch_optional(connection)
            .await?;
    Ok(known.unwrap_or(0))
}

/// When the newest window of a scope began, if it is newer than `after`.
pub(super) async fn latest(
    connection: &mut PgConnection,
    scope: &str,
    after: DateTime<Utc>,
) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar("SELECT max(periode) FROM compteur WHERE portee = $1 AND periode > $2")
        .bind(scope)
        .bind(after)
        .fetch_one(connection)
        .await
}

/// Housekeeping: at most `limit` counters of windows that are long over.
pub(crate) async fn forget_old(connection: &mut PgConnection, now: DateTime<Utc>, limit: i64) -> sqlx::Result<u64> {
    let done = sqlx::query(
        "DELETE FROM compteur WHERE (portee, periode) IN
           (SELECT portee, periode FROM compteur WHERE periode < $1 LIMIT $2)",
    )
    .bind(now - TimeDelta::days(3))
    .bind(limit)
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}
