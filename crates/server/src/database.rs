//! Which database: the one that `DATABASE_URL` names, or a private cluster in the data folder.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use cluster::Cluster;
use sqlx::migrate::{Migrate, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};

use crate::adoption::{self, Plan, Report};
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
    if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
        // Not even a part of it is shown: what was given by mistake may be a secret.
        bail!(
            "DATABASE_URL is not the address of a PostgreSQL database: it has to begin with postgres:// or postgresql://"
        );
    }
    // Statements hold what people wrote, and migrations are long: neither belongs in a log.
    let options: PgConnectOptions = url.parse().context("DATABASE_URL cannot be read")?;
    let options = options.disable_statement_logging().options([("timezone", "UTC")]);
    options.connect().await.context("the database does not answer")
}

/// Brings a database to this program's version; a database of the first backend is adopted on the way, and the report
/// says how. Running it twice changes nothing.
pub async fn migrate(url: &str) -> anyhow::Result<Report> {
    let mut connection = connect(url).await?;
    // Two at once: the second waits, and finds everything done. The lock ends with the connection.
    connection.lock().await.context("waiting for another migration")?;
    let mut plan = adoption::preflight(&mut connection, &MIGRATIONS).await?;
    refuse_blocked(&plan)?;
    if plan.first {
        adoption::reach(url).await.context("nothing was changed")?;
        plan = apply_first(&mut connection, &plan).await?;
    } else {
        MIGRATIONS.run_direct(None, &mut connection, false).await.context("a migration failed")?;
    }
    adoption::complete(url, &mut connection).await?;
    connection.close().await.context("closing the connection")?;
    Ok(plan.report().clone())
}

/// The first migrations of a database, all or none: whatever the preflight did not see leaves the old tables as they were.
async fn apply_first(connection: &mut PgConnection, plan: &Plan) -> anyhow::Result<Plan> {
    let mut transaction = connection.begin().await?;
    adoption::hold(&mut transaction, plan).await?;
    let plan = adoption::preflight(&mut transaction, &MIGRATIONS).await?;
    refuse_blocked(&plan)?;
    adoption::fit(&mut transaction, &plan).await?;
    MIGRATIONS.run_direct(None, &mut *transaction, false).await.context("a migration failed; nothing was changed")?;
    adoption::settle(&mut transaction, &plan).await?;
    transaction.commit().await?;
    Ok(plan)
}

fn refuse_blocked(plan: &Plan) -> anyhow::Result<()> {
    if plan.report().blocks() {
        bail!("the database cannot be taken over as it is; nothing was changed\n{}", plan.report());
    }
    Ok(())
}

/// What `migrate` would do, without doing it.
pub async fn dry_run(url: &str) -> anyhow::Result<String> {
    let mut connection = connect(url).await?;
    let plan = adoption::preflight(&mut connection, &MIGRATIONS).await?;
    let pending = pending(&mut connection).await?;
    let list: String = pending.iter().map(|name| format!("  {name}\n")).collect();
    Ok(format!("{}{} migration(s) to apply\n{list}", plan.report(), pending.len()))
}

/// Migrations of this program that the database has not seen, and steps of an adoption that were interrupted.
pub async fn pending(connection: &mut PgConnection) -> anyhow::Result<Vec<String>> {
    let exists: bool =
        sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL").fetch_one(&mut *connection).await?;
    let applied = if exists { connection.list_applied_migrations("_sqlx_migrations").await? } else { Vec::new() };
    let known = |version: i64| applied.iter().any(|migration| migration.version == version);
    let steps = adoption::open_steps(connection).await?;
    Ok(MIGRATIONS
        .iter()
        .filter(|migration| !known(migration.version))
        .map(|migration| format!("{:04} {}", migration.version, migration.description))
        .chain(steps.into_iter().map(|step| format!("adoption: {step}")))
        .collect())
}

/// The mark that `serve` leaves.
pub async fn is_production(connection: &mut PgConnection) -> anyhow::Result<bool> {
    let exists: bool =
        sqlx::query_scalar("SELECT to_regclass('installation') IS NOT NULL").fetch_one(&mut *connection).await?;
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
