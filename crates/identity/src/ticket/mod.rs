//! What carries a fact from one step of a journey to the next: "this device registered the account", "this device proved
//! the destination". 32 random bytes, of which the database keeps the SHA-256.

mod store;

use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use kernel::Failure;
use kernel::keys::sha256;
use sqlx::PgConnection;

use crate::{Core, Mode};

pub(crate) use store::forget_expired;

/// Secret scanners and people recognise it.
const PREFIX: &str = "hft_";
const RANDOM_BYTES: usize = 32;
/// A longer text is none of ours, in bytes.
const MAX_LENGTH: usize = 64;
/// The cookie that define-password sets.
const COOKIE: &str = "hostolink_flow";

/// What a ticket says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// From register-user: proves nothing, serves define-password.
    Registration,
    /// From a verified code: proves the destination, once.
    Proof,
    /// The cookie of define-password: this device chose the password.
    Journey,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Registration => "inscription",
            Kind::Proof => "preuve",
            Kind::Journey => "parcours",
        }
    }

    pub(crate) fn lives(self) -> TimeDelta {
        match self {
            Kind::Registration | Kind::Journey => TimeDelta::minutes(15),
            Kind::Proof => TimeDelta::minutes(10),
        }
    }
}

/// A ticket that is good now.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Known {
    nature: String,
    /// Of a proof: the purpose of its code.
    pub(crate) objet: String,
    /// Of a proof: what was proved.
    pub(crate) destination: String,
    /// It did what it serves for.
    pub(crate) utilise: bool,
}

impl Known {
    pub(crate) fn is(&self, kind: Kind) -> bool {
        self.nature == kind.name()
    }

    /// A proof of this purpose that was not used.
    pub(crate) fn proves(&self, purpose: &str) -> bool {
        self.is(Kind::Proof) && self.objet == purpose && !self.utilise
    }
}

/// Makes a ticket. `purpose` and `destination` are those of the code that was proved, else empty.
pub(crate) async fn issue(
    connection: &mut PgConnection,
    core: &Core,
    id_user: i32,
    kind: Kind,
    purpose: &str,
    destination: &str,
) -> Result<String, Failure> {
    let ticket = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(core.random.bytes::<RANDOM_BYTES>()));
    let now = core.clock.now();
    let digest = sha256(ticket.as_bytes());
    store::insert(connection, id_user, &digest, kind.name(), purpose, destination, now, now + kind.lives()).await?;
    Ok(ticket)
}

/// What this ticket of this account says; `None` when it is not ours, expired, voided or somebody else's.
pub(crate) async fn look(
    connection: &mut PgConnection,
    core: &Core,
    id_user: i32,
    ticket: &str,
) -> Result<Option<Known>, Failure> {
    if ticket.len() > MAX_LENGTH || !ticket.starts_with(PREFIX) {
        return Ok(None);
    }
    Ok(store::find(connection, id_user, &sha256(ticket.as_bytes()), core.clock.now()).await?)
}

/// Uses a ticket up; false when somebody was faster, or it is not good any more.
pub(crate) async fn consume(
    connection: &mut PgConnection,
    core: &Core,
    id_user: i32,
    ticket: &str,
) -> Result<bool, Failure> {
    Ok(store::consume(connection, id_user, &sha256(ticket.as_bytes()), core.clock.now()).await?)
}

/// A proof voids every ticket that was made before it.
pub(crate) async fn void_all(connection: &mut PgConnection, id_user: i32) -> Result<(), Failure> {
    Ok(store::delete_of(connection, id_user).await?)
}

/// The `Set-Cookie` of a journey. No script reads it, no other site sends it.
pub(crate) fn cookie(ticket: &str, mode: Mode) -> Result<HeaderValue, Failure> {
    let age = Kind::Journey.lives().num_seconds();
    // A browser would not keep a Secure cookie from http://localhost everywhere.
    let secure = if mode == Mode::Production { "; Secure" } else { "" };
    let text = format!("{COOKIE}={ticket}; HttpOnly; SameSite=Strict; Path=/; Max-Age={age}{secure}");
    HeaderValue::from_str(&text).map_err(Failure::internal)
}

/// The journey's ticket that came with a request.
pub(crate) fn from_cookie(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, ticket)| ticket.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        assert_eq!(from_cookie(&headers), None);
        headers.insert(header::COOKIE, HeaderValue::from_static("a=1; hostolink_flow=hft_x; b=2"));
        assert_eq!(from_cookie(&headers).as_deref(), Some("hft_x"));
    }

    #[test]
    fn production_wants_tls() {
        let set = |mode| cookie("hft_x", mode).unwrap().to_str().unwrap().to_owned();
        assert_eq!(set(Mode::Development), "hostolink_flow=hft_x; HttpOnly; SameSite=Strict; Path=/; Max-Age=900");
        assert!(set(Mode::Production).ends_with("; Secure"));
    }
}
