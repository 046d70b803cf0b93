use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;

use super::Problem;

/// The header that makes a repeated request harmless. Required on every POST that moves money: absent or of a wrong length, 400.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The longest key, in characters.
    pub const MAX_LENGTH: usize = 255;

    /// `None` when it is empty, too long or holds something else than visible ASCII.
    pub fn parse(text: &str) -> Option<Self> {
        let fits =
            (1..=Self::MAX_LENGTH).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
        (fits && text.trim() == text).then(|| Self(text.to_owned()))
    }

    /// As it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get("idempotency-key") else {
            return Err(Problem::new(StatusCode::BAD_REQUEST, "request.idempotency_key_missing"));
        };
        let key = value.to_str().ok().and_then(Self::parse);
        key.ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, "request.idempotency_key_invalid"))
    }
}
