//! The GSMA Mobile Money API 1.2, the generic interface of an operator.

mod accounts;
mod requests;
mod transactions;

use crate::App;
use crate::callbacks::{Callback, Hand, Policy, unsigned};
use crate::desk::Desk;
use crate::faults::Call;
use crate::model::{Operation, Outcome, Provider, State};
use crate::wire;
use crate::world::World;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) static DESK: Desk = Desk {
    routes,
    call,
    callbacks,
    short: |_, _| Outcome::Refuse("InsufficientFunds".to_owned()),
    refused: |_| Outcome::Refuse("PayerRejected".to_owned()),
    expired: "RequestExpired",
    transaction_id: |_| format!("REF-{}", wire::random_text(b"0123456789", 13)),
};

const GSMA: Provider = Provider::Gsma;

fn routes() -> Router<Arc<App>> {
    let api = Router::new()
        .route("/transactions", post(transactions::create_plain))
        .route("/transactions/type/{kind}", post(transactions::create))
        .route("/transactions/{reference}", get(transactions::read))
        .route("/transactions/{reference}/reversals", post(transactions::reverse))
        .route("/requeststates/{id}", get(requests::state))
        .route("/responses/{id}", get(requests::response))
        .route("/accounts/{kind}/{id}/balance", get(accounts::balance))
        .route("/accounts/{kind}/{id}/status", get(accounts::status))
        .route("/accounts/{kind}/{id}/accountname", get(accounts::name))
        .route("/accounts/{kind}/{id}/transactions", get(accounts::statement))
        .route("/heartbeat", get(accounts::heartbeat));
    Router::new()
        .nest("/1.2/mm", api.clone())
        .nest("/v1.2/mm", api)
        .fallback(|| async { error(StatusCode::NOT_FOUND, "Identification", "IdentifierError", "No such resource") })
}

fn call(method: &Method, path: &str, _body: &[u8]) -> Call {
    let end = path.split("/mm").nth(1).unwrap_or("");
    match *method {
        Method::POST if end.ends_with("/disbursement") || end.ends_with("/deposit") => Call::Payout,
        Method::POST if end.starts_with("/transactions") => Call::Collect,
        Method::GET if ["/transactions/", "/requeststates/", "/responses/"].iter().any(|p| end.starts_with(p)) => {
            Call::Read
        }
        _ => Call::Other,
    }
}

fn fault(category: &str, code: &str, description: &str) -> Value {
    json!({
        "errorCategory": category,
        "errorCode": code,
        "errorDescription": description,
        "errorDateTime": wire::iso_ms(wire::wall_ms()),
    })
}

fn error(status: StatusCode, category: &str, code: &str, description: &str) -> Response {
    (status, Json(fault(category, code, description))).into_response()
}

fn invalid(code: &str, field: &str) -> Response {
    let mut body = fault("Validation", code, "The request is not valid");
    body["errorParameters"] = json!([{"key": "field", "value": field}]);
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

fn admit(world: &World, headers: &HeaderMap) -> Result<(), Response> {
    let keys = &world.settings.credentials.gsma;
    let key = wire::header(headers, "x-api-key").is_some_and(|k| wire::same(k, &keys.api_key));
    let basic = wire::basic(headers).is_some_and(|(user, password)| {
        (wire::same(&user, &keys.username), wire::same(&password, &keys.password)) == (true, true)
    });
    if key && basic {
        Ok(())
    } else {
        Err(error(StatusCode::UNAUTHORIZED, "Authorisation", "ClientAuthorisationError", "The client is not known"))
    }
}

/// The final resource by PUT, or the error object.
fn callbacks(_world: &World, op: &Operation, _hand: Hand) -> Vec<Callback> {
    let Some(url) = op.callback_url.clone().filter(|_| op.state != State::Pending) else { return Vec::new() };
    let body = match (&op.state, &op.reason) {
        (State::Failed | State::Expired, Some(code)) => {
            let mut body = fault("BusinessRule", code, "The transaction did not go through");
            body["errorParameters"] = json!([{"key": "serverCorrelationId", "value": op.id}]);
            body
        }
        _ => transactions::shown(op),
    };
    let callback = Callback::json(op, url, &body, unsigned(), Policy::retried(3));
    vec![Callback { method: Method::PUT, ..callback }]
}
