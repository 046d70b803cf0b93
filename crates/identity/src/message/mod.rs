//! What is told to people. It is written to the queue of jobs with the transaction that causes it; the server's worker
//! finds the sentence of the template and sends it. Templates are keys of the tables `sms`, `mail` and `mail_subject` of
//! `messages/`; `{code}` is the only thing they name.

use chrono::{DateTime, TimeDelta, Utc};
use kernel::keys::Purpose;
use kernel::{Failure, new_id};
use serde_json::json;
use sqlx::PgConnection;

use crate::Core;

/// The kind of job.
const KIND: &str = "message.send";
/// A notice that could not be sent for so long is not news any more.
const NOTICE_LIVES: TimeDelta = TimeDelta::days(1);

/// What happened to an account, as its owner is told on every channel that was proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    PasswordReset,
    /// Somebody proved the identifier of an account of the first backend, and its password was wiped.
    TakenOver,
    IdentifierChanged,
    /// An identifier that was never proved went from the account.
    IdentifierReleased,
    PinReset,
    /// A replaced refresh token came back, and its session was ended.
    SessionEnded,
}

impl Notice {
    fn template(self) -> &'static str {
        match self {
            Notice::PasswordReset => "notice_password_reset",
            Notice::TakenOver => "notice_taken_over",
            Notice::IdentifierChanged => "notice_identifier_changed",
            Notice::IdentifierReleased => "notice_identifier_released",
            Notice::SessionEnded => "notice_session_ended",
            Notice::PinReset => "notice_pin_reset",
        }
    }
}

/// `sms` for a telephone number, `email` for an address.
pub(crate) fn channel_of(destination: &str) -> &'static str {
    if destination.contains('@') { "email" } else { "sms" }
}

/// Queues a code. It is sealed in the queue, and worth nothing after `expires_at`.
pub(crate) async fn code(
    connection: &mut PgConnection,
    core: &Core,
    to: &str,
    template: &'static str,
    lang: &str,
    code: &str,
    expires_at: DateTime<Utc>,
) -> Result<(), Failure> {
    enqueue(connection, core, to, template, lang, Some(code), expires_at).await
}

/// Queues a notice.
pub(crate) async fn notice(
    connection: &mut PgConnection,
    core: &Core,
    to: &str,
    notice: Notice,
    lang: &str,
) -> Result<(), Failure> {
    let expires_at = core.clock.now() + NOTICE_LIVES;
    enqueue(connection, core, to, notice.template(), lang, None, expires_at).await
}

async fn enqueue(
    connection: &mut PgConnection,
    core: &Core,
    to: &str,
    template: &'static str,
    lang: &str,
    code: Option<&str>,
    expires_at: DateTime<Utc>,
) -> Result<(), Failure> {
    let id = new_id(&core.clock, &core.random);
    let secret = match code {
        None => None,
        Some(code) => {
            let sealed = core.keys.seal(Purpose::Outbox, &core.random, id.as_bytes(), code.as_bytes());
            Some(sealed.ok_or_else(|| Failure::internal("a code could not be sealed"))?)
        }
    };
    let payload = json!({"channel": channel_of(to), "to": to, "template": template, "lang": lang, "ref": id});
    let run_at = core.clock.now();
    jobs::enqueue(connection, &jobs::NewJob { id, kind: KIND, payload, secret, run_at, expires_at: Some(expires_at) })
        .await
}
