//! Keeps the directory in memory abreast of the tables: told by PostgreSQL, looked at now and then in any case, and kept
//! as it is for as long as the database is away.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use kernel::{Clock, Db, Failure};
use sqlx::postgres::PgListener;

use super::{Atlas, load};

/// A burst of changes (an import) is read once it pauses for this long, in milliseconds.
const SETTLE_MS: u64 = 400;
/// ... but not later than this after its first change, in milliseconds.
const SETTLE_AT_MOST_MS: u64 = 5_000;
/// Without a word from the database the version is looked at this often, in seconds.
const LOOK_EVERY_S: u64 = 30;
/// A reading that takes longer is given up and tried again later, in seconds.
const READ_TIMEOUT_S: u64 = 120;
/// After a failure, in seconds.
const RETRY_S: u64 = 2;

/// The present atlas, cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    present: Arc<RwLock<Arc<Atlas>>>,
    db: Db,
    clock: Clock,
}

impl Live {
    /// Empty until [`Live::refresh`].
    pub(crate) fn new(db: Db, clock: Clock) -> Self {
        Self { present: Arc::default(), db, clock }
    }

    /// What is known now. No connection is touched.
    pub(crate) fn atlas(&self) -> Arc<Atlas> {
        self.present.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the tables again.
    pub(crate) async fn refresh(&self) -> Result<(), Failure> {
        let started = std::time::Instant::now();
        let reading = load(&self.db.read, self.clock.now());
        let atlas = tokio::time::timeout(Duration::from_secs(READ_TIMEOUT_S), reading)
            .await
            .map_err(|_| Failure::unavailable("reading the directory took too long"))??;
        tracing::info!(
            facilities = atlas.facilities.len(),
            version = atlas.version,
            ms = started.elapsed().as_millis(),
            "health directory read"
        );
        *self.present.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(atlas);
        Ok(())
    }

    /// Follows the tables for ever; ends with the program.
    pub(crate) async fn follow(self) {
        loop {
            if let Err(failure) = self.follow_once().await {
                tracing::warn!(%failure, "the health directory stays as it is for now");
            }
            tokio::time::sleep(Duration::from_secs(RETRY_S)).await;
        }
    }

    async fn follow_once(&self) -> Result<(), Failure> {
        let mut listener = PgListener::connect_with(&self.db.write).await?;
        listener.listen("sante").await?;
        // Between the last reading and now something may have changed unheard.
        self.refresh().await?;
        loop {
            let heard = tokio::time::timeout(Duration::from_secs(LOOK_EVERY_S), listener.recv()).await;
            match heard {
                Ok(Ok(_)) => settle(&mut listener).await?,
                Ok(Err(error)) => return Err(error.into()),
                Err(_) if !self.behind().await? => continue,
                Err(_) => {}
            }
            self.refresh().await?;
        }
    }

    async fn behind(&self) -> Result<bool, Failure> {
        let version: Option<i64> =
            sqlx::query_scalar("SELECT greatest((SELECT max(version) FROM etablissement_sante), (SELECT max(version) FROM etablissement_retire))").fetch_one(&self.db.read).await?;
        Ok(version.unwrap_or(0) != self.atlas().version)
    }
}

/// Waits until no change was heard for a moment.
async fn settle(listener: &mut PgListener) -> Result<(), Failure> {
    let latest = tokio::time::Instant::now() + Duration::from_millis(SETTLE_AT_MOST_MS);
    loop {
        let until = latest.min(tokio::time::Instant::now() + Duration::from_millis(SETTLE_MS));
        match tokio::time::timeout_at(until, listener.recv()).await {
            Ok(heard) => drop(heard?),
            Err(_) => return Ok(()),
        }
        if tokio::time::Instant::now() >= latest {
            return Ok(());
        }
    }
}
