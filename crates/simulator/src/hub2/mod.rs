//! Hub2: payment intents in two steps, transfers, signed webhooks. <https://docs.hub2.io>

mod intents;
mod pay_page;
mod transfers;
mod webhooks;

use crate::App;
use crate::books::Short;
use crate::desk::Desk;
use crate::faults::Call;
use crate::model::{Kind, Outcome, Provider};
use crate::wire;
use crate::world::World;
use axum::Json;
use axum::Router;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) static DESK: Desk = Desk {
    routes,
    call,
    callbacks: webhooks::of,
    short: |op, short| {
        let code = match (op.kind, short) {
            (Kind::Collection, Short::Customer) => "insufficient_funds",
            _ => "insufficient_balance",
        };
        Outcome::Refuse(code.to_owned())
    },
    refused: |_| Outcome::Refuse("rejected_by_customer".to_owned()),
    expired: "expired",
    transaction_id: |_| wire::random_text(b"0123456789", 12),
};

const HUB2: Provider = Provider::Hub2;
const OPERATORS: [&str; 4] = ["orange", "mtn", "moov", "wave"];

fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/payment-intents", post(intents::create))
        .route("/payment-intents/{id}", get(intents::read))
        .route("/payment-intents/{id}/payments", post(intents::attempt))
        .route("/transfers", post(transfers::create))
        .route("/transfers/{id}", get(transfers::read))
        .route("/transfers/{id}/status", get(transfers::status))
        .route("/balances", get(transfers::balances))
        .route("/webhooks", post(webhooks::create).get(webhooks::list))
        .route("/pay/{id}", get(pay_page::show).post(pay_page::act))
        .fallback(|| async { error(StatusCode::NOT_FOUND, "not_found", "Resource not found") })
}

fn call(method: &Method, path: &str, _body: &[u8]) -> Call {
    match *method {
        Method::POST if path.starts_with("/payment-intents") => Call::Collect,
        Method::POST if path == "/transfers" => Call::Payout,
        Method::GET if path.starts_with("/payment-intents/") || path.starts_with("/transfers/") => Call::Read,
        _ => Call::Other,
    }
}

fn error(status: StatusCode, code: &str, message: &str) -> Response {
    let body = json!({"statusCode": status.as_u16(), "code": code, "message": message});
    (status, Json(body)).into_response()
}

fn invalid(message: &str) -> Response {
    error(StatusCode::BAD_REQUEST, "invalid_request", message)
}

fn unavailable() -> Response {
    error(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Try again later")
}

fn admit(world: &World, headers: &HeaderMap) -> Result<(), Response> {
    let keys = &world.settings.credentials.hub2;
    let given = |name: &str| wire::header(headers, name).unwrap_or("");
    if !wire::same(given("apikey"), &keys.api_key) || !wire::same(given("merchantid"), &keys.merchant_id) {
        return Err(error(StatusCode::UNAUTHORIZED, "unauthorized", "ApiKey or MerchantId is not valid"));
    }
    if !["sandbox", "live"].contains(&given("environment")) {
        return Err(error(StatusCode::FORBIDDEN, "forbidden", "Environment must be sandbox or live"));
    }
    Ok(())
}

fn object(body: &[u8]) -> Result<Value, Response> {
    let body = serde_json::from_slice::<Value>(body).ok().filter(Value::is_object);
    body.ok_or_else(|| invalid("The body must be a JSON object"))
}

fn amount(body: &Value) -> Result<i64, Response> {
    let amount = body.get("amount").and_then(Value::as_i64).filter(|a| (1..=10_000_000).contains(a));
    if body.get("currency").and_then(Value::as_str) != Some("XOF") {
        return Err(invalid("currency must be XOF"));
    }
    amount.ok_or_else(|| invalid("amount must be a positive integer"))
}

/// A merchant's reference: a small alphabet.
fn reference(body: &Value, field: &str) -> Result<String, Response> {
    let plain = |r: &&str| {
        !r.is_empty() && r.len() <= 255 && r.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    let reference = body.get(field).and_then(Value::as_str).filter(plain);
    reference.map(str::to_owned).ok_or_else(|| invalid(&format!("{field} may hold letters, digits, - _ and . only")))
}

/// A number as clients send it: national, or international with or without the plus sign.
fn msisdn(given: Option<&str>) -> Result<String, Response> {
    let digits = given.unwrap_or("").trim_start_matches('+');
    let national = digits.strip_prefix("225").unwrap_or(digits);
    let mobile = national.len() == 10 && ["01", "05", "07"].iter().any(|p| national.starts_with(p));
    if mobile && national.bytes().all(|b| b.is_ascii_digit()) {
        Ok(national.to_owned())
    } else {
        Err(invalid("msisdn is not an Ivorian mobile number"))
    }
}

/// What the last two digits of a number choose.
fn of_number(number: &str) -> Option<Outcome> {
    match number.get(number.len().saturating_sub(2)..).unwrap_or("") {
        "10" => Some(Outcome::Refuse("insufficient_funds".to_owned())),
        "11" => Some(Outcome::Refuse("rejected_by_customer".to_owned())),
        "12" => None,
        "13" => Some(Outcome::Refuse("provider_error".to_owned())),
        _ => Some(Outcome::Approve),
    }
}
