use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex as AsyncMutex;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Client, Config, NoTls, Socket, Statement};

use super::Failure;

const CONNECT_TIMEOUT_S: u64 = 5;

/// A few connections on which many requests are in flight at once: a statement costs no waiting for a free connection.
/// Only single statements may run here; a transaction takes a connection of its own with [`Hot::dedicated`].
#[derive(Clone)]
pub struct Hot(Arc<Lines>);

struct Lines {
    config: Config,
    slots: Vec<AsyncMutex<Option<Arc<HotClient>>>>,
    next: AtomicUsize,
}

impl std::fmt::Debug for Hot {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Hot({} lines)", self.0.slots.len())
    }
}

/// One connection and the statements that were prepared on it.
pub struct HotClient {
    client: Client,
    prepared: Mutex<HashMap<&'static str, Statement>>,
}

impl HotClient {
    /// The bare connection.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The connection, to open a transaction on it.
    pub fn client_mut(&mut self) -> &mut Client {
        &mut self.client
    }

    /// Prepares a statement once a connection.
    pub async fn prepared(&self, sql: &'static str) -> Result<Statement, Failure> {
        let known = self.prepared.lock().unwrap_or_else(PoisonError::into_inner).get(sql).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = self.client.prepare(sql).await?;
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner).insert(sql, statement.clone());
        Ok(statement)
    }
}

impl Hot {
    pub(super) fn new(url: &str, lines: usize) -> Result<Self, Failure> {
        let mut config: Config = url.parse().map_err(|error| Failure::internal(format!("DATABASE_URL: {error}")))?;
        config.options("-c timezone=UTC -c statement_timeout=20000");
        config.connect_timeout(Duration::from_secs(CONNECT_TIMEOUT_S));
        let slots = (0..lines.max(1)).map(|_| AsyncMutex::new(None)).collect();
        Ok(Self(Arc::new(Lines { config, slots, next: AtomicUsize::new(0) })))
    }

    /// A living connection, the next in turn; a dead one is replaced first.
    pub async fn client(&self) -> Result<Arc<HotClient>, Failure> {
        let turn = self.0.next.fetch_add(1, Ordering::Relaxed) % self.0.slots.len();
        let Some(slot) = self.0.slots.get(turn) else { return Err(Failure::internal("no hot line")) };
        let mut line = slot.lock().await;
        if let Some(living) = line.as_ref().filter(|line| !line.client.is_closed()) {
            return Ok(living.clone());
        }
        let fresh = Arc::new(self.dedicated().await?);
        *line = Some(fresh.clone());
        Ok(fresh)
    }

    /// A connection of one's own: for a writer that opens transactions, or a listener.
    pub async fn dedicated(&self) -> Result<HotClient, Failure> {
        let client = connect(&self.0.config).await?;
        Ok(HotClient { client, prepared: Mutex::default() })
    }
}

async fn connect(config: &Config) -> Result<Client, Failure> {
    // A socket of this machine has no name that a certificate could be for.
    let local = config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_)));
    match config.get_ssl_mode() {
        SslMode::Disable => drive(config, NoTls).await,
        _ if local => drive(config, NoTls).await,
        _ => drive(config, super::tls::connector()).await,
    }
}

/// The connection's own task ends with the client.
async fn drive<T>(config: &Config, tls: T) -> Result<Client, Failure>
where
    T: MakeTlsConnect<Socket> + 'static,
    T::Stream: Send + 'static,
    T::TlsConnect: Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    let (client, connection) = config.connect(tls).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::warn!(%error, "a database connection ended");
        }
    });
    Ok(client)
}
