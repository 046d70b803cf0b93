//! Transactions: 202 and a state to ask for.

use super::{GSMA, admit, error, invalid, requests};
use crate::App;
use crate::model::{IdempotencyKey, Kind, Operation, Outcome, State as OperationState};
use crate::wire;
use crate::world::World;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

/// `POST /transactions`, with the type in the body.
pub(super) async fn create_plain(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    let kind = serde_json::from_slice::<Value>(&body).ok().and_then(|b| b.get("type")?.as_str().map(str::to_owned));
    answer(&app, &headers, kind.as_deref().unwrap_or(""), &body)
}

/// `POST /transactions/type/{kind}`
pub(super) async fn create(
    Path(kind): Path<String>,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    answer(&app, &headers, &kind, &body)
}

fn answer(app: &App, headers: &HeaderMap, kind: &str, body: &[u8]) -> Response {
    let mut world = app.world();
    match new_transaction(&mut world, headers, kind, body) {
        Ok(op) => (StatusCode::ACCEPTED, Json(requests::shown(&op))).into_response(),
        Err(refused) => refused,
    }
}

fn new_transaction(world: &mut World, headers: &HeaderMap, kind: &str, body: &[u8]) -> Result<Operation, Response> {
    admit(world, headers)?;
    let (way, side) = match kind {
        "merchantpay" | "billpay" | "withdrawal" => (Kind::Collection, "debitParty"),
        "disbursement" | "deposit" => (Kind::Payout, "creditParty"),
        _ => return Err(invalid("FormatError", "type")),
    };
    let body: Value = serde_json::from_slice(body).map_err(|_| invalid("FormatError", "body"))?;
    let text = |field: &str| body.get(field).and_then(Value::as_str).unwrap_or("");
    let correlation = match wire::header(headers, "x-correlationid") {
        Some(id) if uuid::Uuid::try_parse(id).is_ok() => id.to_owned(),
        Some(_) => return Err(invalid("FormatError", "X-CorrelationID")),
        None => wire::random_uuid(),
    };
    if world.with_idempotency(GSMA, &correlation).is_some() {
        return Err(error(StatusCode::BAD_REQUEST, "BusinessRule", "DuplicateRequest", "Duplicate request"));
    }
    if text("currency") != "XOF" {
        return Err(error(
            StatusCode::BAD_REQUEST,
            "BusinessRule",
            "CurrencyNotSupported",
            "The currency is not supported",
        ));
    }
    let whole = text("amount").trim_end_matches('0').strip_suffix('.').map_or(text("amount"), |whole| whole);
    let amount = wire::parse_amount(whole).ok_or_else(|| invalid("FormatError", "amount"))?;
    let customer = msisdn(&body, side).ok_or_else(|| invalid("MandatoryValueNotSupplied", side))?;
    let mut op = Operation::new(GSMA, way, wire::random_uuid(), amount, world.now_ms());
    op.reference = text("requestingOrganisationTransactionReference").to_owned();
    op.customer = customer;
    op.callback_url = wire::header(headers, "x-callback-url").map(str::to_owned);
    op.data = json!({
        "type": kind,
        "debitParty": body.get("debitParty"),
        "creditParty": body.get("creditParty"),
        "requestDate": body.get("requestDate"),
        "metadata": body.get("metadata"),
    });
    if let Some(outcome) = of_amount(&op) {
        world.plan(&mut op, outcome);
    }
    let full = |_| error(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", "GenericError", "Try again later");
    op.idempotency = Some(IdempotencyKey { key: correlation, body_digest: String::new() });
    world.create(op).map_err(full)
}

/// What the amount's last two digits choose.
fn of_amount(op: &Operation) -> Option<Outcome> {
    match op.amount_trigger() {
        1 => Some(Outcome::Refuse("InsufficientFunds".to_owned())),
        2 => Some(Outcome::Refuse("DailyVolumeLimitExceeded".to_owned())),
        4 => None,
        _ => Some(Outcome::Approve),
    }
}

fn msisdn(body: &Value, side: &str) -> Option<String> {
    let parties = body.get(side)?.as_array()?;
    let party = parties.iter().find(|p| p["key"] == "msisdn")?;
    let number = party["value"].as_str()?;
    wire::is_msisdn(number.trim_start_matches('+')).then(|| number.to_owned())
}

/// A transaction as the standard shows it.
pub(super) fn shown(op: &Operation) -> Value {
    let status = match op.state {
        OperationState::Pending => "pending",
        OperationState::Succeeded => "completed",
        OperationState::Reversed => "reversed",
        OperationState::Failed | OperationState::Expired => "failed",
    };
    json!({
        "transactionReference": reference(op),
        "transactionStatus": status,
        "amount": op.amount.to_string(),
        "currency": op.currency,
        "type": op.data.get("type"),
        "debitParty": op.data.get("debitParty"),
        "creditParty": op.data.get("creditParty"),
        "requestingOrganisationTransactionReference": op.reference,
        "requestDate": op.data.get("requestDate"),
        "creationDate": wire::iso_ms(op.created_ms),
        "modificationDate": wire::iso_ms(op.completed_ms.unwrap_or(op.created_ms)),
        "metadata": op.data.get("metadata"),
    })
}

/// A transaction's reference: the request's id, put otherwise.
pub(super) fn reference(op: &Operation) -> String {
    format!("REF-{}", op.id.replace('-', "").to_uppercase())
}

/// The operation of a transaction's reference.
fn of_reference<'w>(world: &'w World, reference: &str) -> Option<&'w Operation> {
    let id = uuid::Uuid::try_parse(reference.strip_prefix("REF-")?).ok()?;
    world.get(GSMA, &id.to_string())
}

fn unknown() -> Response {
    error(StatusCode::NOT_FOUND, "Identification", "IdentifierError", "The transaction does not exist")
}

/// `GET /transactions/{reference}`
pub(super) async fn read(Path(reference): Path<String>, State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let world = app.world();
    if let Err(refused) = admit(&world, &headers) {
        return refused;
    }
    of_reference(&world, &reference).map_or_else(unknown, |op| Json(shown(op)).into_response())
}

/// `POST /transactions/{reference}/reversals`
pub(super) async fn reverse(
    Path(reference): Path<String>,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Response {
    let mut world = app.world();
    if let Err(refused) = admit(&world, &headers) {
        return refused;
    }
    let Some(key) = of_reference(&world, &reference).map(Operation::key) else { return unknown() };
    match world.reverse(&key) {
        Ok(op) => (StatusCode::ACCEPTED, Json(requests::shown(&op))).into_response(),
        Err(_) => error(StatusCode::BAD_REQUEST, "BusinessRule", "GenericError", "The transaction cannot be reversed"),
    }
}
