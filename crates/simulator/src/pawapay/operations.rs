//! Deposits, payouts and refunds.

use super::request::{self, Refused, Resource};
use super::{PAWAPAY, admit, failure};
use crate::App;
use crate::callbacks;
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

/// How long a customer may take, in milliseconds.
const PROMPT_MS: i64 = 15 * 60 * 1_000;

/// `POST /v2/deposits`
pub(super) async fn deposit(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    create(&app, &headers, &body, Resource::Deposit)
}

/// `POST /v2/payouts`
pub(super) async fn payout(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    create(&app, &headers, &body, Resource::Payout)
}

/// `POST /v2/refunds`
pub(super) async fn refund(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    create(&app, &headers, &body, Resource::Refund)
}

fn create(app: &App, headers: &HeaderMap, body: &[u8], resource: Resource) -> Response {
    let mut world = app.world();
    if let Err(refused) = admit(&world, headers) {
        return refused;
    }
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return failure(StatusCode::BAD_REQUEST, "INVALID_INPUT", "The body is not JSON");
    };
    let id = match request::id(&body, resource) {
        Ok(id) => id,
        Err(refused) => return answer_refused(refused, resource, None, world.now_ms()),
    };
    if let Some(known) = world.get(PAWAPAY, &id) {
        return Json(acknowledged(known, resource, "DUPLICATE_IGNORED")).into_response();
    }
    let made = match resource {
        Resource::Refund => new_refund(&mut world, &body, id.clone()),
        _ => new_operation(&mut world, &body, id.clone(), resource),
    };
    match made {
        Ok(op) => Json(acknowledged(&op, resource, "ACCEPTED")).into_response(),
        Err(refused) => answer_refused(refused, resource, Some(&id), world.now_ms()),
    }
}

/// A refusal leaves nothing behind: the same id may be used again.
fn answer_refused(refused: Refused, resource: Resource, id: Option<&str>, now_ms: i64) -> Response {
    match refused {
        Refused::Bad(response) => response,
        Refused::Rejected { code, message } => {
            let mut body = json!({
                "status": "REJECTED",
                "created": wire::iso(now_ms),
                "failureReason": {"failureCode": code, "failureMessage": message},
            });
            body[resource.id_field()] = json!(id);
            Json(body).into_response()
        }
    }
}

fn new_operation(world: &mut World, body: &Value, id: String, resource: Resource) -> Result<Operation, Refused> {
    let party = request::party(body, resource)?;
    let amount = request::amount(body)?;
    if resource == Resource::Deposit {
        request::extras(body, &party.provider)?;
    }
    let kind = if resource == Resource::Deposit { Kind::Collection } else { Kind::Payout };
    let mut op = Operation::new(PAWAPAY, kind, id, amount, world.now_ms());
    op.customer = party.phone;
    op.reference = body.get("clientReferenceId").and_then(Value::as_str).unwrap_or("").to_owned();
    op.data = json!({
        "resource": resource.name(),
        "provider": party.provider,
        "customerMessage": request::message(body)?,
        "clientReferenceId": body.get("clientReferenceId"),
        "metadata": request::metadata(body)?,
        "successfulUrl": body.get("successfulUrl"),
        "failedUrl": body.get("failedUrl"),
    });
    if party.provider == "WAVE_CIV" && resource == Resource::Deposit {
        op.data["authorizationUrl"] = json!(format!("{}/pawapay/pay/{}", world.settings.base_url, op.id));
    }
    if kind == Kind::Collection {
        op.expires_ms = Some(op.created_ms + PROMPT_MS);
    }
    let wrong_code = body.get("preAuthorisationCode").and_then(Value::as_str) == Some("0000");
    match fate(&op, resource) {
        _ if wrong_code => world.plan(&mut op, Outcome::Refuse("PAYMENT_NOT_APPROVED".to_owned())),
        Fate::Ends(outcome) => world.plan(&mut op, outcome),
        Fate::Stays => op.expires_ms = None,
        Fate::Enqueued => op.data["enqueued"] = json!("true"),
    }
    store(world, op)
}

fn store(world: &mut World, op: Operation) -> Result<Operation, Refused> {
    let full = |_| Refused::Bad(failure(StatusCode::INTERNAL_SERVER_ERROR, "UNKNOWN_ERROR", "Try again later"));
    world.create(op).map_err(full)
}

/// Gives a deposit back, whole or in part, once.
fn new_refund(world: &mut World, body: &Value, id: String) -> Result<Operation, Refused> {
    let rejected = |code, message: &str| Refused::Rejected { code, message: message.to_owned() };
    let deposit = body.get("depositId").and_then(Value::as_str).and_then(|d| world.get(PAWAPAY, d));
    let deposit = deposit.filter(|d| d.kind == Kind::Collection && d.state == OperationState::Succeeded).cloned();
    let deposit = deposit.ok_or_else(|| rejected("INVALID_INPUT", "No completed deposit has this id"))?;
    let amount = if body.get("amount").is_some() { request::amount(body)? } else { deposit.amount };
    let again = world.operations().any(|op| op.provider == PAWAPAY && op.text("depositId") == Some(&deposit.id));
    if again || amount > deposit.amount {
        return Err(rejected("AMOUNT_OUT_OF_BOUNDS", "The deposit was refunded already, or is smaller"));
    }
    let mut op = Operation::new(PAWAPAY, Kind::Payout, id, amount, world.now_ms());
    op.customer = deposit.customer;
    op.data = json!({"resource": "refund", "provider": deposit.data["provider"], "depositId": deposit.id, "metadata": request::metadata(body)?});
    world.plan(&mut op, Outcome::Approve);
    store(world, op)
}

enum Fate {
    Ends(Outcome),
    Stays,
    Enqueued,
}

/// The sandbox's numbers: `..03456nnn`, whatever the operator.
fn fate(op: &Operation, resource: Resource) -> Fate {
    let fails = |code: &str| Fate::Ends(Outcome::Refuse(code.to_owned()));
    if op.customer.get(5..10) != Some("03456") {
        return Fate::Ends(Outcome::Approve);
    }
    match (resource, op.customer.get(10..).unwrap_or("")) {
        (Resource::Deposit, "029") => fails("PAYER_NOT_FOUND"),
        (Resource::Deposit, "039") => fails("PAYMENT_NOT_APPROVED"),
        (Resource::Deposit, "069") | (Resource::Payout, "119") => fails("UNSPECIFIED_FAILURE"),
        (Resource::Payout, "089") => fails("RECIPIENT_NOT_FOUND"),
        (Resource::Payout, "139") => Fate::Enqueued,
        (_, "129") => Fate::Stays,
        _ => Fate::Ends(Outcome::Approve),
    }
}

fn acknowledged(op: &Operation, resource: Resource, status: &str) -> Value {
    let mut body = json!({"status": status, "created": wire::iso(op.created_ms)});
    body[resource.id_field()] = json!(op.id);
    if resource == Resource::Deposit {
        let url = op.text("authorizationUrl");
        body["nextStep"] = json!(if url.is_some() { "REDIRECT_TO_AUTH_URL" } else { "FINAL_STATUS" });
        if let Some(url) = url {
            body["authorizationUrl"] = json!(url);
        }
    }
    body
}

/// The whole object, as reading and callbacks give it.
pub(super) fn shown(op: &Operation) -> Value {
    let status = match op.state {
        OperationState::Pending if op.text("enqueued").is_some() => "ENQUEUED",
        OperationState::Pending => "PROCESSING",
        OperationState::Succeeded | OperationState::Reversed => "COMPLETED",
        OperationState::Failed | OperationState::Expired => "FAILED",
    };
    let (id_field, side) = match op.text("resource") {
        Some("payout") => ("payoutId", "recipient"),
        Some("refund") => ("refundId", "recipient"),
        _ => ("depositId", "payer"),
    };
    let mut body = json!({
        "status": status,
        "amount": op.amount.to_string(),
        "currency": op.currency,
        "country": "CIV",
        "created": wire::iso(op.created_ms),
    });
    body[id_field] = json!(op.id);
    body[side] =
        json!({"type": "MMO", "accountDetails": {"phoneNumber": op.customer, "provider": op.data["provider"]}});
    for field in ["customerMessage", "clientReferenceId", "metadata", "depositId", "authorizationUrl"] {
        if let Some(value) = op.data.get(field).filter(|v| !v.is_null()) {
            body[field] = value.clone();
        }
    }
    if let Some(id) = &op.transaction_id {
        body["providerTransactionId"] = json!(id);
    }
    if let Some(code) = op.reason.as_ref().filter(|_| status == "FAILED") {
        body["failureReason"] = json!({"failureCode": code, "failureMessage": "The payment did not go through"});
    }
    body
}

/// `GET /v2/deposits/{id}`
pub(super) async fn read_deposit(Path(id): Path<String>, State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    read(&app, &headers, &id, Resource::Deposit)
}

/// `GET /v2/payouts/{id}`
pub(super) async fn read_payout(Path(id): Path<String>, State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    read(&app, &headers, &id, Resource::Payout)
}

/// `GET /v2/refunds/{id}`
pub(super) async fn read_refund(Path(id): Path<String>, State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    read(&app, &headers, &id, Resource::Refund)
}

fn read(app: &App, headers: &HeaderMap, id: &str, resource: Resource) -> Response {
    let world = app.world();
    if let Err(refused) = admit(&world, headers) {
        return refused;
    }
    match world.get(PAWAPAY, id).filter(|op| op.text("resource") == Some(resource.name())) {
        Some(op) => Json(json!({"status": "FOUND", "data": shown(op)})).into_response(),
        None => Json(json!({"status": "NOT_FOUND"})).into_response(),
    }
}

/// `POST /v2/{deposits or payouts}/resend-callback/{id}`
pub(super) async fn resend(Path(id): Path<String>, State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let produced = {
        let mut world = app.world();
        if let Err(refused) = admit(&world, &headers) {
            return refused;
        }
        let op = world.get(PAWAPAY, &id).filter(|op| op.state != OperationState::Pending).cloned();
        let Some(op) = op else { return Json(json!({"status": "REJECTED"})).into_response() };
        callbacks::of_change(&mut world, &op)
    };
    app.send(produced);
    Json(json!({"status": "ACCEPTED"})).into_response()
}

/// `POST /v2/payouts/fail-enqueued/{id}`
pub(super) async fn fail_enqueued(Path(id): Path<String>, State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let enqueued = {
        let world = app.world();
        if let Err(refused) = admit(&world, &headers) {
            return refused;
        }
        world.get(PAWAPAY, &id).is_some_and(|op| op.text("enqueued").is_some())
    };
    let outcome = Outcome::Refuse("MANUALLY_CANCELLED".to_owned());
    let status = if enqueued && app.settle(&(PAWAPAY, id.clone()), outcome).is_ok() { "ACCEPTED" } else { "REJECTED" };
    Json(json!({"payoutId": id, "status": status})).into_response()
}
