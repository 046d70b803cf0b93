//! Orange's platform: OAuth, Web Payment, SMS. `/orange` stands for `https://api.orange.com`.

mod oauth;
mod pay_page;
mod sms;
mod webpay;

use crate::App;
use crate::desk::Desk;
use crate::faults::Call;
use crate::model::{Kind, Outcome, Provider};
use crate::wire;
use axum::Json;
use axum::Router;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use http::{Method, StatusCode};
use serde_json::json;
use std::sync::Arc;

pub(crate) static DESK: Desk = Desk {
    routes,
    call,
    callbacks: webpay::callbacks,
    short: |_, _| Outcome::Refuse("60019".to_owned()),
    refused: |op| match op.kind {
        Kind::Collection => Outcome::Refuse("cancelled".to_owned()),
        Kind::Payout => Outcome::Refuse("refused".to_owned()),
    },
    expired: "expired",
    transaction_id: |now| {
        let stamp = wire::iso(now).replace(['-', ':', 'T', 'Z'], "");
        let (day, time) = (stamp.get(2..8).unwrap_or(""), stamp.get(8..12).unwrap_or(""));
        format!("MP{day}.{time}.A{}", wire::random_text(b"0123456789", 5))
    },
};

const ORANGE: Provider = Provider::Orange;

fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/oauth/v3/token", post(oauth::token_v3))
        .route("/oauth/v2/token", post(oauth::token_v2))
        .route("/orange-money-webpay/{country}/v1/webpayment", post(webpay::create))
        .route("/orange-money-webpay/{country}/v1/transactionstatus", post(webpay::status))
        .route("/pay/{token}", get(pay_page::show).post(pay_page::act))
        .route("/smsmessaging/v1/outbound/{sender}/requests", post(sms::send))
        .route("/sms/admin/v1/contracts", get(sms::contracts))
        .fallback(|| async { error(StatusCode::NOT_FOUND, 60, "Resource not found", "No such resource.") })
}

fn call(method: &Method, path: &str, _body: &[u8]) -> Call {
    match *method {
        Method::POST if path.ends_with("/webpayment") => Call::Collect,
        Method::POST if path.ends_with("/transactionstatus") => Call::Read,
        Method::POST if path.ends_with("/token") => Call::Token,
        Method::POST if path.starts_with("/smsmessaging/") => Call::Message,
        _ => Call::Other,
    }
}

/// The platform's error.
fn error(status: StatusCode, code: u32, message: &str, description: &str) -> Response {
    (status, Json(json!({"code": code, "message": message, "description": description}))).into_response()
}
