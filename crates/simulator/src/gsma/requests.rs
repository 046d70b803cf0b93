//! The state of a request, and the way back to a resource whose answer was lost.

use super::transactions::reference;
use super::{GSMA, admit, error, fault};
use crate::App;
use crate::model::{Operation, State as OperationState};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

/// How often a client may ask.
const POLL_LIMIT: u32 = 100;

/// A request's state.
pub(super) fn shown(op: &Operation) -> Value {
    let status = match op.state {
        OperationState::Pending => "pending",
        OperationState::Succeeded | OperationState::Reversed => "completed",
        OperationState::Failed | OperationState::Expired => "failed",
    };
    let mut body = json!({
        "serverCorrelationId": op.id,
        "status": status,
        "notificationMethod": if op.callback_url.is_some() { "callback" } else { "polling" },
        "objectReference": if status == "completed" { reference(op) } else { String::new() },
        "pollLimit": POLL_LIMIT,
    });
    if let Some(code) = op.reason.as_ref().filter(|_| status == "failed") {
        body["error"] = fault("BusinessRule", code, "The transaction did not go through");
    }
    body
}

fn unknown() -> Response {
    error(StatusCode::NOT_FOUND, "Identification", "IdentifierError", "The request does not exist")
}

/// `GET /requeststates/{serverCorrelationId}`
pub(super) async fn state(Path(id): Path<String>, State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let world = app.world();
    if let Err(refused) = admit(&world, &headers) {
        return refused;
    }
    world.get(GSMA, &id).map_or_else(unknown, |op| Json(shown(op)).into_response())
}

/// `GET /responses/{clientCorrelationId}`: a link to what that call made.
pub(super) async fn response(Path(id): Path<String>, State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let world = app.world();
    if let Err(refused) = admit(&world, &headers) {
        return refused;
    }
    match world.with_idempotency(GSMA, &id) {
        Some(op) => Json(json!({"link": format!("/transactions/{}", reference(op))})).into_response(),
        None => unknown(),
    }
}
