//! The outermost layer: turns what handlers answered (a code and data) into the envelope, in the client's language.
//!
//! Houses hold no sentence; a change of wording rebuilds nothing but the server.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::reply::Envelope;
use super::{Lang, Lexicon, Problem, RequestId};
use crate::keys::sha256;

/// Middleware: `axum::middleware::from_fn_with_state(lexicon, render::envelope)`.
pub async fn envelope(State(lexicon): State<Arc<Lexicon>>, request: Request, next: Next) -> Response {
    let asked = Asked::of(&request);
    let mut response = next.run(request).await;
    if let Some(envelope) = response.extensions_mut().remove::<Envelope>() {
        return success(&lexicon, &asked, &envelope, response);
    }
    if let Some(problem) = response.extensions_mut().remove::<Arc<Problem>>() {
        return failure(&lexicon, &asked, &problem, response.headers());
    }
    match unhandled(response.status(), &response) {
        Some(problem) => failure(&lexicon, &asked, &problem, response.headers()),
        None => response,
    }
}

struct Asked {
    lang: Lang,
    get: bool,
    problem_json: bool,
    request_id: RequestId,
    if_none_match: Option<HeaderValue>,
}

impl Asked {
    fn of(request: &Request) -> Self {
        let headers = request.headers();
        Self {
            lang: Lang::of(headers),
            get: matches!(*request.method(), Method::GET | Method::HEAD),
            problem_json: accepts_problem_json(headers),
            request_id: request.extensions().get().copied().unwrap_or(RequestId(uuid::Uuid::nil())),
            if_none_match: headers.get(header::IF_NONE_MATCH).cloned(),
        }
    }
}

fn accepts_problem_json(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|accept| accept.split(',').any(|range| range.trim().starts_with("application/problem+json")))
}

/// axum's own refusals (no such route, wrong method, body too large, a panic) get the envelope too.
fn unhandled(status: StatusCode, response: &Response) -> Option<Problem> {
    let ours = response.headers().contains_key(header::CONTENT_TYPE) && status != StatusCode::METHOD_NOT_ALLOWED;
    if !(status.is_client_error() || status.is_server_error()) || (ours && !is_plain_text(response)) {
        return None;
    }
    let code = match status {
        StatusCode::NOT_FOUND => "request.not_found",
        StatusCode::METHOD_NOT_ALLOWED => "request.method_not_allowed",
        StatusCode::PAYLOAD_TOO_LARGE => "request.too_large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "request.not_json",
        StatusCode::REQUEST_TIMEOUT | StatusCode::SERVICE_UNAVAILABLE => "server.unavailable",
        status if status.is_client_error() => "request.unreadable",
        _ => "server.internal",
    };
    let mut problem = Problem::new(status, code);
    if let Some(allow) = response.headers().get(header::ALLOW) {
        problem.headers.push((header::ALLOW, allow.clone()));
    }
    Some(problem)
}

fn is_plain_text(response: &Response) -> bool {
    response.headers().get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"text/plain"))
}

fn success(lexicon: &Lexicon, asked: &Asked, envelope: &Envelope, mut response: Response) -> Response {
    let sentence = match envelope.fixed {
        Some(fixed) => fixed.to_owned(),
        None => lexicon.sentence(asked.lang, envelope.code, &[]),
    };
    let mut body = Vec::with_capacity(envelope.data.len() + sentence.len() + 64);
    body.extend_from_slice(br#"{"status":"success","message":"#);
    body.extend_from_slice(Value::from(sentence).to_string().as_bytes());
    body.extend_from_slice(br#","data":"#);
    body.extend_from_slice(&envelope.data);
    body.push(b'}');

    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    spoken(headers, asked.lang);
    if asked.get {
        let tag = etag(&body);
        // Private by default: nearly every answer belongs to one person. A public route says so itself.
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
        let same = asked.if_none_match.as_ref().is_some_and(|known| matches_tag(known, &tag));
        headers.insert(header::ETAG, tag);
        if same {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response.headers_mut().remove(header::CONTENT_TYPE);
            return response;
        }
    } else {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    *response.body_mut() = Body::from(body);
    response
}

fn spoken(headers: &mut HeaderMap, lang: Lang) {
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(lang.tag()));
    headers.append(header::VARY, HeaderValue::from_static("accept-language, accept"));
}

/// A weak tag: compression may change the bytes, not the meaning.
pub fn etag(body: &[u8]) -> HeaderValue {
    let digest = URL_SAFE_NO_PAD.encode(&sha256(body)[..15]);
    HeaderValue::from_str(&format!("W/\"{digest}\"")).unwrap_or(HeaderValue::from_static("W/\"\""))
}

/// Whether `If-None-Match` names this tag.
pub fn matches_tag(known: &HeaderValue, tag: &HeaderValue) -> bool {
    let (Ok(known), Ok(tag)) = (known.to_str(), tag.to_str()) else { return false };
    let bare = |text: &str| text.trim().trim_start_matches("W/").to_owned();
    known.trim() == "*" || known.split(',').any(|one| bare(one) == bare(tag))
}

fn failure(lexicon: &Lexicon, asked: &Asked, problem: &Problem, set: &HeaderMap) -> Response {
    log(asked, problem);
    let retry_after = problem.retry_after_seconds();
    let message = match problem.fixed_message {
        Some(fixed) => fixed.to_owned(),
        None => {
            let mut params = problem.params.clone();
            params.extend(retry_after.map(|seconds| ("retryAfter", seconds.to_string())));
            lexicon.sentence(asked.lang, problem.code, &params)
        }
    };
    let mut content = Map::new();
    if asked.problem_json {
        content.insert("type".into(), json!(format!("urn:hostolink:problem:{}", problem.code)));
        content.insert("title".into(), json!(message));
        content.insert("status".into(), json!(problem.status.as_u16()));
        content.insert("detail".into(), json!(message));
        content.insert("instance".into(), json!(format!("urn:uuid:{}", asked.request_id.0)));
    } else {
        content.insert("status".into(), json!("error"));
        content.insert("message".into(), json!(message));
        content.insert("data".into(), request_named(&problem.data, asked.request_id));
    }
    content.insert("code".into(), json!(problem.code));
    content.insert("requestId".into(), json!(asked.request_id.0));
    if let Some(seconds) = retry_after {
        content.insert("retryAfter".into(), json!(seconds));
    }
    if !problem.errors.is_empty() {
        content.insert("errors".into(), field_errors(lexicon, asked.lang, problem));
    }
    content.extend(problem.members.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    written(asked, problem, set, &Value::Object(content))
}

/// The citizens' document wants a sentence with the request's id as the data of its 500.
fn request_named(data: &Value, id: RequestId) -> Value {
    match data {
        Value::String(text) => Value::String(text.replace("{requestId}", &id.0.to_string())),
        other => other.clone(),
    }
}

fn field_errors(lexicon: &Lexicon, lang: Lang, problem: &Problem) -> Value {
    problem
        .errors
        .iter()
        .map(|error| {
            let message = lexicon.sentence(lang, &format!("field.{}", error.code), &[("field", error.field.clone())]);
            json!({"field": error.field, "code": error.code, "message": message})
        })
        .collect()
}

/// `set` are the headers that inner layers put on the answer (limits, cookies): they stay.
fn written(asked: &Asked, problem: &Problem, set: &HeaderMap, content: &Value) -> Response {
    let mut response = Response::new(Body::from(content.to_string()));
    *response.status_mut() = problem.status;
    let headers = response.headers_mut();
    *headers = set.clone();
    headers.remove(header::CONTENT_LENGTH);
    let kind = if asked.problem_json { "application/problem+json" } else { "application/json" };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    spoken(headers, asked.lang);
    headers.extend(problem.headers.iter().cloned());
    if let Some(seconds) = problem.retry_after_seconds() {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// Once, at the boundary: the code, and the cause of what is our own fault.
fn log(asked: &Asked, problem: &Problem) {
    let (request, code) = (asked.request_id.0, problem.code);
    match &problem.cause {
        Some(cause) if problem.status == StatusCode::INTERNAL_SERVER_ERROR => {
            tracing::error!(%request, code, cause, "request failed");
        }
        Some(cause) => tracing::warn!(%request, code, cause, "request not served"),
        None => tracing::debug!(%request, code, status = problem.status.as_u16(), "request refused"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{FieldError, Reply};
    use axum::Router;
    use axum::routing::get;
    use tower::ServiceExt;

    async fn answer(accept: &str, path: &str) -> (StatusCode, HeaderMap, Value) {
        let lexicon = Lexicon::parse(
            "[a]\nok = \"Voilà\"\nno = \"Non, {why}\"\n[field]\nrequired = \"{field} manque\"",
            "[a]\nok = \"Here\"",
        )
        .unwrap();
        let app = Router::new()
            .route("/ok", get(async || Reply::ok("a.ok", json!({"n": 1}))))
            .route(
                "/no",
                get(async || {
                    Problem::new(StatusCode::CONFLICT, "a.no")
                        .with_param("why", "pas ici")
                        .with_errors(vec![FieldError::new("to", "required")])
                        .with_retry_after(std::time::Duration::from_millis(1200))
                }),
            )
            .layer(axum::middleware::from_fn_with_state(Arc::new(lexicon), envelope));
        let request = Request::get(path).header(header::ACCEPT, accept).body(Body::empty()).unwrap();
        let response = app.oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 10_000).await.unwrap();
        (parts.status, parts.headers, serde_json::from_slice(&bytes).unwrap())
    }

    #[tokio::test]
    async fn success_has_its_envelope_and_tag() {
        let (status, headers, body) = answer("*/*", "/ok").await;
        assert_eq!(
            (status, body),
            (StatusCode::OK, json!({"status": "success", "message": "Voilà", "data": {"n": 1}}))
        );
        assert!(headers.contains_key(header::ETAG));
    }

    #[tokio::test]
    async fn failure_has_both_forms() {
        let (status, headers, body) = answer("*/*", "/no").await;
        assert_eq!(status, StatusCode::CONFLICT);
        assert_eq!(headers[header::RETRY_AFTER], "2");
        assert_eq!(body["message"], "Non, pas ici");
        assert_eq!(body["data"], Value::Null);
        assert_eq!(body["errors"][0], json!({"field": "to", "code": "required", "message": "to manque"}));
        let (_, headers, body) = answer("application/problem+json", "/no").await;
        assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(
            (&body["status"], &body["code"], &body["detail"]),
            (&json!(409), &json!("a.no"), &json!("Non, pas ici"))
        );
    }

    #[tokio::test]
    async fn unknown_routes_get_the_envelope() {
        let (status, _, body) = answer("*/*", "/nowhere").await;
        assert_eq!((status, &body["code"]), (StatusCode::NOT_FOUND, &json!("request.not_found")));
    }
}
