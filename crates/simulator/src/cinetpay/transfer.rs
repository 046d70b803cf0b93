//! Transfers, and our balance.

use super::auth::admit;
use super::{CINETPAY, METHODS, amount, code, error, find, invalid, of_amount, text, unavailable, user, word};
use crate::App;
use crate::books::fee;
use crate::model::{Kind, Operation};
use crate::wire;
use crate::world::World;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

/// The bounds of a transfer, in francs.
const LEAST: i64 = 500;
const MOST: i64 = 1_500_000;
/// What CinetPay keeps of a transfer, in basis points.
const FEE_BASIS_POINTS: i64 = 100;

/// `POST /v1/transfer`
pub(super) async fn create(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    let mut world = app.world();
    match new_transfer(&mut world, &headers, &body) {
        Ok(op) => {
            let mut answer = shown(&op);
            answer["notify_token"] = json!(op.data.get("notify_token"));
            Json(answer).into_response()
        }
        Err(refused) => refused,
    }
}

fn new_transfer(world: &mut World, headers: &HeaderMap, body: &[u8]) -> Result<Operation, Response> {
    admit(world, headers)?;
    let body: Value = serde_json::from_slice(body).map_err(|_| invalid("body"))?;
    if text(&body, "currency", 3)? != "XOF" {
        return Err(invalid("currency"));
    }
    let amount = amount(&body, LEAST, MOST)?;
    let reference = text(&body, "merchant_transaction_id", 30)?;
    let phone = text(&body, "phone_number", 20)?;
    if !wire::is_e164(phone) {
        return Err(invalid("phone_number"));
    }
    if !METHODS.contains(&text(&body, "payment_method", 20)?) {
        return Err(invalid("payment_method"));
    }
    let reason = text(&body, "reason", 255)?;
    let notify = text(&body, "notify_url", 120)?;
    if world.with_reference(CINETPAY, reference).next().is_some() {
        return Err(error(StatusCode::CONFLICT, 1_200, "The transaction exists already"));
    }
    let mut op = Operation::new(CINETPAY, Kind::Payout, wire::random_uuid(), amount, world.now_ms());
    op.fee = fee(amount, FEE_BASIS_POINTS);
    op.reference = reference.to_owned();
    op.customer = phone.to_owned();
    op.callback_url = Some(notify.to_owned());
    op.data = json!({
        "resource": "transfer",
        "reason": reason,
        "payment_method": body.get("payment_method"),
        "notify_token": wire::random_id(32),
        "opened": "true",
    });
    if let Some(outcome) = of_amount(&op) {
        world.plan(&mut op, outcome);
    }
    world.create(op).map_err(|_| unavailable())
}

fn shown(op: &Operation) -> Value {
    let state = code(op);
    json!({
        "code": state,
        "status": word(state),
        "merchant_transaction_id": op.reference,
        "transaction_id": op.id,
        "amount": op.amount.to_string(),
        "fee_amount": op.fee.to_string(),
        "phone_number": op.customer,
        "currency": op.currency,
    })
}

/// `GET /v1/transfer/{id}`
pub(super) async fn read(Path(id): Path<String>, State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let world = app.world();
    if let Err(refused) = admit(&world, &headers) {
        return refused;
    }
    let Some(op) = find(&world, &id, "transfer") else {
        return error(StatusCode::NOT_FOUND, 404, "The transaction does not exist");
    };
    let mut body = shown(op);
    body["user"] = user(op);
    Json(body).into_response()
}

/// `GET /v1/balances`
pub(super) async fn balance(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let mut world = app.world();
    if let Err(refused) = admit(&world, &headers) {
        return refused;
    }
    let float = world.book(CINETPAY).float.to_string();
    Json(json!({"code": 200, "status": word(200), "available_balance": float, "currency": "XOF"})).into_response()
}
