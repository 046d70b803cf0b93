//! Moov Money's merchant interface (SOAP 1.1), in the only shape that is known, which is Benin's. Its token is encrypted,
//! a pending push is asked for, nothing calls back, and a transfer may not be repeated.

mod answers;
mod envelope;
mod token;

use crate::App;
use crate::desk::Desk;
use crate::faults::Call;
use crate::model::{Kind, Operation, Outcome, Planned, Provider, State};
use crate::wire;
use crate::world::World;
use answers::Result3;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::response::Response;
use axum::routing::{get, post};
use envelope::Request;
use http::Method;
use serde_json::json;
use std::sync::Arc;

pub(crate) static DESK: Desk = Desk {
    routes,
    call,
    callbacks: |_, _, _| Vec::new(),
    short: |_, _| Outcome::Refuse("10".to_owned()),
    refused: |op| match op.kind {
        Kind::Collection => Outcome::Refuse("95".to_owned()),
        Kind::Payout => Outcome::Refuse("7".to_owned()),
    },
    expired: "92",
    transaction_id: |now| format!("7{}{}", wire::day(now).replace('-', ""), wire::random_text(b"0123456789", 9)),
};

const MOOV: Provider = Provider::Moov;
/// How long the customer's prompt lives, in milliseconds.
const PROMPT_MS: i64 = 2 * 60 * 1_000;
/// What one operation may be, in francs.
const LEAST: i64 = 100;
const MOST: i64 = 2_000_000;
/// How soon a number that fails at once fails, in milliseconds.
const SOON_MS: i64 = 100;

fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/com.tlc.merchant.api/UssdPush", post(receive).get(answers::wsdl))
        .route("/", get(answers::wsdl))
}

/// One address for all: what a call is for stands in its body.
fn call(_method: &Method, _path: &str, body: &[u8]) -> Call {
    let request = envelope::parse(body);
    match request.as_ref().map(|r| r.operation.as_str()) {
        Some("Push" | "PushWithPending") => Call::Collect,
        Some("transferFlooz" | "cashintrans") => Call::Payout,
        Some("getTransactionStatus") => Call::Read,
        _ => Call::Other,
    }
}

async fn receive(Shared(app): Shared<Arc<App>>, body: Bytes) -> Response {
    let Some(request) = envelope::parse(&body) else {
        return answers::fault("The envelope cannot be read");
    };
    let settings = Arc::clone(&app.world().settings);
    if !token::holds(&settings.credentials.moov, request.field("token")) {
        return answers::of(&request, &Result3::code(98));
    }
    let executed = answer(&app, &request);
    answers::of(&request, &executed)
}

fn answer(app: &App, request: &Request) -> Result3 {
    match request.operation.as_str() {
        "Push" | "PushWithPending" => push(&mut app.world(), request),
        "getTransactionStatus" => status(&app.world(), request.field("transid")),
        "transferFlooz" | "cashintrans" => transfer(app, request),
        "getBalance" => Result3::text(0, &app.world().book(MOOV).float.to_string()),
        "getMobileAccountStatus" if number(request.field("msisdn")).is_some() => Result3::text(0, "SUCCESS"),
        "getMobileAccountStatus" => Result3::code(3),
        _ => Result3::code(1),
    }
}

/// An Ivorian number, with or without the country's.
fn number(given: &str) -> Option<String> {
    let national = given.strip_prefix("225").unwrap_or(given);
    let plain = national.len() == 10 && national.bytes().all(|b| b.is_ascii_digit());
    (plain && national.starts_with("01")).then(|| national.to_owned())
}

fn checked(amount: &str, customer: &str) -> Result<(i64, String), Result3> {
    let customer = number(customer).ok_or_else(|| Result3::code(3))?;
    match wire::parse_amount(amount) {
        None => Err(Result3::code(91)),
        Some(amount) if amount < LEAST => Err(Result3::code(11)),
        Some(amount) if amount > MOST => Err(Result3::code(12)),
        Some(amount) => Ok((amount, customer)),
    }
}

/// What the last two digits of a number choose.
fn ending(customer: &str) -> &str {
    customer.get(customer.len().saturating_sub(2)..).unwrap_or("")
}

/// A customer is asked to pay: pending, until somebody asks.
fn push(world: &mut World, request: &Request) -> Result3 {
    let (amount, customer) = match checked(request.field("amount"), request.field("msisdn")) {
        Ok(checked) => checked,
        Err(refused) => return refused,
    };
    let now = world.now_ms();
    let id = (DESK.transaction_id)(now);
    let mut op = Operation::new(MOOV, Kind::Collection, id, amount, now);
    let reference = request.field("externaldata1");
    op.reference = if reference.is_empty() { op.id.clone() } else { reference.to_owned() };
    op.expires_ms = Some(now + PROMPT_MS);
    op.data = json!({"message": request.field("message")});
    match ending(&customer) {
        "10" => op.planned = Some(Planned { at_ms: now + SOON_MS, outcome: Outcome::Refuse("10".to_owned()) }),
        "92" => op.planned = Some(Planned { at_ms: now + SOON_MS, outcome: Outcome::Expire }),
        _ => world.plan(&mut op, Outcome::Approve),
    }
    op.customer = customer;
    match world.create(op) {
        // It goes on, and the answer says that it broke.
        Ok(op) if ending(&op.customer) == "99" => Result3::code(99),
        Ok(op) => Result3::of_operation(&op),
        Err(_) => Result3::code(99),
    }
}

/// By their id or by ours: which of the two is meant is not certain.
fn status(world: &World, id: &str) -> Result3 {
    let found = world.get(MOOV, id).or_else(|| world.with_reference(MOOV, id).last());
    found.map_or_else(|| Result3::code(94), Result3::of_operation)
}

/// We pay. The reference is not checked for uniqueness: a repeated call pays twice, as nobody promised otherwise.
fn transfer(app: &App, request: &Request) -> Result3 {
    let (amount, customer) = match checked(request.field("amount"), request.field("destination")) {
        Ok(checked) => checked,
        Err(refused) => return refused,
    };
    let mut world = app.world();
    let now = world.now_ms();
    let mut op = Operation::new(MOOV, Kind::Payout, (DESK.transaction_id)(now), amount, now);
    op.reference = request.field("referenceid").to_owned();
    op.customer = customer;
    op.data = json!({"extendeddata": request.field("extendeddata")});
    let chosen = ending(&op.customer).to_owned();
    let before = world.book(MOOV).float;
    world.plan(&mut op, Outcome::Approve);
    let held = op.planned.take().is_none();
    let Ok(op) = world.create(op) else { return Result3::code(99) };
    if held {
        return Result3::of_operation(&op);
    }
    let outcome = match chosen.as_str() {
        "10" | "07" => Outcome::Refuse(chosen.trim_start_matches('0').to_owned()),
        _ => Outcome::Approve,
    };
    match world.settle(&op.key(), outcome, false) {
        Ok(op) if chosen == "99" && op.state == State::Succeeded => Result3::code(99),
        Ok(op) => Result3::of_operation(&op).with_balances(before, world.book(MOOV).float),
        Err(_) => Result3::code(99),
    }
}
