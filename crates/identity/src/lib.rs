//! Who someone is, and how they prove it.
//!
//! | folder | holds |
//! | --- | --- |
//! | `account` | people, and the steps of signing up: check-user, register-user, define-password, reset-password |
//! | `otp` | codes by SMS and e-mail, for every purpose |
//! | `password` | the policy, and the hasher that bounds what hashing may cost |
//! | `ticket` | what carries a proof from one step of a journey to the next |
//! | `budget` | counters of sends and tries |
//! | `message` | what is told to people, handed to the queue of jobs |
//! | `session`, `sign_in` | tokens, and verify-pin |
//! | `pin`, `role`, `event`, `me`, `admin` | the payment PIN, permissions, the security log, one's own data, the back office |
//!
//! Extractors of other houses ([`Signed`](session::Signed), …) find [`Identity`] in the request's extensions: the server
//! adds [`Identity::layer`] once around its whole router.

mod account;
mod admin;
mod budget;
mod config;
mod error;
mod event;
pub mod me;
#[cfg(test)]
mod members;
mod message;
mod otp;
pub mod password;
mod pin;
pub mod role;
pub mod session;
mod sign_in;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
mod ticket;

use std::sync::Arc;

use axum::Extension;
use kernel::{Clock, Db, Failure, Identifier, Keys, Random};
use utoipa_axum::router::OpenApiRouter;

pub use account::Founder;
pub use account::{Found, NextStep};
pub use config::{Config, Limits, Mode};
pub use error::IdentityError;

use account::Finder;
use password::Hasher;

/// What identity is made from.
#[derive(Debug)]
pub struct Deps {
    /// The pools.
    pub db: Db,
    /// Where the present comes from.
    pub clock: Clock,
    /// Where codes, salts and tokens come from.
    pub random: Random,
    /// The keys of codes, PINs and sealed messages.
    pub keys: Keys,
    /// Durations, limits, mode.
    pub config: Config,
    /// The houses that are asked before an account is erased, and erase their part.
    pub erasers: Vec<Arc<dyn me::AccountErased>>,
    /// The houses that add to an export.
    pub export_parts: Vec<Arc<dyn me::ExportPart>>,
}

/// The house, cheap to clone.
#[derive(Clone, Debug)]
pub struct Identity(Arc<Core>);

/// What the features share; opaque outside of this house.
#[derive(Debug)]
pub struct Core {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) keys: Keys,
    pub(crate) config: Config,
    pub(crate) hasher: Hasher,
    pub(crate) finder: Finder,
    pub(crate) sessions: session::Lookup,
    pub(crate) bursts: session::Bursts,
    pub(crate) turns: sign_in::Turns,
    pub(crate) erasers: Vec<Arc<dyn me::AccountErased>>,
    pub(crate) export_parts: Vec<Arc<dyn me::ExportPart>>,
}

impl std::ops::Deref for Identity {
    type Target = Core;

    fn deref(&self) -> &Core {
        &self.0
    }
}

impl Identity {
    /// Starts the house: its threads and its gathered reads. Called inside a tokio runtime.
    pub fn new(deps: Deps) -> Result<Self, Failure> {
        let Deps { db, clock, random, keys, config, erasers, export_parts } = deps;
        let hasher = Hasher::start(&random)?;
        let finder = account::start_finder(&db.hot);
        let sessions = session::start(db.hot.clone(), clock.clone());
        let turns = sign_in::Turns::default();
        Ok(Self(Arc::new(Core {
            db,
            clock,
            random,
            keys,
            config,
            hasher,
            finder,
            sessions,
            bursts: session::Bursts::default(),
            turns,
            erasers,
            export_parts,
        })))
    }

    /// Deletes at most `rows` each of codes, tickets and counters that nobody can use any more; how many it were. For a
    /// periodic task.
    pub async fn sweep_journeys(&self, rows: i64) -> Result<u64, Failure> {
        let mut connection = self.db.write.acquire().await?;
        let now = self.clock.now();
        let codes = otp::forget_old(&mut connection, now, rows).await?;
        let tickets = ticket::forget_expired(&mut connection, now, rows).await?;
        Ok(codes + tickets + budget::forget_old(&mut connection, now, rows).await?)
    }

    /// Reads what somebody typed, for the countries that are served.
    pub(crate) fn parse(&self, identifier: &str) -> Result<Identifier, IdentityError> {
        Ok(Identifier::parse(identifier, &self.config.countries)?)
    }

    /// Who has this identifier: one of many gathered reads. `None` when nobody has it.
    pub async fn find(&self, identifier: &Identifier) -> Result<Option<Found>, Failure> {
        self.finder.get(identifier.as_str().to_owned()).await
    }

    /// One's own profile, as `GET /api/me` shows it.
    pub async fn user(&self, account: &session::Account) -> Result<me::User, IdentityError> {
        me::read(self, account).await
    }

    /// Lets the extractors of every house find identity; the server adds it once around its router.
    pub fn layer(&self) -> Extension<Identity> {
        Extension(self.clone())
    }
}

/// Everything under `/api`.
pub fn routes(identity: Identity) -> OpenApiRouter {
    let layer = identity.layer();
    let routes = OpenApiRouter::new()
        .merge(account::routes())
        .merge(otp::routes())
        .merge(otp::citizen_routes())
        .merge(sign_in::routes())
        .merge(session::routes())
        .merge(pin::routes())
        .merge(me::routes())
        .merge(admin::routes());
    routes.with_state(identity).layer(layer)
}

/// What stands at the root beside `/api`: the citizens' document has its one route there.
pub fn public_root_routes(identity: Identity) -> OpenApiRouter {
    let layer = identity.layer();
    otp::root_routes().with_state(identity).layer(layer)
}
