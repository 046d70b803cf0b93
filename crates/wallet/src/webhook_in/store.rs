use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

/// False: the event is known.
pub(super) async fn insert(
    connection: &mut PgConnection,
    id: Uuid,
    route: &str,
    event: &str,
    body: &[u8],
    signed: bool,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let written = sqlx::query(
        "INSERT INTO rappel_recu (id, route, evenement, corps, signe, recu_le) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (route, evenement) DO NOTHING",
    )
    .bind(id)
    .bind(route)
    .bind(event)
    .bind(body)
    .bind(signed)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(written.rows_affected() == 1)
}

pub(super) async fn handled(
    connection: &mut PgConnection,
    id: Uuid,
    outcome: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE rappel_recu SET traite_le = $2, issue = $3 WHERE id = $1")
        .bind(id)
        .bind(now)
        .bind(outcome)
        .execute(connection)
        .await
        .map(drop)
}
