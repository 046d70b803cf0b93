//! The hottest read: who has this identifier. What is asked while a statement runs becomes the next statement.

use kernel::Failure;
use kernel::db::{Gather, Hot};
use tokio_postgres::Row;

use super::model::Found;

const WORKERS: usize = 2;
const BATCH: usize = 256;

/// One row a key, in their order. Two index look-ups a key, never a scan: numbers start with `+` and addresses hold `@`,
/// so at most one of the two finds something.
const FIND: &str = "\
    SELECT u.id_user, u.public_id, u.nom, u.prenom, u.mdp IS NOT NULL, u.adopte_le IS NOT NULL,
           u.date_inscription AT TIME ZONE 'UTC', u.palier, u.statut, u.type_utilisateur, u.langue,
           u.telephone = c.cle, u.telephone_verifie_le IS NOT NULL, u.email_verifie_le IS NOT NULL
      FROM unnest($1::varchar[]) WITH ORDINALITY AS c (cle, rang)
      LEFT JOIN LATERAL (
        SELECT * FROM utilisateur WHERE telephone = c.cle
        UNION ALL
        SELECT * FROM utilisateur WHERE email = c.cle
        LIMIT 1) u ON true
     ORDER BY c.rang";

pub(crate) type Finder = Gather<String, Option<Found>>;

/// Called inside of a runtime: it starts the readers.
pub(crate) fn start(hot: &Hot) -> Finder {
    let hot = hot.clone();
    Gather::new(WORKERS, BATCH, move |identifiers| {
        let hot = hot.clone();
        async move { ask(&hot, &identifiers).await }
    })
}

async fn ask(hot: &Hot, identifiers: &[String]) -> Result<Vec<Option<Found>>, Failure> {
    let client = hot.client().await?;
    let statement = client.prepared(FIND).await?;
    let rows = client.client().query(&statement, &[&identifiers]).await?;
    rows.iter().map(found).collect()
}

fn found(row: &Row) -> Result<Option<Found>, Failure> {
    let Some(id_user) = row.try_get::<_, Option<i32>>(0)? else { return Ok(None) };
    let (by_phone, phone_proved, email_proved) = (
        row.try_get::<_, Option<bool>>(11)?.unwrap_or(false),
        row.try_get::<_, bool>(12)?,
        row.try_get::<_, bool>(13)?,
    );
    let (verified, other_verified) = if by_phone { (phone_proved, email_proved) } else { (email_proved, phone_proved) };
    Ok(Some(Found {
        id_user,
        public_id: row.try_get(1)?,
        last_name: row.try_get(2)?,
        first_name: row.try_get(3)?,
        verified,
        other_verified,
        has_password: row.try_get(4)?,
        adopted: row.try_get(5)?,
        registered_at: row.try_get(6)?,
        tier: row.try_get(7)?,
        status: row.try_get(8)?,
        user_type: row.try_get(9)?,
        lang: row.try_get(10)?,
    }))
}
