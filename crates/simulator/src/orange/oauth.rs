//! Access tokens, and their limit of fifty a minute.

use super::{ORANGE, error};
use crate::App;
use crate::wire::{self, Token};
use crate::world::World;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

/// Token requests of one minute.
const TOKENS_A_MINUTE: i64 = 50;
const MINUTE_MS: i64 = 60_000;
/// How long a token lives, in seconds: an hour now, ninety days in the old version.
const LIFE_V3_S: i64 = 3_600;
const LIFE_V2_S: i64 = 7_776_000;

const SCOPE: &str = "orange";

/// `POST /oauth/v3/token`
pub(super) async fn token_v3(State(app): State<Arc<App>>, headers: HeaderMap, body: String) -> Response {
    token(&app, &headers, &body, LIFE_V3_S)
}

/// `POST /oauth/v2/token`
pub(super) async fn token_v2(State(app): State<Arc<App>>, headers: HeaderMap, body: String) -> Response {
    token(&app, &headers, &body, LIFE_V2_S)
}

fn token(app: &App, headers: &HeaderMap, body: &str, life_s: i64) -> Response {
    let mut world = app.world();
    if !within_rate(&mut world) {
        return error(StatusCode::TOO_MANY_REQUESTS, 53, "Too many requests", "The token quota is exceeded.");
    }
    let keys = &world.settings.credentials.orange;
    let known = wire::basic(headers).is_some_and(|(id, secret)| {
        (wire::same(&id, &keys.client_id), wire::same(&secret, &keys.client_secret)) == (true, true)
    });
    if !known {
        let body = json!({"error": "invalid_client", "error_description": "The client credentials are invalid"});
        return (StatusCode::UNAUTHORIZED, Json(body)).into_response();
    }
    let form: Vec<(String, String)> = serde_urlencoded::from_str(body).unwrap_or_default();
    if !form.iter().any(|(name, value)| name == "grant_type" && value == "client_credentials") {
        let body = json!({"error": "unsupported_grant_type", "error_description": "Use client_credentials"});
        return (StatusCode::BAD_REQUEST, Json(body)).into_response();
    }
    let token = wire::mint_token(&world.settings.token_secret, SCOPE, world.now_ms() + life_s * 1_000);
    Json(json!({"token_type": "Bearer", "access_token": token, "expires_in": life_s})).into_response()
}

/// Counts the requests of the present minute.
fn within_rate(world: &mut World) -> bool {
    let minute = world.now_ms() / MINUTE_MS;
    let counted = world.record(ORANGE, "token-rate");
    let same_minute = counted.filter(|c| c["minute"] == json!(minute));
    let count = same_minute.and_then(|c| c["count"].as_i64()).unwrap_or(0) + 1;
    let kept: Value = json!({"minute": minute, "count": count});
    // A memory that is full does not stop the counting: this name is there already, or nothing is limited.
    let _ = world.set_record(ORANGE, "token-rate", Some(kept));
    count <= TOKENS_A_MINUTE
}

/// Checks the bearer token of a call.
pub(super) fn admit(world: &World, headers: &HeaderMap) -> Result<(), Response> {
    let refuse = |code, message, description| Err(error(StatusCode::UNAUTHORIZED, code, message, description));
    let Some(token) = wire::bearer(headers) else {
        return refuse(40, "Missing credentials", "The requested service needs credentials, but none were provided.");
    };
    match wire::check_token(&world.settings.token_secret, SCOPE, token, world.now_ms()) {
        Token::Valid => Ok(()),
        Token::Expired => refuse(
            42,
            "Expired credentials",
            "The requested service needs credentials, and the ones provided were out-of-date.",
        ),
        Token::Wrong => refuse(
            41,
            "Invalid credentials",
            "The requested service needs credentials, and the ones provided were invalid.",
        ),
    }
}
