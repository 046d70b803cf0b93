//! Webhooks: how they are made, what a fault makes of them, and their delivery with retries.

use crate::faults::{Fault, Strike};
use crate::model::{Operation, Provider, State};
use crate::world::World;
use crate::{App, wire};
use bytes::Bytes;
use http::{Method, Request, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

/// Callbacks that may be waiting to be sent or sent again.
pub(crate) const MAX_WAITING: usize = 10_000;
/// Callbacks sent at the same time.
const MAX_SENDING: usize = 128;
/// How long the merchant may take to answer (Wave's rule, taken for all).
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// The longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// What a merchant's answer may weigh, in bytes; more is not read.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Makes the headers that depend on the moment of sending.
pub(crate) type Sign = Arc<dyn Fn(&Signing<'_>) -> Vec<(&'static str, String)> + Send + Sync>;

/// What a signature may cover.
pub(crate) struct Signing<'a> {
    pub(crate) now_ms: i64,
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) content_type: &'a str,
    pub(crate) body: &'a [u8],
}

/// How often a callback is sent and which answers end it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    pub(crate) attempts: u32,
    /// Before the second attempt; it doubles after each.
    pub(crate) first_wait: Duration,
    pub(crate) accepts: fn(u16) -> bool,
}

impl Policy {
    /// Any 2xx ends it.
    pub(crate) const fn retried(attempts: u32) -> Self {
        Self { attempts, first_wait: Duration::from_secs(1), accepts: |status| status / 100 == 2 }
    }
}

/// A callback on its way.
#[derive(Clone)]
pub(crate) struct Callback {
    pub(crate) provider: Provider,
    pub(crate) operation: String,
    pub(crate) url: String,
    pub(crate) method: Method,
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
    pub(crate) sign: Sign,
    pub(crate) policy: Policy,
    pub(crate) delay: Duration,
}

impl Callback {
    /// A JSON callback by POST.
    pub(crate) fn json(op: &Operation, url: String, body: &serde_json::Value, sign: Sign, policy: Policy) -> Self {
        Self {
            provider: op.provider,
            operation: op.id.clone(),
            url,
            method: Method::POST,
            content_type: "application/json",
            body: body.to_string(),
            sign,
            policy,
            delay: Duration::ZERO,
        }
    }

    fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

/// An event's id: the same change of the same operation is the same event, also when it is told again after a restart.
pub(crate) fn event_id(prefix: &str, op: &Operation, kind: &str) -> String {
    let change = op.completed_ms.map_or_else(|| wire::random_id(13), |at| at.to_string());
    let digest = wire::digest(format!("{} {kind} {change}", op.id).as_bytes());
    format!("{prefix}{}", digest.get(..16).unwrap_or(""))
}

/// No signature at all, as some operators do.
pub(crate) fn unsigned() -> Sign {
    Arc::new(|_| Vec::new())
}

/// An attempt to deliver, as the state page shows it. No body and no secret is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Delivery {
    pub(crate) provider: Provider,
    pub(crate) operation: String,
    pub(crate) attempt: u32,
    /// The answer's status, or none when nobody answered.
    pub(crate) status: Option<u16>,
    pub(crate) at_ms: i64,
}

/// Whether a callback is true or made up by a thief.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hand {
    Genuine,
    Forged,
}

/// A secret of the operator, or of the thief who does not know it.
pub(crate) fn secret(hand: Hand, genuine: &str) -> String {
    match hand {
        Hand::Genuine => genuine.to_owned(),
        Hand::Forged => "a-secret-that-a-thief-made-up".to_owned(),
    }
}

/// The callbacks of an operation that just changed, as the fault that waits for them makes them.
pub(crate) fn of_change(world: &mut World, op: &Operation) -> Vec<Callback> {
    let make = op.provider.desk().callbacks;
    let genuine = make(world, op, Hand::Genuine);
    if genuine.is_empty() {
        return genuine;
    }
    let made = match world.take_fault(op.provider, op.call(), Fault::strikes_callback) {
        Some(strike) => struck(world, op, genuine, strike),
        None => genuine,
    };
    world.owe(op.provider, &op.id, !made.is_empty());
    made
}

/// The callbacks that were still to be sent when the process died.
pub(crate) fn owed(world: &World) -> Vec<Callback> {
    let each = world.owed().into_iter();
    each.flat_map(|op| (op.provider.desk().callbacks)(world, &op, Hand::Genuine)).collect()
}

fn struck(world: &World, op: &Operation, genuine: Vec<Callback>, strike: Strike) -> Vec<Callback> {
    let make = op.provider.desk().callbacks;
    let wait = Duration::from_millis(strike.ms);
    let later = |list: Vec<Callback>| list.into_iter().map(|c| c.after(wait)).collect::<Vec<_>>();
    match strike.kind {
        Fault::NoCallback => Vec::new(),
        Fault::DuplicateCallback => [genuine.clone(), genuine.clone(), later(genuine)].concat(),
        Fault::LateCallback | Fault::ReorderCallbacks => later(genuine),
        Fault::AlteredAmountCallback => make(world, &altered(op), Hand::Genuine),
        Fault::ForgedCallback => [make(world, &claimed(op), Hand::Forged), later(genuine)].concat(),
        Fault::UnknownOperationCallback => {
            let mut unknown = claimed(op);
            unknown.id = format!("{}x", op.id);
            unknown.reference = format!("{}x", op.reference);
            [make(world, &unknown, Hand::Genuine), genuine].concat()
        }
        _ => genuine,
    }
}

/// The operation as if ten times its money had moved.
pub(crate) fn altered(op: &Operation) -> Operation {
    let mut altered = op.clone();
    altered.amount = op.amount.saturating_mul(10);
    altered
}

/// The operation as if it had succeeded.
pub(crate) fn claimed(op: &Operation) -> Operation {
    let mut claimed = op.clone();
    claimed.state = State::Succeeded;
    claimed.reason = None;
    claimed.completed_ms.get_or_insert(op.created_ms);
    claimed.transaction_id.get_or_insert_with(|| World::plain_transaction_id(op.created_ms));
    claimed
}

/// Sends what is put in the queue until the queue is closed.
pub(crate) async fn dispatch(app: Arc<App>, mut queue: mpsc::Receiver<Callback>) {
    let sending = Arc::new(Semaphore::new(MAX_SENDING));
    let mut waiting = JoinSet::new();
    while let Some(callback) = queue.recv().await {
        while waiting.try_join_next().is_some() {}
        if waiting.len() >= MAX_WAITING {
            tracing::warn!(provider = callback.provider.name(), "too many callbacks wait: one is dropped");
            continue;
        }
        waiting.spawn(deliver(Arc::clone(&app), Arc::clone(&sending), callback));
    }
}

async fn deliver(app: Arc<App>, sending: Arc<Semaphore>, callback: Callback) {
    tokio::time::sleep(callback.delay).await;
    let mut wait = callback.policy.first_wait;
    for attempt in 1..=callback.policy.attempts {
        let status = {
            let Ok(_permit) = sending.acquire().await else { return };
            let now_ms = app.world().now_ms();
            tokio::time::timeout(ANSWER_WITHIN, send(&callback, now_ms)).await.ok().and_then(Result::ok)
        };
        let at_ms = app.world().now_ms();
        let (provider, operation) = (callback.provider, callback.operation.clone());
        app.world().remember_delivery(Delivery { provider, operation, attempt, status, at_ms });
        if status.is_some_and(callback.policy.accepts) || attempt == callback.policy.attempts {
            app.world().owe(callback.provider, &callback.operation, false);
            return;
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// One attempt. Only plain HTTP: the merchant under test listens beside the simulator.
async fn send(callback: &Callback, now_ms: i64) -> anyhow::Result<u16> {
    let uri: Uri = callback.url.parse()?;
    anyhow::ensure!(uri.scheme_str() == Some("http"), "the simulator calls back over plain http only");
    let host = uri.host().ok_or_else(|| anyhow::anyhow!("no host"))?.trim_matches(['[', ']']).to_owned();
    let stream = TcpStream::connect((host.as_str(), uri.port_u16().unwrap_or(80))).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let _connection = AbortOnDrop(tokio::spawn(connection));
    let path = uri.path_and_query().map_or("/", |p| p.as_str());
    let authority = uri.authority().map_or("", |a| a.as_str());
    let mut request = Request::builder()
        .method(callback.method.clone())
        .uri(path)
        .header("host", authority)
        .header("content-type", callback.content_type)
        .header("user-agent", "operator-callback");
    let body = callback.body.as_bytes();
    let signing = Signing { now_ms, method: &callback.method, uri: &uri, content_type: callback.content_type, body };
    for (name, value) in (callback.sign)(&signing) {
        request = request.header(name, value);
    }
    let response = sender.send_request(request.body(Full::new(Bytes::from(callback.body.clone())))?).await?;
    let status = response.status().as_u16();
    let _rest = http_body_util::Limited::new(response.into_body(), MAX_ANSWER_BYTES).collect().await;
    Ok(status)
}

struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Hexadecimal HMAC-SHA256 of the raw body.
pub(crate) fn hex_of_body(secret: &str, body: &[u8]) -> String {
    hex::encode(wire::hmac_sha256(secret.as_bytes(), &[body]))
}
