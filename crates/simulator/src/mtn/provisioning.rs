//! API users, their keys, and access tokens.

use super::{MTN, error, not_found, product, subscribed};
use crate::App;
use crate::wire;
use crate::world::World;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

/// How long a token lives, in seconds.
const TOKEN_S: i64 = 3_600;

/// What a token is good for.
pub(super) fn scope(product: &str, user: &str) -> String {
    format!("mtn/{product}/{user}")
}

/// The user that a token names; whether the token is genuine is asked elsewhere.
pub(super) fn user_of(token: &str) -> Option<String> {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    Some(claims.get("scope")?.as_str()?.rsplit('/').next()?.to_owned())
}

fn any_subscription(world: &World, headers: &HeaderMap) -> Result<(), Response> {
    let keys = &world.settings.credentials.mtn;
    subscribed(&[&keys.collection, &keys.disbursement, &keys.remittance], headers)
}

/// The reference of a request: a UUID of version 4.
pub(super) fn reference(headers: &HeaderMap) -> Result<String, Response> {
    let given = wire::header(headers, "x-reference-id").unwrap_or("");
    match uuid::Uuid::try_parse(given) {
        Ok(id) if given.len() == 36 && id.get_version_num() == 4 => Ok(id.to_string()),
        _ => Err(error(StatusCode::BAD_REQUEST, "INVALID_REFERENCE_ID", "X-Reference-Id must be a UUID of version 4.")),
    }
}

/// `POST /v1_0/apiuser`
pub(super) async fn create_user(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    let mut world = app.world();
    match new_user(&mut world, &headers, &body) {
        Ok(()) => StatusCode::CREATED.into_response(),
        Err(refused) => refused,
    }
}

fn new_user(world: &mut World, headers: &HeaderMap, body: &[u8]) -> Result<(), Response> {
    any_subscription(world, headers)?;
    let id = reference(headers)?;
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let Some(host) = body.get("providerCallbackHost").and_then(Value::as_str).filter(|h| h.len() <= 255) else {
        return Err(error(StatusCode::BAD_REQUEST, "BAD_REQUEST", "providerCallbackHost is missing."));
    };
    let name = format!("apiuser/{id}");
    if world.record(MTN, &name).is_some() {
        return Err(duplicate());
    }
    let full = |_| error(StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE", "Service temporarily unavailable.");
    world.set_record(MTN, &name, Some(json!({"host": host, "key": null}))).map_err(full)
}

pub(super) fn duplicate() -> Response {
    let message = "Duplicated reference id. Creation of resource failed.";
    error(StatusCode::CONFLICT, "RESOURCE_ALREADY_EXIST", message)
}

/// `GET /v1_0/apiuser/{id}`
pub(super) async fn read_user(Path(id): Path<String>, State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let world = app.world();
    if let Err(refused) = any_subscription(&world, &headers) {
        return refused;
    }
    match world.record(MTN, &format!("apiuser/{id}")) {
        Some(user) => {
            Json(json!({"providerCallbackHost": user.get("host"), "targetEnvironment": "sandbox"})).into_response()
        }
        None => not_found("RESOURCE_NOT_FOUND", "Requested resource was not found."),
    }
}

/// `POST /v1_0/apiuser/{id}/apikey`: each call makes a new key.
pub(super) async fn create_key(Path(id): Path<String>, State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let mut world = app.world();
    if let Err(refused) = any_subscription(&world, &headers) {
        return refused;
    }
    let name = format!("apiuser/{id}");
    let Some(mut user) = world.record(MTN, &name).cloned() else {
        return not_found("RESOURCE_NOT_FOUND", "Requested resource was not found.");
    };
    let key = wire::random_text(b"0123456789abcdef", 32);
    user["key"] = json!(key);
    match world.set_record(MTN, &name, Some(user)) {
        Ok(()) => (StatusCode::CREATED, Json(json!({"apiKey": key}))).into_response(),
        Err(_) => error(StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE", "Service temporarily unavailable."),
    }
}

/// `POST /{product}/token/`
pub(super) async fn token(Path(name): Path<String>, State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let world = app.world();
    let settings = &world.settings;
    let keys = match product(&settings.credentials.mtn, &name) {
        Ok(keys) => keys,
        Err(unknown) => return unknown,
    };
    if let Err(refused) = subscribed(&[keys], &headers) {
        return refused;
    }
    let known = wire::basic(&headers).filter(|(user, password)| {
        let provisioned = world.record(MTN, &format!("apiuser/{user}")).and_then(|u| u.get("key")?.as_str());
        let given = (wire::same(user, &keys.api_user), wire::same(password, &keys.api_key));
        given == (true, true) || provisioned.is_some_and(|key| wire::same(password, key))
    });
    let Some((user, _)) = known else {
        return (StatusCode::UNAUTHORIZED, Json(json!({"error": "invalid_client"}))).into_response();
    };
    let expires = world.now_ms() + TOKEN_S * 1_000;
    let token = wire::mint_token(&settings.token_secret, &scope(&name, &user), expires);
    Json(json!({"access_token": token, "token_type": "access_token", "expires_in": TOKEN_S})).into_response()
}
