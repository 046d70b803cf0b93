//! Making and checking codes: one way for every purpose.

use chrono::{DateTime, Utc};
use kernel::Failure;
use kernel::keys::Purpose as Key;
use serde_json::json;
use sqlx::PgConnection;

use super::model::{Live, Purpose, Way, cooldown};
use super::store::NewCode;
use super::{limits, store};
use crate::event::{self, Nature};
use crate::{Core, IdentityError, budget, message};

const SALT_BYTES: usize = 16;

/// To whom a code goes, what for, and who asked for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) id_user: i32,
    pub(crate) lang: &'a str,
    /// The identifier as it is stored.
    pub(crate) destination: &'a str,
    pub(crate) purpose: Purpose,
    pub(crate) network: &'a str,
}

/// A code that is on its way.
#[derive(Debug)]
pub(crate) struct Sent {
    /// For the answer of development mode only.
    pub(crate) code: String,
    pub(crate) expires_at: DateTime<Utc>,
    /// Seconds.
    pub(crate) resend_after: i64,
}

/// Whether a code was sent, or why not.
#[derive(Debug)]
pub(crate) enum Sending {
    Sent(Sent),
    /// Another code stands in the way, or with [`Way::Resend`] there is none to replace.
    Refused(Option<Live>),
}

/// Refuses, before the transaction of the send, destinations that are closed.
pub(crate) async fn admit(connection: &mut PgConnection, core: &Core, destination: &str) -> Result<(), IdentityError> {
    limits::breaker(connection, core, destination).await
}

/// Writes a code and the message that carries it, with the caller's transaction; on any refusal it has to be rolled back.
pub(crate) async fn send(
    connection: &mut PgConnection,
    core: &Core,
    ask: Ask<'_>,
    way: Way,
) -> Result<Sending, IdentityError> {
    let code = core.random.digits(ask.purpose.digits());
    let salt: [u8; SALT_BYTES] = core.random.bytes();
    let (now, generation) = (core.clock.now(), core.keys.current());
    let expires_at = now + core.config.otp_ttl;
    let mac = mac(core, generation, ask.id_user, ask.destination, ask.purpose, &salt, &code);
    let row = NewCode {
        id_user: ask.id_user,
        purpose: ask.purpose.name(),
        channel: message::channel_of(ask.destination),
        destination: ask.destination,
        mac: &mac.ok_or_else(|| Failure::internal("no key for codes"))?,
        salt: &salt,
        generation,
        now,
        expires_at,
    };
    let cooldowns = way.cooldowns(core.config.limited());
    let written = match way {
        Way::Resend => store::replace(connection, &row, cooldowns).await?,
        Way::Any | Way::Create => store::put(connection, &row, way == Way::Create, cooldowns).await?,
    };
    let Some(sends) = written else {
        return Ok(Sending::Refused(live(connection, &ask).await?));
    };
    limits::spend(connection, core, ask.destination, ask.network).await?;
    message::code(connection, core, ask.destination, ask.purpose.template(), ask.lang, &code, expires_at).await?;
    let details = json!({"objet": ask.purpose.name(), "canal": row.channel});
    event::record(connection, core, ask.id_user, Nature::CodeSent, ask.network, details).await?;
    metrics::counter!("hostolink_codes_sent_total", "channel" => row.channel).increment(1);
    Ok(Sending::Sent(Sent { code, expires_at, resend_after: cooldown(cooldowns, sends).num_seconds() }))
}

async fn live(connection: &mut PgConnection, ask: &Ask<'_>) -> Result<Option<Live>, Failure> {
    Ok(store::live(connection, ask.id_user, ask.purpose.name(), ask.destination).await?)
}

/// How long the cooldown of a code lasts still.
pub(crate) fn too_soon(core: &Core, live: &Live, way: Way) -> IdentityError {
    let over = live.dernier_envoi_le + cooldown(way.cooldowns(core.config.limited()), live.envois);
    IdentityError::TooMany { retry_after: budget::until(core.clock.now(), over) }
}

/// Sends a code to whoever may have one, with a transaction of its own.
pub(crate) async fn send_any(core: &Core, ask: Ask<'_>) -> Result<Sent, IdentityError> {
    admit(&mut *core.db.write.acquire().await?, core, ask.destination).await?;
    let mut transaction = core.db.write.begin().await?;
    match send(&mut transaction, core, ask, Way::Any).await? {
        Sending::Sent(sent) => {
            transaction.commit().await?;
            Ok(sent)
        }
        Sending::Refused(Some(live)) => Err(too_soon(core, &live, Way::Any)),
        // It was in the way, and was used before it could be read.
        Sending::Refused(None) => Err(Failure::unavailable("the code changed meanwhile").into()),
    }
}

/// What came of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checked {
    Right,
    /// The caller commits: the try has to count whatever is answered.
    Wrong {
        left: u32,
    },
    Gone,
}

/// Checks a code and uses it up, with the caller's transaction.
pub(crate) async fn check(
    connection: &mut PgConnection,
    core: &Core,
    ask: Ask<'_>,
    code: &str,
) -> Result<Checked, IdentityError> {
    limits::may_try(connection, core, ask.id_user, ask.network).await?;
    let Some(live) = live(connection, &ask).await? else { return Ok(Checked::Gone) };
    let mac = mac(core, live.generation_cle, ask.id_user, ask.destination, ask.purpose, &live.sel, code);
    // Made with a secret that was replaced and removed meanwhile.
    let Some(mac) = mac else { return Ok(Checked::Gone) };
    match store::attempt(connection, &live, &mac, core.clock.now()).await? {
        None => Ok(Checked::Gone),
        Some(tried) if tried.juste => {
            limits::was_right(connection, core, ask.destination).await?;
            Ok(Checked::Right)
        }
        Some(tried) => {
            limits::was_wrong(connection, core, ask.id_user, ask.network).await?;
            let details = json!({"objet": ask.purpose.name(), "reste": tried.reste});
            event::record(connection, core, ask.id_user, Nature::CodeWrong, ask.network, details).await?;
            Ok(Checked::Wrong { left: u32::try_from(tried.reste).unwrap_or(0) })
        }
    }
}

/// What of an account's codes is left is worth nothing any more.
pub(crate) async fn void_all(connection: &mut PgConnection, id_user: i32) -> Result<(), Failure> {
    Ok(store::void_all(connection, id_user).await?)
}

/// HMAC under a key that is not in the database, bound to everything that the code is for.
fn mac(
    core: &Core,
    generation: i16,
    id_user: i32,
    destination: &str,
    purpose: Purpose,
    salt: &[u8],
    code: &str,
) -> Option<String> {
    let parts: [&[u8]; 5] =
        [purpose.name().as_bytes(), destination.as_bytes(), salt, code.as_bytes(), &id_user.to_be_bytes()];
    let mac = core.keys.mac(Key::Otp, generation, &parts)?;
    Some(mac.iter().map(|byte| format!("{byte:02x}")).collect())
}
