//! Webhooks: one secret each, two signatures while a secret is replaced.

use super::{HUB2, admit, error, intents, invalid, object, transfers, unavailable};
use crate::App;
use crate::callbacks::{Callback, Hand, Policy, Sign, event_id, hex_of_body, secret};
use crate::model::{Kind, Operation, State as OperationState};
use crate::wire;
use crate::world::World;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

/// Webhooks of a merchant.
const MAX_WEBHOOKS: usize = 20;

/// `s1` under the present secret, `s0` under the one before.
fn header(present: &str, previous: Option<&str>, body: &[u8]) -> String {
    let before = previous.map(|secret| format!(",s0={}", hex_of_body(secret, body))).unwrap_or_default();
    format!("s1={}{before}", hex_of_body(present, body))
}

/// The callbacks of an operation's present state.
pub(super) fn of(world: &World, op: &Operation, hand: Hand) -> Vec<Callback> {
    let kind = match (op.kind, op.state) {
        (_, OperationState::Pending) => return Vec::new(),
        (Kind::Collection, OperationState::Succeeded | OperationState::Reversed) => "payment.succeeded",
        (Kind::Collection, _) => "payment.failed",
        (Kind::Payout, OperationState::Succeeded | OperationState::Reversed) => "transfer.succeeded",
        (Kind::Payout, _) => "transfer.failed",
    };
    let data = if op.kind == Kind::Collection { intents::intent(op) } else { transfers::transfer(op) };
    let created = wire::iso_ms(op.completed_ms.unwrap_or(op.created_ms));
    let body = json!({"id": event_id("evt_", op, kind), "type": kind, "createdAt": created, "data": data});
    let to = targets(world, kind).into_iter();
    to.map(|(url, present, previous)| {
        let present = secret(hand, &present);
        let previous = previous.map(|p| secret(hand, &p));
        let sign: Sign =
            Arc::new(move |signing| vec![("hub2-signature", header(&present, previous.as_deref(), signing.body))]);
        Callback::json(op, url, &body, sign, Policy::retried(6))
    })
    .collect()
}

type Target = (String, String, Option<String>);

/// Those registered for the event; failing any registration at all, the one that the parent process gave.
fn targets(world: &World, kind: &str) -> Vec<Target> {
    let registered: Vec<&Value> = world.records(HUB2, "webhook/").map(|(_, webhook)| webhook).collect();
    if registered.is_empty() {
        let keys = &world.settings.credentials.hub2;
        let url = world.callbacks.0.get(&HUB2).cloned();
        return url
            .map(|u| (u, keys.webhook_secret.clone(), keys.previous_webhook_secret.clone()))
            .into_iter()
            .collect();
    }
    let wanted = |w: &&Value| {
        let events = w["events"].as_array();
        events.is_none_or(|e| e.is_empty() || e.iter().any(|event| event == kind))
    };
    let text = |w: &Value, field: &str| w[field].as_str().unwrap_or("").to_owned();
    registered.into_iter().filter(wanted).map(|w| (text(w, "url"), text(w, "secret"), None)).collect()
}

/// `POST /webhooks`: the only time when the secret is shown.
pub(super) async fn create(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    let mut world = app.world();
    match register(&mut world, &headers, &body) {
        Ok(webhook) => (StatusCode::CREATED, Json(webhook)).into_response(),
        Err(refused) => refused,
    }
}

fn register(world: &mut World, headers: &HeaderMap, body: &[u8]) -> Result<Value, Response> {
    admit(world, headers)?;
    let body = object(body)?;
    let url = body.get("url").and_then(Value::as_str).filter(|u| u.starts_with("http") && u.len() <= 512);
    let url = url.ok_or_else(|| invalid("url is not valid"))?;
    if world.records(HUB2, "webhook/").count() >= MAX_WEBHOOKS {
        return Err(error(StatusCode::FORBIDDEN, "too_many_webhooks", "No more webhooks can be made"));
    }
    let id = format!("wh_{}", wire::random_id(16));
    let webhook = json!({
        "id": id,
        "url": url,
        "events": body.get("events").filter(|e| e.is_array()).cloned().unwrap_or_else(|| json!([])),
        "description": body.get("description"),
        "metadata": body.get("metadata"),
        "secret": format!("whsec_{}", wire::random_id(32)),
    });
    world.set_record(HUB2, &format!("webhook/{id}"), Some(webhook.clone())).map_err(|_| unavailable())?;
    Ok(webhook)
}

/// `GET /webhooks`
pub(super) async fn list(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let world = app.world();
    if let Err(refused) = admit(&world, &headers) {
        return refused;
    }
    let hidden = |(_, webhook): (&str, &Value)| {
        let mut shown = webhook.clone();
        if let Some(fields) = shown.as_object_mut() {
            fields.remove("secret");
        }
        shown
    };
    let all: Vec<Value> = world.records(HUB2, "webhook/").map(hidden).collect();
    Json(all).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    const B3: &[u8] = br#"{"id":"evt_1","type":"payment.succeeded","data":{"id":"pi_1","status":"successful","amount":1500,"currency":"XOF"}}"#;
    const S1: &str = "3234674aa94779ce9d33f8d8d4471760cccf7f8edc28f70752f3688e6ad265af";

    #[test]
    fn known_answer() {
        assert_eq!(header("hub2_test_secret", None, B3), format!("s1={S1}"));
        assert!(header("new", Some("hub2_test_secret"), B3).ends_with(&format!(",s0={S1}")));
    }
}
