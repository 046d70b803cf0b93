use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Notice, Notification};

pub(crate) async fn insert(
    connection: &mut PgConnection,
    id: Uuid,
    notice: &Notice<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO notification (public_id, id_user, nature, titre, contenu, cree_le) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(id)
        .bind(notice.id_user)
        .bind(notice.kind)
        .bind(notice.title)
        .bind(notice.text)
        .bind(now)
        .execute(connection)
        .await
        .map(drop)
}

pub(crate) async fn unseen(connection: &mut PgConnection, id_user: i32) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "SELECT count(*) FROM (SELECT FROM notification WHERE id_user = $1 AND vue_le IS NULL LIMIT 100) nouvelles",
    )
    .bind(id_user)
    .fetch_one(connection)
    .await
}

pub(crate) async fn list(
    connection: &mut PgConnection,
    id_user: i32,
    before: Option<Uuid>,
    rows: i64,
) -> sqlx::Result<Vec<Notification>> {
    sqlx::query_as(
        "SELECT public_id AS id, nature AS kind, titre AS title, contenu AS text, cree_le AS created_at, vue_le IS NOT NULL AS seen
           FROM notification
          WHERE id_user = $1 AND ($2::uuid IS NULL OR public_id < $2)
          ORDER BY public_id DESC LIMIT $3",
    )
    .bind(id_user)
    .bind(before)
    .bind(rows)
    .fetch_all(connection)
    .await
}

pub(crate) async fn see(
    connection: &mut PgConnection,
    id_user: i32,
    up_to: Option<Uuid>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE notification SET vue_le = $3 WHERE id_user = $1 AND vue_le IS NULL AND ($2::uuid IS NULL OR public_id <= $2)")
        .bind(id_user)
        .bind(up_to)
        .bind(now)
        .execute(connection)
        .await
        .map(drop)
}
