use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

/// A refusal: a stable code, a status, and what the sentence needs. It holds no sentence; [`super::render`] adds it.
///
/// A house makes it from its own error enum, whose variants are the codes.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// `house.reason`: what a client branches on.
    pub code: &'static str,
    /// What the sentence names, by the name that stands in braces in `messages/`.
    pub params: Vec<(&'static str, String)>,
    /// One entry a field that was refused.
    pub errors: Vec<FieldError>,
    /// Members beside `code`, such as `attemptsLeft`.
    pub members: Vec<(&'static str, Value)>,
    /// Headers of the answer, such as `WWW-Authenticate`.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// When to try again; becomes `Retry-After` and `retryAfter`, in whole seconds, at least 1.
    pub retry_after: Option<Duration>,
    /// The citizens' document fixes its messages letter for letter: they are not translated.
    pub fixed_message: Option<&'static str>,
    /// What the envelope's `data` holds; null nearly always.
    pub data: Value,
    /// For the log only, never for the client.
    pub cause: Option<String>,
}

/// One field of a request that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The field's path: `amount`, `items[3].to`.
    pub field: String,
    /// Why, to branch on: `required`, `invalid_type`, …; its sentence is `field.<code>`.
    pub code: &'static str,
}

impl FieldError {
    /// A refused field.
    pub fn new(field: impl Into<String>, code: &'static str) -> Self {
        Self { field: field.into(), code }
    }
}

impl Problem {
    /// A refusal with a status and a code.
    pub fn new(status: StatusCode, code: &'static str) -> Self {
        Self {
            status,
            code,
            params: Vec::new(),
            errors: Vec::new(),
            members: Vec::new(),
            headers: Vec::new(),
            retry_after: None,
            fixed_message: None,
            data: Value::Null,
            cause: None,
        }
    }

    /// 400 for one field.
    pub fn field(field: impl Into<String>, code: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "request.invalid").with_errors(vec![FieldError::new(field, code)])
    }

    /// 404, also for what belongs to someone else.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "request.not_found")
    }

    /// 500: the cause goes to the log, the client gets the request's id.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        let mut problem = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server.internal");
        problem.cause = Some(cause.to_string());
        problem
    }

    /// 503 for what passes by itself.
    pub fn unavailable(cause: impl std::fmt::Display) -> Self {
        let mut problem =
            Self::new(StatusCode::SERVICE_UNAVAILABLE, "server.unavailable").with_retry_after(Duration::from_secs(2));
        problem.cause = Some(cause.to_string());
        problem
    }

    /// Adds a value that the sentence names.
    #[must_use]
    pub fn with_param(mut self, name: &'static str, value: impl ToString) -> Self {
        self.params.push((name, value.to_string()));
        self
    }

    /// Adds a member beside `code`.
    #[must_use]
    pub fn with_member(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.members.push((name, value.into()));
        self
    }

    /// Names the fields that were refused.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn with_retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// Whole seconds until it is worth trying again, rounded up, at least 1.
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after.map(|after| (after.as_secs() + u64::from(after.subsec_nanos() > 0)).max(1))
    }
}

impl IntoResponse for Problem {
    /// A bare response that carries the problem: the outermost layer writes the body.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(std::sync::Arc::new(self));
        response
    }
}
