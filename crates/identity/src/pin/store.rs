use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::model::MAX_WRONG;

/// What a new PIN depends on.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct State {
    pub(super) telephone: Option<String>,
    pub(super) defini: bool,
}

pub(super) async fn state(connection: &mut PgConnection, id_user: i32) -> sqlx::Result<State> {
    sqlx::query_as(
        "SELECT telephone, EXISTS (SELECT FROM code_secret c WHERE c.id_user = u.id_user) AS defini
           FROM utilisateur u WHERE id_user = $1",
    )
    .bind(id_user)
    .fetch_one(connection)
    .await
}

/// A PIN that one try was taken from.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Tried {
    pub(super) empreinte: String,
    pub(super) generation_cle: i16,
    /// Tries in a row, this one included.
    pub(super) echecs: i16,
}

/// Counts a try before it is evaluated; the last one locks. `None` when there is no PIN or it is locked.
pub(super) async fn reserve(
    connection: &mut PgConnection,
    id_user: i32,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Tried>> {
    sqlx::query_as(
        "UPDATE code_secret SET echecs = echecs + 1, verrouille_le = CASE WHEN echecs + 1 >= $2 THEN $3 END
          WHERE id_user = $1 AND verrouille_le IS NULL
         RETURNING empreinte, generation_cle, echecs",
    )
    .bind(id_user)
    .bind(MAX_WRONG)
    .bind(now)
    .fetch_optional(connection)
    .await
}

pub(super) async fn is_defined(connection: &mut PgConnection, id_user: i32) -> sqlx::Result<bool> {
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM code_secret WHERE id_user = $1)")
        .bind(id_user)
        .fetch_one(connection)
        .await
}

/// The right PIN was given: the row of wrong ones is over.
pub(super) async fn clear(connection: &mut PgConnection, id_user: i32, seen: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE code_secret SET echecs = 0, verrouille_le = NULL WHERE id_user = $1 AND empreinte = $2")
        .bind(id_user)
        .bind(seen)
        .execute(connection)
        .await?;
    Ok(())
}

/// A try that was not evaluated after all.
pub(super) async fn give_back(connection: &mut PgConnection, id_user: i32, seen: &str) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE code_secret SET echecs = greatest(echecs - 1, 0), verrouille_le = NULL
          WHERE id_user = $1 AND empreinte = $2",
    )
    .bind(id_user)
    .bind(seen)
    .execute(connection)
    .await?;
    Ok(())
}

/// What is written for a new PIN.
#[derive(Debug)]
pub(super) struct NewPin<'a> {
    pub(super) id_user: i32,
    pub(super) hash: &'a str,
    pub(super) generation: i16,
    pub(super) now: DateTime<Utc>,
}

/// The first PIN; false when there is one by now.
pub(super) async fn insert(connection: &mut PgConnection, pin: &NewPin<'_>) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "INSERT INTO code_secret (id_user, empreinte, generation_cle, modifie_le) VALUES ($1, $2, $3, $4)
         ON CONFLICT (id_user) DO NOTHING",
    )
    .bind(pin.id_user)
    .bind(pin.hash)
    .bind(pin.generation)
    .bind(pin.now)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Another PIN, unlocked; `seen` asks that it is still the one that was confirmed.
pub(super) async fn replace(connection: &mut PgConnection, pin: &NewPin<'_>, seen: Option<&str>) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE code_secret SET empreinte = $2, generation_cle = $3, modifie_le = $4, echecs = 0, verrouille_le = NULL
          WHERE id_user = $1 AND ($5::text IS NULL OR empreinte = $5)",
    )
    .bind(pin.id_user)
    .bind(pin.hash)
    .bind(pin.generation)
    .bind(pin.now)
    .bind(seen)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// No money leaves before that time.
pub(super) async fn block_outgoing(
    connection: &mut PgConnection,
    id_user: i32,
    until: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE utilisateur SET sorties_bloquees_jusqu = greatest(sorties_bloquees_jusqu, $2) WHERE id_user = $1",
    )
    .bind(id_user)
    .bind(until)
    .execute(connection)
    .await?;
    Ok(())
}
