use sqlx::PgConnection;

#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Row {
    pub(super) code: String,
    pub(super) libelle: String,
    pub(super) format_compte: String,
    pub(super) depot_minimum: i64,
    pub(super) depot_maximum: i64,
    pub(super) retrait_minimum: i64,
    pub(super) retrait_maximum: i64,
    pub(super) actif: bool,
}

pub(super) async fn products(connection: &mut PgConnection) -> sqlx::Result<Vec<Row>> {
    sqlx::query_as(
        "SELECT code, libelle, format_compte, depot_minimum, depot_maximum, retrait_minimum, retrait_maximum, actif
           FROM operateur_produit ORDER BY rang",
    )
    .fetch_all(connection)
    .await
}

pub(super) async fn product(connection: &mut PgConnection, code: &str) -> sqlx::Result<Option<Row>> {
    sqlx::query_as(
        "SELECT code, libelle, format_compte, depot_minimum, depot_maximum, retrait_minimum, retrait_maximum, actif
           FROM operateur_produit WHERE code = $1",
    )
    .bind(code)
    .fetch_optional(connection)
    .await
}
