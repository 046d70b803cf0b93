use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::model::Filter;

/// An operation with both of its sides.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Row {
    pub(crate) id_transaction: i64,
    pub(crate) public_id: Uuid,
    pub(crate) nature: String,
    pub(crate) statut: String,
    pub(crate) montant: i64,
    pub(crate) frais: i64,
    pub(crate) note: Option<String>,
    pub(crate) date: DateTime<Utc>,
    pub(crate) regle_le: Option<DateTime<Utc>>,
    pub(crate) expediteur: Option<i64>,
    pub(crate) user_expediteur: Option<i32>,
    pub(crate) user_recepteur: Option<i32>,
    pub(crate) code_expediteur: Option<String>,
    pub(crate) code_recepteur: Option<String>,
    pub(crate) solde_expediteur: Option<i64>,
    pub(crate) solde_recepteur: Option<i64>,
    /// The account at an operator, when there is one.
    pub(crate) compte_masque: Option<String>,
    /// The account's version that the operation made; none for opened ones.
    pub(crate) version: Option<i64>,
}

impl Row {
    pub(crate) fn is_payer(&self, account: i64) -> bool {
        self.expediteur == Some(account)
    }

    /// As its owner takes it away: no more of the other side than the history shows.
    pub(crate) fn exported(&self, account: i64) -> serde_json::Value {
        serde_json::json!({
            "id": self.public_id,
            "type": crate::ledger::Kind::from_stored(&self.nature).map_or("transfer", crate::ledger::Kind::api),
            "status": crate::ledger::Status::from_stored(&self.statut).map_or("pending", crate::ledger::Status::api),
            "direction": if self.is_payer(account) { "out" } else { "in" },
            "amount": self.montant,
            "fee": if self.is_payer(account) { self.frais } else { 0 },
            "currency": kernel::money::CURRENCY,
            "note": self.note,
            "createdAt": kernel::Timestamp(self.date),
            "settledAt": self.regle_le.map(kernel::Timestamp),
            "balanceAfter": if self.is_payer(account) { self.solde_expediteur } else { self.solde_recepteur },
        })
    }

    /// User and system code of the other side.
    pub(crate) fn other(&self, account: i64) -> (Option<i32>, Option<&str>) {
        if self.is_payer(account) {
            (self.user_recepteur, self.code_recepteur.as_deref())
        } else {
            (self.user_expediteur, self.code_expediteur.as_deref())
        }
    }
}

/// The columns of a [`Row`] but its version: a macro because statements are literals.
macro_rules! operation {
    ($version:literal, $from:literal) => {
        concat!(
            "SELECT t.id_transaction, t.public_id, t.nature, coalesce(t.statut, '') AS statut,
                    coalesce(t.montant, 0)::bigint AS montant, t.frais, t.note,
                    coalesce(t.date_transaction AT TIME ZONE 'UTC', 'epoch') AS date, t.regle_le,
                    t.id_compte_expediteur AS expediteur,
                    e.id_user AS user_expediteur, r.id_user AS user_recepteur,
                    e.code AS code_expediteur, r.code AS code_recepteur,
                    t.solde_expediteur, t.solde_recepteur, i.compte_masque, ",
            $version,
            " AS version FROM ",
            $from,
            " LEFT JOIN compte e ON e.id_compte = t.id_compte_expediteur
              LEFT JOIN compte r ON r.id_compte = t.id_compte_recepteur
              LEFT JOIN instruction_operateur i ON i.id = t.public_id "
        )
    };
}

/// What a [`Filter`] asks of `t`, with parameters 4 to 8. The epoch and infinity stand for no bound.
macro_rules! wanted {
    () => {
        " AND ($4::varchar IS NULL OR t.nature = $4)
          AND ($5::boolean IS NULL OR (t.id_compte_expediteur IS NOT DISTINCT FROM $1) = $5)
          AND ($6::varchar IS NULL OR t.statut = $6)
          AND ($7::timestamptz IS NULL OR t.date_transaction >= $7 AT TIME ZONE 'UTC')
          AND ($8::timestamptz IS NULL OR t.date_transaction < $8 AT TIME ZONE 'UTC') "
    };
}

/// The principal account of a person and its visible id.
pub(crate) async fn account(connection: &mut PgConnection, id_user: i32) -> sqlx::Result<Option<(i64, Uuid)>> {
    sqlx::query_as("SELECT id_compte, public_id FROM compte WHERE id_user = $1 AND principal")
        .bind(id_user)
        .fetch_optional(connection)
        .await
}

/// What moved at once. The capture of an opened operation is not shown: its opened operation is.
pub(crate) async fn posted(
    connection: &mut PgConnection,
    account: i64,
    filter: &Filter,
    below: i64,
    most: i64,
) -> sqlx::Result<Vec<Row>> {
    sqlx::query_as(concat!(
        operation!("p.version", "ecriture p JOIN transaction t ON t.id_transaction = p.id_transaction"),
        "WHERE p.id_compte = $1 AND p.version < $2 AND t.nature <> 'reglement'",
        wanted!(),
        "ORDER BY p.version DESC LIMIT $3"
    ))
    .bind(account)
    .bind(below)
    .bind(most)
    .bind(filter.nature())
    .bind(filter.outgoing())
    .bind(filter.status)
    .bind(filter.from)
    .bind(filter.to)
    .fetch_all(connection)
    .await
}

/// What was opened first, and what the first backend left: one index for each side.
pub(crate) async fn opened(
    connection: &mut PgConnection,
    account: i64,
    filter: &Filter,
    below: i64,
    most: i64,
) -> sqlx::Result<Vec<Row>> {
    sqlx::query_as(concat!(
        "WITH ouverte AS (
           (SELECT t.* FROM transaction t WHERE t.id_compte_expediteur = $1 AND t.id_transaction < $2
               AND (t.differee OR t.initiateur IS NULL) AND t.statut IS DISTINCT FROM 'refusee'",
        wanted!(),
        " ORDER BY t.id_transaction DESC LIMIT $3)
           UNION
           (SELECT t.* FROM transaction t WHERE t.id_compte_recepteur = $1 AND t.id_transaction < $2
               AND (t.differee OR t.initiateur IS NULL) AND t.statut IS DISTINCT FROM 'refusee'",
        wanted!(),
        " ORDER BY t.id_transaction DESC LIMIT $3)) ",
        operation!("NULL::bigint", "ouverte t"),
        "ORDER BY t.id_transaction DESC LIMIT $3"
    ))
    .bind(account)
    .bind(below)
    .bind(most)
    .bind(filter.nature())
    .bind(filter.outgoing())
    .bind(filter.status)
    .bind(filter.from)
    .bind(filter.to)
    .fetch_all(connection)
    .await
}

/// One operation by its visible id, for an account that is part of it.
pub(crate) async fn one(connection: &mut PgConnection, account: i64, id: Uuid) -> sqlx::Result<Option<Row>> {
    sqlx::query_as(concat!(
        operation!("NULL::bigint", "transaction t"),
        "WHERE t.public_id = $2 AND (t.id_compte_expediteur = $1 OR t.id_compte_recepteur = $1)
           AND t.nature <> 'reglement' AND t.statut IS DISTINCT FROM 'refusee'"
    ))
    .bind(account)
    .bind(id)
    .fetch_optional(connection)
    .await
}
