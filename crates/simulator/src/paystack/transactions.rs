//! Transactions. Amounts are a hundred times the franc on the wire, although the franc has no cents.

use super::{PAYSTACK, admit, done, error};
use crate::App;
use crate::model::{Kind, Operation, Outcome, State as OperationState};
use crate::wire;
use crate::world::World;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

/// "Subunits" of a franc.
const SUBUNITS: i64 = 100;
/// What one transaction may be, in francs.
const MOST: i64 = 10_000_000;
/// How a card's token begins; the id of the first charge follows.
const TOKEN: &str = "AUTH_";
/// How long a page waits, in milliseconds.
const LIFE_MS: i64 = 3_600 * 1_000;

/// The cards that the page offers: brand, last four digits, and how it ends. No number is ever typed.
pub(super) const CARDS: [(&str, &str, Option<&str>); 3] =
    [("visa", "4081", None), ("mastercard", "5060", Some("Insufficient Funds")), ("visa", "0408", Some("Declined"))];

fn bad(code: &str, message: &str) -> Response {
    error(StatusCode::BAD_REQUEST, code, message)
}

fn object(body: &[u8]) -> Result<Value, Response> {
    let body = serde_json::from_slice::<Value>(body).ok().filter(Value::is_object);
    body.ok_or_else(|| bad("invalid_params", "Invalid JSON"))
}

fn amount(body: &Value) -> Result<i64, Response> {
    let given = body.get("amount");
    let subunits = given.and_then(|a| a.as_i64().or_else(|| wire::parse_amount(a.as_str()?)));
    let francs = subunits.filter(|s| s % SUBUNITS == 0).map(|s| s / SUBUNITS).filter(|f| (1..=MOST).contains(f));
    francs.ok_or_else(|| bad("invalid_amount", "Invalid amount"))
}

/// The operation that both ways of charging begin with.
fn new_operation(world: &World, body: &Value) -> Result<Operation, Response> {
    let text = |field: &str| body.get(field).and_then(Value::as_str);
    let email = text("email").filter(|e| e.contains('@') && e.len() <= 254);
    let email = email.ok_or_else(|| bad("invalid_email_address", "Invalid Email Address Passed"))?;
    if text("currency").is_some_and(|c| c != "XOF") {
        return Err(bad("unsupported_currency", "Currency not supported by merchant"));
    }
    let fresh = wire::random_id(16);
    let reference = text("reference").unwrap_or(&fresh);
    let plain = reference.len() <= 100 && reference.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.=_".contains(&b));
    if !plain {
        return Err(bad("invalid_reference", "Only -, ., = and alphanumeric characters are allowed"));
    }
    if world.with_reference(PAYSTACK, reference).next().is_some() {
        return Err(bad("duplicate_reference", "Duplicate Transaction Reference"));
    }
    let mut op = Operation::new(PAYSTACK, Kind::Collection, wire::random_id(15), amount(body)?, world.now_ms());
    op.reference = reference.to_owned();
    op.customer = email.to_owned();
    op.data = json!({"callback_url": text("callback_url"), "metadata": body.get("metadata"), "card": 0});
    Ok(op)
}

fn unavailable() -> Response {
    error(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Try again later")
}

/// `POST /transaction/initialize`
pub(super) async fn initialize(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    let mut world = app.world();
    let made = admit(&world, &headers).and_then(|()| object(&body)).and_then(|body| {
        if contains_card(&body) {
            return Err(bad("card_refused", "Card details are typed on the hosted page only"));
        }
        let mut op = new_operation(&world, &body)?;
        op.expires_ms = Some(op.created_ms + LIFE_MS);
        op.data["authorization_code"] = json!(format!("{TOKEN}{}", op.id));
        world.plan(&mut op, Outcome::Approve);
        world.create(op).map_err(|_| unavailable())
    });
    match made {
        Ok(op) => {
            let url = format!("{}/paystack/pay/{}", world.settings.base_url, op.id);
            done(
                "Authorization URL created",
                &json!({"authorization_url": url, "access_code": op.id, "reference": op.reference}),
            )
        }
        Err(refused) => refused,
    }
}

fn contains_card(body: &Value) -> bool {
    body.get("card").is_some()
}

/// `POST /transaction/charge_authorization`: with the token of an earlier charge.
pub(super) async fn charge_authorization(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    let made = {
        let mut world = app.world();
        admit(&world, &headers).and_then(|()| object(&body)).and_then(|body| {
            let code = body.get("authorization_code").and_then(Value::as_str).unwrap_or("");
            let known = authorised(&world, code).map(|first| (first.customer.clone(), first.data["card"].clone()));
            let (email, card) = known.ok_or_else(|| bad("invalid_authorization", "Authorization code is invalid"))?;
            let mut op = new_operation(&world, &body)?;
            if email != op.customer {
                return Err(bad("invalid_authorization", "Email does not match Authorization code"));
            }
            op.data["authorization_code"] = json!(code);
            op.data["card"] = card;
            world.create(op).map_err(|_| unavailable())
        })
    };
    let op = match made {
        Ok(op) => op,
        Err(refused) => return refused,
    };
    match app.settle(&op.key(), Outcome::Approve) {
        Ok(op) => done("Charge attempted", &shown(&op)),
        Err(_) => unavailable(),
    }
}

/// The charge that a token comes from, unless the token was given up.
fn authorised<'w>(world: &'w World, code: &str) -> Option<&'w Operation> {
    let first = world.get(PAYSTACK, code.strip_prefix(TOKEN)?)?;
    let usable = matches!(first.state, OperationState::Succeeded | OperationState::Reversed);
    let given_up = world.record(PAYSTACK, &format!("given-up/{code}")).is_some();
    (usable && !given_up).then_some(first)
}

/// `POST /customer/authorization/deactivate`
pub(super) async fn deactivate(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    let mut world = app.world();
    let body = match admit(&world, &headers).and_then(|()| object(&body)) {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let code = body["authorization_code"].as_str().unwrap_or("");
    if authorised(&world, code).is_none() {
        return bad("invalid_authorization", "Authorization code is invalid");
    }
    if world.set_record(PAYSTACK, &format!("given-up/{code}"), Some(json!(true))).is_err() {
        return unavailable();
    }
    done("Authorization has been deactivated", &Value::Null)
}

/// A transaction as Paystack shows it.
pub(super) fn shown(op: &Operation) -> Value {
    let status = match op.state {
        OperationState::Pending if op.text("opened").is_some() => "ongoing",
        OperationState::Pending | OperationState::Expired => "abandoned",
        OperationState::Succeeded => "success",
        OperationState::Failed => "failed",
        OperationState::Reversed => "reversed",
    };
    let card = op.data["card"].as_u64().and_then(|c| CARDS.get(usize::try_from(c).ok()?));
    let ended = op.state != OperationState::Pending;
    let authorization = op.text("authorization_code").filter(|_| ended).zip(card).map(|(code, (brand, last4, _))| {
        json!({
            "authorization_code": code,
            "last4": last4,
            "exp_month": "12",
            "exp_year": "2030",
            "channel": "card",
            "card_type": brand,
            "brand": brand,
            "bank": "BANQUE SIMULEE",
            "country_code": "CI",
            "reusable": true,
            "signature": format!("SIG_{}", wire::digest(op.customer.as_bytes()).get(..16).unwrap_or("")),
        })
    });
    json!({
        "id": op.transaction_id,
        "domain": "test",
        "status": status,
        "reference": op.reference,
        "amount": op.amount * SUBUNITS,
        "currency": op.currency,
        "fees": op.fee * SUBUNITS,
        "channel": "card",
        "gateway_response": op.reason.as_deref().unwrap_or(if status == "success" { "Successful" } else { "" }),
        "paid_at": op.completed_ms.filter(|_| status == "success").map(wire::iso_ms),
        "created_at": wire::iso_ms(op.created_ms),
        "metadata": op.data.get("metadata"),
        "customer": {"email": op.customer},
        "authorization": authorization.unwrap_or_else(|| json!({})),
    })
}

/// `GET /transaction/verify/{reference}`
pub(super) async fn verify(Path(reference): Path<String>, State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let world = app.world();
    if let Err(refused) = admit(&world, &headers) {
        return refused;
    }
    match world.with_reference(PAYSTACK, &reference).next() {
        Some(op) => done("Verification successful", &shown(op)),
        None => bad("transaction_not_found", "Transaction reference not found."),
    }
}

/// `POST /refund`
pub(super) async fn refund(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    let reversed = {
        let mut world = app.world();
        let body = match admit(&world, &headers).and_then(|()| object(&body)) {
            Ok(body) => body,
            Err(refused) => return refused,
        };
        let reference = body["transaction"].as_str().unwrap_or("");
        let Some(op) = world.with_reference(PAYSTACK, reference).next() else {
            return bad("transaction_not_found", "Transaction not found");
        };
        if body.get("amount").is_some() && amount(&body).is_ok_and(|a| a != op.amount) {
            return bad("unsupported_amount", "Only the whole transaction can be refunded");
        }
        let key = op.key();
        world.reverse(&key)
    };
    match reversed {
        Ok(op) => {
            app.announce(&op);
            done(
                "Refund has been queued for processing",
                &json!({"transaction": shown(&op), "amount": op.amount * SUBUNITS, "status": "processed"}),
            )
        }
        Err(_) => bad("transaction_reversed", "Transaction has been fully reversed, or did not succeed"),
    }
}

/// `GET /balance`
pub(super) async fn balance(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let mut world = app.world();
    if let Err(refused) = admit(&world, &headers) {
        return refused;
    }
    let balance = world.book(PAYSTACK).float * SUBUNITS;
    done("Balances retrieved", &json!([{"currency": "XOF", "balance": balance}]))
}
