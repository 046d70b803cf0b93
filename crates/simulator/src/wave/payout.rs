//! Payouts: we pay a Wave user. The call is synchronous, and its key makes it safe to repeat.

use super::checkout::Search;
use super::{Admitted, amount, currency, error, invalid, optional, required};
use crate::books::fee;
use crate::model::{IdempotencyKey, Kind, Operation, Outcome, Provider, Refusal, State};
use crate::wire;
use crate::world::World;
use axum::Json;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde_json::{Value, json};

/// What Wave keeps of a payout, in basis points (1 % in its samples).
const FEE_BASIS_POINTS: i64 = 100;
/// Payouts of one batch.
const MAX_BATCH: usize = 1_000;
/// How long a payout may be taken back, in milliseconds.
const REVERSIBLE_MS: i64 = 3 * 24 * 3_600 * 1_000;
/// How long a batch takes, in milliseconds.
const BATCH_MS: i64 = 1_000;

/// A payout's fields, checked.
struct Request {
    amount: i64,
    mobile: String,
    reference: Option<String>,
    data: Value,
}

fn parse(body: &Value) -> Result<Request, Response> {
    currency(body)?;
    let amount = amount(body, "receive_amount")?;
    let mobile = required(body, "mobile")?.to_owned();
    if !wire::is_e164(&mobile) {
        return Err(invalid("mobile", "invalid phone number"));
    }
    if !mobile.starts_with("+225") {
        return Err(error(StatusCode::BAD_REQUEST, "country-mismatch", "The recipient is in another country"));
    }
    let reference = optional(body, "client_reference", 255)?;
    let data = json!({
        "name": optional(body, "name", 255)?,
        "national_id": optional(body, "national_id", 255)?,
        "payment_reason": optional(body, "payment_reason", 40)?,
        "aggregated_merchant_id": optional(body, "aggregated_merchant_id", 255)?,
        "client_reference": reference,
    });
    Ok(Request { amount, mobile, reference, data })
}

/// `POST /v1/payout`
pub(super) async fn create(call: Admitted) -> Response {
    match pay(&call) {
        Ok(answer) | Err(answer) => answer,
    }
}

fn pay(call: &Admitted) -> Result<Response, Response> {
    let idempotency = idempotency(call)?;
    let request = parse(&call.json()?)?;
    // One lock over the look and the payment: two calls with one key at the same moment are one payout.
    let mut world = call.app.world();
    if let Some(known) = world.with_idempotency(Provider::Wave, &idempotency.key) {
        return same_again(known, &idempotency);
    }
    let op = book(&mut world, request, Some(idempotency), None)?;
    if op.amount_trigger() == 3 {
        return Err(error(StatusCode::SERVICE_UNAVAILABLE, "service-unavailable", "Try again later"));
    }
    Ok(answer(&op))
}

fn idempotency(call: &Admitted) -> Result<IdempotencyKey, Response> {
    let key = wire::header(&call.headers, "idempotency-key").unwrap_or("").trim();
    if key.is_empty() || key.len() > 255 {
        return Err(invalid("idempotency-key", "header required"));
    }
    Ok(IdempotencyKey { key: key.to_owned(), body_digest: wire::digest(&call.body) })
}

/// The same key with the same body has the same answer; with another body it is a mistake of the caller.
fn same_again(known: &Operation, idempotency: &IdempotencyKey) -> Result<Response, Response> {
    if known.idempotency.as_ref().is_some_and(|k| k.body_digest == idempotency.body_digest) {
        return Ok(answer(known));
    }
    Err(error(StatusCode::CONFLICT, "idempotency-mismatch", "This key came with another body"))
}

/// Books the payout and, unless something holds it, pays it at once.
fn book(
    world: &mut World,
    request: Request,
    idempotency: Option<IdempotencyKey>,
    batch: Option<&str>,
) -> Result<Operation, Response> {
    let id = format!("pt-{}", wire::random_id(13));
    let mut op = Operation::new(Provider::Wave, Kind::Payout, id, request.amount, world.now_ms());
    op.fee = fee(request.amount, FEE_BASIS_POINTS);
    op.customer = request.mobile;
    op.reference = request.reference.unwrap_or_default();
    op.data = request.data;
    op.data["batch"] = json!(batch);
    op.idempotency = idempotency;
    let outcome = match op.amount_trigger() {
        1 => Some(Outcome::Refuse("insufficient-funds".to_owned())),
        2 => Some(Outcome::Refuse("recipient-limit-exceeded".to_owned())),
        4 => None,
        _ => Some(Outcome::Approve),
    };
    if let Some(outcome) = &outcome {
        // Planned first: a fault that holds the operation takes the plan away.
        world.plan(&mut op, outcome.clone());
    }
    if let (Some(planned), Some(_)) = (&mut op.planned, batch) {
        planned.at_ms += BATCH_MS;
    }
    let at_once = op.planned.is_some() && batch.is_none();
    let full = |_: Refusal| error(StatusCode::SERVICE_UNAVAILABLE, "service-unavailable", "Try again later");
    let op = world.create(op).map_err(full)?;
    match outcome {
        Some(outcome) if at_once => world.settle(&op.key(), outcome, false).map_err(full),
        _ => Ok(op),
    }
}

/// A payout as Wave shows it.
fn payout(op: &Operation) -> Value {
    let status = match op.state {
        State::Pending => "processing",
        State::Succeeded => "succeeded",
        State::Failed | State::Expired => "failed",
        State::Reversed => "reversed",
    };
    let mut shown = json!({
        "id": op.id,
        "currency": op.currency,
        "receive_amount": op.amount.to_string(),
        "fee": op.fee.to_string(),
        "mobile": op.customer,
        "name": op.data.get("name"),
        "national_id": op.data.get("national_id"),
        "client_reference": op.data.get("client_reference"),
        "payment_reason": op.data.get("payment_reason"),
        "aggregated_merchant_id": op.data.get("aggregated_merchant_id"),
        "status": status,
        "timestamp": wire::iso(op.completed_ms.unwrap_or(op.created_ms)),
    });
    if let Some(code) = op.reason.as_ref().filter(|_| status == "failed") {
        shown["payout_error"] = json!({"error_code": code, "error_message": message(code)});
    }
    shown
}

fn message(code: &str) -> &'static str {
    match code {
        "insufficient-funds" => "Your wallet does not have enough funds",
        "recipient-limit-exceeded" => "The recipient reached a limit of the account",
        _ => "The payout could not be made",
    }
}

/// The answer to a creation: a refusal of the wallet or of the recipient is an error there.
fn answer(op: &Operation) -> Response {
    match (&op.state, &op.reason) {
        (State::Failed, Some(code)) => error(StatusCode::UNPROCESSABLE_ENTITY, code, message(code)),
        _ => Json(payout(op)).into_response(),
    }
}

fn unknown() -> Response {
    error(StatusCode::NOT_FOUND, "payout-not-found", "No such payout")
}

fn find<'w>(world: &'w World, id: &str) -> Option<&'w Operation> {
    world.get(Provider::Wave, id).filter(|op| op.kind == Kind::Payout)
}

/// `GET /v1/payout/{id}`
pub(super) async fn read(Path(id): Path<String>, call: Admitted) -> Response {
    find(&call.app.world(), &id).map_or_else(unknown, |op| Json(payout(op)).into_response())
}

/// `GET /v1/payouts/search?client_reference=`
pub(super) async fn search(Query(query): Query<Search>, call: Admitted) -> Response {
    let Some(reference) = query.client_reference else { return invalid("client_reference", "field required") };
    let world = call.app.world();
    let found = world.with_reference(Provider::Wave, &reference);
    let result: Vec<Value> = found.filter(|op| op.kind == Kind::Payout).map(payout).collect();
    Json(json!({"result": result})).into_response()
}

/// `POST /v1/payout/{id}/reverse`
pub(super) async fn reverse(Path(id): Path<String>, call: Admitted) -> Response {
    let mut world = call.app.world();
    let Some(op) = find(&world, &id).cloned() else { return unknown() };
    if op.state == State::Reversed {
        return StatusCode::OK.into_response();
    }
    let refuse = |code: &str, message: &str| error(StatusCode::UNPROCESSABLE_ENTITY, code, message);
    if op.completed_ms.is_some_and(|at| world.now_ms() > at + REVERSIBLE_MS) {
        return refuse("payout-reversal-time-limit-exceeded", "The payout is older than three days");
    }
    match world.reverse(&op.key()) {
        Ok(_) => StatusCode::OK.into_response(),
        Err(Refusal::CustomerFunds) => refuse("insufficient-funds", "The recipient spent the money"),
        Err(_) => refuse("payout-not-reversible", "The payout did not succeed"),
    }
}

/// `POST /v1/payout-batch`
pub(super) async fn create_batch(call: Admitted) -> Response {
    match pay_batch(&call) {
        Ok(answer) | Err(answer) => answer,
    }
}

fn pay_batch(call: &Admitted) -> Result<Response, Response> {
    let idempotency = idempotency(call)?;
    let body = call.json()?;
    let payouts = body.get("payouts").and_then(Value::as_array).ok_or_else(|| invalid("payouts", "field required"))?;
    if payouts.is_empty() || payouts.len() > MAX_BATCH {
        return Err(invalid("payouts", "between 1 and 1000 payouts are expected"));
    }
    let requests = payouts.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    let mut world = call.app.world();
    let name = format!("batch-key/{}", idempotency.key);
    if let Some(known) = world.record(Provider::Wave, &name) {
        if known.get("digest") != Some(&json!(idempotency.body_digest)) {
            return Err(error(StatusCode::CONFLICT, "idempotency-mismatch", "This key came with another body"));
        }
        return Ok(Json(json!({"id": known.get("id")})).into_response());
    }
    let id = format!("pb-{}", wire::random_id(13));
    let record = json!({"id": id, "digest": idempotency.body_digest});
    let full = |_: Refusal| error(StatusCode::SERVICE_UNAVAILABLE, "service-unavailable", "Try again later");
    world.set_record(Provider::Wave, &name, Some(record)).map_err(full)?;
    let ids = requests.into_iter().map(|r| book(&mut world, r, None, Some(&id)).map(|op| op.id));
    let ids = ids.collect::<Result<Vec<_>, _>>()?;
    world.set_record(Provider::Wave, &format!("batch/{id}"), Some(json!(ids))).map_err(full)?;
    Ok(Json(json!({"id": id})).into_response())
}

/// `GET /v1/payout-batch/{id}`
pub(super) async fn read_batch(Path(id): Path<String>, call: Admitted) -> Response {
    let world = call.app.world();
    let Some(ids) = world.record(Provider::Wave, &format!("batch/{id}")).and_then(Value::as_array) else {
        return error(StatusCode::NOT_FOUND, "payout-batch-not-found", "No such batch");
    };
    let payouts: Vec<&Operation> = ids.iter().filter_map(Value::as_str).filter_map(|id| find(&world, id)).collect();
    let complete = payouts.iter().all(|op| op.state != State::Pending);
    let status = if complete { "complete" } else { "processing" };
    let payouts: Vec<Value> = payouts.into_iter().map(payout).collect();
    Json(json!({"id": id, "status": status, "payouts": payouts})).into_response()
}
