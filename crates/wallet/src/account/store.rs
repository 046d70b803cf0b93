use chrono::NaiveDate;
use sqlx::PgConnection;
use uuid::Uuid;

/// The balance row of a person.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Row {
    pub(crate) id_compte: i64,
    pub(crate) public_id: Uuid,
    pub(crate) credits: i64,
    pub(crate) debits: i64,
    pub(crate) debits_attente: i64,
    pub(crate) plafond: Option<i64>,
    pub(crate) gele: bool,
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Limit {
    pub(super) mesure: String,
    pub(super) nature: Option<String>,
    pub(super) fenetre: Option<String>,
    pub(super) maximum: i64,
}

pub(super) async fn principal(connection: &mut PgConnection, id_user: i32) -> sqlx::Result<Option<Row>> {
    sqlx::query_as(
        "SELECT id_compte, public_id, credits, debits, debits_attente, plafond, gele_le IS NOT NULL AS gele
           FROM compte WHERE id_user = $1 AND principal",
    )
    .bind(id_user)
    .fetch_optional(connection)
    .await
}

pub(super) async fn by_public_id(connection: &mut PgConnection, id: Uuid) -> sqlx::Result<Option<(i64, i32)>> {
    sqlx::query_as("SELECT id_compte, id_user FROM compte WHERE public_id = $1 AND id_user IS NOT NULL")
        .bind(id)
        .fetch_optional(connection)
        .await
}

pub(super) async fn limits(connection: &mut PgConnection, tier: i16) -> sqlx::Result<Vec<Limit>> {
    sqlx::query_as("SELECT mesure, nature, fenetre, maximum FROM limite WHERE palier = $1")
        .bind(tier)
        .fetch_all(connection)
        .await
}

/// Deposits of the month that `first` begins, open ones included.
pub(super) async fn loaded(connection: &mut PgConnection, id_compte: i64, first: NaiveDate) -> sqlx::Result<i64> {
    let sql = "SELECT montant + reserve FROM compteur_argent
                WHERE id_compte = $1 AND periode = $2 AND nature = 'depot' AND fenetre = 'mois'";
    let sum: Option<i64> = sqlx::query_scalar(sql).bind(id_compte).bind(first).fetch_optional(connection).await?;
    Ok(sum.unwrap_or(0))
}
