use chrono::{DateTime, Utc};
use kernel::Identifier;
use sqlx::PgConnection;
use uuid::Uuid;

use super::model::{Names, User};

/// The columns of a [`Row`]: a macro because statements are literals.
macro_rules! user_where {
    ($rest:literal) => {
        concat!(
            "SELECT public_id, email, telephone, nom, prenom, pays, photo_profile, type_utilisateur,
                    email_verifie_le IS NOT NULL AS email_verifie, telephone_verifie_le IS NOT NULL AS telephone_verifie,
                    ARRAY(SELECT role_name FROM utilisateur_role r WHERE r.id_user = u.id_user ORDER BY 1) AS roles,
                    date_inscription AT TIME ZONE 'UTC' AS inscrit_le
               FROM utilisateur u WHERE ",
            $rest
        )
    };
}

#[derive(sqlx::FromRow)]
struct Row {
    public_id: Uuid,
    email: Option<String>,
    telephone: Option<String>,
    email_verifie: bool,
    telephone_verifie: bool,
    nom: Option<String>,
    prenom: Option<String>,
    pays: Option<String>,
    photo_profile: Option<String>,
    type_utilisateur: String,
    roles: Vec<String>,
    inscrit_le: Option<DateTime<Utc>>,
}

impl From<Row> for User {
    fn from(row: Row) -> Self {
        Self {
            id: row.public_id,
            email: row.email,
            phone_number: row.telephone,
            email_verified: row.email_verifie,
            phone_verified: row.telephone_verifie,
            last_name: row.nom,
            first_name: row.prenom,
            country: row.pays,
            photo_url: row.photo_profile,
            user_type: row.type_utilisateur,
            roles: row.roles,
            created_at: row.inscrit_le.map(Into::into),
        }
    }
}

pub(super) async fn user(connection: &mut PgConnection, id_user: i32) -> sqlx::Result<User> {
    let row: Row = sqlx::query_as(user_where!("id_user = $1")).bind(id_user).fetch_one(connection).await?;
    Ok(row.into())
}

/// Somebody by the visible id; nobody when the account was erased.
pub(crate) async fn by_public_id(connection: &mut PgConnection, id: Uuid) -> sqlx::Result<Option<User>> {
    let row: Option<Row> = sqlx::query_as(user_where!("public_id = $1 AND supprime_le IS NULL"))
        .bind(id)
        .fetch_optional(connection)
        .await?;
    Ok(row.map(User::from))
}

/// Everybody, the newest first.
pub(crate) async fn page(connection: &mut PgConnection, after: Option<Uuid>, rows: i64) -> sqlx::Result<Vec<User>> {
    let rows: Vec<Row> = sqlx::query_as(user_where!(
        "supprime_le IS NULL AND ($1::uuid IS NULL OR public_id < $1) ORDER BY public_id DESC LIMIT $2"
    ))
    .bind(after)
    .bind(rows)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(User::from).collect())
}

/// Writes the names that were sent and keeps the others.
pub(super) async fn rename(connection: &mut PgConnection, id_user: i32, names: &Names) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE utilisateur SET nom = CASE WHEN $2 THEN $3 ELSE nom END, prenom = CASE WHEN $4 THEN $5 ELSE prenom END,
                pays = CASE WHEN $6 THEN $7 ELSE pays END
          WHERE id_user = $1",
    )
    .bind(id_user)
    .bind(names.last_name.is_some())
    .bind(names.last_name.as_ref().and_then(Option::as_deref))
    .bind(names.first_name.is_some())
    .bind(names.first_name.as_ref().and_then(Option::as_deref))
    .bind(names.country.is_some())
    .bind(names.country.as_ref().and_then(Option::as_deref))
    .execute(connection)
    .await?;
    Ok(())
}

/// Gives an account an identifier that was proved just now, in the place of the one of its kind. `alone` takes the other
/// one away, which was never proved.
pub(super) async fn set_identifier(
    connection: &mut PgConnection,
    id_user: i32,
    identifier: &Identifier,
    alone: bool,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let sql = match identifier {
        Identifier::Email(_) => {
            "UPDATE utilisateur
                SET email = $2, email_verifie_le = $3, telephone = CASE WHEN NOT $4 THEN telephone END
              WHERE id_user = $1"
        }
        Identifier::Phone(_) => {
            "UPDATE utilisateur
                SET telephone = $2, telephone_verifie_le = $3, email = CASE WHEN NOT $4 THEN email END
              WHERE id_user = $1"
        }
    };
    sqlx::query(sql).bind(id_user).bind(identifier.as_str()).bind(now).bind(alone).execute(connection).await?;
    Ok(())
}

/// Takes an identifier away from an account that never proved it.
pub(super) async fn release(connection: &mut PgConnection, id_user: i32, identifier: &Identifier) -> sqlx::Result<()> {
    let sql = match identifier {
        Identifier::Email(_) => {
            "UPDATE utilisateur SET email = NULL WHERE id_user = $1 AND email = $2 AND email_verifie_le IS NULL"
        }
        Identifier::Phone(_) => {
            "UPDATE utilisateur SET telephone = NULL
              WHERE id_user = $1 AND telephone = $2 AND telephone_verifie_le IS NULL"
        }
    };
    sqlx::query(sql).bind(id_user).bind(identifier.as_str()).execute(connection).await?;
    Ok(())
}

/// Takes everything away that tells who the account was; the row stays, since entries of the ledger point to it.
pub(super) async fn anonymise(connection: &mut PgConnection, id_user: i32, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE utilisateur
            SET nom = NULL, prenom = NULL, email = NULL, telephone = NULL, pays = NULL, photo_profile = NULL, mdp = NULL,
                code_confirmation = NULL, email_verifie_le = NULL, telephone_verifie_le = NULL, mdp_modifie_le = NULL,
                statut = 'supprime', supprime_le = $2
          WHERE id_user = $1",
    )
    .bind(id_user)
    .bind(now)
    .execute(&mut *connection)
    .await?;
    for table in [
        "DELETE FROM session WHERE id_user = $1",
        "DELETE FROM code_secret WHERE id_user = $1",
        "DELETE FROM ticket_parcours WHERE id_user = $1",
        "DELETE FROM utilisateur_role WHERE id_user = $1",
        "DELETE FROM otp WHERE user_id = $1",
    ] {
        sqlx::query(table).bind(id_user).execute(&mut *connection).await?;
    }
    Ok(())
}
