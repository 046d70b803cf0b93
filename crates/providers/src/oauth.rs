//! A short-lived access token, fetched once and shared.

use std::time::Duration;

use reqwest::Client;
use serde::Deserialize;
use tokio::{sync::Mutex, time::Instant};

use crate::{Secret, http};

/// A token is renewed this long before it dies, in seconds, so that no request travels with a dying one.
const RENEW_BEFORE_S: u64 = 60;
/// A token is never kept longer, in seconds, whatever the provider says.
const MAX_LIFE_S: u64 = 24 * 3600;

/// A token as providers answer it; CinetPay calls its life otherwise or leaves it out.
#[derive(Deserialize)]
pub(crate) struct FreshToken {
    access_token: Secret,
    #[serde(default = "default_life_s")]
    expires_in: u64,
}

/// Life of a token whose answer does not tell it, in seconds.
fn default_life_s() -> u64 {
    600
}

struct Token {
    value: Secret,
    renew_at: Instant,
}

/// The place of one token.
#[derive(Default)]
pub(crate) struct TokenCell {
    current: Mutex<Option<Token>>,
}

impl TokenCell {
    /// The current token, or the one that `fetch` brings. The lock is held meanwhile: fifty waiters make one request, not
    /// fifty (Orange allows fifty a minute).
    pub(crate) async fn get_or<E>(&self, fetch: impl Future<Output = Result<FreshToken, E>>) -> Result<Secret, E> {
        let mut current = self.current.lock().await;
        if let Some(token) = current.as_ref().filter(|token| Instant::now() < token.renew_at) {
            return Ok(token.value.clone());
        }
        let fresh = fetch.await?;
        let life_s = fresh.expires_in.min(MAX_LIFE_S).saturating_sub(RENEW_BEFORE_S);
        let renew_at = Instant::now() + Duration::from_secs(life_s);
        *current = Some(Token { value: fresh.access_token.clone(), renew_at });
        Ok(fresh.access_token)
    }

    /// Drops a token that the provider has just refused, unless somebody replaced it meanwhile.
    pub(crate) async fn forget(&self, refused: &Secret) {
        let mut current = self.current.lock().await;
        if current.as_ref().is_some_and(|token| token.value.expose() == refused.expose()) {
            *current = None;
        }
    }
}

/// Why there is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenError {
    /// The provider refuses our credentials (HTTP status).
    Refused(u16),
    /// The provider cannot answer now; nothing was sent.
    Unavailable,
}

/// The token of one set of client credentials, for a messaging route.
pub(crate) struct ClientCredentials {
    url: String,
    user: String,
    password: Secret,
    cell: TokenCell,
}

impl ClientCredentials {
    pub(crate) fn new(url: String, user: String, password: Secret) -> Self {
        Self { url, user, password, cell: TokenCell::default() }
    }

    pub(crate) async fn get(&self, client: &Client) -> Result<Secret, TokenError> {
        self.cell.get_or(self.fetch(client)).await
    }

    pub(crate) async fn forget(&self, refused: &Secret) {
        self.cell.forget(refused).await;
    }

    async fn fetch(&self, client: &Client) -> Result<FreshToken, TokenError> {
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
