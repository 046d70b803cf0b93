//! Balance, statement, and the check of a recipient.

use super::{Admitted, error, invalid, required};
use crate::books::Movement;
use crate::model::{Kind, Operation, Provider, Refusal, State};
use crate::{people, wire};
use axum::Json;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

/// Statement lines of one page.
const MAX_PAGE: usize = 1_000;

/// `GET /v1/balance`
pub(super) async fn balance(call: Admitted) -> Response {
    let float = call.app.world().book(Provider::Wave).float;
    Json(json!({"amount": float.to_string(), "currency": "XOF"})).into_response()
}

#[derive(Deserialize)]
pub(super) struct Statement {
    date: Option<String>,
    first: Option<usize>,
    after: Option<String>,
}

/// `GET /v1/transactions?date=&first=&after=`
pub(super) async fn transactions(Query(query): Query<Statement>, call: Admitted) -> Response {
    let world = call.app.world();
    let date = query.date.unwrap_or_else(|| wire::day(world.now_ms()));
    let mut lines: Vec<&Movement> = world.movements(Provider::Wave).filter(|m| wire::day(m.at_ms) == date).collect();
    if let Some(after) = &query.after {
        let Some(index) = lines.iter().position(|m| m.id == *after) else {
            return invalid("after", "unknown cursor");
        };
        lines.drain(..=index);
    }
    let size = query.first.unwrap_or(MAX_PAGE).clamp(1, MAX_PAGE);
    let more = lines.len() > size;
    lines.truncate(size);
    let cursor = |m: Option<&&Movement>| m.map(|m| m.id.clone());
    let info =
        json!({"start_cursor": cursor(lines.first()), "end_cursor": cursor(lines.last()), "has_next_page": more});
    let items: Vec<Value> = lines.iter().map(|m| item(m, world.get(Provider::Wave, &m.operation))).collect();
    Json(json!({"page_info": info, "date": date, "items": items})).into_response()
}

/// A line of the statement: what leaves us is negative.
fn item(moved: &Movement, op: Option<&Operation>) -> Value {
    let receipt = op.is_some_and(|op| op.text("receipt").is_some());
    let kind = match (moved.kind, moved.reversal) {
        (Kind::Collection, false) if receipt => "merchant_payment",
        (Kind::Collection, true) if receipt => "merchant_payment_refund",
        (Kind::Collection, false) => "api_checkout",
        (Kind::Collection, true) => "api_checkout_refund",
        (Kind::Payout, false) => "api_payout",
        (Kind::Payout, true) => "api_payout_reversal",
    };
    let inward = (moved.kind == Kind::Collection) != moved.reversal;
    let session = op.filter(|op| op.kind == Kind::Collection && !receipt).map(|op| op.id.clone());
    json!({
        "timestamp": wire::iso(moved.at_ms),
        "transaction_id": moved.id,
        "transaction_type": kind,
        "amount": (if inward { moved.amount } else { -moved.amount }).to_string(),
        "fee": (if moved.reversal { -moved.fee } else { moved.fee }).to_string(),
        "balance": moved.balance.to_string(),
        "currency": "XOF",
        "counterparty_name": people::full_name(&moved.customer),
        "counterparty_mobile": moved.customer,
        "client_reference": Some(&moved.reference).filter(|r| !r.is_empty()),
        "payment_reason": op.and_then(|op| op.data.get("payment_reason")),
        "checkout_api_session_id": session,
        "custom_fields": null,
    })
}

/// `POST /v1/transactions/{id}/refund`
pub(super) async fn refund(Path(id): Path<String>, call: Admitted) -> Response {
    let mut world = call.app.world();
    let unknown = || error(StatusCode::NOT_FOUND, "transaction-not-found", "No such transaction");
    let Some(operation) = world.movements(Provider::Wave).find(|m| m.id == id).map(|m| m.operation.clone()) else {
        return unknown();
    };
    match world.get(Provider::Wave, &operation) {
        Some(op) if op.kind == Kind::Collection && op.state == State::Reversed => {
            return StatusCode::OK.into_response();
        }
        Some(op) if op.kind == Kind::Collection => {}
        _ => return unknown(),
    }
    match world.reverse(&(Provider::Wave, operation)) {
        Ok(_) => StatusCode::OK.into_response(),
        Err(Refusal::FloatFunds) => error(StatusCode::BAD_REQUEST, "insufficient-funds", "Not enough funds"),
        Err(_) => error(StatusCode::BAD_REQUEST, "refund-failed", "The transaction cannot be refunded"),
    }
}

/// What a webhook tells of somebody who scanned our code.
pub(super) fn receipt(op: &Operation) -> Value {
    json!({
        "id": op.transaction_id,
        "amount": op.amount.to_string(),
        "fee": op.fee.to_string(),
        "currency": op.currency,
        "sender_mobile": op.customer,
        "merchant_name": "Hostolink",
        "custom_fields": {},
        "when_created": wire::iso(op.created_ms),
    })
}

/// `POST /v1/verify_recipient/`
pub(super) async fn verify_recipient(call: Admitted) -> Response {
    match verify(&call) {
        Ok(answer) | Err(answer) => answer,
    }
}

/// What a customer may own with one issuer, in francs.
const HOLDING_LIMIT: i64 = 20_000_000;

fn verify(call: &Admitted) -> Result<Response, Response> {
    let body = call.json()?;
    let mobile = required(&body, "mobile")?;
    if !wire::is_e164(mobile) {
        return Err(invalid("mobile", "invalid phone number"));
    }
    let amount = match body.get("amount") {
        Some(_) => super::amount(&body, "amount")?,
        None => 0,
    };
    if body.get("currency").is_some() {
        super::currency(&body)?;
    }
    let within = call.app.world().book(Provider::Wave).balance_of(mobile) + amount <= HOLDING_LIMIT;
    let name_match = match super::optional(&body, "name", 255)? {
        None => "NAME_NOT_KNOWN",
        Some(name) if people::matches(mobile, &name) => "MATCH",
        Some(_) => "NO_MATCH",
    };
    let id_match = super::optional(&body, "national_id", 255)?.map(|_| "ID_NOT_KNOWN");
    Ok(Json(json!({"within_limits": within, "name_match": name_match, "national_id_match": id_match})).into_response())
}
