use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Event;

pub(super) async fn insert(
    connection: &mut PgConnection,
    id_user: i32,
    id: Uuid,
    nature: &str,
    network: &str,
    details: &Value,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO evenement_securite (id_user, id, nature, reseau, details, cree_le) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id_user)
    .bind(id)
    .bind(nature)
    .bind(network)
    .bind(details)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn latest(connection: &mut PgConnection, id_user: i32, limit: i64) -> sqlx::Result<Vec<Event>> {
    sqlx::query_as(
        "SELECT nature, reseau, cree_le FROM evenement_securite WHERE id_user = $1 ORDER BY id DESC LIMIT $2",
    )
    .bind(id_user)
    .bind(limit)
    .fetch_all(connection)
    .await
}
