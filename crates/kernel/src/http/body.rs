//! Extractors that refuse with a code, the field and no surprise. Houses use these and not axum's own.

use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequest, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::{FieldError, Problem};

/// A JSON body.
#[derive(Clone, Copy, Debug)]
pub struct Body<T>(pub T);

/// The query string.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

/// The one variable part of a path: an id, a name. What cannot be read does not exist: 404.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        read(request, state).await?.ok_or_else(malformed)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Body<T> {
    type Rejection = Problem;

    /// No body at all is no body; anything else has to be right.
    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Problem> {
        read(request, state).await
    }
}

/// `None` for no body at all: nothing has a type then, so that is no wrong type.
async fn read<T: DeserializeOwned, S: Send + Sync>(request: Request, state: &S) -> Result<Option<Body<T>>, Problem> {
    let json = is_json(&request);
    let bytes = Bytes::from_request(request, state).await.map_err(unread)?;
    match (bytes.is_empty(), json) {
        (true, _) => Ok(None),
        (false, true) => parse(&bytes).map(|value| Some(Body(value))),
        (false, false) => Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "request.not_json")),
    }
}

fn is_json(request: &Request) -> bool {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn unread(rejection: BytesRejection) -> Problem {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "request.too_large"),
        _ => Problem::new(StatusCode::BAD_REQUEST, "request.unreadable"),
    }
}

/// Reads JSON; the field that does not fit is named.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // PostgreSQL's text cannot hold U+0000: refuse it here once instead of failing at each insert.
    if bytes.windows(6).any(|window| window == b"\\u0000") {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "request.forbidden_character"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| refused(&error))?;
    deserializer.end().map_err(|_| malformed())?;
    Ok(value)
}

fn malformed() -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "request.malformed_json")
}

fn refused(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    if !error.inner().is_data() {
        return malformed();
    }
    let (path, message) = (error.path().to_string(), error.inner().to_string());
    let (field, code) = match quoted(&message) {
        Some(name) if message.starts_with("missing field") => (join(&path, name), "required"),
        Some(name) if message.starts_with("unknown field") => (join(&path, name), "unknown"),
        Some(name) if message.starts_with("duplicate field") => (join(&path, name), "duplicate"),
        _ if message.starts_with("invalid type") => (path, "invalid_type"),
        _ => (path, "invalid"),
    };
    Problem::new(StatusCode::BAD_REQUEST, "request.invalid").with_errors(vec![FieldError::new(field, code)])
}

/// serde names a field between backquotes.
fn quoted(message: &str) -> Option<&str> {
    message.split('`').nth(1)
}

fn join(path: &str, name: &str) -> String {
    // An unknown field is already the end of its path.
    if path == "." {
        name.to_owned()
    } else if path == name || path.ends_with(&format!(".{name}")) {
        path.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or("");
        if query.contains("%00") {
            return Err(Problem::new(StatusCode::BAD_REQUEST, "request.forbidden_character"));
        }
        let deserializer = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
        serde_path_to_error::deserialize(deserializer).map(Self).map_err(|error| {
            let (path, message) = (error.path().to_string(), error.inner().to_string());
            let field = match quoted(&message) {
                Some(name)
                    if message.starts_with("missing")
                        || message.starts_with("unknown")
                        || message.starts_with("duplicate") =>
                {
                    name.to_owned()
                }
                _ => path,
            };
            let code = if message.starts_with("missing") { "required" } else { "invalid" };
            Problem::new(StatusCode::BAD_REQUEST, "request.invalid").with_errors(vec![FieldError::new(field, code)])
        })
    }
}

impl<T: std::str::FromStr, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, state).await.map_err(|_| Problem::not_found())?;
        let value = params.iter().last().and_then(|(_, value)| value.parse().ok());
        value.map(Self).ok_or_else(Problem::not_found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Transfer {
        #[expect(dead_code, reason = "only its parsing is tested")]
        to: String,
        #[expect(dead_code, reason = "only its parsing is tested")]
        amount: crate::Francs,
    }

    fn refusal(json: &str) -> (&'static str, Vec<FieldError>) {
        let problem = parse::<Transfer>(json.as_bytes()).unwrap_err();
        (problem.code, problem.errors)
    }

    #[test]
    fn the_field_is_named() {
        assert_eq!(refusal(r#"{"amount":5}"#), ("request.invalid", vec![FieldError::new("to", "required")]));
        assert_eq!(
            refusal(r#"{"to":"x","amount":"5"}"#),
            ("request.invalid", vec![FieldError::new("amount", "invalid_type")])
        );
        assert_eq!(
            refusal(r#"{"to":"x","amount":-5}"#),
            ("request.invalid", vec![FieldError::new("amount", "invalid")])
        );
        assert_eq!(
            refusal(r#"{"to":"x","amount":5,"devise":1}"#),
            ("request.invalid", vec![FieldError::new("devise", "unknown")])
        );
    }

    #[test]
    fn what_is_no_json_is_told_apart() {
        for text in ["", "{", "{]", "{\"to\":\"x\",\"amount\":5} fin"] {
            assert_eq!(refusal(text).0, "request.malformed_json", "{text}");
        }
        assert_eq!(refusal("{\"to\":\"a\\u0000b\",\"amount\":5}").0, "request.forbidden_character");
        assert_eq!(refusal("[]").0, "request.invalid");
    }

    async fn answered(content_type: Option<&str>, body: &'static str) -> Option<(u16, &'static str)> {
        let mut request = Request::new(axum::body::Body::from(body));
        if let Some(content_type) = content_type {
            request.headers_mut().insert(header::CONTENT_TYPE, content_type.parse().unwrap());
        }
        let read = <Body<Transfer> as FromRequest<()>>::from_request(request, &()).await;
        read.err().map(|problem| (problem.status.as_u16(), problem.code))
    }

    #[tokio::test]
    async fn no_body_is_not_a_body_of_another_type() {
        let whole = r#"{"to":"x","amount":5}"#;
        for content_type in [None, Some("application/json"), Some("text/plain")] {
            assert_eq!(answered(content_type, "").await, Some((400, "request.malformed_json")), "{content_type:?}");
        }
        for content_type in [None, Some("text/plain"), Some("application/x-www-form-urlencoded")] {
            assert_eq!(answered(content_type, whole).await, Some((415, "request.not_json")), "{content_type:?}");
        }
        assert_eq!(answered(Some("application/json; charset=utf-8"), whole).await, None);
    }
}
