//! Payments: a page, or the operator's prompt at once (`direct_pay`).

use super::auth::admit;
use super::{CINETPAY, METHODS, amount, code, error, find, invalid, of_amount, text, unavailable, user, word};
use crate::App;
use crate::model::{Kind, Operation, Outcome};
use crate::wire;
use crate::world::World;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

/// The bounds of a payment, in francs.
const LEAST: i64 = 100;
const MOST: i64 = 2_500_000;
/// How long the page lives, in milliseconds.
const LIFE_MS: i64 = 30 * 60 * 1_000;
/// Characters of an address, of an id.
const MAX_URL: usize = 120;
const MAX_ID: usize = 30;
/// The code that fails.
const FAILING_CODE: &str = "0000";

/// `POST /v1/payment`
pub(super) async fn create(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    let mut world = app.world();
    match new_payment(&mut world, &headers, &body) {
        Ok(op) => Json(accepted(&world, &op)).into_response(),
        Err(refused) => refused,
    }
}

fn new_payment(world: &mut World, headers: &HeaderMap, body: &[u8]) -> Result<Operation, Response> {
    admit(world, headers)?;
    let body: Value = serde_json::from_slice(body).map_err(|_| invalid("body"))?;
    if text(&body, "currency", 3)? != "XOF" {
        return Err(invalid("currency"));
    }
    let amount = amount(&body, LEAST, MOST)?;
    let reference = text(&body, "merchant_transaction_id", MAX_ID)?;
    let direct = body.get("direct_pay").and_then(Value::as_bool).unwrap_or(false);
    let method = body.get("payment_method").and_then(Value::as_str);
    if method.is_some_and(|m| !METHODS.contains(&m)) || (direct && method.is_none()) {
        return Err(invalid("payment_method"));
    }
    let phone = body.get("client_phone_number").and_then(Value::as_str);
    if phone.is_some_and(|p| !wire::is_e164(p)) || (direct && phone.is_none()) {
        return Err(invalid("client_phone_number"));
    }
    let id = wire::random_uuid();
    let data = json!({
        "resource": "payment",
        "designation": text(&body, "designation", 255)?,
        "email": text(&body, "client_email", 255)?,
        "name": format!("{} {}", text(&body, "client_first_name", 255)?, text(&body, "client_last_name", 255)?),
        "success_url": text(&body, "success_url", MAX_URL)?,
        "failed_url": text(&body, "failed_url", MAX_URL)?,
        "payment_method": method,
        "payment_token": format!("{}{}", id.replace('-', ""), wire::random_text(b"0123456789abcdef", 32)),
        "notify_token": wire::random_id(32),
        "opened": direct.then_some("true"),
    });
    let notify = text(&body, "notify_url", MAX_URL)?.to_owned();
    if world.with_reference(CINETPAY, reference).next().is_some() {
        return Err(error(StatusCode::CONFLICT, 1_200, "The transaction exists already"));
    }
    let mut op = Operation::new(CINETPAY, Kind::Collection, id, amount, world.now_ms());
    op.reference = reference.to_owned();
    op.customer = phone.unwrap_or("+2250700000001").to_owned();
    op.callback_url = Some(notify);
    op.expires_ms = Some(op.created_ms + LIFE_MS);
    op.data = data;
    let outcome = match body.get("otp_code").and_then(Value::as_str) {
        Some(FAILING_CODE) => Some(Outcome::Refuse(word(2_004).to_owned())),
        None if direct && method == Some("OM_CI") => Some(Outcome::Refuse(word(2_004).to_owned())),
        _ => of_amount(&op),
    };
    if let Some(outcome) = outcome {
        world.plan(&mut op, outcome);
    }
    world.create(op).map_err(|_| unavailable())
}

fn accepted(world: &World, op: &Operation) -> Value {
    let direct = op.text("opened").is_some();
    let state = code(op);
    json!({
        "code": 200,
        "status": word(200),
        "payment_token": op.data.get("payment_token"),
        "notify_token": op.data.get("notify_token"),
        "transaction_id": op.id,
        "merchant_transaction_id": op.reference,
        "payment_url": format!("{}/cinetpay/pay/{}", world.settings.base_url, op.id),
        "details": {
            "code": state,
            "status": word(state),
            "message": "La transaction est en attente",
            "must_be_redirected": !direct || op.text("payment_method") == Some("WAVE_CI"),
        },
    })
}

/// `GET /v1/payment/{id}`
pub(super) async fn read(Path(id): Path<String>, State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let world = app.world();
    if let Err(refused) = admit(&world, &headers) {
        return refused;
    }
    let Some(op) = find(&world, &id, "payment") else {
        return error(StatusCode::NOT_FOUND, 404, "The transaction does not exist");
    };
    let state = code(op);
    let body = json!({
        "code": state,
        "status": word(state),
        "merchant_transaction_id": op.reference,
        "transaction_id": op.id,
        "user": user(op),
    });
    Json(body).into_response()
}
