//! Sessions: opened by a sign-in, found by an access token, kept alive by a refresh token that is replaced each time.

mod api;
mod burst;
mod extract;
mod lookup;
mod model;
mod store;
mod token;

use chrono::{DateTime, TimeDelta, Utc};
use kernel::http::Page;
use kernel::{Failure, new_id};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::account::store as accounts;
use crate::event::{self, Nature};
use crate::message::{self, Notice};
use crate::{Core, Identity, IdentityError, me, sign_in};

pub(crate) use api::{Done, DoneAnswer, SignedInAnswer, routes};
pub(crate) use burst::Bursts;
pub(crate) use extract::identity;
pub use extract::{Origin, Signed};
pub(crate) use lookup::{Lookup, start};
pub(crate) use model::Tokens;
pub use model::{Account, SessionView, SignedIn};
use store::{NewSession, Pair};
pub(crate) use store::{Reason, lock_all, unlock};
use token::Kind;

/// Sessions of one account that are kept; a new one pushes the oldest out.
const MAX_SESSIONS: i64 = 50;
/// How long an ended session stays, for the questions of its owner, in days.
const ENDED_KEPT_DAYS: i64 = 30;

impl Identity {
    /// Whose access token this is. Exact: a session that was revoked a moment ago is refused.
    pub async fn authenticate(&self, token: &str) -> Result<Account, IdentityError> {
        let fingerprint = token::read(Kind::Access, token).ok_or(IdentityError::TokenInvalid)?;
        let known = self.sessions.get(fingerprint).await?;
        known.ok_or(IdentityError::TokenInvalid)?.admit(self.clock.now())
    }

    /// Deletes at most `rows` sessions that ended long ago and as many replaced tokens; how many it were. For a periodic
    /// task.
    pub async fn sweep_sessions(&self, rows: i64) -> Result<u64, Failure> {
        let (now, mut connection) = (self.clock.now(), self.db.write.acquire().await?);
        let sessions = store::sweep(&mut connection, now - TimeDelta::days(ENDED_KEPT_DAYS), rows).await?;
        Ok(sessions + store::sweep_replaced(&mut connection, now - self.config.refresh_idle, rows).await?)
    }
}

/// Opens a session with the caller's transaction. Whoever opens one has proved the account from this network: wrong
/// passwords of others do not slow that network down any more.
pub(crate) async fn open(
    transaction: &mut PgConnection,
    core: &Core,
    id_user: i32,
    origin: &Origin,
) -> Result<Tokens, Failure> {
    let now = core.clock.now();
    let (tokens, pair) = fresh(core, now);
    let session = NewSession {
        id_user,
        id: new_id(&core.clock, &core.random),
        pair,
        expires: now + core.config.refresh_absolute,
        device: &origin.device,
        network: &origin.network,
        now,
    };
    store::insert(transaction, &session).await?;
    store::forget_oldest(transaction, id_user, MAX_SESSIONS, now).await?;
    sign_in::delay::succeeded(transaction, core, id_user, &origin.network).await?;
    let details = json!({"session": session.id});
    event::record(transaction, core, id_user, Nature::SignedIn, &origin.network, details).await?;
    Ok(tokens)
}

fn fresh(core: &Core, now: DateTime<Utc>) -> (Tokens, Pair) {
    let (access, access_print) = token::make(Kind::Access, &core.random);
    let (refresh, refresh_print) = token::make(Kind::Refresh, &core.random);
    let pair = Pair {
        access: access_print,
        access_expires: now + core.config.access_ttl,
        refresh: refresh_print,
        refresh_expires: now + core.config.refresh_idle,
    };
    (Tokens { access, refresh, expires_in: core.config.access_ttl.num_seconds() }, pair)
}

/// The next pair of tokens. A token that was replaced after this request came was replaced by one that ran beside it:
/// no harm is done. One that was replaced before is either an answer that got lost, which is forgiven once as long as
/// nobody used it, or stolen.
pub(crate) async fn refresh(core: &Core, token: &str, origin: &Origin) -> Result<SignedIn, IdentityError> {
    let old = token::read(Kind::Refresh, token).ok_or(IdentityError::TokenInvalid)?;
    let burst = core.bursts.join(old, core.clock.now());
    let arrived = burst.began;
    let mut transaction = core.db.write.begin().await?;
    let now = core.clock.now();
    let (tokens, pair) = fresh(core, now);
    let (rotated, replaced) = match store::rotate(&mut transaction, old, &pair, &origin.network, now).await? {
        Some(rotated) => (rotated, old.to_vec()),
        None => match store::forgive(&mut transaction, old, &pair, &origin.network, arrived, now).await? {
            Some(forgiven) => forgiven,
            None => {
                let refusal = replayed(&mut transaction, core, old, arrived, origin).await?;
                transaction.commit().await?;
                return Err(refusal);
            }
        },
    };
    if rotated.statut != "actif" {
        return Err(IdentityError::Suspended);
    }
    store::remember(&mut transaction, &replaced, &rotated, now).await?;
    let user = me::user(&mut transaction, rotated.id_user).await?;
    transaction.commit().await?;
    Ok(tokens.of(user))
}

/// A refresh token that gives nothing any more. Whoever holds one that was replaced long ago shares the session with
/// somebody: it ends for both, and the owner hears of it.
async fn replayed(
    transaction: &mut PgConnection,
    core: &Core,
    old: token::Fingerprint,
    arrived: DateTime<Utc>,
    origin: &Origin,
) -> Result<IdentityError, IdentityError> {
    let Some(family) = store::family_of(transaction, old).await? else { return Ok(IdentityError::TokenInvalid) };
    if family.tourne_le > arrived {
        return Ok(IdentityError::RefreshRaced);
    }
    let owner = accounts::lock(transaction, family.id_user).await?.ok_or(IdentityError::TokenInvalid)?;
    if store::revoke(transaction, family.id_user, family.id, Reason::TokenReused, core.clock.now()).await? {
        for to in owner.proved_identifiers() {
            message::notice(transaction, core, to, Notice::SessionEnded, &owner.langue).await?;
        }
        let details = json!({"session": family.id});
        event::record(transaction, core, family.id_user, Nature::TokenReused, &origin.network, details).await?;
        tracing::warn!(session = %family.id, "a replaced refresh token came back: its session is ended");
    }
    Ok(IdentityError::TokenInvalid)
}

/// Ends the session of this very request.
pub(crate) async fn sign_out(core: &Core, account: &Account, origin: &Origin) -> Result<(), IdentityError> {
    end(core, account, account.session_id, Reason::SignedOut, origin).await
}

/// Ends a session of one's own; 404 for what is over or of somebody else.
pub(crate) async fn revoke(core: &Core, account: &Account, id: Uuid, origin: &Origin) -> Result<(), IdentityError> {
    end(core, account, id, Reason::Revoked, origin).await
}

async fn end(core: &Core, account: &Account, id: Uuid, reason: Reason, origin: &Origin) -> Result<(), IdentityError> {
    let mut transaction = core.db.write.begin().await?;
    if !store::revoke(&mut transaction, account.id_user, id, reason, core.clock.now()).await? {
        return Err(kernel::Problem::not_found().into());
    }
    let nature = if reason == Reason::SignedOut { Nature::SignedOut } else { Nature::SessionRevoked };
    event::record(&mut transaction, core, account.id_user, nature, &origin.network, json!({"session": id})).await?;
    transaction.commit().await?;
    Ok(())
}

/// Ends all sessions of an account but `kept`, with the caller's transaction.
pub(crate) async fn revoke_all(
    transaction: &mut PgConnection,
    core: &Core,
    id_user: i32,
    kept: Option<Uuid>,
    reason: Reason,
) -> Result<u64, Failure> {
    Ok(store::revoke_all(transaction, id_user, kept, reason, core.clock.now()).await?)
}

/// All living sessions of a person, for the export.
pub(crate) async fn all(
    connection: &mut PgConnection,
    core: &Core,
    account: &Account,
) -> Result<Vec<SessionView>, Failure> {
    let rows = store::living(connection, account.id_user, None, MAX_SESSIONS, core.clock.now()).await?;
    Ok(rows.into_iter().map(|row| view(row, account.session_id)).collect())
}

/// One's living sessions, newest first.
pub(crate) async fn list(
    core: &Core,
    account: &Account,
    page: &Page<Uuid>,
) -> Result<(Vec<SessionView>, Option<String>), IdentityError> {
    let mut connection = core.db.write.acquire().await?;
    let rows = store::living(&mut connection, account.id_user, page.after, page.rows(), core.clock.now()).await?;
    let (rows, next) = page.cut(rows, |row| row.id);
    Ok((rows.into_iter().map(|row| view(row, account.session_id)).collect(), next))
}

fn view(row: store::Row, current: Uuid) -> SessionView {
    SessionView {
        id: row.id,
        device: row.appareil,
        network: row.reseau,
        created_at: row.cree_le.into(),
        last_seen_at: row.vu_le.into(),
        expires_at: row.rafraichissement_expire_le.into(),
        current: row.id == current,
    }
}

#[cfg(test)]
mod tests;
