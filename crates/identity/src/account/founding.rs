//! People who exist before anybody signed up: the believable town of development mode. Never reached by a request.

use chrono::{DateTime, Utc};
use kernel::{Failure, Phone, new_id};
use sqlx::PgConnection;

use crate::{Core, Identity, password};

/// Somebody to be there from the start, with a proved number.
#[derive(Clone, Debug)]
pub struct Founder<'a> {
    /// The number, proved.
    pub phone: &'a Phone,
    /// First name.
    pub first_name: &'a str,
    /// Last name.
    pub last_name: &'a str,
    /// The password, in clear: it is printed for the developer anyway.
    pub password: &'a str,
}

impl Identity {
    /// Writes somebody; `None` when the number is taken.
    pub async fn settle(&self, founder: &Founder<'_>) -> Result<Option<i32>, Failure> {
        let mdp = password::hash_now(founder.password, &self.random)?;
        let mut connection = self.db.write.acquire().await?;
        Ok(insert(&mut connection, self, founder, &mdp, self.clock.now()).await?)
    }
}

async fn insert(
    connection: &mut PgConnection,
    core: &Core,
    founder: &Founder<'_>,
    mdp: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<i32>> {
    sqlx::query_scalar(
        "INSERT INTO utilisateur (public_id, nom, prenom, telephone, pays, mdp, mdp_modifie_le, telephone_verifie_le, palier)
         VALUES ($1, $2, $3, $4, 'CI', $5, $6, $6, 1)
         ON CONFLICT (telephone) DO NOTHING RETURNING id_user",
    )
    .bind(new_id(&core.clock, &core.random))
    .bind(founder.last_name)
    .bind(founder.first_name)
    .bind(founder.phone.as_str())
    .bind(mdp)
    .bind(now)
    .fetch_optional(connection)
    .await
}
