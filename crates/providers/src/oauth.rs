//! A short-lived access token, fetched once and shared (`client_credentials`).

use std::time::Duration;

use reqwest::Client;
use serde::Deserialize;
use tokio::{sync::Mutex, time::Instant};

use crate::{Secret, http};

/// A token is renewed this long before it dies, in seconds, so that no request travels with a dying one.
const RENEW_BEFORE_S: u64 = 60;
/// A token is never kept longer, in seconds, whatever the provider says.
const MAX_LIFE_S: u64 = 24 * 3600;

/// Why there is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenError {
    /// The provider refuses our credentials (HTTP status).
    Refused(u16),
    /// The provider cannot answer now; nothing was sent.
    Unavailable,
}

/// The token of one set of credentials.
pub(crate) struct TokenCache {
    url: String,
    user: String,
    password: Secret,
    current: Mutex<Option<Token>>,
}

struct Token {
    value: Secret,
    renew_at: Instant,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Secret,
    expires_in: u64,
}

impl TokenCache {
    pub(crate) fn new(url: String, user: String, password: Secret) -> Self {
        Self { url, user, password, current: Mutex::new(None) }
    }

    /// The current token, or a new one. The lock is held while fetching: fifty waiters make one request, not fifty
    /// (Orange allows fifty a minute).
    pub(crate) async fn get(&self, client: &Client) -> Result<Secret, TokenError> {
        let mut current = self.current.lock().await;
        if let Some(token) = current.as_ref().filter(|token| Instant::now() < token.renew_at) {
            return Ok(token.value.clone());
        }
        let answer = self.fetch(client).await?;
        let life_s = answer.expires_in.min(MAX_LIFE_S).saturating_sub(RENEW_BEFORE_S);
        let renew_at = Instant::now() + Duration::from_secs(life_s);
        *current = Some(Token { value: answer.access_token.clone(), renew_at });
        Ok(answer.access_token)
    }

    /// Drops a token that the provider has just refused, unless somebody replaced it meanwhile.
    pub(crate) async fn forget(&self, refused: &Secret) {
        let mut current = self.current.lock().await;
        if current.as_ref().is_some_and(|token| token.value.expose() == refused.expose()) {
            *current = None;
        }
    }

    async fn fetch(&self, client: &Client) -> Result<TokenAnswer, TokenError> {
        let request = client
            .post(&self.url)
            .basic_auth(&self.user, Some(self.password.expose()))
            .header("accept", "application/json")
            .form(&[("grant_type", "client_credentials")]);
        let answer = http::exchange(request, http::MAX_ANSWER_BYTES).await.map_err(|_| TokenError::Unavailable)?;
        match answer.status {
            200 | 201 => serde_json::from_slice(&answer.body).map_err(|_| TokenError::Unavailable),
            status @ (400 | 401 | 403) => Err(TokenError::Refused(status)),
            _ => Err(TokenError::Unavailable),
        }
    }
}
