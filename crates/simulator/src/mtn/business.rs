//! Request to pay, transfer, deposit and refund: 202 and an empty body, then a state to ask for.

use super::numbers::{self, Fate};
use super::provisioning::{duplicate, reference};
use super::{Caller, MTN, admit, error, not_found};
use crate::App;
use crate::model::{Kind, Operation, Outcome, Planned, State as OperationState};
use crate::wire;
use crate::world::World;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode, Uri};
use serde_json::{Value, json};
use std::sync::Arc;

/// How long the customer's prompt lives, in milliseconds.
const PROMPT_MS: i64 = 5 * 60 * 1_000;
/// How long the number that is slow takes, in milliseconds.
const SLOW_MS: i64 = 30 * 1_000;
/// Characters of a message to a party.
const MAX_MESSAGE: usize = 160;

type Target = (String, String, String);

/// `POST /{product}/{version}/{resource}`
pub(super) async fn create(
    Path(target): Path<Target>,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut world = app.world();
    match accept(&mut world, &target, &headers, &body) {
        Ok(()) => StatusCode::ACCEPTED.into_response(),
        Err(refused) => refused,
    }
}

fn kind(product: &str, version: &str, resource: &str) -> Option<Kind> {
    match (product, version, resource) {
        ("collection", "v1_0", "requesttopay") => Some(Kind::Collection),
        ("disbursement" | "remittance", "v1_0", "transfer") => Some(Kind::Payout),
        ("disbursement", "v1_0" | "v2_0", "deposit" | "refund") => Some(Kind::Payout),
        _ => None,
    }
}

fn bad(message: &str) -> Response {
    error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR", message)
}

fn accept(world: &mut World, target: &Target, headers: &HeaderMap, body: &[u8]) -> Result<(), Response> {
    let (product, version, resource) = target;
    let caller = admit(world, product, headers)?;
    let kind =
        kind(product, version, resource).ok_or_else(|| not_found("RESOURCE_NOT_FOUND", "Resource not found."))?;
    let id = reference(headers)?;
    if world.get(MTN, &id).is_some() {
        return Err(duplicate());
    }
    let body: Value = serde_json::from_slice(body).map_err(|_| bad("The body is not JSON."))?;
    let callback_url = callback_url(world, &caller, headers)?;
    let amount = amount(&body)?;
    if text(&body, "currency") != caller.currency() {
        return Err(error(StatusCode::INTERNAL_SERVER_ERROR, "INVALID_CURRENCY", "Currency not supported."));
    }
    for field in ["payerMessage", "payeeNote"] {
        if text(&body, field).chars().count() > MAX_MESSAGE {
            return Err(bad("payerMessage and payeeNote may have 160 characters."));
        }
    }
    let mut op = Operation::new(MTN, kind, id, amount, world.now_ms());
    op.currency = caller.currency().to_owned();
    op.reference = text(&body, "externalId").to_owned();
    op.callback_url = callback_url;
    let refunded = if resource == "refund" { Some(refunded(world, &body, amount)?) } else { None };
    op.customer = match &refunded {
        Some(original) => original.customer.clone(),
        None => party(&body, kind)?,
    };
    op.data = json!({
        "resource": resource,
        "partyIdType": party_field(&body, kind, "partyIdType").unwrap_or("MSISDN"),
        "payerMessage": text(&body, "payerMessage"),
        "payeeNote": text(&body, "payeeNote"),
        "referenceIdToRefund": refunded.map(|original| original.id),
    });
    plan(world, &mut op);
    let full = |_| error(StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE", "Service temporarily unavailable.");
    world.create(op).map(|_| ()).map_err(full)
}

fn plan(world: &mut World, op: &mut Operation) {
    let fate = match op.kind {
        Kind::Collection => numbers::of_collection(&op.customer),
        Kind::Payout => numbers::of_payout(&op.customer),
    };
    if op.kind == Kind::Collection && fate != Fate::Stays {
        op.expires_ms = Some(op.created_ms + PROMPT_MS);
    }
    match fate {
        Fate::Ends(outcome) => world.plan(op, outcome),
        Fate::Delayed => op.planned = Some(Planned { at_ms: op.created_ms + SLOW_MS, outcome: Outcome::Approve }),
        Fate::Stays => {}
    }
}

fn text<'v>(body: &'v Value, field: &str) -> &'v str {
    body.get(field).and_then(Value::as_str).unwrap_or("")
}

/// A string; the sandbox also takes decimals when they are nought.
fn amount(body: &Value) -> Result<i64, Response> {
    let given = text(body, "amount");
    let whole = given
        .split_once('.')
        .map_or(given, |(whole, cents)| if !cents.is_empty() && cents.bytes().all(|b| b == b'0') { whole } else { "" });
    wire::parse_amount(whole).ok_or_else(|| bad("amount must be a whole number in a string."))
}

/// The other party. Some send the payee of a deposit as its payer.
fn party_field<'v>(body: &'v Value, kind: Kind, field: &str) -> Option<&'v str> {
    let names = match kind {
        Kind::Collection => ["payer", "payer"],
        Kind::Payout => ["payee", "payer"],
    };
    names.iter().find_map(|name| body.get(name)?.get(field)?.as_str())
}

fn party(body: &Value, kind: Kind) -> Result<String, Response> {
    let id = party_field(body, kind, "partyId").unwrap_or("");
    let known = match party_field(body, kind, "partyIdType") {
        Some("MSISDN") => wire::is_msisdn(id),
        Some("EMAIL") => id.contains('@') && id.len() <= 254,
        Some("PARTY_CODE") => uuid::Uuid::try_parse(id).is_ok(),
        _ => false,
    };
    if known { Ok(id.to_owned()) } else { Err(bad("partyIdType and partyId do not fit.")) }
}

/// The collection that a refund gives back, once.
fn refunded(world: &World, body: &Value, amount: i64) -> Result<Operation, Response> {
    let id = text(body, "referenceIdToRefund");
    let original = world.get(MTN, id).filter(|op| op.kind == Kind::Collection && op.state == OperationState::Succeeded);
    let unknown = || not_found("TRANSACTION_NOT_FOUND", "The transaction to refund was not found.");
    let original = original.ok_or_else(unknown)?;
    let again = world.operations().any(|op| op.provider == MTN && op.text("referenceIdToRefund") == Some(id));
    if again || amount > original.amount {
        return Err(error(StatusCode::INTERNAL_SERVER_ERROR, "NOT_ALLOWED", "This refund is not allowed."));
    }
    Ok(original.clone())
}

/// Only the registered host may be called back.
fn callback_url(world: &World, caller: &Caller, headers: &HeaderMap) -> Result<Option<String>, Response> {
    let Some(url) = wire::header(headers, "x-callback-url") else { return Ok(None) };
    let host = url.parse::<Uri>().ok().and_then(|u| u.host().map(str::to_owned)).unwrap_or_default();
    let provisioned = world.record(MTN, &format!("apiuser/{}", caller.user)).and_then(|u| u.get("host")?.as_str());
    let registered = provisioned.or(world.settings.credentials.mtn.callback_host.as_deref());
    if host.is_empty() || registered.is_some_and(|r| r.split(':').next() != Some(host.as_str())) {
        let message = "Callback URL host does not match the registered one.";
        return Err(error(StatusCode::INTERNAL_SERVER_ERROR, "INVALID_CALLBACK_URL_HOST", message));
    }
    Ok(Some(url.to_owned()))
}

/// An operation as MTN shows it.
pub(super) fn shown(op: &Operation) -> Value {
    let status = match op.state {
        OperationState::Pending => "PENDING",
        OperationState::Succeeded | OperationState::Reversed => "SUCCESSFUL",
        OperationState::Failed | OperationState::Expired => "FAILED",
    };
    let side = if op.kind == Kind::Collection { "payer" } else { "payee" };
    let mut shown = json!({
        "amount": op.amount.to_string(),
        "currency": op.currency,
        "externalId": op.reference,
        "payerMessage": op.data.get("payerMessage"),
        "payeeNote": op.data.get("payeeNote"),
        "status": status,
    });
    shown[side] = json!({"partyIdType": op.data.get("partyIdType"), "partyId": op.customer});
    if let Some(id) = &op.transaction_id {
        shown["financialTransactionId"] = json!(id);
    }
    if let Some(reason) = op.reason.as_ref().filter(|_| status == "FAILED") {
        shown["reason"] = json!(reason);
    }
    shown
}

/// `GET /{product}/{version}/{resource}/{id}`
pub(super) async fn read(
    Path((product, version, resource, id)): Path<(String, String, String, String)>,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Response {
    let world = app.world();
    if let Err(refused) = admit(&world, &product, &headers) {
        return refused;
    }
    let known = kind(&product, &version, &resource).and_then(|_| world.get(MTN, &id));
    match known.filter(|op| op.text("resource") == Some(&resource)) {
        Some(op) => Json(shown(op)).into_response(),
        None => not_found("RESOURCE_NOT_FOUND", "Requested resource was not found."),
    }
}

/// `POST /collection/v1_0/requesttopay/{id}/deliverynotification`
pub(super) async fn delivery_notification(
    Path((product, _version, id)): Path<(String, String, String)>,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Response {
    let world = app.world();
    if let Err(refused) = admit(&world, &product, &headers) {
        return refused;
    }
    match world.get(MTN, &id) {
        Some(op) if op.state == OperationState::Succeeded => StatusCode::OK.into_response(),
        Some(_) => error(StatusCode::CONFLICT, "NOT_ALLOWED", "The transaction did not succeed."),
        None => not_found("RESOURCE_NOT_FOUND", "Requested resource was not found."),
    }
}
