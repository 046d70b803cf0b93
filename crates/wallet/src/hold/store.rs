use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

/// A transfer that was opened and is settled in parts.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) payeur: i32,
    pub(super) beneficiaire: i32,
    pub(super) montant: i64,
    pub(super) capture: i64,
    pub(super) libere: i64,
    pub(super) expire_le: Option<DateTime<Utc>>,
    pub(super) note: Option<String>,
    pub(super) statut: String,
    pub(super) cree_le: DateTime<Utc>,
}

impl Row {
    pub(super) fn status(&self) -> &'static str {
        match self.statut.as_str() {
            "attente" => "open",
            "reussie" => "captured",
            "expiree" => "expired",
            _ => "released",
        }
    }
}

pub(super) async fn by_id(connection: &mut PgConnection, id: Uuid) -> sqlx::Result<Option<Row>> {
    sqlx::query_as(
        "SELECT t.public_id AS id, p.id_user AS payeur, b.id_user AS beneficiaire, r.montant, r.capture, r.libere,
                r.expire_le, t.note, t.statut, t.date_transaction AT TIME ZONE 'UTC' AS cree_le
           FROM transaction t JOIN retenue r USING (id_transaction)
           JOIN compte p ON p.id_compte = r.id_compte_debit JOIN compte b ON b.id_compte = r.id_compte_credit
          WHERE t.public_id = $1 AND t.nature = 'transfert' AND p.id_user IS NOT NULL AND b.id_user IS NOT NULL",
    )
    .bind(id)
    .fetch_optional(connection)
    .await
}
