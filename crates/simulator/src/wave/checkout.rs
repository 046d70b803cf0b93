//! Checkout sessions: a Wave user pays us.

use super::{Admitted, amount, currency, error, invalid, optional, required};
use crate::model::{Kind, Operation, Outcome, Provider, Refusal, State};
use crate::wire;
use crate::world::World;
use axum::Json;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

/// How long a session lives, in milliseconds.
const LIFE_MS: i64 = 30 * 60 * 1_000;
/// Who pays when the session does not say who must: anybody.
pub(super) const WALK_IN: &str = "+2250700000001";

/// `POST /v1/checkout/sessions`. No idempotency key here: two calls are two sessions.
pub(super) async fn create(call: Admitted) -> Response {
    match new_session(&call) {
        Ok(session) => session,
        Err(refused) => refused,
    }
}

fn new_session(call: &Admitted) -> Result<Response, Response> {
    let body = call.json()?;
    let amount = amount(&body, "amount")?;
    currency(&body)?;
    let success_url = return_url(&body, "success_url")?;
    let error_url = return_url(&body, "error_url")?;
    let reference = optional(&body, "client_reference", 255)?;
    let payer = optional(&body, "restrict_payer_mobile", 20)?;
    if payer.as_ref().is_some_and(|p| !wire::is_e164(p)) {
        return Err(invalid("restrict_payer_mobile", "invalid phone number"));
    }
    let mut world = call.app.world();
    let id = format!("cos-{}", wire::random_id(13));
    let mut op = Operation::new(Provider::Wave, Kind::Collection, id, amount, world.now_ms());
    op.reference = reference.clone().unwrap_or_default();
    op.customer = payer.clone().unwrap_or_else(|| WALK_IN.to_owned());
    op.expires_ms = Some(op.created_ms + LIFE_MS);
    op.data = json!({
        "client_reference": reference,
        "restrict_payer_mobile": payer,
        "aggregated_merchant_id": optional(&body, "aggregated_merchant_id", 255)?,
        "success_url": success_url,
        "error_url": error_url,
    });
    match op.amount_trigger() {
        1 => world.plan(&mut op, Outcome::Decline("insufficient-funds".to_owned())),
        2 => world.plan(&mut op, Outcome::Decline("kyb-limits-exceeded".to_owned())),
        4 => {}
        _ => world.plan(&mut op, Outcome::Approve),
    }
    let op = world.create(op).map_err(|_| unavailable())?;
    if op.amount_trigger() == 3 {
        return Err(unavailable());
    }
    Ok(Json(session(&world, &op)).into_response())
}

/// Wave wants https; a merchant under test on the same machine has none.
fn return_url(body: &Value, field: &str) -> Result<String, Response> {
    let url = required(body, field)?;
    let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"].iter().any(|l| url.starts_with(l));
    if url.starts_with("https://") || local {
        Ok(url.to_owned())
    } else {
        Err(invalid(field, "invalid or missing URL scheme"))
    }
}

fn unavailable() -> Response {
    error(StatusCode::SERVICE_UNAVAILABLE, "service-unavailable", "Try again later")
}

fn unknown() -> Response {
    error(StatusCode::NOT_FOUND, "checkout-session-not-found", "No such checkout session")
}

/// A session as Wave shows it.
pub(super) fn session(world: &World, op: &Operation) -> Value {
    let checkout_status = match op.state {
        State::Pending => "open",
        State::Succeeded | State::Reversed => "complete",
        State::Failed | State::Expired => "expired",
    };
    let payment_status = match (op.state, &op.reason) {
        (State::Succeeded | State::Reversed, _) => "succeeded",
        (State::Pending, None) => "processing",
        _ => "cancelled",
    };
    let last_error = op.reason.as_ref().filter(|_| op.state == State::Pending || op.text("last_error").is_some());
    json!({
        "id": op.id,
        "amount": op.amount.to_string(),
        "checkout_status": checkout_status,
        "client_reference": op.data.get("client_reference"),
        "currency": op.currency,
        "error_url": op.data.get("error_url"),
        "last_payment_error": last_error.map(|code| json!({"code": code, "message": "The payment did not go through"})),
        "business_name": "Hostolink",
        "payment_status": payment_status,
        "transaction_id": op.transaction_id,
        "aggregated_merchant_id": op.data.get("aggregated_merchant_id"),
        "restrict_payer_mobile": op.data.get("restrict_payer_mobile"),
        "success_url": op.data.get("success_url"),
        "wave_launch_url": super::launch_url(world, &op.id),
        "when_completed": op.completed_ms.filter(|_| checkout_status == "complete").map(wire::iso),
        "when_created": wire::iso(op.created_ms),
        "when_expires": op.expires_ms.map(wire::iso),
    })
}

/// Keeps receipts and payouts out of the sessions' paths.
fn find<'w>(world: &'w World, id: &str) -> Option<&'w Operation> {
    world.get(Provider::Wave, id).filter(|op| op.kind == Kind::Collection && op.text("receipt").is_none())
}

/// `GET /v1/checkout/sessions/{id}`
pub(super) async fn read(Path(id): Path<String>, call: Admitted) -> Response {
    let world = call.app.world();
    find(&world, &id).map_or_else(unknown, |op| Json(session(&world, op)).into_response())
}

#[derive(Deserialize)]
pub(super) struct OfTransaction {
    transaction_id: Option<String>,
}

/// `GET /v1/checkout/sessions?transaction_id=`
pub(super) async fn of_transaction(Query(query): Query<OfTransaction>, call: Admitted) -> Response {
    let Some(transaction) = query.transaction_id else { return invalid("transaction_id", "field required") };
    let world = call.app.world();
    let moved = world.movements(Provider::Wave).find(|m| m.id == transaction);
    let op = moved.and_then(|m| find(&world, &m.operation));
    op.map_or_else(unknown, |op| Json(session(&world, op)).into_response())
}

#[derive(Deserialize)]
pub(super) struct Search {
    pub(super) client_reference: Option<String>,
}

/// `GET /v1/checkout/sessions/search?client_reference=`
pub(super) async fn search(Query(query): Query<Search>, call: Admitted) -> Response {
    let Some(reference) = query.client_reference else { return invalid("client_reference", "field required") };
    let world = call.app.world();
    let found = world.with_reference(Provider::Wave, &reference);
    let result: Vec<Value> = found.filter(|op| op.kind == Kind::Collection).map(|op| session(&world, op)).collect();
    Json(json!({"result": result})).into_response()
}

/// `POST /v1/checkout/sessions/{id}/expire`
pub(super) async fn expire(Path(id): Path<String>, call: Admitted) -> Response {
    if find(&call.app.world(), &id).is_none() {
        return unknown();
    }
    match call.app.settle(&(Provider::Wave, id), Outcome::Expire) {
        Ok(_) => StatusCode::OK.into_response(),
        Err(_) => error(StatusCode::CONFLICT, "checkout-session-not-open", "The session is complete or expired"),
    }
}

/// `POST /v1/checkout/sessions/{id}/refund`
pub(super) async fn refund(Path(id): Path<String>, call: Admitted) -> Response {
    let mut world = call.app.world();
    let Some(op) = find(&world, &id) else { return unknown() };
    if op.state == State::Reversed {
        return StatusCode::OK.into_response();
    }
    match world.reverse(&(Provider::Wave, id)) {
        Ok(_) => StatusCode::OK.into_response(),
        Err(Refusal::FloatFunds) => error(StatusCode::BAD_REQUEST, "checkout-refund-failed", "Not enough funds"),
        Err(_) => error(StatusCode::BAD_REQUEST, "checkout-refund-failed", "The session was not paid"),
    }
}
