use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

/// A code of one request.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct QrRow {
    pub(crate) public_id: Uuid,
    pub(crate) id_user: i32,
    pub(crate) id_compte: i64,
    pub(crate) payload: String,
    pub(crate) montant: Option<i64>,
    pub(crate) note: Option<String>,
    pub(crate) usage_unique: bool,
    pub(crate) expire_le: Option<DateTime<Utc>>,
    pub(crate) ferme_le: Option<DateTime<Utc>>,
    /// `utilise` or `ferme`, as the ledger wrote it.
    pub(crate) usage: Option<String>,
}

pub(crate) async fn insert(connection: &mut PgConnection, row: &QrRow, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO qr_code_paiement (public_id, id_user, id_compte, qr_code_valeur, montant, note, usage_unique,
                                       expire_le, date_expiration, cree_le)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8 AT TIME ZONE 'UTC', $9)",
    )
    .bind(row.public_id)
    .bind(row.id_user)
    .bind(row.id_compte)
    .bind(&row.payload)
    .bind(row.montant)
    .bind(&row.note)
    .bind(row.usage_unique)
    .bind(row.expire_le)
    .bind(now)
    .execute(connection)
    .await
    .map(drop)
}

/// Codes that the first backend left behind have no account and are not found.
pub(crate) async fn by_id(connection: &mut PgConnection, id: Uuid) -> sqlx::Result<Option<QrRow>> {
    sqlx::query_as(
        "SELECT q.public_id, q.id_user, q.id_compte, q.qr_code_valeur AS payload, q.montant, q.note, q.usage_unique,
                q.expire_le, q.ferme_le, u.etat AS usage
           FROM qr_code_paiement q LEFT JOIN usage_unique u ON u.sujet = q.public_id
          WHERE q.public_id = $1 AND q.id_compte IS NOT NULL AND q.id_user IS NOT NULL AND q.qr_code_valeur IS NOT NULL",
    )
    .bind(id)
    .fetch_optional(connection)
    .await
}

pub(crate) async fn close(connection: &mut PgConnection, id: Uuid, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query("UPDATE qr_code_paiement SET ferme_le = coalesce(ferme_le, $2) WHERE public_id = $1")
        .bind(id)
        .bind(now)
        .execute(connection)
        .await
        .map(drop)
}

pub(crate) async fn by_alias(connection: &mut PgConnection, alias: &str) -> sqlx::Result<Option<(i64, i32)>> {
    sqlx::query_as(
        "SELECT c.id_compte, c.id_user FROM alias_pi_spi a JOIN compte c USING (id_compte)
          WHERE a.alias = $1 AND c.id_user IS NOT NULL",
    )
    .bind(alias)
    .fetch_optional(connection)
    .await
}
