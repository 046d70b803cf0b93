use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

/// On which side of a request one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// One asked.
    Sent,
    /// One was asked.
    Received,
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Row {
    pub(crate) id: Uuid,
    pub(crate) id_demandeur: i32,
    pub(crate) id_payeur: i32,
    pub(crate) montant: i64,
    pub(crate) note: Option<String>,
    pub(crate) etat: String,
    pub(crate) expire_le: DateTime<Utc>,
    pub(crate) cree_le: DateTime<Utc>,
    /// `utilise` or `ferme`, as the ledger wrote it.
    pub(crate) usage: Option<String>,
    /// The operation that paid it.
    pub(crate) operation: Option<Uuid>,
}

impl Row {
    /// The other side.
    pub(crate) fn other(&self, viewer: i32) -> i32 {
        if self.id_demandeur == viewer { self.id_payeur } else { self.id_demandeur }
    }

    /// The ledger's word first: what was paid is paid.
    pub(crate) fn status(&self, now: DateTime<Utc>) -> &'static str {
        match (self.usage.as_deref(), self.etat.as_str()) {
            (Some("utilise"), _) => "paid",
            (_, "refusee") => "declined",
            (_, "annulee") | (Some(_), _) => "cancelled",
            (None, _) if self.expire_le <= now => "expired",
            (None, _) => "pending",
        }
    }
}

/// The columns of a [`Row`]: a macro because statements are literals.
macro_rules! request {
    ($rest:literal) => {
        concat!(
            "SELECT d.id, d.id_demandeur, d.id_payeur, d.montant, d.note, d.etat, d.expire_le, d.cree_le, u.etat AS usage,
                    t.public_id AS operation
               FROM demande_paiement d LEFT JOIN usage_unique u ON u.sujet = d.id
               LEFT JOIN transaction t ON t.id_transaction = u.id_transaction ",
            $rest
        )
    };
}

/// False when the two have as many open as they may. The lock makes two requests at once count each other.
pub(super) async fn insert(
    connection: &mut PgConnection,
    row: &Row,
    most: i64,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('demande_paiement', $1))")
        .bind(i64::from(row.id_demandeur))
        .execute(&mut *connection)
        .await?;
    let written = sqlx::query(
        "INSERT INTO demande_paiement (id, id_demandeur, id_payeur, montant, note, expire_le, cree_le)
         SELECT $1, $2, $3, $4, $5, $6, $7
          WHERE (SELECT count(*) FROM demande_paiement d
                  WHERE d.id_demandeur = $2 AND d.id_payeur = $3 AND d.etat = 'ouverte' AND d.expire_le > $7
                    AND NOT EXISTS (SELECT FROM usage_unique u WHERE u.sujet = d.id)) < $8",
    )
    .bind(row.id)
    .bind(row.id_demandeur)
    .bind(row.id_payeur)
    .bind(row.montant)
    .bind(&row.note)
    .bind(row.expire_le)
    .bind(now)
    .bind(most)
    .execute(connection)
    .await?;
    Ok(written.rows_affected() == 1)
}

pub(super) async fn by_id(connection: &mut PgConnection, id: Uuid) -> sqlx::Result<Option<Row>> {
    sqlx::query_as(request!("WHERE d.id = $1")).bind(id).fetch_optional(connection).await
}

/// Newest first; ids are made in the order of time.
pub(super) async fn list(
    connection: &mut PgConnection,
    id_user: i32,
    role: Option<Role>,
    before: Option<Uuid>,
    most: i64,
) -> sqlx::Result<Vec<Row>> {
    sqlx::query_as(request!(
        "WHERE d.id IN (
           (SELECT id FROM demande_paiement WHERE id_demandeur = $1 AND $2 AND ($4::uuid IS NULL OR id < $4) ORDER BY id DESC LIMIT $5)
           UNION ALL
           (SELECT id FROM demande_paiement WHERE id_payeur = $1 AND $3 AND ($4::uuid IS NULL OR id < $4) ORDER BY id DESC LIMIT $5))
         ORDER BY d.id DESC LIMIT $5"
    ))
    .bind(id_user)
    .bind(role != Some(Role::Received))
    .bind(role != Some(Role::Sent))
    .bind(before)
    .bind(most)
    .fetch_all(connection)
    .await
}

pub(super) async fn close(
    connection: &mut PgConnection,
    id: Uuid,
    state: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE demande_paiement SET etat = $2, regle_le = $3 WHERE id = $1 AND etat = 'ouverte'")
        .bind(id)
        .bind(state)
        .bind(now)
        .execute(connection)
        .await
        .map(drop)
}
