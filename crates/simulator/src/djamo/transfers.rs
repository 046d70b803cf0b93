//! Transfers: we pay a Djamo account.

use super::{Admitted, DJAMO};
use crate::books::fee;
use crate::model::{Kind, Operation, Outcome, State};
use crate::wire;
use crate::world::World;
use axum::Json;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

/// The bounds of a transfer, in francs.
const LEAST: i64 = 5_000;
const MOST: i64 = 500_000;
/// What Djamo keeps, in basis points.
const FEE_BASIS_POINTS: i64 = 100;
/// The amount that fails.
const FAILING_AMOUNT: i64 = 5_013;
/// Transfers of one batch.
const MAX_BATCH: usize = 500;

/// `POST /v1/transactions`
pub(super) async fn create(call: Admitted) -> Response {
    let made = call.json().and_then(|body| {
        let mut world = call.app.world();
        book(&call, &mut world, &body, None)
    });
    match made {
        Ok(op) => {
            call.app.announce(&op);
            (StatusCode::CREATED, Json(transfer(&op))).into_response()
        }
        Err(refused) => refused,
    }
}

fn book(call: &Admitted, world: &mut World, body: &Value, batch: Option<&str>) -> Result<Operation, Response> {
    let amount = call.amount(body, LEAST, MOST)?;
    let msisdn = call.text(body, "msisdn")?;
    if !wire::is_e164(&msisdn) {
        return Err(call.refuse(StatusCode::BAD_REQUEST, "msisdn must be a valid phone number"));
    }
    let reference = call.text(body, "reference")?;
    if body.get("type").is_some_and(|t| t != "transfer") {
        return Err(call.refuse(StatusCode::BAD_REQUEST, "type must be transfer"));
    }
    if world.with_reference(DJAMO, &reference).any(|op| op.kind == Kind::Payout) {
        return Err(call.refuse(StatusCode::CONFLICT, "reference already used"));
    }
    let mut op = Operation::new(DJAMO, Kind::Payout, wire::random_uuid(), amount, world.now_ms());
    op.fee = fee(amount, FEE_BASIS_POINTS);
    op.reference = reference;
    op.customer = msisdn;
    op.data = json!({"description": body.get("description"), "batchId": batch});
    let outcome =
        if amount == FAILING_AMOUNT { Outcome::Refuse("recipient_rejected".to_owned()) } else { Outcome::Approve };
    world.plan(&mut op, outcome);
    world.create(op).map_err(|_| call.refuse(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error"))
}

/// A transfer as Djamo shows it.
pub(super) fn transfer(op: &Operation) -> Value {
    let status = match op.state {
        State::Pending => "pending",
        State::Succeeded | State::Reversed => "completed",
        State::Failed | State::Expired => "failed",
    };
    json!({
        "id": op.id,
        "amount": op.amount,
        "fee": op.fee,
        "totalAmount": op.amount + op.fee,
        "msisdn": op.customer,
        "status": status,
        "reference": op.reference,
        "djamoTransactionReference": op.transaction_id,
        "batchId": op.data.get("batchId"),
        "failureReason": op.reason,
        "createdAt": wire::iso_ms(op.created_ms),
        "updatedAt": wire::iso_ms(op.completed_ms.unwrap_or(op.created_ms)),
    })
}

/// `POST /v1/transactions/batch`
pub(super) async fn create_batch(call: Admitted) -> Response {
    let made = call.json().and_then(|body| {
        let list = body.get("transactions").and_then(Value::as_array).cloned().unwrap_or_default();
        if list.is_empty() || list.len() > MAX_BATCH {
            return Err(call.refuse(StatusCode::BAD_REQUEST, "transactions must hold 1 to 500 elements"));
        }
        let batch = wire::random_uuid();
        let mut world = call.app.world();
        let made = list.iter().map(|one| book(&call, &mut world, one, Some(&batch))).collect::<Result<Vec<_>, _>>()?;
        Ok((batch, made))
    });
    match made {
        Ok((batch, made)) => {
            made.iter().for_each(|op| call.app.announce(op));
            let transactions: Vec<Value> = made.iter().map(transfer).collect();
            (StatusCode::CREATED, Json(json!({"batchId": batch, "transactions": transactions}))).into_response()
        }
        Err(refused) => refused,
    }
}

/// `GET /v1/transactions/{id}`
pub(super) async fn read(Path(id): Path<String>, call: Admitted) -> Response {
    let world = call.app.world();
    match world.get(DJAMO, &id).filter(|op| op.kind == Kind::Payout) {
        Some(op) => Json(transfer(op)).into_response(),
        None => call.refuse(StatusCode::NOT_FOUND, "Transaction not found"),
    }
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    reference: Option<String>,
    msisdn: Option<String>,
}

/// `GET /v1/transactions?reference=`
pub(super) async fn find(Query(wanted): Query<Wanted>, call: Admitted) -> Response {
    let Some(reference) = wanted.reference else {
        return call.refuse(StatusCode::BAD_REQUEST, "reference is required");
    };
    let world = call.app.world();
    let found = world.with_reference(DJAMO, &reference).find(|op| op.kind == Kind::Payout);
    match found {
        Some(op) => Json(transfer(op)).into_response(),
        None => call.refuse(StatusCode::NOT_FOUND, "Transaction not found"),
    }
}

/// `GET /v1/transactions/customers/check?msisdn=`: numbers that end with 00 have no account.
pub(super) async fn check(Query(wanted): Query<Wanted>, call: Admitted) -> Response {
    match wanted.msisdn.map(|m| m.replace(' ', "+")).filter(|m| wire::is_e164(m)) {
        Some(msisdn) => Json(json!({"msisdn": msisdn, "exists": !msisdn.ends_with("00")})).into_response(),
        None => call.refuse(StatusCode::BAD_REQUEST, "msisdn must be a valid phone number"),
    }
}

/// `GET /v1/balance`
pub(super) async fn balance(call: Admitted) -> Response {
    let balance = call.app.world().book(DJAMO).float;
    Json(json!({"balance": balance, "currency": "XOF"})).into_response()
}
