use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::model::User;

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

pub(super) async fn user(connection: &mut PgConnection, id_user: i32) -> sqlx::Result<User> {
    let row: Row = sqlx::query_as(
        "SELECT public_id, email, telephone, nom, prenom, pays, photo_profile, type_utilisateur,
                email_verifie_le IS NOT NULL AS email_verifie, telephone_verifie_le IS NOT NULL AS telephone_verifie,
                ARRAY(SELECT role_name FROM utilisateur_role r WHERE r.id_user = u.id_user ORDER BY 1) AS roles,
                date_inscription AT TIME ZONE 'UTC' AS inscrit_le
           FROM utilisateur u WHERE id_user = $1",
    )
    .bind(id_user)
    .fetch_one(connection)
    .await?;
    Ok(row.into())
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
