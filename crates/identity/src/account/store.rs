use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::model::Person;

/// The columns of a [`Person`]: a macro because statements are literals.
macro_rules! person_where {
    ($rest:literal) => {
        concat!(
            "SELECT id_user, email, telephone, email_verifie_le IS NOT NULL AS email_verifie, mdp, statut, langue,
                    telephone_verifie_le IS NOT NULL AS telephone_verifie, type_utilisateur,
                    adopte_le IS NOT NULL AS adopte, date_inscription AT TIME ZONE 'UTC' AS inscrit_le
               FROM utilisateur WHERE ",
            $rest
        )
    };
}

/// The account of an identifier as it is stored. A number never equals an address, so one parameter serves both.
pub(crate) async fn by_identifier(connection: &mut PgConnection, identifier: &str) -> sqlx::Result<Option<Person>> {
    sqlx::query_as(person_where!("(telephone = $1 OR email = $1)")).bind(identifier).fetch_optional(connection).await
}

/// The account, until the end of the transaction nobody else's to change. Who locks it and other rows locks it first.
pub(crate) async fn lock(connection: &mut PgConnection, id_user: i32) -> sqlx::Result<Option<Person>> {
    sqlx::query_as(person_where!("id_user = $1 FOR NO KEY UPDATE")).bind(id_user).fetch_optional(connection).await
}

/// The account and whoever else has the identifier, locked in the order of their numbers: of two who take from each
/// other one waits.
pub(crate) async fn lock_beside_holder(
    connection: &mut PgConnection,
    id_user: i32,
    identifier: &str,
) -> sqlx::Result<Vec<Person>> {
    sqlx::query_as(person_where!("id_user = $1 OR telephone = $2 OR email = $2 ORDER BY id_user FOR NO KEY UPDATE"))
        .bind(id_user)
        .bind(identifier)
        .fetch_all(connection)
        .await
}

/// `None` when somebody has the identifier.
pub(super) async fn insert(
    connection: &mut PgConnection,
    public_id: Uuid,
    email: Option<&str>,
    phone: Option<&str>,
    country: Option<&str>,
    lang: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<i32>> {
    sqlx::query_scalar(
        "INSERT INTO utilisateur (public_id, email, telephone, pays, langue, date_inscription)
         VALUES ($1, $2, $3, $4, $5, $6 AT TIME ZONE 'UTC') ON CONFLICT DO NOTHING RETURNING id_user",
    )
    .bind(public_id)
    .bind(email)
    .bind(phone)
    .bind(country)
    .bind(lang)
    .bind(now)
    .fetch_optional(connection)
    .await
}

/// The first password; false when there is one. `unproved` asks that nothing was proved meanwhile.
pub(super) async fn define_password(
    connection: &mut PgConnection,
    id_user: i32,
    hash: &str,
    unproved: bool,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE utilisateur SET mdp = $2, mdp_modifie_le = $3
          WHERE id_user = $1 AND mdp IS NULL AND statut = 'actif'
            AND NOT ($4 AND (email_verifie_le IS NOT NULL OR telephone_verifie_le IS NOT NULL))",
    )
    .bind(id_user)
    .bind(hash)
    .bind(now)
    .bind(unproved)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Another password, and no money leaves before `blocked_until`.
pub(super) async fn replace_password(
    connection: &mut PgConnection,
    id_user: i32,
    hash: &str,
    now: DateTime<Utc>,
    blocked_until: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE utilisateur SET mdp = $2, mdp_modifie_le = $3,
                sorties_bloquees_jusqu = greatest(sorties_bloquees_jusqu, $4)
          WHERE id_user = $1",
    )
    .bind(id_user)
    .bind(hash)
    .bind(now)
    .bind(blocked_until)
    .execute(connection)
    .await?;
    Ok(())
}

/// What somebody chose who proved nothing: password, and the names that payers would see. People of the first backend
/// keep their names. `blocked_until` where there may be money already.
pub(crate) async fn wipe_password(
    connection: &mut PgConnection,
    id_user: i32,
    blocked_until: Option<DateTime<Utc>>,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE utilisateur SET mdp = NULL, mdp_modifie_le = NULL,
                nom = CASE WHEN adopte_le IS NOT NULL THEN nom END,
                prenom = CASE WHEN adopte_le IS NOT NULL THEN prenom END,
                photo_profile = CASE WHEN adopte_le IS NOT NULL THEN photo_profile END,
                sorties_bloquees_jusqu = greatest(sorties_bloquees_jusqu, $2)
          WHERE id_user = $1",
    )
    .bind(id_user)
    .bind(blocked_until)
    .execute(connection)
    .await?;
    Ok(())
}

/// The identifier is proved, since the first time that it was.
pub(crate) async fn mark_proved(
    connection: &mut PgConnection,
    id_user: i32,
    identifier: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE utilisateur
            SET email_verifie_le = CASE WHEN email = $2 THEN coalesce(email_verifie_le, $3) ELSE email_verifie_le END,
                telephone_verifie_le = CASE WHEN telephone = $2 THEN coalesce(telephone_verifie_le, $3) ELSE telephone_verifie_le END
          WHERE id_user = $1",
    )
    .bind(id_user)
    .bind(identifier)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// The payment PIN that goes with a wiped password.
pub(crate) async fn forget_pin(connection: &mut PgConnection, id_user: i32) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM code_secret WHERE id_user = $1").bind(id_user).execute(connection).await?;
    Ok(())
}
