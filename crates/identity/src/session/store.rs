use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::token::Fingerprint;

/// Why a session ended; `session.revoque_motif`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    SignedOut,
    /// By its owner, from another session.
    Revoked,
    /// A replaced refresh token came back.
    TokenReused,
    PasswordReset,
    /// Somebody proved the identifier of an account that was not proved.
    TakenOver,
}

impl Reason {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Reason::SignedOut => "deconnexion",
            Reason::Revoked => "revoquee",
            Reason::TokenReused => "jeton_rejoue",
            Reason::PasswordReset => "mdp_reinitialise",
            Reason::TakenOver => "compte_repris",
        }
    }
}

/// The pair of tokens that a session gets, and until when each lives.
pub(super) struct Pair {
    pub(super) access: Fingerprint,
    pub(super) access_expires: DateTime<Utc>,
    pub(super) refresh: Fingerprint,
    pub(super) refresh_expires: DateTime<Utc>,
}

pub(super) struct NewSession<'a> {
    pub(super) id_user: i32,
    pub(super) id: Uuid,
    pub(super) pair: Pair,
    pub(super) expires: DateTime<Utc>,
    pub(super) device: &'a str,
    pub(super) network: &'a str,
    pub(super) now: DateTime<Utc>,
}

pub(super) async fn insert(connection: &mut PgConnection, session: &NewSession<'_>) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO session (id_user, id, acces_empreinte, acces_expire_le, rafraichissement_empreinte,
                              rafraichissement_expire_le, expire_le, appareil, reseau, cree_le, vu_le, tourne_le)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $10)",
    )
    .bind(session.id_user)
    .bind(session.id)
    .bind(session.pair.access.as_slice())
    .bind(session.pair.access_expires)
    .bind(session.pair.refresh.as_slice())
    .bind(session.pair.refresh_expires)
    .bind(session.expires)
    .bind(session.device)
    .bind(session.network)
    .bind(session.now)
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets what is beyond the newest `kept` sessions of an account, dead ones first. Rows that another sign-in is
/// forgetting at this moment are left to it.
pub(super) async fn forget_oldest(
    connection: &mut PgConnection,
    id_user: i32,
    kept: i64,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query(
        "DELETE FROM session WHERE id_user = $1 AND id IN (
           SELECT id FROM session WHERE id_user = $1
            ORDER BY (revoque_le IS NULL AND rafraichissement_expire_le > $3) DESC, vu_le DESC, id DESC
           OFFSET $2 FOR UPDATE SKIP LOCKED)",
    )
    .bind(id_user)
    .bind(kept)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// A session after its tokens were replaced.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Rotated {
    pub(super) id_user: i32,
    pub(super) id: Uuid,
    pub(super) statut: String,
}

/// Replaces the tokens when `old` is the current refresh token: one statement, so that one of many wins.
pub(super) async fn rotate(
    connection: &mut PgConnection,
    old: Fingerprint,
    pair: &Pair,
    network: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Rotated>> {
    sqlx::query_as(
        "UPDATE session s
            SET acces_empreinte = $2, acces_expire_le = $3, acces_utilise = false, rafraichissement_precedent = $1,
                rafraichissement_empreinte = $4, rafraichissement_expire_le = least($5, s.expire_le),
                generation = generation + 1, pardonne = false, tourne_le = $7, vu_le = $7, reseau = $6
           FROM utilisateur u
          WHERE s.rafraichissement_empreinte = $1 AND u.id_user = s.id_user
            AND s.revoque_le IS NULL AND s.rafraichissement_expire_le > $7 AND s.expire_le > $7
         RETURNING s.id_user, s.id, u.statut",
    )
    .bind(old.as_slice())
    .bind(pair.access.as_slice())
    .bind(pair.access_expires)
    .bind(pair.refresh.as_slice())
    .bind(pair.refresh_expires)
    .bind(network)
    .bind(now)
    .fetch_optional(connection)
    .await
}

/// Replaces tokens whose answer was lost: nobody used the access token, `old` is what they replaced, it comes later
/// than they were made, and it was not forgiven before. Gives the refresh token that is replaced, too.
pub(super) async fn forgive(
    connection: &mut PgConnection,
    old: Fingerprint,
    pair: &Pair,
    network: &str,
    arrived: DateTime<Utc>,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<(Rotated, Vec<u8>)>> {
    #[derive(sqlx::FromRow)]
    struct Row {
        #[sqlx(flatten)]
        rotated: Rotated,
        perdu: Vec<u8>,
    }
    let row: Option<Row> = sqlx::query_as(
        "WITH perdue AS (
           SELECT id_user, id, rafraichissement_empreinte AS perdu FROM session
            WHERE rafraichissement_precedent = $1 AND NOT acces_utilise AND NOT pardonne AND tourne_le <= $8
              AND revoque_le IS NULL AND rafraichissement_expire_le > $7 AND expire_le > $7
              FOR NO KEY UPDATE)
         UPDATE session s
            SET acces_empreinte = $2, acces_expire_le = $3, acces_utilise = false, rafraichissement_empreinte = $4,
                rafraichissement_expire_le = least($5, s.expire_le), generation = generation + 1, pardonne = true,
                tourne_le = $7, vu_le = $7, reseau = $6
           FROM utilisateur u, perdue p
          WHERE s.id_user = p.id_user AND s.id = p.id AND u.id_user = s.id_user
         RETURNING s.id_user, s.id, u.statut, p.perdu",
    )
    .bind(old.as_slice())
    .bind(pair.access.as_slice())
    .bind(pair.access_expires)
    .bind(pair.refresh.as_slice())
    .bind(pair.refresh_expires)
    .bind(network)
    .bind(now)
    .bind(arrived)
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| (row.rotated, row.perdu)))
}

/// Remembers a refresh token that was replaced.
pub(super) async fn remember(
    connection: &mut PgConnection,
    old: &[u8],
    session: &Rotated,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO jeton_ancien (empreinte, id_user, id_session, cree_le) VALUES ($1, $2, $3, $4)")
        .bind(old)
        .bind(session.id_user)
        .bind(session.id)
        .bind(now)
        .execute(connection)
        .await?;
    Ok(())
}

/// The living session that once had this refresh token, and when its present tokens were made.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Family {
    pub(super) id_user: i32,
    pub(super) id: Uuid,
    pub(super) tourne_le: DateTime<Utc>,
}

pub(super) async fn family_of(connection: &mut PgConnection, old: Fingerprint) -> sqlx::Result<Option<Family>> {
    sqlx::query_as(
        "SELECT s.id_user, s.id, s.tourne_le
           FROM jeton_ancien j JOIN session s ON s.id_user = j.id_user AND s.id = j.id_session
          WHERE j.empreinte = $1 AND s.revoque_le IS NULL",
    )
    .bind(old.as_slice())
    .fetch_optional(connection)
    .await
}

/// Ends a session; false when it was over, or belongs to somebody else.
pub(super) async fn revoke(
    connection: &mut PgConnection,
    id_user: i32,
    id: Uuid,
    reason: Reason,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE session SET revoque_le = $4, revoque_motif = $3
          WHERE id_user = $1 AND id = $2 AND revoque_le IS NULL AND rafraichissement_expire_le > $4",
    )
    .bind(id_user)
    .bind(id)
    .bind(reason.name())
    .bind(now)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends all sessions of an account but one. In the order of the key: two that do the same wait for each other.
pub(super) async fn revoke_all(
    connection: &mut PgConnection,
    id_user: i32,
    kept: Option<Uuid>,
    reason: Reason,
    now: DateTime<Utc>,
) -> sqlx::Result<u64> {
    let done = sqlx::query(
        "WITH vivantes AS (
           SELECT id FROM session WHERE id_user = $1 AND revoque_le IS NULL AND id IS DISTINCT FROM $2
            ORDER BY id FOR NO KEY UPDATE)
         UPDATE session s SET revoque_le = $4, revoque_motif = $3 FROM vivantes v WHERE s.id_user = $1 AND s.id = v.id",
    )
    .bind(id_user)
    .bind(kept)
    .bind(reason.name())
    .bind(now)
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// A living session as its owner sees it.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Row {
    pub(crate) id: Uuid,
    pub(crate) appareil: String,
    pub(crate) reseau: String,
    pub(crate) cree_le: DateTime<Utc>,
    pub(crate) vu_le: DateTime<Utc>,
    pub(crate) rafraichissement_expire_le: DateTime<Utc>,
}

pub(super) async fn living(
    connection: &mut PgConnection,
    id_user: i32,
    after: Option<Uuid>,
    rows: i64,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Row>> {
    sqlx::query_as(
        "SELECT id, appareil, reseau, cree_le, vu_le, rafraichissement_expire_le FROM session
          WHERE id_user = $1 AND revoque_le IS NULL AND rafraichissement_expire_le > $4
            AND ($2::uuid IS NULL OR id < $2)
          ORDER BY id DESC LIMIT $3",
    )
    .bind(id_user)
    .bind(after)
    .bind(rows)
    .bind(now)
    .fetch_all(connection)
    .await
}

/// Opens a session for payments until then.
pub(crate) async fn unlock(
    connection: &mut PgConnection,
    id_user: i32,
    id: Uuid,
    until: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let done =
        sqlx::query("UPDATE session SET deverrouille_jusqu = $3 WHERE id_user = $1 AND id = $2 AND revoque_le IS NULL")
            .bind(id_user)
            .bind(id)
            .bind(until)
            .execute(connection)
            .await?;
    Ok(done.rows_affected() == 1)
}

/// Closes every session of an account for payments again.
pub(crate) async fn lock_all(connection: &mut PgConnection, id_user: i32) -> sqlx::Result<()> {
    sqlx::query(
        "WITH ouvertes AS (
           SELECT id FROM session WHERE id_user = $1 AND deverrouille_jusqu IS NOT NULL ORDER BY id FOR NO KEY UPDATE)
         UPDATE session s SET deverrouille_jusqu = NULL FROM ouvertes o WHERE s.id_user = $1 AND s.id = o.id",
    )
    .bind(id_user)
    .execute(connection)
    .await?;
    Ok(())
}

/// Deletes some replaced tokens that would have ended by themselves by now.
pub(super) async fn sweep_replaced(
    connection: &mut PgConnection,
    before: DateTime<Utc>,
    rows: i64,
) -> sqlx::Result<u64> {
    let done = sqlx::query(
        "DELETE FROM jeton_ancien WHERE empreinte IN (
           SELECT empreinte FROM jeton_ancien WHERE cree_le < $1 ORDER BY cree_le LIMIT $2 FOR UPDATE SKIP LOCKED)",
    )
    .bind(before)
    .bind(rows)
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// Deletes some sessions that ended long ago, with their replaced tokens.
pub(super) async fn sweep(connection: &mut PgConnection, before: DateTime<Utc>, rows: i64) -> sqlx::Result<u64> {
    let done = sqlx::query(
        "DELETE FROM session WHERE (id_user, id) IN (
           SELECT id_user, id FROM session WHERE coalesce(revoque_le, rafraichissement_expire_le) < $1
            LIMIT $2 FOR UPDATE SKIP LOCKED)",
    )
    .bind(before)
    .bind(rows)
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}
