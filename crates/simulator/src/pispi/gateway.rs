//! What stands before the application: key, token, and the problems of RFC 7807.

use crate::App;
use crate::wire::{self, Token};
use axum::Json;
use axum::body;
use axum::extract::{FromRequest, Request, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};
use std::sync::Arc;

/// How long a token lives, in seconds.
const TOKEN_S: i64 = 3_600;
const SCOPE: &str = "pispi";
/// A request body may weigh so much, in bytes.
const MAX_BODY_BYTES: usize = 256 * 1024;

/// A problem, with the field that is wrong.
pub(super) fn problem(status: StatusCode, detail: &str, field: Option<(&str, &str)>) -> Response {
    let wrong: Vec<Value> = field.map(|(name, reason)| json!({"name": name, "reason": reason})).into_iter().collect();
    let body = json!({
        "type": "about:blank",
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "detail": detail,
        "invalid-params": wrong,
    });
    let mut response = (status, Json(body)).into_response();
    let kind = header::HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

pub(super) fn invalid(name: &str, reason: &str) -> Response {
    problem(StatusCode::BAD_REQUEST, "La requête n'est pas valide", Some((name, reason)))
}

pub(super) fn not_found() -> Response {
    problem(StatusCode::NOT_FOUND, "Ressource inconnue", None)
}

pub(super) fn unavailable() -> Response {
    problem(StatusCode::SERVICE_UNAVAILABLE, "Service indisponible", None)
}

/// The gateway knows no such path, and says so with 403.
pub(super) async fn unknown_path() -> Response {
    problem(StatusCode::FORBIDDEN, "Missing Authentication Token", None)
}

/// `POST /oauth2/token`
pub(super) async fn token(State(app): State<Arc<App>>, headers: HeaderMap, body: String) -> Response {
    let world = app.world();
    let keys = &world.settings.credentials.pispi;
    let form: Vec<(String, String)> = serde_urlencoded::from_str(&body).unwrap_or_default();
    let field = |name: &str| form.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone());
    let (id, secret) = wire::basic(&headers)
        .unwrap_or_else(|| (field("client_id").unwrap_or_default(), field("client_secret").unwrap_or_default()));
    if !wire::same(&id, &keys.client_id) || !wire::same(&secret, &keys.client_secret) {
        return (StatusCode::UNAUTHORIZED, Json(json!({"error": "invalid_client"}))).into_response();
    }
    if field("grant_type").as_deref() != Some("client_credentials") {
        return (StatusCode::BAD_REQUEST, Json(json!({"error": "unsupported_grant_type"}))).into_response();
    }
    let token = wire::mint_token(&world.settings.token_secret, SCOPE, world.now_ms() + TOKEN_S * 1_000);
    Json(json!({"access_token": token, "expires_in": TOKEN_S, "token_type": "Bearer"})).into_response()
}

/// A call that was let in.
pub(super) struct Admitted {
    pub(super) app: Arc<App>,
    body: body::Bytes,
}

impl Admitted {
    /// The body as an object that holds nothing but these fields.
    pub(super) fn closed(&self, known: &[&str]) -> Result<Value, Response> {
        let body = serde_json::from_slice::<Value>(&self.body).ok().filter(Value::is_object);
        let body = body.ok_or_else(|| invalid("body", "un objet JSON est attendu"))?;
        let stranger = body.as_object().and_then(|o| o.keys().find(|name| !known.contains(&name.as_str())).cloned());
        match stranger {
            Some(name) => Err(invalid(&name, "propriété non autorisée")),
            None => Ok(body),
        }
    }
}

impl FromRequest<Arc<App>> for Admitted {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let settings = Arc::clone(&app.world().settings);
        let key = wire::header(&parts.headers, "x-api-key").unwrap_or("");
        if !wire::same(key, &settings.credentials.pispi.api_key) {
            return Err(problem(StatusCode::FORBIDDEN, "Forbidden", None));
        }
        let token = wire::bearer(&parts.headers).unwrap_or("");
        if wire::check_token(&settings.token_secret, SCOPE, token, app.world().now_ms()) != Token::Valid {
            return Err(problem(StatusCode::UNAUTHORIZED, "Jeton absent, faux ou expiré", None));
        }
        let body = body::to_bytes(body, MAX_BODY_BYTES).await.map_err(|_| invalid("body", "illisible"))?;
        Ok(Self { app: Arc::clone(app), body })
    }
}

/// The text of a field, within a length.
pub(super) fn text(body: &Value, field: &str, longest: usize) -> Result<String, Response> {
    let text = body.get(field).and_then(Value::as_str).filter(|t| !t.is_empty() && t.chars().count() <= longest);
    text.map(str::to_owned).ok_or_else(|| invalid(field, "texte attendu"))
}

/// An optional text; the shortest that the scheme takes has two characters.
pub(super) fn optional_text(body: &Value, field: &str, longest: usize) -> Result<Option<String>, Response> {
    match body.get(field) {
        None => Ok(None),
        Some(Value::String(t)) if (2..=longest).contains(&t.chars().count()) => Ok(Some(t.clone())),
        Some(_) => Err(invalid(field, "de 2 caractères à la longueur permise")),
    }
}

/// A JSON number of whole francs.
pub(super) fn amount(body: &Value) -> Result<i64, Response> {
    let amount = body.get("montant").and_then(Value::as_i64).filter(|a| *a > 0);
    amount.ok_or_else(|| invalid("montant", "nombre entier positif attendu"))
}

pub(super) fn boolean(body: &Value, field: &str) -> Result<bool, Response> {
    body.get(field).and_then(Value::as_bool).ok_or_else(|| invalid(field, "booléen attendu"))
}
