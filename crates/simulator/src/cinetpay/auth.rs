//! A token for a day, against key and password.

use super::error;
use crate::App;
use crate::wire::{self, Token};
use crate::world::World;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

/// How long a token lives, in seconds.
const LIFE_S: i64 = 86_400;
const SCOPE: &str = "cinetpay";

/// `POST /v1/oauth/login`
pub(super) async fn login(State(app): State<Arc<App>>, body: Bytes) -> Response {
    let world = app.world();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let given = |field: &str| body.get(field).and_then(Value::as_str).unwrap_or("");
    let keys = &world.settings.credentials.cinetpay;
    if !wire::same(given("api_key"), &keys.api_key) || !wire::same(given("api_password"), &keys.api_password) {
        return error(StatusCode::UNAUTHORIZED, 1_005, "api_key or api_password is not valid");
    }
    let token = wire::mint_token(&world.settings.token_secret, SCOPE, world.now_ms() + LIFE_S * 1_000);
    Json(json!({"code": 200, "status": "OK", "access_token": token, "token_type": "bearer", "expires_in": LIFE_S}))
        .into_response()
}

/// Checks the bearer token of a call.
pub(super) fn admit(world: &World, headers: &HeaderMap) -> Result<(), Response> {
    let token = wire::bearer(headers).unwrap_or("");
    match wire::check_token(&world.settings.token_secret, SCOPE, token, world.now_ms()) {
        Token::Valid => Ok(()),
        Token::Expired => Err(error(StatusCode::UNAUTHORIZED, 1_003, "The token has expired")),
        Token::Wrong => Err(error(StatusCode::UNAUTHORIZED, 1_002, "The token is not valid")),
    }
}
