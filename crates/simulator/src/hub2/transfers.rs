//! Transfers: we pay a mobile-money account.

use super::{HUB2, OPERATORS, admit, amount, error, invalid, msisdn, object, of_number, reference, unavailable};
use crate::App;
use crate::model::{Kind, Operation, State as OperationState};
use crate::wire;
use crate::world::World;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

/// `POST /transfers`
pub(super) async fn create(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    let mut world = app.world();
    match new_transfer(&mut world, &headers, &body) {
        Ok(op) => (StatusCode::CREATED, Json(transfer(&op))).into_response(),
        Err(refused) => refused,
    }
}

fn new_transfer(world: &mut World, headers: &HeaderMap, body: &[u8]) -> Result<Operation, Response> {
    admit(world, headers)?;
    let body = object(body)?;
    let amount = amount(&body)?;
    let reference = reference(&body, "reference")?;
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    if (text("/destination/type"), text("/destination/country")) != (Some("mobile_money"), Some("CI")) {
        return Err(invalid("destination.type must be mobile_money and destination.country CI"));
    }
    let provider = text("/destination/provider").filter(|p| OPERATORS.contains(p));
    let provider = provider.ok_or_else(|| invalid("destination.provider is not known"))?;
    let number = msisdn(text("/destination/msisdn"))?;
    if world.with_reference(HUB2, &reference).any(|op| op.kind == Kind::Payout) {
        return Err(error(StatusCode::CONFLICT, "duplicate_reference", "reference was already used"));
    }
    let mut op = Operation::new(HUB2, Kind::Payout, format!("tr_{}", wire::random_id(20)), amount, world.now_ms());
    op.reference = reference;
    op.customer = number;
    op.data = json!({
        "provider": provider,
        "recipientName": text("/destination/recipientName"),
        "description": text("/description"),
    });
    if let Some(outcome) = of_number(&op.customer) {
        world.plan(&mut op, outcome);
    }
    world.create(op).map_err(|_| unavailable())
}

/// A transfer as Hub2 shows it.
pub(super) fn transfer(op: &Operation) -> Value {
    json!({
        "id": op.id,
        "createdAt": wire::iso_ms(op.created_ms),
        "updatedAt": wire::iso_ms(op.completed_ms.unwrap_or(op.created_ms)),
        "reference": op.reference,
        "description": op.data.get("description"),
        "amount": op.amount,
        "currency": op.currency,
        "status": word(op),
        "fees": [],
        "failureCause": op.reason,
        "providerReference": op.transaction_id,
        "destination": {
            "type": "mobile_money",
            "country": "CI",
            "recipientName": op.data.get("recipientName"),
            "msisdn": op.customer,
            "provider": op.data.get("provider"),
        },
    })
}

fn word(op: &Operation) -> &'static str {
    match op.state {
        OperationState::Pending => "pending",
        OperationState::Succeeded | OperationState::Reversed => "successful",
        OperationState::Failed | OperationState::Expired => "failed",
    }
}

fn find<'w>(world: &'w World, headers: &HeaderMap, id: &str) -> Result<&'w Operation, Response> {
    admit(world, headers)?;
    let known = world.get(HUB2, id).filter(|op| op.kind == Kind::Payout);
    known.ok_or_else(|| error(StatusCode::NOT_FOUND, "not_found", "No such transfer"))
}

/// `GET /transfers/{id}`
pub(super) async fn read(Path(id): Path<String>, State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    match find(&app.world(), &headers, &id) {
        Ok(op) => Json(transfer(op)).into_response(),
        Err(refused) => refused,
    }
}

/// `GET /transfers/{id}/status`
pub(super) async fn status(Path(id): Path<String>, State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    match find(&app.world(), &headers, &id) {
        Ok(op) => Json(json!({"id": op.id, "reference": op.reference, "status": word(op)})).into_response(),
        Err(refused) => refused,
    }
}

/// `GET /balances`
pub(super) async fn balances(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let mut world = app.world();
    if let Err(refused) = admit(&world, &headers) {
        return refused;
    }
    let float = world.book(HUB2).float;
    let account = |kind: &str| json!({"type": kind, "country": "CI", "currency": "XOF", "amount": float});
    Json(json!([account("collection"), account("transfer")])).into_response()
}
