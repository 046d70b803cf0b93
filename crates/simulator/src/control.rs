//! `/_control`: what a test orders and asks.

use crate::books::Book;
use crate::callbacks::{Hand, altered, claimed};
use crate::faults::Order;
use crate::model::{Kind, Operation, Outcome, Provider, Refusal, State as OperationState};
use crate::page::refused_origin;
use crate::{App, Callbacks, wire};
use axum::extract::{Query, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// Operations shown when the question does not say how many, and at most.
const DEFAULT_SHOWN: usize = 500;
const MAX_SHOWN: usize = 100_000;
/// The clock goes forward by so much at most, in milliseconds (a year).
const MAX_ADVANCE_MS: u64 = 366 * 24 * 3_600 * 1_000;

pub(crate) fn routes() -> Router<Arc<App>> {
    let control = Router::new()
        .route("/faults", post(order_fault).delete(clear_faults))
        .route("/approve", post(approve))
        .route("/refuse", post(refuse))
        .route("/expire", post(expire))
        .route("/forge", post(forge))
        .route("/receive", post(receive))
        .route("/float", post(set_float))
        .route("/rotate", post(rotate))
        .route("/root", post(root))
        .route("/auto_approve", post(auto_approve))
        .route("/callbacks", post(set_callback))
        .route("/clock", post(advance))
        .route("/reset", post(reset))
        .route("/state", get(state))
        .route("/books", get(books))
        .route("/messages", get(messages))
        .layer(middleware::from_fn(own_origin));
    Router::new().nest("/_control", control)
}

/// A page of another site must not give orders through a developer's browser.
async fn own_origin(request: Request, next: Next) -> Response {
    match refused_origin(request.headers()) {
        Some(refused) => refused,
        None => next.run(request).await,
    }
}

fn problem(refusal: Refusal) -> Response {
    let (status, code) = match refusal {
        Refusal::Unknown => (StatusCode::NOT_FOUND, "unknown_operation"),
        Refusal::WrongState => (StatusCode::CONFLICT, "wrong_state"),
        Refusal::CustomerFunds => (StatusCode::CONFLICT, "customer_funds"),
        Refusal::FloatFunds => (StatusCode::CONFLICT, "float_funds"),
        Refusal::Full => (StatusCode::INSUFFICIENT_STORAGE, "full"),
    };
    (status, Json(json!({"code": code}))).into_response()
}

async fn order_fault(State(app): State<Arc<App>>, Json(order): Json<Order>) -> Response {
    match app.world().order_fault(order) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refusal) => problem(refusal),
    }
}

async fn clear_faults(State(app): State<Arc<App>>) -> StatusCode {
    app.world().faults.clear();
    StatusCode::NO_CONTENT
}

/// Which operation: by the operator's id, or by the merchant's reference (the newest one that carries it).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Which {
    provider: Provider,
    reference: String,
    /// The failure's code, for a refusal.
    reason: Option<String>,
    /// Lets a failed operation succeed.
    #[serde(default)]
    force: bool,
}

impl Which {
    fn find(&self, app: &App) -> Option<Operation> {
        let world = app.world();
        let by_id = world.get(self.provider, &self.reference);
        by_id.or_else(|| world.with_reference(self.provider, &self.reference).last()).cloned()
    }
}

fn settle(app: &App, which: &Which, outcome: impl FnOnce(&Operation) -> Outcome) -> Response {
    let Some(op) = which.find(app) else { return problem(Refusal::Unknown) };
    match app.settle_by(&op.key(), outcome(&op), which.force) {
        Ok(op) => Json(op).into_response(),
        Err(refusal) => problem(refusal),
    }
}

async fn approve(State(app): State<Arc<App>>, Json(which): Json<Which>) -> Response {
    settle(&app, &which, |_| Outcome::Approve)
}

async fn refuse(State(app): State<Arc<App>>, Json(which): Json<Which>) -> Response {
    settle(&app, &which, |op| match &which.reason {
        Some(reason) => Outcome::Refuse(reason.clone()),
        None => (op.provider.desk().refused)(op),
    })
}

async fn expire(State(app): State<Arc<App>>, Json(which): Json<Which>) -> Response {
    settle(&app, &which, |_| Outcome::Expire)
}

/// A callback that claims success, at any moment: with a wrong signature, or well signed with another amount.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Forgery {
    provider: Provider,
    reference: String,
    #[serde(default)]
    altered_amount: bool,
}

async fn forge(State(app): State<Arc<App>>, Json(forgery): Json<Forgery>) -> Response {
    let Forgery { provider, reference, altered_amount } = forgery;
    let which = Which { provider, reference, reason: None, force: false };
    let Some(op) = which.find(&app) else { return problem(Refusal::Unknown) };
    let made = {
        let world = app.world();
        let make = provider.desk().callbacks;
        if altered_amount {
            make(&world, &altered(&claimed(&op)), Hand::Genuine)
        } else {
            make(&world, &claimed(&op), Hand::Forged)
        }
    };
    let sent = made.len();
    app.send(made);
    Json(json!({"sent": sent})).into_response()
}

/// Somebody pays us without having been asked: a scan of our code, an incoming transfer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Receipt {
    provider: Provider,
    amount: i64,
    sender: String,
    #[serde(default)]
    reference: String,
}

async fn receive(State(app): State<Arc<App>>, Json(receipt): Json<Receipt>) -> Response {
    if receipt.amount <= 0 || receipt.amount > 1_000_000_000_000 {
        return problem(Refusal::CustomerFunds);
    }
    let created = {
        let mut world = app.world();
        let now = world.now_ms();
        let id = format!("rcv-{}", wire::random_id(13));
        let mut op = Operation::new(receipt.provider, Kind::Collection, id, receipt.amount, now);
        op.customer = receipt.sender;
        op.reference = receipt.reference;
        op.data = json!({"receipt": "true"});
        world.create(op)
    };
    match created.and_then(|op| app.settle(&op.key(), Outcome::Approve)) {
        Ok(op) => Json(op).into_response(),
        Err(refusal) => problem(refusal),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Float {
    provider: Provider,
    amount: i64,
}

/// Sets what our business owns there, as if the treasury had moved money.
async fn set_float(State(app): State<Arc<App>>, Json(float): Json<Float>) -> StatusCode {
    let mut world = app.world();
    let book = world.book(float.provider);
    book.float_opening += float.amount - book.float;
    book.float = float.amount;
    world.save_books();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Root {
    provider: Provider,
}

/// Serves an operator also at the root of an address of its own.
async fn root(State(app): State<Arc<App>>, Json(order): Json<Root>) -> Response {
    let served = app.world().roots.get(&order.provider).copied();
    let address = match served {
        Some(address) => address,
        None => match open_root(&app, order.provider).await {
            Ok(address) => address,
            Err(refusal) => return problem(refusal),
        },
    };
    Json(json!({"url": format!("http://{address}")})).into_response()
}

async fn open_root(app: &App, provider: Provider) -> Result<SocketAddr, Refusal> {
    let listener = TcpListener::bind((app.ip, 0)).await.map_err(|_| Refusal::Full)?;
    let address = listener.local_addr().map_err(|_| Refusal::Full)?;
    app.roots.try_send((provider, listener)).map_err(|_| Refusal::Full)?;
    app.world().roots.insert(provider, address);
    Ok(address)
}

/// Lets pawaPay sign with a new key.
async fn rotate(State(app): State<Arc<App>>) -> Response {
    match crate::pawapay::rotate_keys(&app) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refusal) => problem(refusal),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AutoApprove {
    after_ms: Option<u64>,
}

async fn auto_approve(State(app): State<Arc<App>>, Json(order): Json<AutoApprove>) -> StatusCode {
    app.world().auto_approve_after = order.after_ms.map(Duration::from_millis);
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetCallback {
    provider: Provider,
    url: Option<String>,
}

async fn set_callback(State(app): State<Arc<App>>, Json(order): Json<SetCallback>) -> StatusCode {
    let mut world = app.world();
    let Callbacks(urls) = &mut world.callbacks;
    match order.url {
        Some(url) => urls.insert(order.provider, url),
        None => urls.remove(&order.provider),
    };
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Advance {
    advance_ms: u64,
}

/// Moves the operators' clock forward.
async fn advance(State(app): State<Arc<App>>, Json(order): Json<Advance>) -> Response {
    let mut world = app.world();
    let step = i64::try_from(order.advance_ms.min(MAX_ADVANCE_MS)).unwrap_or(0);
    world.clock_offset_ms = world.clock_offset_ms.saturating_add(step);
    Json(json!({"now": wire::iso_ms(world.now_ms())})).into_response()
}

async fn reset(State(app): State<Arc<App>>) -> Response {
    match app.world().reset() {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => {
            tracing::error!(%error, "the simulator cannot be reset");
            problem(Refusal::Full)
        }
    }
}

#[derive(Deserialize)]
struct Shown {
    provider: Option<Provider>,
    reference: Option<String>,
    limit: Option<usize>,
}

async fn state(State(app): State<Arc<App>>, Query(shown): Query<Shown>) -> Json<Value> {
    let world = app.world();
    let limit = shown.limit.unwrap_or(DEFAULT_SHOWN).min(MAX_SHOWN);
    let wanted = |op: &&Operation| {
        shown.provider.is_none_or(|p| p == op.provider)
            && shown.reference.as_ref().is_none_or(|r| *r == op.reference || *r == op.id)
    };
    let operations: Vec<&Operation> = world.operations().filter(wanted).take(limit).collect();
    let deliveries: Vec<_> = world.deliveries.iter().rev().take(limit).collect();
    Json(json!({
        "now": wire::iso_ms(world.now_ms()),
        "autoApproveAfterMs": world.auto_approve_after.map(|d| d.as_millis()),
        "callbacks": world.callbacks,
        "faults": world.faults,
        "operations": operations,
        "deliveries": deliveries,
        "books": summaries(world.books(), world.operations()),
    }))
}

async fn books(State(app): State<Arc<App>>) -> Json<Value> {
    let world = app.world();
    Json(summaries(world.books(), world.operations()))
}

async fn messages(State(app): State<Arc<App>>) -> Json<Value> {
    Json(json!({"messages": app.world().messages}))
}

/// Each book with the counts of its operations, so that one look tells whether all is well.
fn summaries<'o>(books: &BTreeMap<Provider, Book>, operations: impl Iterator<Item = &'o Operation>) -> Value {
    let mut counts: BTreeMap<Provider, BTreeMap<&'static str, u64>> = BTreeMap::new();
    for op in operations {
        let of_provider = counts.entry(op.provider).or_default();
        *of_provider.entry(word(op.state)).or_default() += 1;
        if op.executions > 1 {
            *of_provider.entry("executedTwice").or_default() += 1;
        }
    }
    let each = books.iter().map(|(provider, book)| {
        let mut shown = serde_json::to_value(book).unwrap_or_default();
        shown["balanced"] = json!(book.balanced());
        shown["operations"] = json!(counts.get(provider));
        (provider.name().to_owned(), shown)
    });
    Value::Object(each.collect())
}

pub(crate) const fn word(state: OperationState) -> &'static str {
    match state {
        OperationState::Pending => "pending",
        OperationState::Succeeded => "succeeded",
        OperationState::Failed => "failed",
        OperationState::Expired => "expired",
        OperationState::Reversed => "reversed",
    }
}
