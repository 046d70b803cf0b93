use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

/// A plan.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) id_user: i32,
    pub(super) id_beneficiaire: i32,
    pub(super) montant: i64,
    pub(super) note: Option<String>,
    pub(super) cadence: String,
    pub(super) jour: i16,
    pub(super) prochaine_le: Option<DateTime<Utc>>,
    pub(super) fin_le: Option<DateTime<Utc>>,
    /// Payments that were tried.
    pub(super) occurrence: i32,
    pub(super) maximum: i32,
    pub(super) etat: String,
    pub(super) dernier_code: Option<String>,
    pub(super) derniere_operation: Option<Uuid>,
    pub(super) cree_le: DateTime<Utc>,
}

/// False when the person has as many as may be.
pub(super) async fn insert(connection: &mut PgConnection, row: &Row, most: i64) -> sqlx::Result<bool> {
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('ordre_planifie', $1))")
        .bind(i64::from(row.id_user))
        .execute(&mut *connection)
        .await?;
    let written = sqlx::query(
        "INSERT INTO ordre_planifie (id, id_user, id_beneficiaire, montant, note, cadence, jour, prochaine_le, fin_le, maximum, cree_le)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11
          WHERE (SELECT count(*) FROM ordre_planifie WHERE id_user = $2 AND etat = 'actif') < $12",
    )
    .bind(row.id)
    .bind(row.id_user)
    .bind(row.id_beneficiaire)
    .bind(row.montant)
    .bind(&row.note)
    .bind(&row.cadence)
    .bind(row.jour)
    .bind(row.prochaine_le)
    .bind(row.fin_le)
    .bind(row.maximum)
    .bind(row.cree_le)
    .bind(most)
    .execute(connection)
    .await?;
    Ok(written.rows_affected() == 1)
}

pub(super) async fn by_id(connection: &mut PgConnection, id: Uuid) -> sqlx::Result<Option<Row>> {
    sqlx::query_as("SELECT * FROM ordre_planifie WHERE id = $1").bind(id).fetch_optional(connection).await
}

pub(super) async fn list(
    connection: &mut PgConnection,
    id_user: i32,
    before: Option<Uuid>,
    most: i64,
) -> sqlx::Result<Vec<Row>> {
    sqlx::query_as(
        "SELECT * FROM ordre_planifie WHERE id_user = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3",
    )
    .bind(id_user)
    .bind(before)
    .bind(most)
    .fetch_all(connection)
    .await
}

pub(super) async fn cancel(connection: &mut PgConnection, id_user: i32, id: Uuid) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE ordre_planifie SET etat = 'annule', prochaine_le = NULL WHERE id = $1 AND id_user = $2 AND etat = 'actif'",
    )
    .bind(id)
    .bind(id_user)
    .execute(connection)
    .await
    .map(drop)
}

/// One payment further; false when another run was first or the plan was ended meanwhile.
pub(super) async fn advance(
    connection: &mut PgConnection,
    row: &Row,
    next: Option<DateTime<Utc>>,
    code: Option<&str>,
    operation: Option<Uuid>,
) -> sqlx::Result<bool> {
    let moved = sqlx::query(
        "UPDATE ordre_planifie
            SET occurrence = occurrence + 1, prochaine_le = $3, dernier_code = $4,
                derniere_operation = coalesce($5, derniere_operation),
                etat = CASE WHEN $3::timestamptz IS NULL THEN 'termine' ELSE etat END
          WHERE id = $1 AND occurrence = $2 AND etat = 'actif'",
    )
    .bind(row.id)
    .bind(row.occurrence)
    .bind(next)
    .bind(code)
    .bind(operation)
    .execute(connection)
    .await?;
    Ok(moved.rows_affected() == 1)
}

/// After a reset of the password or PIN no plan pays either.
pub(super) async fn blocked(connection: &mut PgConnection, id_user: i32, now: DateTime<Utc>) -> sqlx::Result<bool> {
    let blocked = sqlx::query_scalar("SELECT sorties_bloquees_jusqu > $2 FROM v_contrepartie WHERE id_user = $1")
        .bind(id_user)
        .bind(now)
        .fetch_optional(connection)
        .await?;
    Ok(blocked.flatten().unwrap_or(false))
}
