use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Alert;

/// An alert as staff sees it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Row {
    pub(crate) id: Uuid,
    pub(crate) nature: String,
    pub(crate) gravite: String,
    pub(crate) sujet: String,
    pub(crate) detail: String,
    pub(crate) id_instruction: Option<Uuid>,
    pub(crate) nombre: i32,
    pub(crate) premier_le: DateTime<Utc>,
    pub(crate) dernier_le: DateTime<Utc>,
    pub(crate) traite_le: Option<DateTime<Utc>>,
    pub(crate) motif: Option<String>,
}

pub(super) async fn raise(
    connection: &mut PgConnection,
    id: Uuid,
    alert: &Alert,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let (kind, gravity) = alert.kind.stored();
    sqlx::query(
        "INSERT INTO alerte_argent (id, nature, gravite, sujet, detail, id_instruction, premier_le, dernier_le)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
         ON CONFLICT (nature, sujet) WHERE traite_le IS NULL
         DO UPDATE SET nombre = least(alerte_argent.nombre, 2000000000) + 1, dernier_le = excluded.dernier_le, detail = excluded.detail",
    )
    .bind(id)
    .bind(kind)
    .bind(gravity)
    .bind(&alert.subject)
    .bind(&alert.detail)
    .bind(alert.instruction)
    .bind(now)
    .execute(connection)
    .await
    .map(drop)
}

pub(super) async fn list(
    connection: &mut PgConnection,
    open: bool,
    after: Option<Uuid>,
    rows: i64,
) -> sqlx::Result<Vec<Row>> {
    sqlx::query_as(
        "SELECT id, nature, gravite, sujet, detail, id_instruction, nombre, premier_le, dernier_le, traite_le, motif
           FROM alerte_argent
          WHERE (traite_le IS NULL) = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3",
    )
    .bind(open)
    .bind(after)
    .bind(rows)
    .fetch_all(connection)
    .await
}

/// None: not there, or closed already.
pub(super) async fn close(
    connection: &mut PgConnection,
    id: Uuid,
    by: Uuid,
    reason: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Row>> {
    sqlx::query_as(
        "UPDATE alerte_argent SET traite_le = $3, traite_par = $2, motif = $4 WHERE id = $1 AND traite_le IS NULL
         RETURNING id, nature, gravite, sujet, detail, id_instruction, nombre, premier_le, dernier_le, traite_le, motif",
    )
    .bind(id)
    .bind(by)
    .bind(now)
    .bind(reason)
    .fetch_optional(connection)
    .await
}
