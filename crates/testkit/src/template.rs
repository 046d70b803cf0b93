//! The template database: named by the hash of the migrations, so that a change of one makes a new template.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// `migrations/` of the workspace.
pub fn migrations_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations")
}

/// The same server, another database. A URL of ours ends with the database's name.
pub fn with_database(url: &str, name: &str) -> String {
    let (base, query) = url.split_once('?').map_or((url, None), |(base, query)| (base, Some(query)));
    let server = base.rsplit_once('/').map_or(base, |(server, _)| server);
    match query {
        Some(query) => format!("{server}/{name}?{query}"),
        None => format!("{server}/{name}"),
    }
}

/// Makes the template if it is not there and gives its name.
pub async fn ensure(server: &str) -> anyhow::Result<String> {
    let name = format!("modele_{}", fingerprint(&migrations_dir())?);
    let mut connection = PgConnection::connect(server).await?;
    let known: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(&name)
        .fetch_one(&mut connection)
        .await?;
    if !known {
        make(server, &name, &mut connection).await?;
    }
    Ok(name)
}

/// It gets its name when it is complete: a half-made template is never cloned.
async fn make(server: &str, name: &str, connection: &mut PgConnection) -> anyhow::Result<()> {
    let draft = format!("{name}_brouillon");
    for statement in [format!("DROP DATABASE IF EXISTS {draft} WITH (FORCE)"), format!("CREATE DATABASE {draft}")] {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut *connection).await?;
    }
    let mut inside = PgConnection::connect(&with_database(server, &draft)).await?;
    Migrator::new(migrations_dir()).await?.run_direct(None, &mut inside, false).await?;
    inside.close().await?;
    sqlx::query(AssertSqlSafe(format!("ALTER DATABASE {draft} RENAME TO {name}"))).execute(connection).await?;
    Ok(())
}

fn fingerprint(dir: &Path) -> anyhow::Result<String> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(dir)?.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    files.sort();
    let mut digest = Sha256::new();
    for file in files {
        digest.update(file.file_name().unwrap_or_default().as_encoded_bytes());
        digest.update(std::fs::read(&file)?);
    }
    Ok(hex::encode(&digest.finalize()[..6]))
}
