//! The way to PostgreSQL: a pool to write, a pool to read (the same database today, a replica one day), and the hot
//! line, a few pipelined connections for what is asked thousands of times a second.

mod failure;
mod gather;
mod hot;
mod tls;

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, PgPool};

pub use failure::{Failure, violates};
pub use gather::Gather;
pub use hot::{Hot, HotClient};

/// A request does not wait longer than this for a connection, in seconds.
const ACQUIRE_TIMEOUT_S: u64 = 5;

/// The pools, cheap to clone.
#[derive(Clone, Debug)]
pub struct Db {
    /// What changes something, and what has to see one's own last change.
    pub write: PgPool,
    /// Lists, exports, statistics.
    pub read: PgPool,
    /// Few connections, many requests in flight on each.
    pub hot: Hot,
}

/// How many connections, by use.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Connections of the write pool.
    pub write: u32,
    /// Connections of the read pool.
    pub read: u32,
    /// Pipelined connections of the hot line.
    pub hot: usize,
}

impl Default for Sizes {
    /// Two cores are busiest with 8 to 16 backends; more of them only wait for each other.
    fn default() -> Self {
        Self { write: 12, read: 6, hot: 3 }
    }
}

impl Db {
    /// Connects lazily: a database that is away makes requests fail with 503, not the program stop.
    pub fn connect(url: &str, sizes: Sizes) -> Result<Self, Failure> {
        let options: PgConnectOptions = url.parse().map_err(Failure::from_sqlx)?;
        // Statements hold what people wrote: they stay out of the log.
        let options =
            options.disable_statement_logging().options([("timezone", "UTC"), ("statement_timeout", "20000")]);
        let pool = |max| {
            PgPoolOptions::new()
                .max_connections(max)
                .acquire_timeout(Duration::from_secs(ACQUIRE_TIMEOUT_S))
                .connect_lazy_with(options.clone())
        };
        Ok(Self { write: pool(sizes.write), read: pool(sizes.read), hot: Hot::new(url, sizes.hot)? })
    }
}
