//! Connectors against the simulated operators: real HTTP, the operators' own books, faults on order.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    body::Bytes,
    extract::{Request, State},
};
use providers::{
    Secret,
    mobile_money::{
        Answer, Collect, CollectOrder, Delivery, Handle, Notice, Observed, OperationState, Outcome, Party, Payout,
        PayoutOrder, Rejected, Started, WalletKind, Webhook,
    },
};
use serde_json::{Value, json};
use simulator::{Callbacks, Options, Provider};
use tokio::{sync::oneshot, task::JoinHandle, time::Instant};
use uuid::{Builder, Uuid};

use crate::peers::serve;

/// Longest wait for something that must come.
const PATIENCE: Duration = Duration::from_secs(15);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(30);

/// The simulated operators, and the hook to which they report.
pub(crate) struct Operators {
    pub(crate) url: String,
    pub(crate) hooks: Hooks,
    control: reqwest::Client,
    running: JoinHandle<()>,
}

impl Drop for Operators {
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl Operators {
    pub(crate) async fn start(provider: Provider) -> Self {
        // Building a connector would do it as well; the control client may come first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let hooks = Hooks::start().await;
        let callbacks = Callbacks([(provider, hooks.url.clone())].into());
        let auto_approve_after = Some(Duration::from_millis(50));
        let (ready, address) = oneshot::channel();
        let options = Options { callbacks, auto_approve_after, ..Options::default() };
        let serving = simulator::serve(options, ready, std::future::pending());
        let running = tokio::spawn(async move { serving.await.unwrap() });
        let url = format!("http://{}", address.await.unwrap());
        let control = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { url, hooks, control, running }
    }

    /// Base address of one operator's interface.
    pub(crate) fn base(&self, provider: Provider) -> String {
        format!("{}/{}", self.url, provider.name())
    }

    pub(crate) async fn order(&self, what: &str, body: Value) {
        let sent = self.control.post(format!("{}/_control/{what}", self.url)).body(body.to_string());
        let answer = sent.header("content-type", "application/json").send().await.unwrap();
        assert!(answer.status().is_success(), "{what}: {}", answer.status());
    }

    /// How many operations with this reference moved money in the operator's own books.
    pub(crate) async fn executed(&self, reference: &str) -> usize {
        let url = format!("{}/_control/state?limit=1000", self.url);
        let text = self.control.get(url).send().await.unwrap().text().await.unwrap();
        let state: Value = serde_json::from_str(&text).unwrap();
        let operations = state["operations"].as_array().unwrap();
        let moved = |one: &&Value| one["state"] == "succeeded" && one.to_string().contains(reference);
        operations.iter().filter(moved).count()
    }
}

/// Our hook: keeps what arrives.
#[derive(Clone)]
pub(crate) struct Hooks {
    url: String,
    received: Arc<Mutex<Vec<Received>>>,
}

/// A webhook that arrived.
#[derive(Clone)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl Received {
    pub(crate) fn delivery(&self) -> Delivery<'_> {
        Delivery { method: &self.method, path: &self.path, headers: &self.headers, body: &self.body }
    }
}

impl Hooks {
    async fn start() -> Self {
        let received = Arc::new(Mutex::new(Vec::new()));
        let keep = Arc::clone(&received);
        let address = serve(axum::Router::new().fallback(receive).with_state(keep)).await;
        Self { url: format!("http://{address}/hooks"), received }
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// The webhooks so far, once there are so many.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Received> {
        let end = Instant::now() + PATIENCE;
        loop {
            let received = self.received.lock().unwrap().clone();
            if received.len() >= count {
                return received;
            }
            assert!(Instant::now() < end, "{count} webhooks did not come, {} did", received.len());
            tokio::time::sleep(LOOK).await;
        }
    }
}

async fn receive(State(received): State<Arc<Mutex<Vec<Received>>>>, request: Request) {
    let (parts, body) = request.into_parts();
    let text = |value: &axum::http::HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let body = axum::body::to_bytes(body, 1024 * 1024).await.unwrap();
    let (method, path) = (parts.method.to_string(), parts.uri.path().to_owned());
    received.lock().unwrap().push(Received { method, path, headers, body });
}

/// A version 4 identifier that is this number's.
pub(crate) fn key(number: u128) -> Uuid {
    Builder::from_random_bytes(number.wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835).to_be_bytes()).into_uuid()
}

pub(crate) fn deposit(reference: &str, wallet: WalletKind, phone: &str, amount_francs: i64) -> CollectOrder {
    CollectOrder {
        reference: reference.to_owned(),
        key: key(u128::from(reference.bytes().map(u64::from).sum::<u64>())),
        amount_francs,
        payer: Party::Phone(phone.to_owned()),
        wallet,
        label: "Depot Hostolink".to_owned(),
        code: Some(Secret::new("1234")),
        success_url: "https://app.hostolink.ci/pay/ok".to_owned(),
        failure_url: "https://app.hostolink.ci/pay/ko".to_owned(),
        callback_url: None,
    }
}

pub(crate) fn withdrawal(reference: &str, wallet: WalletKind, phone: &str, amount_francs: i64) -> PayoutOrder {
    PayoutOrder {
        reference: reference.to_owned(),
        key: key(u128::from(reference.bytes().map(u64::from).sum::<u64>())),
        amount_francs,
        beneficiary: Party::Phone(phone.to_owned()),
        wallet,
        name: None,
        label: "Retrait Hostolink".to_owned(),
        callback_url: None,
    }
}

pub(crate) fn known<T: std::fmt::Debug>(answer: Answer<T>) -> T {
    match answer.outcome {
        Outcome::Known(value) => value,
        other => panic!("{other:?} after {:#?}", answer.exchanges),
    }
}

/// Reads until the operation is final.
pub(crate) async fn final_collect(connector: &dyn Collect, handle: &Handle) -> Observed {
    let end = Instant::now() + PATIENCE;
    loop {
        let observed = known(connector.state(handle).await).expect("the operation exists");
        if observed.state != OperationState::Pending {
            return observed;
        }
        assert!(Instant::now() < end, "still pending");
        tokio::time::sleep(LOOK).await;
    }
}

/// Reads until the operation is final.
pub(crate) async fn final_payout(connector: &dyn Payout, handle: &Handle) -> Observed {
    let end = Instant::now() + PATIENCE;
    loop {
        let observed = known(connector.state(handle).await).expect("the operation exists");
        if observed.state != OperationState::Pending {
            return observed;
        }
        assert!(Instant::now() < end, "still pending");
        tokio::time::sleep(LOOK).await;
    }
}

/// A deposit from request to success, agreeing with its order, moved exactly once in the operator's books.
pub(crate) async fn deposit_succeeds(operators: &Operators, connector: &dyn Collect, order: &CollectOrder) -> Started {
    let started = known(connector.request_payment(order).await);
    assert_eq!(started.observed.state, OperationState::Pending, "{started:?}");
    let observed = final_collect(connector, &started.handle).await;
    assert_eq!(observed.state, OperationState::Succeeded);
    assert_eq!(observed.disagreement(&started.handle, &order.payer, "XOF"), None);
    assert_eq!(operators.executed(&order.reference).await, 1);
    started
}

/// A withdrawal from order to success, agreeing with its order, moved exactly once in the operator's books.
pub(crate) async fn withdrawal_succeeds(operators: &Operators, connector: &dyn Payout, order: &PayoutOrder) {
    let started = known(connector.send(order).await);
    let observed = final_payout(connector, &started.handle).await;
    assert_eq!(observed.state, OperationState::Succeeded);
    assert_eq!(observed.disagreement(&started.handle, &order.beneficiary, "XOF"), None);
    assert_eq!(operators.executed(&order.reference).await, 1);
}

/// The operator executes and its answer is lost: unknown, then found by our reference, then harmless to repeat.
pub(crate) async fn lost_payout_is_found(
    operators: &Operators,
    provider: Provider,
    connector: &dyn Payout,
    order: &PayoutOrder,
) {
    let fault = json!({ "provider": provider, "call": "payout", "kind": "status_503_after_execution" });
    operators.order("faults", fault).await;
    let lost = connector.send(order).await;
    assert_eq!(lost.outcome, Outcome::Unknown { code: "http_503".to_owned() });
    assert_eq!(lost.exchanges.last().unwrap().status, Some(503));

    let found = known(connector.find_by_reference(&order.handle()).await).expect("it was executed");
    assert!(matches!(found.state, OperationState::Succeeded | OperationState::Pending), "{found:?}");
    let handle = Handle { provider_id: found.provider_id, ..order.handle() };
    assert_eq!(final_payout(connector, &handle).await.state, OperationState::Succeeded);
    assert_eq!(operators.executed(&order.reference).await, 1);
}

/// Verifies what arrived, at this moment.
pub(crate) async fn verify(
    connector: &dyn Webhook,
    received: &Received,
    now_unix_s: i64,
) -> Result<Vec<Notice>, Rejected> {
    connector.verify(&received.delivery(), now_unix_s).await
}

/// The machine's time, as the operators see it.
pub(crate) fn now_unix_s() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}
