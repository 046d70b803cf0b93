//! Djamo Business: charges, transfers, webhooks. <https://docs.djamo.com>

mod charges;
mod pay_page;
mod transfers;
mod webhooks;

use crate::App;
use crate::books::Short;
use crate::desk::Desk;
use crate::faults::Call;
use crate::model::{Kind, Operation, Outcome, Provider};
use crate::wire;
use axum::Json;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Router, body};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

/// A request body may weigh so much, in bytes.
const MAX_BODY_BYTES: usize = 1024 * 1024;

pub(crate) static DESK: Desk = Desk {
    routes,
    call,
    callbacks: webhooks::of,
    short,
    refused: |op| match op.kind {
        Kind::Collection => Outcome::Decline("refused".to_owned()),
        Kind::Payout => Outcome::Refuse("account_blocked".to_owned()),
    },
    expired: "dropped",
    transaction_id: |_| format!("DJ{}", wire::random_text(b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789", 12)),
};

const DJAMO: Provider = Provider::Djamo;

fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/v1/charges", post(charges::create))
        .route("/v1/charges/{id}", get(charges::read))
        .route("/v1/charges/{id}/refund", post(charges::refund))
        .route("/v1/charges/{id}/pay", post(charges::pay))
        .route("/v1/transactions", post(transfers::create).get(transfers::find))
        .route("/v1/transactions/batch", post(transfers::create_batch))
        .route("/v1/transactions/customers/check", get(transfers::check))
        .route("/v1/transactions/{id}", get(transfers::read))
        .route("/v1/balance", get(transfers::balance))
        .route("/v1/webhooks", post(webhooks::create).get(webhooks::list))
        .route("/v1/webhooks/{id}", get(webhooks::read))
        .route("/pay/{id}", get(pay_page::show).post(pay_page::act))
        .fallback(
            |request: Request| async move { error(StatusCode::NOT_FOUND, request.uri().path(), "Cannot find this") },
        )
}

fn call(method: &Method, path: &str, _body: &[u8]) -> Call {
    match (method, path) {
        (&Method::POST, "/v1/charges") => Call::Collect,
        (&Method::POST, "/v1/transactions" | "/v1/transactions/batch") => Call::Payout,
        (&Method::GET, p) if p.starts_with("/v1/charges/") || p.starts_with("/v1/transactions") => Call::Read,
        _ => Call::Other,
    }
}

fn short(op: &Operation, short: Short) -> Outcome {
    match (op.kind, short) {
        (Kind::Collection, Short::Customer) => Outcome::Decline("insufficient_funds".to_owned()),
        _ => Outcome::Refuse("insufficient_balance".to_owned()),
    }
}

/// An error as Djamo gives it.
fn error(status: StatusCode, path: &str, message: &str) -> Response {
    let body = json!({
        "statusCode": status.as_u16(),
        "message": [message],
        "error": status.canonical_reason(),
        "correlationId": wire::random_uuid(),
        "path": path,
        "timestamp": wire::iso_ms(wire::wall_ms()),
    });
    (status, Json(body)).into_response()
}

/// A call that was let in.
struct Admitted {
    app: Arc<App>,
    path: String,
    body: body::Bytes,
}

impl Admitted {
    fn refuse(&self, status: StatusCode, message: &str) -> Response {
        error(status, &self.path, message)
    }

    fn json(&self) -> Result<Value, Response> {
        let body = serde_json::from_slice::<Value>(&self.body).ok().filter(Value::is_object);
        body.ok_or_else(|| self.refuse(StatusCode::BAD_REQUEST, "the body must be a JSON object"))
    }

    fn text(&self, body: &Value, field: &str) -> Result<String, Response> {
        let text = body.get(field).and_then(Value::as_str).filter(|t| !t.is_empty() && t.len() <= 512);
        text.map(str::to_owned)
            .ok_or_else(|| self.refuse(StatusCode::BAD_REQUEST, &format!("{field} should be a non-empty string")))
    }

    fn amount(&self, body: &Value, least: i64, most: i64) -> Result<i64, Response> {
        let amount = body.get("amount").and_then(Value::as_i64).filter(|a| (least..=most).contains(a));
        amount.ok_or_else(|| {
            self.refuse(StatusCode::BAD_REQUEST, &format!("amount must be an integer from {least} to {most}"))
        })
    }
}

impl FromRequest<Arc<App>> for Admitted {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        let keys = app.world().settings.credentials.djamo.clone();
        let token = wire::bearer(&parts.headers).is_some_and(|t| wire::same(t, &keys.access_token));
        let company = wire::header(&parts.headers, "x-company-id").is_some_and(|c| wire::same(c, &keys.company_id));
        if !token {
            return Err(error(StatusCode::UNAUTHORIZED, &path, "Unauthorized"));
        }
        if !company {
            return Err(error(StatusCode::FORBIDDEN, &path, "Unknown company"));
        }
        let body = body::to_bytes(body, MAX_BODY_BYTES)
            .await
            .map_err(|_| error(StatusCode::BAD_REQUEST, &path, "the body cannot be read"))?;
        Ok(Self { app: Arc::clone(app), path, body })
    }
}
