//! The house: what it is made from, what its features share, and its routes on one screen.

use std::sync::Arc;

use identity::Identity;
use kernel::http::Lexicon;
use kernel::identifier::Countries;
use kernel::{Clock, Db, Keys, Random};
use utoipa_axum::router::OpenApiRouter;

use crate::ledger::Ledger;
use crate::provider::Connector;

/// What may differ between installations.
#[derive(Clone, Debug)]
pub struct Config {
    /// Whose telephone numbers are served.
    pub countries: Countries,
    /// Where clients reach us, with `/api` and without a slash at its end: on receipts, and where operators send people back.
    pub public_url: String,
    /// Whether merchants' webhooks may go to this machine and to private networks: development only.
    pub private_webhooks: bool,
}

/// What the wallet is made from.
#[derive(Debug)]
pub struct Deps {
    /// The pools.
    pub db: Db,
    /// Where the present comes from.
    pub clock: Clock,
    /// Where ids and references come from.
    pub random: Random,
    /// The keys of what is sealed and signed.
    pub keys: Keys,
    /// Who someone is.
    pub identity: Identity,
    /// The books, started.
    pub ledger: Ledger,
    /// The ways to operators that this installation has.
    pub connectors: Vec<Connector>,
    /// Sentences for what is printed and for hints.
    pub lexicon: Arc<Lexicon>,
    /// The rest.
    pub config: Config,
}

/// The house, cheap to clone.
#[derive(Clone, Debug)]
pub struct Wallet(Arc<Core>);

/// What the features share; opaque outside of this house.
#[derive(Debug)]
pub struct Core {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) keys: Keys,
    pub(crate) identity: Identity,
    pub(crate) ledger: Ledger,
    pub(crate) connectors: Vec<Connector>,
    pub(crate) lexicon: Arc<Lexicon>,
    pub(crate) config: Config,
}

impl std::ops::Deref for Wallet {
    type Target = Core;

    fn deref(&self) -> &Core {
        &self.0
    }
}

impl Wallet {
    /// Makes the house; nothing is asked of the database yet.
    pub fn new(deps: Deps) -> Self {
        let Deps { db, clock, random, keys, identity, ledger, connectors, lexicon, config } = deps;
        Self(Arc::new(Core { db, clock, random, keys, identity, ledger, connectors, lexicon, config }))
    }
}

/// Everything under `/api`. The server adds `Identity::layer` around its whole router.
pub fn routes(wallet: Wallet) -> OpenApiRouter {
    OpenApiRouter::new()
        .merge(crate::account::routes())
        .merge(crate::quote::routes())
        .merge(crate::transfer::routes())
        .merge(crate::qr::routes())
        .merge(crate::card::routes())
        .merge(crate::history::routes())
        .merge(crate::receipt::routes())
        .merge(crate::statement::routes())
        .merge(crate::refund::routes())
        .merge(crate::request::routes())
        .merge(crate::hold::routes())
        .merge(crate::bulk::routes())
        .merge(crate::schedule::routes())
        .merge(crate::provider::routes())
        .merge(crate::deposit::routes())
        .merge(crate::withdrawal::routes())
        .merge(crate::webhook_in::routes())
        .merge(crate::alert::routes())
        .merge(crate::float::routes())
        .merge(crate::reconciliation::routes())
        .merge(crate::webhook_out::routes())
        .with_state(wallet)
}

/// Gives the wallet's jobs to a worker.
#[must_use]
pub fn jobs(wallet: &Wallet, worker: jobs::Worker) -> jobs::Worker {
    crate::webhook_out::jobs(wallet, crate::schedule::jobs(wallet, crate::instruction::jobs(wallet, worker)))
}
