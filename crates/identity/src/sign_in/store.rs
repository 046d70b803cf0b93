use chrono::{DateTime, TimeDelta, Utc};
use kernel::Identifier;
use sqlx::PgConnection;

use super::model::{Candidate, FORGOTTEN_AFTER, KNOWN_FOR, MAX_DELAY_S};

/// The account of an identifier, with what decides whether it may sign in.
pub(super) async fn candidate(
    connection: &mut PgConnection,
    identifier: &Identifier,
) -> sqlx::Result<Option<Candidate>> {
    let sql = match identifier {
        Identifier::Email(_) => {
            "SELECT id_user, mdp, statut, email_verifie_le IS NOT NULL AS prouve, telephone_verifie_le IS NOT NULL AS autre_prouve
               FROM utilisateur WHERE email = $1"
        }
        Identifier::Phone(_) => {
            "SELECT id_user, mdp, statut, telephone_verifie_le IS NOT NULL AS prouve, email_verifie_le IS NOT NULL AS autre_prouve
               FROM utilisateur WHERE telephone = $1"
        }
    };
    sqlx::query_as(sql).bind(identifier.as_str()).fetch_optional(connection).await
}

/// The stored hash of an account.
pub(super) async fn password_of(connection: &mut PgConnection, id_user: i32) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("SELECT mdp FROM utilisateur WHERE id_user = $1").bind(id_user).fetch_one(connection).await
}

/// Replaces a hash of old parameters or of the first backend. The account's state, or `None` when the password was
/// changed meanwhile.
pub(super) async fn upgrade(
    connection: &mut PgConnection,
    id_user: i32,
    old: &str,
    new: &str,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("UPDATE utilisateur SET mdp = $3 WHERE id_user = $1 AND mdp = $2 RETURNING statut")
        .bind(id_user)
        .bind(old)
        .bind(new)
        .fetch_optional(connection)
        .await
}

/// The account's state, held until the commit, or `None` when the password is not the one that was compared.
pub(super) async fn unchanged(connection: &mut PgConnection, id_user: i32, mdp: &str) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("SELECT statut FROM utilisateur WHERE id_user = $1 AND mdp = $2 FOR SHARE")
        .bind(id_user)
        .bind(mdp)
        .fetch_optional(connection)
        .await
}

/// Counts a try before it is evaluated, unless the subject is delayed. `Some(true)` when this network signed in before.
/// From `free` counted tries on, the next ones have to wait: 1, 2, 4, … seconds.
pub(super) async fn reserve(
    connection: &mut PgConnection,
    subject: &[u8],
    network: &str,
    free: i32,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<bool>> {
    sqlx::query_scalar(
        "INSERT INTO echec_connexion AS e (sujet, reseau, echecs, vu_le) VALUES ($1, $2, 1, $4)
         ON CONFLICT (sujet, reseau) DO UPDATE
            SET echecs = CASE WHEN e.vu_le < $5 THEN 1 ELSE e.echecs + 1 END,
                bloque_jusqu = CASE WHEN e.vu_le >= $5 AND e.echecs + 1 >= $3
                  THEN $4 + least(power(2, least(e.echecs + 1 - $3, 20)), $6) * interval '1 second' END,
                vu_le = $4
          WHERE e.bloque_jusqu IS NULL OR e.bloque_jusqu <= $4
         RETURNING coalesce(e.reussi_le > $7, false)",
    )
    .bind(subject)
    .bind(network)
    .bind(free)
    .bind(now)
    .bind(now - FORGOTTEN_AFTER)
    .bind(MAX_DELAY_S)
    .bind(now - KNOWN_FOR)
    .fetch_optional(connection)
    .await
}

/// Until when a subject is delayed.
pub(super) async fn delayed_until(
    connection: &mut PgConnection,
    subject: &[u8],
    network: &str,
) -> sqlx::Result<Option<DateTime<Utc>>> {
    let until: Option<Option<DateTime<Utc>>> =
        sqlx::query_scalar("SELECT bloque_jusqu FROM echec_connexion WHERE sujet = $1 AND reseau = $2")
            .bind(subject)
            .bind(network)
            .fetch_optional(connection)
            .await?;
    Ok(until.flatten())
}

/// A try that was counted does not count, nor does the wait that it brought.
pub(super) async fn give_back(
    connection: &mut PgConnection,
    subject: &[u8],
    network: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE echec_connexion SET echecs = greatest(echecs - 1, 0), bloque_jusqu = least(bloque_jusqu, $3)
          WHERE sujet = $1 AND reseau = $2",
    )
    .bind(subject)
    .bind(network)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn succeeded(
    connection: &mut PgConnection,
    subject: &[u8],
    network: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO echec_connexion (sujet, reseau, echecs, reussi_le, vu_le) VALUES ($1, $2, 0, $3, $3)
         ON CONFLICT (sujet, reseau) DO UPDATE SET echecs = 0, bloque_jusqu = NULL, reussi_le = $3, vu_le = $3",
    )
    .bind(subject)
    .bind(network)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// What a network did lately.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Spread {
    /// Other subjects that failed from it, up to the bound of the question.
    pub(super) sujets: i64,
    /// When the last of them did.
    pub(super) dernier: Option<DateTime<Utc>>,
    /// It signed in to this very subject before.
    pub(super) connu: bool,
}

pub(super) async fn spread(
    connection: &mut PgConnection,
    subject: &[u8],
    network: &str,
    now: DateTime<Utc>,
    window: TimeDelta,
    bound: i64,
) -> sqlx::Result<Spread> {
    sqlx::query_as(
        "SELECT count(*) AS sujets, max(vu_le) AS dernier,
                coalesce((SELECT reussi_le > $5 FROM echec_connexion WHERE sujet = $1 AND reseau = $2), false) AS connu
           FROM (SELECT vu_le FROM echec_connexion
                  WHERE reseau = $2 AND echecs > 0 AND vu_le > $3 AND sujet <> $1
                  ORDER BY vu_le DESC LIMIT $4) autres",
    )
    .bind(subject)
    .bind(network)
    .bind(now - window)
    .bind(bound)
    .bind(now - KNOWN_FOR)
    .fetch_one(connection)
    .await
}

/// Deletes counters that say nothing any more.
pub(super) async fn sweep(connection: &mut PgConnection, now: DateTime<Utc>, rows: i64) -> sqlx::Result<u64> {
    let done = sqlx::query(
        "DELETE FROM echec_connexion WHERE (sujet, reseau) IN (
           SELECT sujet, reseau FROM echec_connexion
            WHERE vu_le < $1 AND coalesce(reussi_le < $2, true) LIMIT $3 FOR UPDATE SKIP LOCKED)",
    )
    .bind(now - FORGOTTEN_AFTER)
    .bind(now - KNOWN_FOR)
    .bind(rows)
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}
