//! Paystack, the acquirer of bank cards: a hosted page, a token afterwards, never a card number.
//! <https://paystack.com/docs/api>

mod pay_page;
mod transactions;

use crate::App;
use crate::callbacks::{Callback, Hand, Policy, Sign, secret};
use crate::desk::Desk;
use crate::faults::Call;
use crate::model::{Operation, Outcome, Provider, State};
use crate::wire;
use crate::world::World;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use sha2::Sha512;
use std::sync::Arc;

pub(crate) static DESK: Desk = Desk {
    routes,
    call,
    callbacks,
    short: |_, _| Outcome::Refuse("Insufficient Funds".to_owned()),
    refused: |_| Outcome::Refuse("Declined".to_owned()),
    expired: "abandoned",
    transaction_id: |_| wire::random_text(b"123456789", 10),
};

const PAYSTACK: Provider = Provider::Paystack;

fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/transaction/initialize", post(transactions::initialize))
        .route("/transaction/verify/{reference}", get(transactions::verify))
        .route("/transaction/charge_authorization", post(transactions::charge_authorization))
        .route("/customer/authorization/deactivate", post(transactions::deactivate))
        .route("/refund", post(transactions::refund))
        .route("/balance", get(transactions::balance))
        .route("/pay/{code}", get(pay_page::show).post(pay_page::act))
        .fallback(|| async { error(StatusCode::NOT_FOUND, "not_found", "The requested resource does not exist") })
}

fn call(method: &Method, path: &str, _body: &[u8]) -> Call {
    match (method, path) {
        (&Method::POST, "/transaction/initialize" | "/transaction/charge_authorization") => Call::Collect,
        (&Method::GET, p) if p.starts_with("/transaction/verify/") => Call::Read,
        _ => Call::Other,
    }
}

fn error(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(json!({"status": false, "message": message, "code": code, "type": "validation_error"})))
        .into_response()
}

fn done(message: &str, data: &Value) -> Response {
    Json(json!({"status": true, "message": message, "data": data})).into_response()
}

fn admit(world: &World, headers: &HeaderMap) -> Result<(), Response> {
    let key = wire::bearer(headers).unwrap_or("");
    if wire::same(key, &world.settings.credentials.paystack.secret_key) {
        Ok(())
    } else {
        Err(error(StatusCode::UNAUTHORIZED, "invalid_Key", "Invalid key"))
    }
}

/// Hexadecimal HMAC-SHA512 of the raw body, under the same key that opens the interface.
fn signature(key: &str, body: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha512>::new_from_slice(key.as_bytes()) else { return String::new() };
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

fn callbacks(world: &World, op: &Operation, hand: Hand) -> Vec<Callback> {
    let event = match op.state {
        State::Succeeded => "charge.success",
        State::Reversed => "refund.processed",
        _ => return Vec::new(), // A charge that fails is told to nobody: the merchant verifies.
    };
    let Some(url) = world.callbacks.0.get(&PAYSTACK).cloned() else { return Vec::new() };
    let body = json!({"event": event, "data": transactions::shown(op)});
    let key = secret(hand, &world.settings.credentials.paystack.secret_key);
    let sign: Sign = Arc::new(move |signing| vec![("x-paystack-signature", signature(&key, signing.body))]);
    let policy = Policy { accepts: |s| s == 200, ..Policy::retried(6) };
    vec![Callback::json(op, url, &body, sign, policy)]
}
