//! What helps to use the rest: configuration, prediction, balances, keys.

use super::{PAWAPAY, admit, failure, signature};
use crate::App;
use crate::wire;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

const PROVIDERS: [(&str, &str, &str); 3] = [
    ("MTN_MOMO_CIV", "MTN", "PROVIDER_AUTH"),
    ("ORANGE_CIV", "Orange", "PREAUTH_CODE"),
    ("WAVE_CIV", "Wave", "REDIRECT_AUTH"),
];

/// `GET /v2/active-conf`
pub(super) async fn active_conf(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    if let Err(refused) = admit(&app.world(), &headers) {
        return refused;
    }
    let operation = |auth: &str| json!({"minAmount": "100", "maxAmount": "2000000", "decimalsInAmount": "NONE", "authType": auth, "status": "OPERATIONAL"});
    let providers: Vec<Value> = PROVIDERS
        .iter()
        .map(|(code, name, auth)| {
            let types = json!({"DEPOSIT": operation(auth), "PAYOUT": operation("PROVIDER_AUTH"), "REFUND": operation("PROVIDER_AUTH")});
            json!({"provider": code, "displayName": name, "nameDisplayedToCustomer": "HOSTOLINK", "currencies": [{"currency": "XOF", "operationTypes": types}]})
        })
        .collect();
    let country = json!({"country": "CIV", "prefix": "225", "displayName": {"fr": "Côte d'Ivoire", "en": "Ivory Coast"}, "providers": providers});
    Json(json!({"companyName": "Hostolink", "signatureConfiguration": {"signedRequestsOnly": false, "signedCallbacks": true}, "countries": [country]})).into_response()
}

/// `GET /v2/availability`, without a token.
pub(super) async fn availability() -> Response {
    let types = json!({"DEPOSIT": "OPERATIONAL", "PAYOUT": "OPERATIONAL", "REFUND": "OPERATIONAL"});
    let providers: Vec<Value> =
        PROVIDERS.iter().map(|(code, ..)| json!({"provider": code, "operationTypes": types})).collect();
    Json(json!([{"country": "CIV", "providers": providers}])).into_response()
}

/// `POST /v2/predict-provider`
pub(super) async fn predict(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    if let Err(refused) = admit(&app.world(), &headers) {
        return refused;
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let digits: String = body["phoneNumber"].as_str().unwrap_or("").chars().filter(char::is_ascii_digit).collect();
    let provider = match digits.get(..5) {
        Some("22505") => Some("MTN_MOMO_CIV"),
        Some("22507") => Some("ORANGE_CIV"),
        _ => None,
    };
    match provider.filter(|_| digits.len() == 13 && wire::is_msisdn(&digits)) {
        Some(provider) => Json(json!({"country": "CIV", "provider": provider, "phoneNumber": digits})).into_response(),
        None => failure(StatusCode::BAD_REQUEST, "INVALID_PHONE_NUMBER", "No provider is known for this number"),
    }
}

/// `GET /v2/wallet-balances`
pub(super) async fn balances(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let mut world = app.world();
    if let Err(refused) = admit(&world, &headers) {
        return refused;
    }
    let balance = world.book(PAWAPAY).float.to_string();
    Json(json!({"balances": [{"country": "CIV", "balance": balance, "currency": "XOF", "provider": ""}]}))
        .into_response()
}

/// `GET /v2/public-key/http`: an array, with the key before during a rotation.
pub(super) async fn public_keys(State(app): State<Arc<App>>) -> Response {
    let keys = signature::published(&app.world());
    let keys: Vec<Value> = keys.into_iter().map(|(id, key)| json!({"id": id, "key": key})).collect();
    Json(keys).into_response()
}

/// Makes a new signing key, on a test's order.
pub(crate) fn rotate_keys(app: &App) -> Result<(), crate::model::Refusal> {
    signature::rotate(&mut app.world())
}
