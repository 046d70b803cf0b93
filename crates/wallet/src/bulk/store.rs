use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

/// A group of payments.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Group {
    pub(super) id: Uuid,
    pub(super) empreinte: Vec<u8>,
    /// What became of it; none while it is at work.
    pub(super) reponse: Option<Value>,
}

/// What is written with a new one.
#[derive(Debug)]
pub(super) struct New<'a> {
    pub(super) id_user: i32,
    pub(super) key: &'a str,
    pub(super) linked: bool,
    pub(super) count: i32,
    pub(super) total: i64,
}

pub(super) async fn by_key(connection: &mut PgConnection, id_user: i32, key: &str) -> sqlx::Result<Option<Group>> {
    sqlx::query_as("SELECT id, empreinte, reponse FROM envoi_groupe WHERE id_user = $1 AND cle = $2")
        .bind(id_user)
        .bind(key)
        .fetch_optional(connection)
        .await
}

/// False: the key is known.
pub(super) async fn insert(
    connection: &mut PgConnection,
    group: &Group,
    new: &New<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let written = sqlx::query(
        "INSERT INTO envoi_groupe (id, id_user, cle, empreinte, tout_ou_rien, nombre, total, cree_le)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id_user, cle) DO NOTHING",
    )
    .bind(group.id)
    .bind(new.id_user)
    .bind(new.key)
    .bind(&group.empreinte)
    .bind(new.linked)
    .bind(new.count)
    .bind(new.total)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(written.rows_affected() == 1)
}

pub(super) async fn answered(connection: &mut PgConnection, id: Uuid, answer: &Value) -> sqlx::Result<()> {
    sqlx::query("UPDATE envoi_groupe SET reponse = $2 WHERE id = $1 AND reponse IS NULL")
        .bind(id)
        .bind(answer)
        .execute(connection)
        .await
        .map(drop)
}
