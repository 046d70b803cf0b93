//! Who a token belongs to: asked for every request, so many tokens in one statement on the hot line, and never cached:
//! a revoked session is refused at once.

use kernel::db::{Gather, Hot};
use kernel::{Clock, Failure};
use tokio_postgres::Row;

use super::model::{Account, Known};
use super::token::Fingerprint;

/// Statements that run at once, and tokens in each.
const WORKERS: usize = 2;
const BATCH: usize = 256;

const FIND: &str = "\
    SELECT s.id_user, u.public_id, s.id, s.acces_expire_le, s.expire_le, s.revoque_le IS NOT NULL, s.acces_utilise,
           s.deverrouille_jusqu, u.statut, u.palier, u.sorties_bloquees_jusqu, u.langue,
           u.email_verifie_le IS NOT NULL OR u.telephone_verifie_le IS NOT NULL
      FROM unnest($1::bytea[]) WITH ORDINALITY AS k (empreinte, rang)
      LEFT JOIN session s ON s.acces_empreinte = k.empreinte
      LEFT JOIN utilisateur u ON u.id_user = s.id_user
     ORDER BY k.rang";

/// Locked in the order of the key: two batches with the same tokens wait for each other instead of dying together.
const MARK: &str = "\
    WITH neufs AS (
      SELECT id_user, id FROM session WHERE acces_empreinte = ANY($1) AND NOT acces_utilise
       ORDER BY id_user, id FOR NO KEY UPDATE)
    UPDATE session s SET acces_utilise = true, vu_le = $2
      FROM neufs WHERE s.id_user = neufs.id_user AND s.id = neufs.id";

/// The gathered reads.
pub(crate) type Lookup = Gather<Fingerprint, Option<Known>>;

/// Starts the workers.
pub(crate) fn start(hot: Hot, clock: Clock) -> Lookup {
    Gather::new(WORKERS, BATCH, move |tokens| {
        let (hot, clock) = (hot.clone(), clock.clone());
        async move { ask(&hot, &clock, &tokens).await }
    })
}

async fn ask(hot: &Hot, clock: &Clock, tokens: &[Fingerprint]) -> Result<Vec<Option<Known>>, Failure> {
    let found = find(hot, tokens).await?;
    let now = clock.now();
    let fresh: Vec<&[u8]> = tokens
        .iter()
        .zip(&found)
        .filter(|(_, known)| known.as_ref().is_some_and(|known| !known.used && known.alive(now)))
        .map(|(token, _)| token.as_slice())
        .collect();
    if fresh.is_empty() {
        return Ok(found);
    }
    let client = hot.client().await?;
    let statement = client.prepared(MARK).await?;
    client.client().execute(&statement, &[&fresh, &now]).await?;
    // A refresh may have come between the two: what is replaced by now is not let in. Otherwise a token could be used
    // although its replacement was granted because nobody had used it.
    find(hot, tokens).await
}

async fn find(hot: &Hot, tokens: &[Fingerprint]) -> Result<Vec<Option<Known>>, Failure> {
    let keys: Vec<&[u8]> = tokens.iter().map(<[u8; 32]>::as_slice).collect();
    let client = hot.client().await?;
    let statement = client.prepared(FIND).await?;
    let rows = client.client().query(&statement, &[&keys]).await?;
    rows.iter().map(known).collect()
}

fn known(row: &Row) -> Result<Option<Known>, Failure> {
    let Some(id_user) = row.try_get::<_, Option<i32>>(0)? else { return Ok(None) };
    let account = Account {
        id_user,
        public_id: row.try_get(1)?,
        session_id: row.try_get(2)?,
        verified: row.try_get(12)?,
        tier: row.try_get(9)?,
        unlocked_until: row.try_get(7)?,
        outgoing_blocked_until: row.try_get(10)?,
        status: row.try_get(8)?,
        lang: row.try_get(11)?,
    };
    Ok(Some(Known {
        account,
        access_expires: row.try_get(3)?,
        session_expires: row.try_get(4)?,
        revoked: row.try_get(5)?,
        used: row.try_get(6)?,
    }))
}
