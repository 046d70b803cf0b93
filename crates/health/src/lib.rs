//! The health map and directory: the nearest place that is open, the pharmacy on duty, the emergency number, with or
//! without a network, with or without a database.
//!
//! Reading is from memory ([`atlas`]); PostgreSQL with PostGIS is the truth that memory follows. Writing is imports
//! ([`import`]) and corrections by people.

pub mod adopt;
pub mod atlas;
mod corrections;
mod duty;
mod emergency;
mod error;
mod facilities;
mod fhir;
pub mod geo;
pub mod hours;
pub mod import;
pub mod kind;
mod map;
mod packs;
pub mod phone;
mod places;
mod raw;
mod seed;
pub mod text;
mod tiles;
pub mod units;

use std::sync::Arc;

use axum::Router;
use chrono::{DateTime, NaiveDate, Utc};
use kernel::{Clock, Db, Failure, Random};
use utoipa_axum::router::OpenApiRouter;

use atlas::live::Live;
use atlas::{Atlas, Moment};

pub use adopt::adopt;
pub use corrections::api::HealthModerate;
pub use error::HealthError;
pub use seed::seed;

/// What an operator may set.
#[derive(Clone, Copy, Debug, Default)]
pub struct Config {
    /// The hour at which a duty list takes over on its first day, UTC, 0 to 23. The lists say days; pharmacies change in
    /// the morning in some towns.
    pub duty_switch_hour: u8,
}

/// What the house needs of the world.
#[derive(Clone, Debug)]
pub struct Deps {
    /// The database.
    pub db: Db,
    /// Time.
    pub clock: Clock,
    /// Chance, for ids.
    pub random: Random,
    /// Settings.
    pub config: Config,
}

/// The house; cheap to clone.
#[derive(Clone, Debug)]
pub struct Health(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    deps: Deps,
    live: Live,
    tiles: tiles::Cache,
    packs: packs::Cache,
}

/// How long the first reading may keep the start waiting, in seconds.
const FIRST_READING_S: u64 = 20;

impl Health {
    /// Reads the directory into memory and follows the tables from then on. A database that is away delays nothing for
    /// long: the emergency numbers answer, the rest follows when it is back.
    pub async fn new(deps: Deps) -> Self {
        let health = Self::unread(deps);
        health.start().await;
        health
    }

    /// The house before it read anything: its routes can be described, and its emergency numbers answer.
    pub fn unread(deps: Deps) -> Self {
        let live = Live::new(deps.db.clone(), deps.clock.clone());
        Self(Arc::new(Inner { deps, live, tiles: tiles::Cache::default(), packs: packs::Cache::default() }))
    }

    /// The first reading, and following from then on.
    pub async fn start(&self) {
        let live = &self.0.live;
        let first = tokio::time::timeout(std::time::Duration::from_secs(FIRST_READING_S), live.refresh()).await;
        match first {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => tracing::warn!(%failure, "the health directory is not read yet"),
            Err(_) => tracing::warn!("the health directory is not read yet: it takes long"),
        }
        tokio::spawn(live.clone().follow());
    }

    /// Whether the directory was read. The emergency numbers do not wait for it.
    pub fn ready(&self) -> bool {
        self.atlas().read_at.is_some()
    }

    /// Reads the tables again at once: after an import in the same process, and in tests.
    pub async fn refresh(&self) -> Result<(), Failure> {
        self.0.live.refresh().await
    }

    /// The first day that no duty list covers although one should by now; `None` while all is well. For the operators' alarm.
    pub fn duty_missing(&self) -> Option<NaiveDate> {
        duty::missing(&self.atlas(), self.0.deps.clock.now())
    }

    /// What imports need.
    pub fn world(&self) -> import::World {
        let deps = &self.0.deps;
        import::World { db: deps.db.clone(), clock: deps.clock.clone(), random: deps.random.clone() }
    }

    /// Routes of the interface, without `/api` in front.
    pub fn routes(&self) -> OpenApiRouter {
        OpenApiRouter::new()
            .merge(facilities::api::routes())
            .merge(packs::api::routes())
            .merge(emergency::api::routes())
            .merge(duty::api::routes())
            .merge(places::api::routes())
            .merge(tiles::api::routes())
            .merge(fhir::api::routes())
            .merge(corrections::api::routes())
            .with_state(self.clone())
    }

    /// `/map` and what it loads.
    pub fn root_routes(&self) -> Router {
        map::routes()
    }

    pub(crate) fn atlas(&self) -> Arc<Atlas> {
        self.0.live.atlas()
    }

    /// The directory, or 503 until it was read once.
    pub(crate) fn loaded(&self) -> Result<Arc<Atlas>, HealthError> {
        let atlas = self.atlas();
        if atlas.read_at.is_some() { Ok(atlas) } else { Err(HealthError::NotLoaded) }
    }

    pub(crate) fn moment(&self) -> Moment {
        Moment::new(self.0.deps.clock.now(), self.0.deps.config.duty_switch_hour)
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.deps.clock
    }

    pub(crate) fn random(&self) -> &Random {
        &self.0.deps.random
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock().now()
    }

    pub(crate) fn db(&self) -> &Db {
        &self.0.deps.db
    }

    pub(crate) fn tiles(&self) -> &tiles::Cache {
        &self.0.tiles
    }

    pub(crate) fn packs(&self) -> &packs::Cache {
        &self.0.packs
    }
}
