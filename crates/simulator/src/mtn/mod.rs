//! MTN MoMo Open API: collection, disbursement, remittance, and the sandbox's provisioning.
//! <https://momodeveloper.mtn.com>

mod business;
mod numbers;
mod party;
mod provisioning;

use crate::App;
use crate::books::Short;
use crate::callbacks::{Callback, Hand, Policy, unsigned};
use crate::credentials::{MtnKeys, MtnProductKeys};
use crate::desk::Desk;
use crate::faults::Call;
use crate::model::{Kind, Operation, Outcome, Provider, State};
use crate::wire::{self, Token};
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
    short,
    refused: |op| match op.kind {
        Kind::Collection => Outcome::Refuse("APPROVAL_REJECTED".to_owned()),
        Kind::Payout => Outcome::Refuse("PAYEE_NOT_ALLOWED_TO_RECEIVE".to_owned()),
    },
    expired: "EXPIRED",
    transaction_id: |_| wire::random_text(b"123456789", 10),
};

fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/v1_0/apiuser", post(provisioning::create_user))
        .route("/v1_0/apiuser/{id}", get(provisioning::read_user))
        .route("/v1_0/apiuser/{id}/apikey", post(provisioning::create_key))
        .route("/{product}/token/", post(provisioning::token))
        .route("/{product}/token", post(provisioning::token))
        .route("/{product}/{version}/{resource}", post(business::create))
        .route("/{product}/{version}/{resource}/{id}", get(business::read))
        .route("/{product}/{version}/account/balance", get(party::balance))
        .route("/{product}/{version}/account/balance/{currency}", get(party::balance))
        .route("/{product}/{version}/accountholder/{kind}/{id}/active", get(party::active))
        .route("/{product}/{version}/accountholder/{kind}/{id}/basicuserinfo", get(party::basic_info))
        .route("/{product}/{version}/requesttopay/{id}/deliverynotification", post(business::delivery_notification))
        .fallback(|| async { not_found("RESOURCE_NOT_FOUND", "Resource not found.") })
}

fn call(method: &Method, path: &str, _body: &[u8]) -> Call {
    let last = |word: &str| path.ends_with(word);
    match *method {
        Method::POST if last("/requesttopay") => Call::Collect,
        Method::POST if last("/transfer") || last("/deposit") || last("/refund") => Call::Payout,
        Method::POST if path.contains("/token") => Call::Token,
        Method::GET if ["/requesttopay/", "/transfer/", "/deposit/", "/refund/"].iter().any(|r| path.contains(r)) => {
            Call::Read
        }
        _ => Call::Other,
    }
}

fn short(op: &Operation, short: Short) -> Outcome {
    let reason = match (op.kind, short) {
        (Kind::Collection, _) => "LOW_BALANCE_OR_PAYEE_LIMIT_REACHED_OR_NOT_ALLOWED",
        (Kind::Payout, _) => "NOT_ENOUGH_FUNDS",
    };
    Outcome::Refuse(reason.to_owned())
}

/// One attempt by PUT, nothing signed: the merchant must ask back.
fn callbacks(_world: &World, op: &Operation, _hand: Hand) -> Vec<Callback> {
    let Some(url) = op.callback_url.clone().filter(|_| op.state != State::Pending) else { return Vec::new() };
    let mut body = business::shown(op);
    body["referenceId"] = json!(op.id);
    let policy = Policy { attempts: 1, first_wait: Duration::ZERO, accepts: |_| true };
    let callback = Callback::json(op, url, &body, unsigned(), policy);
    vec![Callback { method: Method::PUT, ..callback }]
}

fn error(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(json!({"code": code, "message": message}))).into_response()
}

fn not_found(code: &str, message: &str) -> Response {
    error(StatusCode::NOT_FOUND, code, message)
}

/// The gateway before the application: it has an error shape of its own.
fn gateway(message: &str) -> Response {
    (StatusCode::UNAUTHORIZED, Json(json!({"statusCode": 401, "message": message}))).into_response()
}

/// The keys of a product.
fn product<'k>(keys: &'k MtnKeys, name: &str) -> Result<&'k MtnProductKeys, Response> {
    match name {
        "collection" => Ok(&keys.collection),
        "disbursement" => Ok(&keys.disbursement),
        "remittance" => Ok(&keys.remittance),
        _ => Err(not_found("RESOURCE_NOT_FOUND", "Resource not found.")),
    }
}

/// The subscription key, which the gateway asks for.
fn subscribed(keys: &[&MtnProductKeys], headers: &HeaderMap) -> Result<(), Response> {
    match wire::header(headers, "ocp-apim-subscription-key") {
        None => Err(gateway(
            "Access denied due to missing subscription key. Make sure to include subscription key when making requests to an API.",
        )),
        Some(given) if keys.iter().any(|k| wire::same(given, &k.subscription_key)) => Ok(()),
        Some(_) => Err(gateway(
            "Access denied due to invalid subscription key. Make sure to provide a valid key for an active subscription.",
        )),
    }
}

/// Who calls, and in which environment, once both were checked.
struct Caller {
    user: String,
    sandbox: bool,
}

impl Caller {
    /// The sandbox knows euros only, Côte d'Ivoire its franc.
    fn currency(&self) -> &'static str {
        if self.sandbox { "EUR" } else { "XOF" }
    }
}

fn admit(world: &World, name: &str, headers: &HeaderMap) -> Result<Caller, Response> {
    let settings = &world.settings;
    subscribed(&[product(&settings.credentials.mtn, name)?], headers)?;
    let token = wire::bearer(headers).ok_or_else(|| gateway("Unauthorized. Access token is missing or invalid."))?;
    let user = provisioning::user_of(token).unwrap_or_default();
    let scope = provisioning::scope(name, &user);
    match wire::check_token(&settings.token_secret, &scope, token, world.now_ms()) {
        Token::Valid => {}
        Token::Expired => return Err(gateway("Access token expired.")),
        Token::Wrong => return Err(gateway("Unauthorized. Access token is missing or invalid.")),
    }
    let sandbox = match wire::header(headers, "x-target-environment") {
        Some("sandbox") => true,
        Some("mtnivorycoast") => false,
        _ => {
            let message = "Access to target environment is forbidden.";
            return Err(error(StatusCode::INTERNAL_SERVER_ERROR, "NOT_ALLOWED_TARGET_ENVIRONMENT", message));
        }
    };
    Ok(Caller { user, sandbox })
}

/// Our own provider, to keep the submodules short.
const MTN: Provider = Provider::Mtn;
