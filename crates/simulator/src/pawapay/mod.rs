//! pawaPay v2: deposits, payouts, refunds, callbacks signed after RFC 9421. <https://docs.pawapay.io>

mod operations;
mod pay_page;
mod request;
mod signature;
mod tools;

pub(crate) use tools::rotate_keys;

use crate::App;
use crate::books::Short;
use crate::callbacks::{Callback, Hand, Policy, Sign};
use crate::desk::Desk;
use crate::faults::Call;
use crate::model::{Kind, Operation, Outcome, Provider, State};
use crate::wire;
use crate::world::World;
use axum::Json;
use axum::Router;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use http::{HeaderMap, Method, StatusCode};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

pub(crate) static DESK: Desk = Desk {
    routes,
    call,
    callbacks,
    short: |op, short| {
        let code = match (op.kind, short) {
            (Kind::Collection, Short::Customer) => "INSUFFICIENT_BALANCE",
            _ => "PAWAPAY_WALLET_OUT_OF_FUNDS",
        };
        Outcome::Refuse(code.to_owned())
    },
    refused: |op| match op.kind {
        Kind::Collection => Outcome::Refuse("PAYMENT_NOT_APPROVED".to_owned()),
        Kind::Payout => Outcome::Refuse("RECIPIENT_NOT_FOUND".to_owned()),
    },
    expired: "PAYMENT_NOT_APPROVED",
    transaction_id: |_| wire::random_text(b"0123456789", 11),
};

const PAWAPAY: Provider = Provider::Pawapay;

fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/v2/deposits", post(operations::deposit))
        .route("/v2/deposits/{id}", get(operations::read_deposit))
        .route("/v2/deposits/resend-callback/{id}", post(operations::resend))
        .route("/v2/payouts", post(operations::payout))
        .route("/v2/payouts/{id}", get(operations::read_payout))
        .route("/v2/payouts/resend-callback/{id}", post(operations::resend))
        .route("/v2/payouts/fail-enqueued/{id}", post(operations::fail_enqueued))
        .route("/v2/refunds", post(operations::refund))
        .route("/v2/refunds/{id}", get(operations::read_refund))
        .route("/v2/active-conf", get(tools::active_conf))
        .route("/v2/availability", get(tools::availability))
        .route("/v2/predict-provider", post(tools::predict))
        .route("/v2/wallet-balances", get(tools::balances))
        .route("/v2/public-key/http", get(tools::public_keys))
        .route("/pay/{id}", get(pay_page::show).post(pay_page::act))
        .fallback(|| async { failure(StatusCode::NOT_FOUND, "INVALID_INPUT", "No such path") })
}

fn call(method: &Method, path: &str, _body: &[u8]) -> Call {
    match (method, path) {
        (&Method::POST, "/v2/deposits") => Call::Collect,
        (&Method::POST, "/v2/payouts" | "/v2/refunds") => Call::Payout,
        (&Method::GET, p) if ["/v2/deposits/", "/v2/payouts/", "/v2/refunds/"].iter().any(|r| p.starts_with(r)) => {
            Call::Read
        }
        _ => Call::Other,
    }
}

/// A technical failure, by its code.
fn failure(status: StatusCode, code: &str, message: &str) -> Response {
    let body = json!({"failureReason": {"failureCode": code, "failureMessage": message}});
    (status, Json(body)).into_response()
}

fn admit(world: &World, headers: &HeaderMap) -> Result<(), Response> {
    match wire::bearer(headers) {
        None => Err(failure(StatusCode::UNAUTHORIZED, "NO_AUTHENTICATION", "The Authorization header is missing")),
        Some(token) if wire::same(token, &world.settings.credentials.pawapay.token) => Ok(()),
        Some(_) => Err(failure(StatusCode::FORBIDDEN, "AUTHENTICATION_ERROR", "The token is not valid")),
    }
}

/// The final object, signed, until it is answered with 200 and nothing else.
fn callbacks(world: &World, op: &Operation, hand: Hand) -> Vec<Callback> {
    let ended = matches!(op.state, State::Succeeded | State::Failed | State::Expired);
    let Some(url) = world.callbacks.0.get(&PAWAPAY).filter(|_| ended && op.text("resource").is_some()) else {
        return Vec::new();
    };
    let body = operations::shown(op);
    let signer = signature::Signer::present(world, hand);
    let sign: Sign = Arc::new(move |signing| signer.headers(signing));
    let policy = Policy { attempts: 12, first_wait: Duration::from_secs(1), accepts: |s| s == 200 };
    vec![Callback::json(op, url.clone(), &body, sign, policy)]
}
