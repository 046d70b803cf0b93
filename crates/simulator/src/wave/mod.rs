//! Wave Business: checkout, payout, balance and statement, signed webhooks. <https://docs.wave.com/business>

mod account;
mod checkout;
mod pay_page;
mod payout;
mod signature;

use crate::App;
use crate::books::Short;
use crate::callbacks::{Callback, Hand, Policy, Sign, event_id, secret};
use crate::desk::Desk;
use crate::faults::Call;
use crate::model::{Kind, Operation, Outcome, Provider, State};
use crate::wire;
use crate::world::World;
use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// A request body may weigh so much, in bytes.
const MAX_BODY_BYTES: usize = 256 * 1024;

pub(crate) static DESK: Desk = Desk {
    routes,
    call,
    callbacks,
    short,
    refused: |op| match op.kind {
        Kind::Collection => Outcome::Decline("payment-failure".to_owned()),
        Kind::Payout => Outcome::Refuse("recipient-account-inactive".to_owned()),
    },
    expired: "expired",
    transaction_id: |_| format!("T_{}", wire::random_text(b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789", 10)),
};

fn routes() -> Router<Arc<App>> {
    let api = Router::new()
        .route("/v1/checkout/sessions", post(checkout::create).get(checkout::of_transaction))
        .route("/v1/checkout/sessions/search", get(checkout::search))
        .route("/v1/checkout/sessions/{id}", get(checkout::read))
        .route("/v1/checkout/sessions/{id}/expire", post(checkout::expire))
        .route("/v1/checkout/sessions/{id}/refund", post(checkout::refund))
        .route("/v1/payout", post(payout::create))
        .route("/v1/payout/{id}", get(payout::read))
        .route("/v1/payout/{id}/reverse", post(payout::reverse))
        .route("/v1/payouts/search", get(payout::search))
        .route("/v1/payout-batch", post(payout::create_batch))
        .route("/v1/payout-batch/{id}", get(payout::read_batch))
        .route("/v1/payouts-batch/{id}", get(payout::read_batch))
        .route("/v1/verify_recipient", post(account::verify_recipient))
        .route("/v1/verify_recipient/", post(account::verify_recipient))
        .route("/v1/balance", get(account::balance))
        .route("/v1/transactions", get(account::transactions))
        .route("/v1/transactions/{id}/refund", post(account::refund));
    Router::new()
        .merge(api.layer(middleware::from_fn(no_cache)))
        .route("/pay/c/{id}", get(pay_page::show).post(pay_page::act))
        .fallback(|| async { error(StatusCode::NOT_FOUND, "not-found", "No such resource") })
}

async fn no_cache(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert("cache-control", http::HeaderValue::from_static("no-store"));
    response
}

fn call(method: &Method, path: &str, _body: &[u8]) -> Call {
    match (method, path) {
        (&Method::POST, "/v1/checkout/sessions") => Call::Collect,
        (&Method::POST, "/v1/payout" | "/v1/payout-batch") => Call::Payout,
        (&Method::GET, p) if p.starts_with("/v1/checkout/") || p.starts_with("/v1/payout") => Call::Read,
        _ => Call::Other,
    }
}

fn short(op: &Operation, short: Short) -> Outcome {
    let reason = "insufficient-funds".to_owned();
    match (op.kind, short) {
        (Kind::Collection, Short::Customer) => Outcome::Decline(reason),
        _ => Outcome::Refuse(reason),
    }
}

/// An error as all Wave interfaces give it.
fn error(status: StatusCode, code: &str, message: &str) -> Response {
    (status, axum::Json(json!({"code": code, "message": message}))).into_response()
}

fn invalid(field: &str, message: &str) -> Response {
    let body = json!({
        "code": "request-validation-error",
        "message": "Request invalid",
        "details": [{"loc": [field], "msg": message}],
    });
    (StatusCode::BAD_REQUEST, axum::Json(body)).into_response()
}

/// A call that was let in: its body, and the world to act on.
struct Admitted {
    app: Arc<App>,
    headers: HeaderMap,
    body: bytes::Bytes,
}

impl Admitted {
    /// The body as a JSON object.
    fn json(&self) -> Result<Value, Response> {
        match serde_json::from_slice::<Value>(&self.body) {
            Ok(value) if value.is_object() => Ok(value),
            Ok(_) => Err(error(StatusCode::BAD_REQUEST, "request-parsing-error", "The body is not an object")),
            Err(_) => Err(error(StatusCode::BAD_REQUEST, "request-not-json", "The body is not JSON")),
        }
    }
}

/// Who may call: the key, and the signature when the key demands one.
impl axum::extract::FromRequest<Arc<App>> for Admitted {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let keys = app.world().settings.credentials.wave.clone();
        let refuse = |code: &str, message: &str| error(StatusCode::UNAUTHORIZED, code, message);
        let Some(authorization) = wire::header(&parts.headers, "authorization") else {
            return Err(refuse("missing-auth-header", "The Authorization header is missing"));
        };
        let Some(key) = authorization.strip_prefix("Bearer") else {
            return Err(refuse("invalid-auth", "The Authorization header is not of the form Bearer <api key>"));
        };
        if key.trim().is_empty() {
            return Err(refuse("api-key-not-provided", "No API key was given"));
        }
        if !wire::same(key.trim(), &keys.api_key) {
            return Err(refuse("no-matching-api-key", "This API key does not exist"));
        }
        let body = axum::body::to_bytes(body, MAX_BODY_BYTES)
            .await
            .map_err(|_| error(StatusCode::BAD_REQUEST, "request-parsing-error", "The body cannot be read"))?;
        if let Some(secret) = &keys.request_signing_secret {
            let now = app.world().now_ms() / 1_000;
            let given = wire::header(&parts.headers, signature::HEADER).unwrap_or("");
            if !signature::holds(secret, given, &body, now) {
                return Err(refuse("invalid-auth", "The Wave-Signature header does not match"));
            }
        }
        Ok(Self { app: Arc::clone(app), headers: parts.headers, body })
    }
}

/// Where the page of a session is.
fn launch_url(world: &World, id: &str) -> String {
    format!("{}/wave/pay/c/{id}", world.settings.base_url)
}

fn callbacks(world: &World, op: &Operation, hand: Hand) -> Vec<Callback> {
    let Some(url) = world.callbacks.0.get(&Provider::Wave) else { return Vec::new() };
    if op.kind != Kind::Collection {
        return Vec::new(); // Wave has no payout webhook.
    }
    let kind = match (op.state, &op.reason) {
        _ if op.text("receipt").is_some() => "merchant.payment_received",
        (State::Succeeded, _) => "checkout.session.completed",
        (State::Pending, Some(_)) => "checkout.session.payment_failed",
        _ => return Vec::new(),
    };
    let data = if op.text("receipt").is_some() { account::receipt(op) } else { checkout::session(world, op) };
    let body = json!({"id": event_id("EV_", op, kind), "type": kind, "data": data});
    let secrets = &world.settings.credentials.wave.webhook_secrets;
    let secrets: Vec<String> = secrets.iter().map(|s| secret(hand, s)).collect();
    let sign: Sign = Arc::new(move |signing| {
        let header = signature::header(&secrets, signing.now_ms / 1_000, signing.body);
        vec![(signature::HEADER, header)]
    });
    // Three days of retries in life; eleven attempts over three minutes here.
    let policy = Policy { attempts: 11, first_wait: Duration::from_secs(1), accepts: |s| s / 100 == 2 };
    vec![Callback::json(op, url.clone(), &body, sign, policy)]
}

/// The text of a field that must be there.
fn required<'v>(body: &'v Value, field: &str) -> Result<&'v str, Response> {
    match body.get(field) {
        None | Some(Value::Null) => Err(invalid(field, "field required")),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(invalid(field, "str type expected")),
    }
}

/// The text of a field that may be there, no longer than so many characters.
fn optional(body: &Value, field: &str, longest: usize) -> Result<Option<String>, Response> {
    match body.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.chars().count() <= longest => Ok(Some(text.clone())),
        Some(Value::String(_)) => Err(invalid(field, "ensure this value is not longer")),
        Some(_) => Err(invalid(field, "str type expected")),
    }
}

fn amount(body: &Value, field: &str) -> Result<i64, Response> {
    wire::parse_amount(required(body, field)?).ok_or_else(|| invalid(field, "a whole amount as a string is expected"))
}

fn currency(body: &Value) -> Result<(), Response> {
    match required(body, "currency")? {
        "XOF" => Ok(()),
        _ => Err(error(StatusCode::BAD_REQUEST, "currency-mismatch", "The wallet's currency is XOF")),
    }
}
