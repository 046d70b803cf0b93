use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::Announcement;

pub(crate) async fn insert(
    connection: &mut PgConnection,
    id: Uuid,
    title: &str,
    text: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO annonce (public_id, titre, description, publiee_le) VALUES ($1, $2, $3, $4)")
        .bind(id)
        .bind(title)
        .bind(text)
        .bind(now)
        .execute(connection)
        .await
        .map(drop)
}

pub(crate) async fn list(
    connection: &mut PgConnection,
    now: DateTime<Utc>,
    before: Option<Uuid>,
    rows: i64,
) -> sqlx::Result<Vec<Announcement>> {
    sqlx::query_as(
        "SELECT public_id AS id, titre AS title, description AS text, publiee_le AS published_at
           FROM annonce
          WHERE publiee_le <= $1 AND (expire_le IS NULL OR expire_le > $1) AND ($2::uuid IS NULL OR public_id < $2)
          ORDER BY public_id DESC LIMIT $3",
    )
    .bind(now)
    .bind(before)
    .bind(rows)
    .fetch_all(connection)
    .await
}
