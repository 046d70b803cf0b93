use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Row {
    pub(super) public_id: Uuid,
    pub(super) type_carte: Option<String>,
    pub(super) reference: Option<String>,
    pub(super) cree_le: DateTime<Utc>,
}

pub(super) async fn hostolink(connection: &mut PgConnection, id_user: i32) -> sqlx::Result<Option<Row>> {
    sqlx::query_as(
        "SELECT public_id, type_carte, reference, cree_le FROM carte_bancaire WHERE id_user = $1 AND nature = 'hostolink'",
    )
    .bind(id_user)
    .fetch_optional(connection)
    .await
}

/// Two at once: one makes it, the other finds it.
pub(super) async fn insert_hostolink(
    connection: &mut PgConnection,
    id_user: i32,
    id: Uuid,
    reference: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO carte_bancaire (id_user, public_id, type_carte, nature, reference, cree_le)
         VALUES ($1, $2, 'hostolink', 'hostolink', $3, $4)
         ON CONFLICT (id_user) WHERE nature = 'hostolink' DO NOTHING",
    )
    .bind(id_user)
    .bind(id)
    .bind(reference)
    .bind(now)
    .execute(connection)
    .await
    .map(drop)
}

pub(super) async fn bank_cards(connection: &mut PgConnection, id_user: i32) -> sqlx::Result<Vec<Row>> {
    sqlx::query_as(
        "SELECT public_id, type_carte, reference, cree_le FROM carte_bancaire
          WHERE id_user = $1 AND nature = 'banque' ORDER BY id_carte LIMIT 50",
    )
    .bind(id_user)
    .fetch_all(connection)
    .await
}

/// The whole name of the holder, as it is printed on the holder's own card.
pub(super) async fn holder(connection: &mut PgConnection, id_user: i32) -> sqlx::Result<Option<String>> {
    let sql = "SELECT nullif(trim(concat_ws(' ', prenom, nom)), '') FROM v_contrepartie WHERE id_user = $1";
    Ok(sqlx::query_scalar(sql).bind(id_user).fetch_optional(connection).await?.flatten())
}

pub(super) async fn kind(connection: &mut PgConnection, id_user: i32, id: Uuid) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("SELECT nature FROM carte_bancaire WHERE id_user = $1 AND public_id = $2")
        .bind(id_user)
        .bind(id)
        .fetch_optional(connection)
        .await
}

pub(super) async fn remove(connection: &mut PgConnection, id_user: i32, id: Uuid) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM carte_bancaire WHERE id_user = $1 AND public_id = $2 AND nature = 'banque'")
        .bind(id_user)
        .bind(id)
        .execute(connection)
        .await
        .map(drop)
}
