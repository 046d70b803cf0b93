//! Payment intents: first what is owed, then how it is paid. The second call needs no key: the intent's token is enough.

use super::{HUB2, OPERATORS, admit, amount, error, invalid, msisdn, object, of_number, reference, unavailable};
use crate::App;
use crate::model::{Kind, Operation, Outcome, State as OperationState};
use crate::wire;
use crate::world::World;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

/// The code that fails.
const FAILING_CODE: &str = "0000";

/// `POST /payment-intents`
pub(super) async fn create(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    let mut world = app.world();
    match new_intent(&mut world, &headers, &body) {
        Ok(op) => (StatusCode::CREATED, Json(intent(&op))).into_response(),
        Err(refused) => refused,
    }
}

fn new_intent(world: &mut World, headers: &HeaderMap, body: &[u8]) -> Result<Operation, Response> {
    admit(world, headers)?;
    let body = object(body)?;
    let amount = amount(&body)?;
    let purchase = reference(&body, "purchaseReference")?;
    let customer = reference(&body, "customerReference")?;
    if world.with_reference(HUB2, &purchase).any(|op| op.kind == Kind::Collection) {
        return Err(error(StatusCode::CONFLICT, "duplicate_reference", "purchaseReference was already used"));
    }
    let mut op = Operation::new(HUB2, Kind::Collection, format!("pi_{}", wire::random_id(20)), amount, world.now_ms());
    op.reference = purchase;
    op.data = json!({
        "token": wire::random_id(40),
        "customerReference": customer,
        "overrideBusinessName": body.get("overrideBusinessName"),
    });
    world.create(op).map_err(|_| unavailable())
}

/// An intent with its payment, as Hub2 shows it.
pub(super) fn intent(op: &Operation) -> Value {
    let attempted = op.text("provider").is_some();
    let action = op.data.get("nextAction").filter(|a| !a.is_null() && op.state == OperationState::Pending);
    let (status, payment) = match op.state {
        OperationState::Pending if action.is_some() => ("action_required", "pending"),
        OperationState::Pending if attempted => ("processing", "pending"),
        OperationState::Pending => ("payment_required", "created"),
        OperationState::Succeeded | OperationState::Reversed => ("successful", "successful"),
        OperationState::Failed | OperationState::Expired => ("failed", "failed"),
    };
    let payment = json!({
        "id": op.data.get("paymentId"),
        "intentId": op.id,
        "status": payment,
        "provider": op.data.get("provider"),
        "method": "mobile_money",
        "country": "CI",
        "number": op.customer,
        "amount": op.amount,
        "currency": op.currency,
        "fees": [],
        "failureCause": op.reason,
        "providerReference": op.transaction_id,
    });
    let mut shown = json!({
        "id": op.id,
        "createdAt": wire::iso_ms(op.created_ms),
        "updatedAt": wire::iso_ms(op.completed_ms.unwrap_or(op.created_ms)),
        "merchantId": "simulator",
        "purchaseReference": op.reference,
        "customerReference": op.data.get("customerReference"),
        "amount": op.amount,
        "currency": op.currency,
        "token": op.data.get("token"),
        "status": status,
        "payments": if attempted { vec![payment] } else { Vec::new() },
        "mode": "sandbox",
    });
    if let Some(action) = action {
        shown["nextAction"] = action.clone();
    }
    shown
}

fn find<'w>(world: &'w World, id: &str) -> Result<&'w Operation, Response> {
    let known = world.get(HUB2, id).filter(|op| op.kind == Kind::Collection);
    known.ok_or_else(|| error(StatusCode::NOT_FOUND, "not_found", "No such payment intent"))
}

/// `GET /payment-intents/{id}`
pub(super) async fn read(Path(id): Path<String>, State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let world = app.world();
    match admit(&world, &headers).and_then(|()| find(&world, &id)) {
        Ok(op) => Json(intent(op)).into_response(),
        Err(refused) => refused,
    }
}

/// `POST /payment-intents/{id}/payments`
pub(super) async fn attempt(Path(id): Path<String>, State(app): State<Arc<App>>, body: Bytes) -> Response {
    let mut world = app.world();
    match pay(&mut world, &id, &body) {
        Ok(op) => (StatusCode::CREATED, Json(intent(&op))).into_response(),
        Err(refused) => refused,
    }
}

fn pay(world: &mut World, id: &str, body: &[u8]) -> Result<Operation, Response> {
    let body = object(body)?;
    let mut op = find(world, id)?.clone();
    let token = body.get("token").and_then(Value::as_str).unwrap_or("");
    if !wire::same(token, op.text("token").unwrap_or("-")) {
        return Err(error(StatusCode::FORBIDDEN, "forbidden", "The token is not this intent's"));
    }
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    if (text("/paymentMethod"), text("/country")) != (Some("mobile_money"), Some("CI")) {
        return Err(invalid("paymentMethod must be mobile_money and country CI"));
    }
    let provider =
        text("/provider").filter(|p| OPERATORS.contains(p)).ok_or_else(|| invalid("provider is not known"))?;
    let number = msisdn(text("/mobileMoney/msisdn"))?;
    if op.text("provider").is_some() && op.text("awaitsCode").is_none() {
        return Err(error(StatusCode::CONFLICT, "payment_in_progress", "This intent has a payment already"));
    }
    let code = text("/mobileMoney/otp");
    let page = format!("{}/hub2/pay/{}", world.settings.base_url, op.id);
    let (action, awaits) = match (provider, code) {
        ("wave", _) => {
            (json!({"type": "redirection", "message": "Open this page", "data": {"method": "GET", "url": page}}), None)
        }
        ("orange", None) => (json!({"type": "otp", "message": "Dial #144*82#"}), Some("true")),
        _ => (Value::Null, None),
    };
    op.customer = number;
    op.data["provider"] = json!(provider);
    op.data["paymentId"] = json!(format!("pay_{}", wire::random_id(20)));
    op.data["nextAction"] = action;
    op.data["awaitsCode"] = json!(awaits);
    let outcome = match code {
        Some(FAILING_CODE) => Some(Outcome::Refuse("otp_error".to_owned())),
        _ if awaits.is_some() => None,
        _ => of_number(&op.customer),
    };
    if let Some(outcome) = outcome {
        world.plan(&mut op, outcome);
    }
    let changed = world.change(&op.key(), |known| {
        known.customer = op.customer.clone();
        known.data = op.data.clone();
        known.planned = op.planned.clone();
    });
    changed.map_err(|_| error(StatusCode::CONFLICT, "wrong_status", "This intent is finished"))
}
