//! A simulator of one's own on a free port, a client, and a merchant who receives callbacks.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use http::{HeaderMap, Method, StatusCode, Uri};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use simulator::{Callbacks, Options, Provider};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How long a test waits for something that must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// A simulator that stops when it is dropped.
pub(crate) struct Simulator {
    pub(crate) url: String,
    pub(crate) client: Client,
    running: JoinHandle<anyhow::Result<()>>,
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.running.abort();
    }
}

/// One whose customers agree after 50 ms.
pub(crate) async fn start() -> Simulator {
    start_with(Options { auto_approve_after: Some(Duration::from_millis(50)), ..Options::default() }).await
}

/// One that sends the callbacks of some operators to a merchant.
pub(crate) async fn start_for(merchant: &Merchant, providers: &[Provider]) -> Simulator {
    let urls = providers.iter().map(|p| (*p, merchant.url(p.name()))).collect::<BTreeMap<_, _>>();
    let auto_approve_after = Some(Duration::from_millis(50));
    start_with(Options { callbacks: Callbacks(urls), auto_approve_after, ..Options::default() }).await
}

pub(crate) async fn start_with(options: Options) -> Simulator {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        rustls::crypto::ring::default_provider().install_default().expect("first provider");
    });
    let (ready, address) = oneshot::channel();
    let running = tokio::spawn(simulator::serve(options, ready, std::future::pending()));
    let address: SocketAddr = tokio::time::timeout(PATIENCE, address).await.expect("ready in time").expect("ready");
    let client = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().expect("client");
    Simulator { url: format!("http://{address}"), client, running }
}

impl Simulator {
    /// Stops it as a kill would, as far as its state file is concerned.
    pub(crate) async fn kill(mut self) {
        self.running.abort();
        let _ = (&mut self.running).await;
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.url)).timeout(PATIENCE)
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.url)).timeout(PATIENCE)
    }

    pub(crate) async fn control(&self, what: &str, body: Value) -> Response {
        let answer = self.post(&format!("/_control/{what}")).json(&body).send().await.expect("control answers");
        assert!(answer.status().is_success(), "{what} {body}: {}", answer.status());
        answer
    }

    pub(crate) async fn fault(&self, order: Value) {
        self.control("faults", order).await;
    }

    pub(crate) async fn state(&self) -> Value {
        self.get("/_control/state?limit=10000").send().await.expect("state").json().await.expect("json")
    }

    pub(crate) async fn book(&self, provider: &str) -> Value {
        let books: Value = self.get("/_control/books").send().await.expect("books").json().await.expect("json");
        books[provider].clone()
    }

    /// Repeats a reading until it satisfies, or the patience ends.
    pub(crate) async fn until<F>(&self, what: &str, read: impl Fn() -> RequestBuilder, satisfied: F) -> Value
    where
        F: Fn(&Value) -> bool,
    {
        let mut last = json!(null);
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while tokio::time::Instant::now() < deadline {
            last = read().send().await.expect("answer").json().await.expect("json");
            if satisfied(&last) {
                return last;
            }
            tokio::time::sleep(LOOK).await;
        }
        panic!("{what} did not come; last: {last}");
    }
}

/// A callback as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Received {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON callback")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().expect("text"))
    }
}

/// Somebody who receives callbacks; it may be told to refuse some first.
pub(crate) struct Merchant {
    address: SocketAddr,
    shared: Arc<Shared>,
    running: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    received: Mutex<Vec<Received>>,
    refuse: Mutex<u32>,
}

impl Drop for Merchant {
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl Merchant {
    pub(crate) async fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let router = Router::new().fallback(receive).with_state(Arc::clone(&shared));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let running = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("the merchant listens");
        });
        Self { address, shared, running }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/hooks/{path}", self.address)
    }

    /// Answers 500 to so many callbacks.
    pub(crate) fn refuse(&self, times: u32) {
        *self.shared.refuse.lock().expect("lock") = times;
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.shared.received.lock().expect("lock").clone()
    }

    /// Waits until so many callbacks came.
    pub(crate) async fn wait(&self, count: usize) -> Vec<Received> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while tokio::time::Instant::now() < deadline {
            let received = self.received();
            if received.len() >= count {
                return received;
            }
            tokio::time::sleep(LOOK).await;
        }
        panic!("{count} callbacks did not come; {} did", self.received().len());
    }
}

async fn receive(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    shared.received.lock().expect("lock").push(Received { method, path: uri.path().to_owned(), headers, body });
    let mut refuse = shared.refuse.lock().expect("lock");
    if *refuse > 0 {
        *refuse -= 1;
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    StatusCode::OK
}
