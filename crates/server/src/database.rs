//! Which database: the one that `DATABASE_URL` names, or a private cluster in the data folder.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use cluster::Cluster;
use sqlx::migrate::{Migrate, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};

use crate::adoption;
use crate::config::{self, Overrides};

/// One history of one database, built into the program.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations");

/// The database of the private cluster.
const NAME: &str = "hostolink";

/// A database that can be reached; a private cluster of our own stops when this is dropped.
#[derive(Debug)]
pub struct Database {
    /// For psql, sqlx and tokio-postgres alike.
    pub url: String,
    cluster: Option<PrivateCluster>,
}

struct PrivateCluster(Cluster);

impl std::fmt::Debug for PrivateCluster {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "PrivateCluster({})", self.0.socket_dir().display())
    }
}

impl Database {
    /// For a command that works beside a running server or alone: a folder that was named comes first, then
    /// `DATABASE_URL`, then the folder of development mode.
    pub fn locate(overrides: &Overrides) -> anyhow::Result<Self> {
        match config::variable("DATABASE_URL").filter(|_| overrides.data_dir.is_none()) {
            Some(url) => Ok(Self::external(url)),
            None => Self::private(&config::data_dir(overrides)?, Sharing::Allowed),
        }
    }

    /// A database that somebody else runs.
    pub fn external(url: String) -> Self {
        Self { url, cluster: None }
    }

    /// The private cluster of this folder: the one that another process of ours runs, or one of our own.
    pub fn private(data_dir: &Path, sharing: Sharing) -> anyhow::Result<Self> {
        if sharing == Sharing::Allowed
            && let Some(url) = cluster::running_url(&cluster_dir(data_dir), NAME)
        {
            return Ok(Self::external(url));
        }
        let options = cluster::Options { data_dir: cluster_dir(data_dir), fsync: true, settings: Vec::new() };
        let running = Cluster::start(options)?;
        Ok(Self { url: running.database_url(NAME), cluster: Some(PrivateCluster(running)) })
    }

    /// Whether this process runs the server.
    pub fn is_private(&self) -> bool {
        self.cluster.is_some()
    }

    /// Stops a private server after its last transaction.
    pub fn stop(&self) {
        if let Some(PrivateCluster(cluster)) = &self.cluster {
            cluster.stop();
        }
    }
}

/// Whether a cluster that another process runs may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// Commands beside a running server.
    Allowed,
    /// The server itself: two of them on one folder would both think it theirs.
    Refused,
}

/// Connects once, for a command.
pub async fn connect(url: &str) -> anyhow::Result<PgConnection> {
    // Statements hold what people wrote, and migrations are long: neither belongs in a log.
    let options: PgConnectOptions = url.parse().context("DATABASE_URL cannot be read")?;
    options.disable_statement_logging().connect().await.context("the database does not answer")
}

/// Brings a database to this program's version; a database of the first backend is adopted on the way. Running it
/// twice changes nothing.
pub async fn migrate(url: &str) -> anyhow::Result<()> {
    let mut connection = connect(url).await?;
    let report = adoption::preflight(&mut connection).await?;
    if report.blocks() {
        bail!("the database cannot be taken over as it is; nothing was changed\n{report}");
    }
    MIGRATIONS.run_direct(None, &mut connection, false).await.context("a migration failed")?;
    adoption::complete(url, &mut connection).await
}

/// What `migrate` would do, without doing it.
pub async fn dry_run(url: &str) -> anyhow::Result<String> {
    let mut connection = connect(url).await?;
    let report = adoption::preflight(&mut connection).await?;
    let pending = pending(&mut connection).await?;
    let list: String = pending.iter().map(|name| format!("  {name}\n")).collect();
    Ok(format!("{report}{} migration(s) to apply\n{list}", pending.len()))
}

/// Migrations of this program that the database has not seen.
pub async fn pending(connection: &mut PgConnection) -> anyhow::Result<Vec<String>> {
    let exists: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL").fetch_one(&mut *connection).await?;
    let applied = if exists { connection.list_applied_migrations("_sqlx_migrations").await? } else { Vec::new() };
    let known = |version: i64| applied.iter().any(|migration| migration.version == version);
    Ok(MIGRATIONS
        .iter()
        .filter(|migration| !known(migration.version))
        .map(|migration| format!("{:04} {}", migration.version, migration.description))
        .collect())
}

/// The mark that `serve` leaves.
pub async fn is_production(connection: &mut PgConnection) -> anyhow::Result<bool> {
    let exists: bool = sqlx::query_scalar("SELECT to_regclass('installation') IS NOT NULL").fetch_one(&mut *connection).await?;
    if !exists {
        return Ok(false);
    }
    let sql = "SELECT EXISTS (SELECT FROM installation WHERE cle = 'mode' AND valeur = 'production')";
    Ok(sqlx::query_scalar(sql).fetch_one(connection).await?)
}

/// Marks the database as one of production.
pub async fn mark_production(connection: &mut PgConnection) -> anyhow::Result<()> {
    let sql = "INSERT INTO installation (cle, valeur) VALUES ('mode', 'production')
               ON CONFLICT (cle) DO UPDATE SET valeur = EXCLUDED.valeur, modifie_le = now() WHERE installation.valeur <> EXCLUDED.valeur";
    sqlx::query(sql).execute(connection).await?;
    Ok(())
}

/// Where the private cluster of a data folder lives.
pub fn cluster_dir(data_dir: &Path) -> PathBuf {
    data_dir.join("postgres")
}
