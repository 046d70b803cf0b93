//! CinetPay v1: payments, transfers, a notification without state or signature.

mod auth;
mod pay_page;
mod payment;
mod transfer;

use crate::App;
use crate::callbacks::{Callback, Hand, Policy, unsigned};
use crate::desk::Desk;
use crate::faults::Call;
use crate::model::{Operation, Outcome, Provider, State};
use crate::people;
use crate::wire;
use crate::world::World;
use axum::Json;
use axum::Router;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) static DESK: Desk = Desk {
    routes,
    call,
    callbacks,
    short: |_, _| Outcome::Refuse("INSUFFICIENT_BALANCE".to_owned()),
    refused: |_| Outcome::Refuse("FAILED".to_owned()),
    expired: "EXPIRED",
    transaction_id: |_| wire::random_uuid(),
};

const CINETPAY: Provider = Provider::Cinetpay;
const METHODS: [&str; 4] = ["OM_CI", "MOOV_CI", "MTN_CI", "WAVE_CI"];

fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/v1/oauth/login", post(auth::login))
        .route("/v1/payment", post(payment::create))
        .route("/v1/payment/{id}", get(payment::read))
        .route("/v1/transfer", post(transfer::create))
        .route("/v1/transfer/{id}", get(transfer::read))
        .route("/v1/balances", get(transfer::balance))
        .route("/pay/{id}", get(pay_page::show).post(pay_page::act))
        .fallback(|| async { error(StatusCode::NOT_FOUND, 404, "No such resource") })
}

fn call(method: &Method, path: &str, _body: &[u8]) -> Call {
    match (method, path) {
        (&Method::POST, "/v1/payment") => Call::Collect,
        (&Method::POST, "/v1/transfer") => Call::Payout,
        (&Method::POST, "/v1/oauth/login") => Call::Token,
        (&Method::GET, p) if p.starts_with("/v1/payment/") || p.starts_with("/v1/transfer/") => Call::Read,
        _ => Call::Other,
    }
}

/// The word of a code.
const fn word(code: i32) -> &'static str {
    match code {
        100 => "SUCCESS",
        200 => "OK",
        404 => "NOT_FOUND",
        1_002 => "INVALID_TOKEN",
        1_003 => "EXPIRED_TOKEN",
        1_004 => "INVALID_PARAMS",
        1_005 => "INVALID_CREDENTIALS",
        1_200 => "TRANSACTION_EXIST",
        2_001 => "INITIATED",
        2_002 => "PENDING",
        2_003 => "EXPIRED",
        2_004 => "OTP_ERROR",
        2_005 => "INSUFFICIENT_BALANCE",
        2_006 => "USER_NOT_FOUND",
        2_007 => "USER_IS_BLOCKED",
        2_008 => "OTP_EXPIRED",
        2_010 => "FAILED",
        2_011 => "NOT_ALLOWED",
        _ => "OPERATION_ERROR",
    }
}

/// Only an error carries a `description`: that is how clients tell one from a state.
fn error(status: StatusCode, code: i32, description: &str) -> Response {
    (status, Json(json!({"code": code, "status": word(code), "description": description}))).into_response()
}

fn invalid(field: &str) -> Response {
    error(StatusCode::BAD_REQUEST, 1_004, &format!("{field} is missing or not valid"))
}

fn unavailable() -> Response {
    error(StatusCode::INTERNAL_SERVER_ERROR, -1, "Try again later")
}

/// The code of an operation's state.
fn code(op: &Operation) -> i32 {
    match op.state {
        State::Pending if op.text("opened").is_some() => 2_002,
        State::Pending => 2_001,
        State::Succeeded | State::Reversed => 100,
        State::Expired => 2_003,
        State::Failed => {
            let known = [2_004, 2_005, 2_006, 2_007, 2_008, 2_011];
            known.into_iter().find(|code| op.reason.as_deref() == Some(word(*code))).unwrap_or(2_010)
        }
    }
}

/// What the amount's last two digits choose.
fn of_amount(op: &Operation) -> Option<Outcome> {
    let code = match op.amount_trigger() {
        2 => return None,
        5 => 2_005,
        6 => 2_006,
        7 => 2_007,
        10 => 2_010,
        11 => 2_011,
        _ => return Some(Outcome::Approve),
    };
    Some(Outcome::Refuse(word(code).to_owned()))
}

fn text<'v>(body: &'v Value, field: &str, longest: usize) -> Result<&'v str, Response> {
    let text = body.get(field).and_then(Value::as_str).filter(|t| !t.is_empty() && t.chars().count() <= longest);
    text.ok_or_else(|| invalid(field))
}

fn amount(body: &Value, least: i64, most: i64) -> Result<i64, Response> {
    let amount = body.get("amount").and_then(Value::as_i64).filter(|a| (least..=most).contains(a));
    amount.ok_or_else(|| invalid("amount"))
}

/// The operation that an id names: the operator's, the merchant's, or a token.
fn find<'w>(world: &'w World, id: &str, resource: &str) -> Option<&'w Operation> {
    // A payment's token begins with its id, so that nothing has to be remembered to find it.
    let of_token = id.get(..32).and_then(|start| uuid::Uuid::try_parse(start).ok()).map(|id| id.to_string());
    let by_token = of_token.and_then(|of| world.get(CINETPAY, &of)).filter(|op| op.text("payment_token") == Some(id));
    let known = by_token.or_else(|| world.get(CINETPAY, id)).or_else(|| world.with_reference(CINETPAY, id).last());
    known.filter(|op| op.text("resource") == Some(resource))
}

fn user(op: &Operation) -> Value {
    let name = op.text("name").map_or_else(|| people::full_name(&op.customer), str::to_owned);
    json!({"name": name, "email": op.data.get("email"), "phone_number": op.customer})
}

/// It names the transaction and proves nothing: the merchant compares the token, then asks.
fn callbacks(_world: &World, op: &Operation, hand: Hand) -> Vec<Callback> {
    let Some(url) = op.callback_url.clone().filter(|_| op.state != State::Pending) else { return Vec::new() };
    let token = match hand {
        Hand::Genuine => op.text("notify_token").unwrap_or("").to_owned(),
        Hand::Forged => wire::random_id(32),
    };
    let body = json!({
        "notify_token": token,
        "merchant_transaction_id": op.reference,
        "transaction_id": op.id,
        "user": user(op),
    });
    vec![Callback::json(op, url, &body, unsigned(), Policy::retried(5))]
}
