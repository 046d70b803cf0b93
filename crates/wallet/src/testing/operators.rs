//! The wallet beside the simulated operators, each on a free port of this machine.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use providers::Secret;
use providers::mobile_money::SenderLimits;
use providers::mobile_money::wave::{Wave as Connection, WaveConfig};
use serde_json::{Value, json};
use simulator::{Callbacks, Credentials, Options, Provider};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::{Member, World, world_with};
use crate::provider::{Connector, ProviderCode};

/// How long a test waits for something that must come.
const PATIENCE: Duration = Duration::from_secs(15);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(30);

/// A wallet that reaches a simulated Wave, and is reached by it.
pub(crate) struct Wave {
    pub(crate) world: World,
    simulator: SocketAddr,
    running: Vec<JoinHandle<()>>,
}

impl Drop for Wave {
    fn drop(&mut self) {
        self.running.iter().for_each(JoinHandle::abort);
    }
}

impl Wave {
    /// Customers agree by themselves after so long, or when ordered.
    pub(crate) async fn start(auto_approve_after: Option<Duration>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let public_url = format!("http://{}/api", listener.local_addr().unwrap());
        let credentials = Credentials::default();
        let keys = credentials.wave.clone();
        let callbacks = Callbacks(BTreeMap::from([(Provider::Wave, format!("{public_url}/webhooks/wave"))]));
        let (ready, address) = oneshot::channel();
        let options = Options { callbacks, auto_approve_after, credentials, ..Options::default() };
        let simulated = tokio::spawn(async move {
            simulator::serve(options, ready, std::future::pending()).await.unwrap();
        });
        let simulator = tokio::time::timeout(PATIENCE, address).await.unwrap().unwrap();
        let config = WaveConfig {
            base_url: format!("http://{simulator}/wave"),
            api_key: Secret::new(keys.api_key),
            request_signing_secret: keys.request_signing_secret.map(Secret::new),
            webhook_secrets: keys.webhook_secrets.into_iter().map(Secret::new).collect(),
            limits: SenderLimits { timeout_s: 2, ..SenderLimits::default() },
        };
        let clock = kernel::Clock::system();
        let wave = Arc::new(Connection::new(config, Arc::new(move || clock.now().timestamp())).unwrap());
        let connector = Connector {
            collect: Some(wave.clone()),
            payout: Some(wave.clone()),
            webhook: Some(wave.clone()),
            statement: Some(wave.clone()),
            float: Some(wave),
            ..Connector::new(ProviderCode::Wave, "wave")
        };
        let world = world_with(testkit::db().await, vec![connector], &public_url).await;
        let served = world.router.clone();
        let serving = tokio::spawn(async move {
            axum::serve(listener, served).await.unwrap();
        });
        Self { world, simulator, running: vec![simulated, serving] }
    }

    /// Does every job that is due.
    pub(crate) async fn work(&self) {
        self.world.clock.shift(TimeDelta::seconds(3));
        let worker = jobs::Worker::new(self.world.test.db.write.clone(), self.world.clock.clone());
        let worker = crate::jobs(&self.world.wallet, worker);
        for _ in 0..20 {
            if !worker.round().await {
                return;
            }
        }
    }

    /// The same after a while, when back-offs are over.
    pub(crate) async fn work_later(&self) {
        self.world.clock.shift(TimeDelta::seconds(100));
        self.work().await;
    }

    /// Works until the operation has ended, and gives it.
    pub(crate) async fn settled(&self, member: &Member, id: &str) -> Value {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let seen = member.client.get(&format!("/api/transactions/{id}")).await.data(200)["transaction"].clone();
            if seen["status"] != "pending" {
                return seen;
            }
            assert!(tokio::time::Instant::now() < deadline, "it stays {seen}");
            tokio::time::sleep(LOOK).await;
            self.work().await;
        }
    }

    /// Waits until so many webhooks are stored.
    pub(crate) async fn received(&self, count: i64) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let stored: i64 = sqlx::query_scalar("SELECT count(*) FROM rappel_recu")
                .fetch_one(&self.world.test.db.write)
                .await
                .unwrap();
            if stored >= count {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "{stored} of {count} webhooks came");
            tokio::time::sleep(LOOK).await;
        }
    }

    pub(crate) async fn approve(&self, id: &str) {
        self.order("approve", id).await;
    }

    /// `approve`, `refuse`, `expire`, `forge`
    pub(crate) async fn order(&self, what: &str, id: &str) {
        let reference = self.reference(id).await;
        self.control(what, json!({"provider": "wave", "reference": reference})).await;
    }

    pub(crate) async fn reference(&self, id: &str) -> String {
        sqlx::query_scalar("SELECT reference FROM instruction_operateur WHERE id = $1")
            .bind(Uuid::parse_str(id).unwrap())
            .fetch_one(&self.world.test.db.write)
            .await
            .unwrap()
    }

    pub(crate) async fn fault(&self, order: Value) {
        self.control("faults", order).await;
    }

    /// Nothing goes wrong any more.
    pub(crate) async fn speak_faults_away(&self) {
        self.speak("DELETE", "/_control/faults", None).await;
    }

    /// What the operator says of its own books.
    pub(crate) async fn state(&self) -> Value {
        self.speak("GET", "/_control/state", None).await
    }

    pub(crate) async fn control(&self, what: &str, body: Value) -> Value {
        self.speak("POST", &format!("/_control/{what}"), Some(body)).await
    }

    /// A few lines of HTTP: only connectors need a client.
    async fn speak(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            self.simulator,
            body.len()
        );
        let mut stream = TcpStream::connect(self.simulator).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(body.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap();
        assert!(status.starts_with('2'), "{method} {path}: {answer}");
        let json = body.find('{').zip(body.rfind('}')).map(|(start, end)| &body[start..=end]);
        json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or(Value::Null)
    }
}
