//! Webhooks: a list of events under one signature of the raw body, and sparse ones at that.

use super::PISPI;
use super::gateway::{Admitted, not_found, problem, text, unavailable};
use crate::callbacks::{Callback, Hand, Policy, Sign, hex_of_body, secret};
use crate::model::{Kind, Operation, State};
use crate::wire;
use crate::world::World;
use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde_json::{Value, json};
use std::sync::Arc;

/// Webhooks of a client; the next is refused with 403.
const MAX_WEBHOOKS: usize = 20;

fn event(op: &Operation) -> Option<&'static str> {
    match (op.kind, op.state) {
        _ if op.text("silent").is_some() => None,
        (Kind::Collection, State::Succeeded) => Some("PAIEMENT_RECU"),
        (Kind::Collection, State::Failed | State::Expired) => Some("RTP_REJETE"),
        (Kind::Collection, State::Reversed) => Some("RETOUR_ENVOYE"),
        (Kind::Payout, State::Succeeded) => Some("PAIEMENT_ENVOYE"),
        (Kind::Payout, State::Failed | State::Expired) => Some("PAIEMENT_REJETE"),
        (Kind::Payout, State::Reversed) => Some("RETOUR_RECU"),
        (_, State::Pending) => None,
    }
}

/// The callbacks of an operation's present state. As measured: no date, no `end2endId`, no event id.
pub(super) fn of(world: &World, op: &Operation, hand: Hand) -> Vec<Callback> {
    let Some(code) = event(op) else { return Vec::new() };
    let mut event = json!({"evCode": code, "montant": op.amount, "client": "HOSTOLINK", "alias": op.customer});
    if op.reference.is_empty() {
        event["end2endId"] = json!(op.id);
    } else {
        event["txId"] = json!(op.reference);
    }
    let body = json!({"data": [event], "meta": {"total": 1}});
    let policy = Policy { accepts: |s| s == 204 || s == 200, ..Policy::retried(5) };
    let to = targets(world).into_iter();
    to.map(|(url, key)| {
        let key = secret(hand, &key);
        let sign: Sign = Arc::new(move |signing| vec![("x-signature", hex_of_body(&key, signing.body))]);
        Callback::json(op, url, &body, sign, policy)
    })
    .collect()
}

fn targets(world: &World) -> Vec<(String, String)> {
    let registered = world.records(PISPI, "webhook/").map(|(_, w)| w);
    let all: Vec<(String, String)> = registered
        .filter_map(|w| Some((w["callbackUrl"].as_str()?.to_owned(), w["secret"].as_str()?.to_owned())))
        .collect();
    if !all.is_empty() {
        return all;
    }
    let given = world.callbacks.0.get(&PISPI).cloned();
    given.map(|url| (url, world.settings.credentials.pispi.webhook_secret.clone())).into_iter().collect()
}

/// `POST /webhooks`: the secret is shown here and never again.
pub(super) async fn create(call: Admitted) -> Response {
    match register(&call) {
        Ok(webhook) => (StatusCode::CREATED, Json(webhook)).into_response(),
        Err(refused) => refused,
    }
}

fn register(call: &Admitted) -> Result<Value, Response> {
    let url = text(&call.closed(&["callbackUrl"])?, "callbackUrl", 512)?;
    let mut world = call.app.world();
    if world.records(PISPI, "webhook/").count() >= MAX_WEBHOOKS {
        return Err(problem(StatusCode::FORBIDDEN, "Vingt webhooks au plus", None));
    }
    if world.records(PISPI, "webhook/").any(|(_, w)| w["callbackUrl"] == json!(url)) {
        return Err(problem(StatusCode::CONFLICT, "Cette adresse a déjà un webhook", None));
    }
    let id = wire::random_uuid();
    let webhook = json!({
        "id": id,
        "callbackUrl": url,
        "alias": null,
        "events": [],
        "dateCreation": wire::iso_ms(world.now_ms()),
        "secret": wire::random_id(40),
    });
    world.set_record(PISPI, &format!("webhook/{id}"), Some(webhook.clone())).map_err(|_| unavailable())?;
    Ok(webhook)
}

fn without_secret(webhook: &Value) -> Value {
    let mut shown = webhook.clone();
    if let Some(fields) = shown.as_object_mut() {
        fields.remove("secret");
    }
    shown
}

/// `GET /webhooks`
pub(super) async fn list(call: Admitted) -> Response {
    let world = call.app.world();
    let data: Vec<Value> = world.records(PISPI, "webhook/").map(|(_, w)| without_secret(w)).collect();
    Json(json!({"data": data, "meta": {"total": data.len()}})).into_response()
}

/// `GET /webhooks/{id}`
pub(super) async fn read(Path(id): Path<String>, call: Admitted) -> Response {
    let world = call.app.world();
    let found = world.record(PISPI, &format!("webhook/{id}"));
    found.map_or_else(not_found, |w| Json(without_secret(w)).into_response())
}

/// `DELETE /webhooks/{id}`
pub(super) async fn delete(Path(id): Path<String>, call: Admitted) -> Response {
    let mut world = call.app.world();
    let name = format!("webhook/{id}");
    if world.record(PISPI, &name).is_none() {
        return not_found();
    }
    match world.set_record(PISPI, &name, None) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(_) => unavailable(),
    }
}

/// `POST /webhooks/{id}/secrets`
pub(super) async fn renew_secret(Path(id): Path<String>, call: Admitted) -> Response {
    if let Err(refused) = call.closed(&["dateExpiration", "dateExpirationSecret"]) {
        return refused;
    }
    let mut world = call.app.world();
    let name = format!("webhook/{id}");
    let Some(mut webhook) = world.record(PISPI, &name).cloned() else { return not_found() };
    let fresh = wire::random_id(40);
    webhook["secret"] = json!(fresh);
    match world.set_record(PISPI, &name, Some(webhook)) {
        Ok(()) => (StatusCode::CREATED, Json(json!({"id": id, "secret": fresh}))).into_response(),
        Err(_) => unavailable(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answer() {
        let body = br#"{"data":[{"evCode":"PAIEMENT_RECU","evDate":"2026-11-22T10:00:00.000Z","txId":"HSTL000001","end2endId":"ECIC00120261122100000ABCDEFGHIJKLMN","montant":5000}],"meta":{"total":1}}"#;
        let expected = "41fee67f99fd2f4b83ebb6774774b659329ca219874c2640523ab9454a048e2a";
        assert_eq!(hex_of_body("pispi_test_secret", body), expected);
    }
}
