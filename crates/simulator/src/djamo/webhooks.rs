//! Webhooks: registered by topic, signed in base64.

use super::{Admitted, DJAMO, charges, transfers};
use crate::callbacks::{Callback, Hand, Policy, Sign, secret};
use crate::model::{Kind, Operation, State};
use crate::wire::{self, BASE64};
use crate::world::World;
use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use http::StatusCode;
use serde_json::{Value, json};
use std::sync::Arc;

const TOPICS: [&str; 5] =
    ["transactions/started", "transactions/completed", "transactions/failed", "charge/events", "charges/events"];
/// Webhooks of a company.
const MAX_WEBHOOKS: usize = 50;

fn signature(secret: &str, body: &[u8]) -> String {
    BASE64.encode(wire::hmac_sha256(secret.as_bytes(), &[body]))
}

/// The callbacks of an operation's present state.
pub(super) fn of(world: &World, op: &Operation, hand: Hand) -> Vec<Callback> {
    let (topic, data) = match (op.kind, op.state) {
        (Kind::Collection, State::Pending) if op.reason.is_none() => return Vec::new(),
        (Kind::Collection, _) => ("charge/events", charges::charge(world, op)),
        (Kind::Payout, State::Pending) => ("transactions/started", transfers::transfer(op)),
        (Kind::Payout, State::Succeeded | State::Reversed) => ("transactions/completed", transfers::transfer(op)),
        (Kind::Payout, State::Failed | State::Expired) => ("transactions/failed", transfers::transfer(op)),
    };
    let body = json!({"topic": topic, "data": data});
    let secret = secret(hand, &world.settings.credentials.djamo.webhook_secret);
    let sign: Sign = Arc::new(move |signing| {
        vec![("x-djamo-hmac-sha256", signature(&secret, signing.body)), ("x-djamo-webhook-topic", topic.to_owned())]
    });
    let urls = urls(world, topic).into_iter();
    urls.map(|url| Callback::json(op, url, &body, Arc::clone(&sign), Policy::retried(5))).collect()
}

/// Those registered for the topic; failing any registration at all, the one that the parent process gave.
fn urls(world: &World, topic: &str) -> Vec<String> {
    let all: Vec<&Value> = world.records(DJAMO, "webhook/").map(|(_, webhook)| webhook).collect();
    if all.is_empty() {
        return world.callbacks.0.get(&DJAMO).cloned().into_iter().collect();
    }
    let wanted = |w: &&Value| w["topic"].as_str().is_some_and(|t| t.replace("charges/", "charge/") == topic);
    all.into_iter().filter(wanted).filter_map(|w| w["url"].as_str()).map(str::to_owned).collect()
}

/// `POST /v1/webhooks`
pub(super) async fn create(call: Admitted) -> Response {
    match register(&call) {
        Ok(webhook) => (StatusCode::CREATED, Json(webhook)).into_response(),
        Err(refused) => refused,
    }
}

fn register(call: &Admitted) -> Result<Value, Response> {
    let body = call.json()?;
    let topic = call.text(&body, "topic")?;
    let url = call.text(&body, "url")?;
    if !TOPICS.contains(&topic.as_str()) || !url.starts_with("http") {
        return Err(call.refuse(StatusCode::BAD_REQUEST, "topic or url is not valid"));
    }
    let mut world = call.app.world();
    if world.records(DJAMO, "webhook/").count() >= MAX_WEBHOOKS {
        return Err(call.refuse(StatusCode::UNPROCESSABLE_ENTITY, "too many webhooks"));
    }
    let webhook =
        json!({"id": wire::random_uuid(), "topic": topic, "url": url, "createdAt": wire::iso_ms(world.now_ms())});
    let name = format!("webhook/{}", webhook["id"].as_str().unwrap_or_default());
    let full = |_| call.refuse(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error");
    world.set_record(DJAMO, &name, Some(webhook.clone())).map_err(full)?;
    Ok(webhook)
}

/// `GET /v1/webhooks`
pub(super) async fn list(call: Admitted) -> Response {
    let world = call.app.world();
    let all: Vec<&Value> = world.records(DJAMO, "webhook/").map(|(_, webhook)| webhook).collect();
    Json(all).into_response()
}

/// `GET /v1/webhooks/{id}`
pub(super) async fn read(Path(id): Path<String>, call: Admitted) -> Response {
    match call.app.world().record(DJAMO, &format!("webhook/{id}")) {
        Some(webhook) => Json(webhook).into_response(),
        None => call.refuse(StatusCode::NOT_FOUND, "Webhook not found"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answer() {
        let body = br#"{"topic":"transactions/completed","data":{"id":"tr_1","status":"completed","amount":5000}}"#;
        assert_eq!(signature("djamo_test_secret", body), "HU+NtbRgGC/AnI0nlXI0YWNl9FvjxKEwVTsnEx6AUJM=");
    }
}
