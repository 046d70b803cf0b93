use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;

use super::model::{COOLDOWN_MEMORY, Live, MAX_TRIES};

/// A new code, as it is stored: never the code.
pub(super) struct NewCode<'a> {
    pub(super) id_user: i32,
    pub(super) purpose: &'static str,
    pub(super) channel: &'static str,
    pub(super) destination: &'a str,
    pub(super) mac: &'a str,
    pub(super) salt: &'a [u8],
    pub(super) generation: i16,
    pub(super) now: DateTime<Utc>,
    pub(super) expires_at: DateTime<Utc>,
}

/// Writes a code where there is none, or in place of the one there is: only after its cooldown or, with `create`, only
/// when it is expired. One statement, so that of many at once one is sent; without cooldowns all are, and the last one
/// to be written is good. `None`: refused; else the number of sends.
pub(super) async fn put(
    connection: &mut PgConnection,
    code: &NewCode<'_>,
    create: bool,
    cooldowns: &[i32],
) -> sqlx::Result<Option<i16>> {
    sqlx::query_scalar(
        "INSERT INTO otp (user_id, objet, canal, destination, otp_code, sel, generation_cle, expires_at, is_valid,
                          essais, envois, dernier_envoi_le, cree_le)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8 AT TIME ZONE 'UTC', true, 0, 1, $9, $9)
         ON CONFLICT (user_id, objet, destination) WHERE is_valid DO UPDATE
           SET otp_code = EXCLUDED.otp_code, sel = EXCLUDED.sel, generation_cle = EXCLUDED.generation_cle,
               expires_at = EXCLUDED.expires_at, essais = 0, dernier_envoi_le = $9,
               envois = CASE WHEN $10 OR otp.dernier_envoi_le < $12 THEN 1 ELSE least(otp.envois + 1, 1000) END
         WHERE CASE WHEN $10 THEN otp.expires_at <= $9 AT TIME ZONE 'UTC'
               WHEN cardinality($11::int[]) = 0 THEN true
               ELSE otp.dernier_envoi_le
                    + make_interval(secs => ($11::int[])[least(otp.envois, array_length($11::int[], 1))]) <= $9 END
         RETURNING envois",
    )
    .bind(code.id_user)
    .bind(code.purpose)
    .bind(code.channel)
    .bind(code.destination)
    .bind(code.mac)
    .bind(code.salt)
    .bind(code.generation)
    .bind(code.expires_at)
    .bind(code.now)
    .bind(create)
    .bind(cooldowns)
    .bind(code.now - COOLDOWN_MEMORY)
    .fetch_optional(connection)
    .await
}

/// Writes a code in place of the one there is, after its cooldown; never where there is none.
pub(super) async fn replace(
    connection: &mut PgConnection,
    code: &NewCode<'_>,
    cooldowns: &[i32],
) -> sqlx::Result<Option<i16>> {
    sqlx::query_scalar(
        "UPDATE otp
            SET otp_code = $4, sel = $5, generation_cle = $6, expires_at = $7 AT TIME ZONE 'UTC', essais = 0,
                dernier_envoi_le = $8, envois = CASE WHEN dernier_envoi_le < $10 THEN 2 ELSE least(envois + 1, 1000) END
          WHERE user_id = $1 AND objet = $2 AND destination = $3 AND is_valid
            AND (cardinality($9::int[]) = 0
                 OR dernier_envoi_le + make_interval(secs => ($9::int[])[least(envois, array_length($9::int[], 1))]) <= $8)
         RETURNING envois",
    )
    .bind(code.id_user)
    .bind(code.purpose)
    .bind(code.destination)
    .bind(code.mac)
    .bind(code.salt)
    .bind(code.generation)
    .bind(code.expires_at)
    .bind(code.now)
    .bind(cooldowns)
    .bind(code.now - COOLDOWN_MEMORY)
    .fetch_optional(connection)
    .await
}

/// The code that was not used yet.
pub(super) async fn live(
    connection: &mut PgConnection,
    id_user: i32,
    purpose: &str,
    destination: &str,
) -> sqlx::Result<Option<Live>> {
    sqlx::query_as(
        "SELECT id, sel, generation_cle, envois, dernier_envoi_le FROM otp
          WHERE user_id = $1 AND objet = $2 AND destination = $3 AND is_valid",
    )
    .bind(id_user)
    .bind(purpose)
    .bind(destination)
    .fetch_optional(connection)
    .await
}

/// What came of one try.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Tried {
    pub(super) juste: bool,
    pub(super) reste: i16,
}

/// Compares, counts and uses up in one statement: of a hundred right codes at once one is right, of a hundred wrong ones
/// five are compared. `None`: expired, exhausted, used or replaced by a newer code.
pub(super) async fn attempt(
    connection: &mut PgConnection,
    code: &Live,
    mac: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Tried>> {
    sqlx::query_as(
        "UPDATE otp
            SET essais = essais + CASE WHEN otp_code = $3 THEN 0 ELSE 1 END, is_valid = otp_code <> $3,
                consomme_le = CASE WHEN otp_code = $3 THEN $4 END
          WHERE id = $1 AND sel = $2 AND is_valid AND consomme_le IS NULL AND expires_at > $4 AT TIME ZONE 'UTC'
            AND essais < $5
         RETURNING consomme_le IS NOT NULL AS juste, ($5 - essais)::smallint AS reste",
    )
    .bind(code.id)
    .bind(&code.sel)
    .bind(mac)
    .bind(now)
    .bind(MAX_TRIES)
    .fetch_optional(connection)
    .await
}

/// Nobody may use the codes that an account still has.
pub(super) async fn void_all(connection: &mut PgConnection, id_user: i32) -> sqlx::Result<()> {
    sqlx::query("UPDATE otp SET is_valid = false WHERE user_id = $1 AND is_valid")
        .bind(id_user)
        .execute(connection)
        .await?;
    Ok(())
}

/// Housekeeping: at most `limit` codes that nobody can use and no cooldown remembers.
pub(crate) async fn forget_old(connection: &mut PgConnection, now: DateTime<Utc>, limit: i64) -> sqlx::Result<u64> {
    let done = sqlx::query(
        "DELETE FROM otp WHERE id IN
           (SELECT id FROM otp WHERE expires_at < $1 AT TIME ZONE 'UTC' ORDER BY id LIMIT $2)",
    )
    .bind(now - TimeDelta::days(2))
    .bind(limit)
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}
