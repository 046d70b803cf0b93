//! Web Payment: a page where the customer types a code that his telephone gave him.

use super::{ORANGE, error, oauth};
use crate::App;
use crate::callbacks::{Callback, Hand, Policy, unsigned};
use crate::model::{Kind, Operation, Outcome, State};
use crate::wire;
use crate::world::World;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// How long the page lives, in milliseconds.
const LIFE_MS: i64 = 10 * 60 * 1_000;
/// Characters of an order id, of a reference, of an address.
const MAX_ORDER: usize = 30;
const MAX_URL: usize = 120;

/// `POST /orange-money-webpay/{country}/v1/webpayment`
pub(super) async fn create(
    Path(country): Path<String>,
    Shared(app): Shared<Arc<App>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut world = app.world();
    match new_payment(&mut world, &country, &headers, &body) {
        Ok(answer) | Err(answer) => answer,
    }
}

fn bad(code: u32, message: &str) -> Response {
    error(StatusCode::BAD_REQUEST, code, message, message)
}

fn text<'v>(body: &'v Value, field: &str, longest: usize) -> Result<&'v str, Response> {
    let text = body.get(field).and_then(Value::as_str).filter(|t| !t.is_empty() && t.chars().count() <= longest);
    text.ok_or_else(|| bad(25, &format!("Invalid body field: {field}")))
}

/// A number, or the digits of one.
fn amount(body: &Value) -> Option<i64> {
    let given = body.get("amount")?;
    given.as_i64().or_else(|| wire::parse_amount(given.as_str()?)).filter(|a| *a > 0)
}

fn new_payment(world: &mut World, country: &str, headers: &HeaderMap, body: &[u8]) -> Result<Response, Response> {
    oauth::admit(world, headers)?;
    let currency = match country {
        "dev" => "OUV",
        "ci" => "XOF",
        _ => return Err(error(StatusCode::NOT_FOUND, 60, "Resource not found", "No such country.")),
    };
    let body: Value = serde_json::from_slice(body).map_err(|_| bad(22, "Invalid body"))?;
    if !wire::same(text(&body, "merchant_key", 255)?, &world.settings.credentials.orange.merchant_key) {
        return Err(bad(1202, "Invalid merchant key"));
    }
    if text(&body, "currency", 3)? != currency {
        return Err(bad(1203, "Unsupported currency"));
    }
    let order = text(&body, "order_id", MAX_ORDER)?;
    let amount = amount(&body).ok_or_else(|| bad(25, "Invalid body field: amount"))?;
    let mut data = json!({"country": country, "notif_token": wire::random_text(b"0123456789abcdef", 32)});
    for field in ["return_url", "cancel_url", "notif_url"] {
        data[field] = json!(text(&body, field, MAX_URL)?);
    }
    text(&body, "reference", MAX_ORDER)?;
    if world.with_reference(ORANGE, order).next().is_some() {
        return Err(bad(1204, "The order id was already used"));
    }
    let token = format!("v1{}", wire::random_text(b"0123456789abcdefghijklmnopqrstuvwxyz", 62));
    let mut op = Operation::new(ORANGE, Kind::Collection, token, amount, world.now_ms());
    op.currency = currency.to_owned();
    op.reference = order.to_owned();
    op.customer = "2250700000001".to_owned();
    op.callback_url = data["notif_url"].as_str().map(str::to_owned);
    op.expires_ms = Some(op.created_ms + LIFE_MS);
    op.data = data;
    world.plan(&mut op, Outcome::Approve);
    let full = |_| error(StatusCode::SERVICE_UNAVAILABLE, 5, "The service is temporarily unavailable", "Try later.");
    let op = world.create(op).map_err(full)?;
    let answer = json!({
        "status": 201,
        "message": "OK",
        "pay_token": op.id,
        "payment_url": format!("{}/orange/pay/{}", world.settings.base_url, op.id),
        "notif_token": op.data.get("notif_token"),
    });
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

fn word(op: &Operation) -> &'static str {
    match op.state {
        State::Pending if op.text("submitted").is_some() => "PENDING",
        State::Pending => "INITIATED",
        State::Succeeded | State::Reversed => "SUCCESS",
        State::Failed => "FAILED",
        State::Expired => "EXPIRED",
    }
}

/// `POST /orange-money-webpay/{country}/v1/transactionstatus`: 201 as well.
pub(super) async fn status(
    Path(country): Path<String>,
    Shared(app): Shared<Arc<App>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let world = app.world();
    match state_of(&world, &country, &headers, &body) {
        Ok(answer) | Err(answer) => answer,
    }
}

fn state_of(world: &World, country: &str, headers: &HeaderMap, body: &[u8]) -> Result<Response, Response> {
    oauth::admit(world, headers)?;
    let body: Value = serde_json::from_slice(body).map_err(|_| bad(22, "Invalid body"))?;
    let order = text(&body, "order_id", MAX_ORDER)?;
    let token = text(&body, "pay_token", 255)?;
    let known = world.get(ORANGE, token).filter(|op| op.reference == order && op.text("country") == Some(country));
    let Some(op) = known.filter(|op| amount(&body) == Some(op.amount)) else {
        return Err(error(StatusCode::NOT_FOUND, 60, "Resource not found", "No such payment."));
    };
    let answer = json!({"status": word(op), "order_id": op.reference, "txnid": op.transaction_id});
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

/// One notification, some time after the end, with a token instead of a signature.
pub(super) fn callbacks(_world: &World, op: &Operation, hand: Hand) -> Vec<Callback> {
    let ended = matches!(op.state, State::Succeeded | State::Failed | State::Expired);
    let Some(url) = op.callback_url.clone().filter(|_| ended) else { return Vec::new() };
    let token = match hand {
        Hand::Genuine => op.text("notif_token").unwrap_or("").to_owned(),
        Hand::Forged => wire::random_text(b"0123456789abcdef", 32),
    };
    let body = json!({"status": word(op), "notif_token": token, "txnid": op.transaction_id});
    let policy = Policy { attempts: 3, first_wait: Duration::from_secs(2), accepts: |s| s / 100 == 2 };
    vec![Callback::json(op, url, &body, unsigned(), policy)]
}
