//! Orange SMS API (Côte d'Ivoire): OAuth token, then one POST a text.

use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Client;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{EXCHANGE_TIMEOUT_S, OrangeConfig, Sms, SmsRoute};
use crate::{
    Receipt, Secret, SendError,
    http::{self, Answer, Failure},
    oauth::{ClientCredentials, TokenError},
};

const NAME: &str = "orange";

/// Orange SMS API.
pub struct Orange {
    client: Client,
    tokens: ClientCredentials,
    url: String,
    sender_address: String,
    sender_name: Option<String>,
}

impl std::fmt::Debug for Orange {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Orange").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Orange {
    pub(super) fn new(config: OrangeConfig) -> Result<Self, SendError> {
        let client = http::client(Duration::from_secs(EXCHANGE_TIMEOUT_S))
            .map_err(|_| SendError::misconfigured(NAME, "http_client"))?;
        let sender_address = format!("tel:{}", config.sender);
        // Orange wants the colon and the plus sign escaped in the path: `tel%3A%2B2250000`.
        let sender_in_path = utf8_percent_encode(&sender_address, NON_ALPHANUMERIC);
        let url = format!("{}/smsmessaging/v1/outbound/{sender_in_path}/requests", config.base_url);
        let token_url = format!("{}/oauth/v3/token", config.base_url);
        let tokens = ClientCredentials::new(token_url, config.client_id, config.client_secret);
        Ok(Self { client, tokens, url, sender_address, sender_name: config.sender_name })
    }

    async fn token(&self) -> Result<Secret, SendError> {
        self.tokens.get(&self.client).await.map_err(|error| match error {
            TokenError::Refused(status) => SendError::misconfigured(NAME, format!("token_http_{status}")),
            TokenError::Unavailable => SendError::refused(NAME, "token_unavailable"),
        })
    }

    async fn post(&self, body: &Value, token: &Secret) -> Result<Answer, SendError> {
        let request =
            self.client.post(&self.url).bearer_auth(token.expose()).header("accept", "application/json").json(body);
        http::exchange(request, http::MAX_ANSWER_BYTES).await.map_err(|failure| lost(NAME, failure))
    }
}

impl SmsRoute for Orange {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn send(&self, sms: &Sms, _id: &str) -> Result<Receipt, SendError> {
        let body = encode(sms, &self.sender_address, self.sender_name.as_deref());
        let token = self.token().await?;
        let mut answer = self.post(&body, &token).await?;
        if answer.status == 401 {
            // The token died before its time: nothing was sent, one new token may help.
            self.tokens.forget(&token).await;
            let token = self.token().await?;
            answer = self.post(&body, &token).await?;
        }
        decode(&answer)
    }
}

fn encode(sms: &Sms, sender_address: &str, sender_name: Option<&str>) -> Value {
    let mut request = json!({
        "address": format!("tel:{}", sms.to),
        "senderAddress": sender_address,
        "outboundSMSTextMessage": { "message": sms.text },
    });
    if let Some(name) = sender_name {
        request["senderName"] = json!(name);
    }
    json!({ "outboundSMSMessageRequest": request })
}

fn decode(answer: &Answer) -> Result<Receipt, SendError> {
    let code = || error_code(&answer.body).unwrap_or_else(|| format!("http_{}", answer.status));
    match answer.status {
        201 => Ok(Receipt::new(NAME, resource_id(&answer.body))),
        // No credit, not subscribed, wrong keys: a person must act, another route may carry the text.
        401 | 403 => Err(SendError::misconfigured(NAME, code())),
        400 if code() == "SVC0004" => Err(SendError::hopeless(NAME, code())),
        status @ 400..=499 if status != 408 => Err(SendError::refused(NAME, code())),
        _ => Err(SendError::unknown(NAME, code())),
    }
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(rename = "requestError")]
    request_error: RequestError,
}

#[derive(Deserialize)]
struct RequestError {
    #[serde(rename = "serviceException", alias = "policyException")]
    exception: Exception,
}

#[derive(Deserialize)]
struct Exception {
    #[serde(rename = "messageId")]
    message_id: String,
}

/// `SVC0004`, `POL0050`… Anything else in that place is not copied into a log.
fn error_code(body: &[u8]) -> Option<String> {
    let refusal: Refusal = serde_json::from_slice(body).ok()?;
    let code = refusal.request_error.exception.message_id;
    (code.len() == 7 && code.bytes().all(|letter| letter.is_ascii_alphanumeric())).then_some(code)
}

/// The identifier at the end of `resourceURL`, by which a delivery receipt is recognised.
fn resource_id(body: &[u8]) -> Option<String> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let url = answer.pointer("/outboundSMSMessageRequest/resourceURL")?.as_str()?;
    url.rsplit('/').next().filter(|id| !id.is_empty() && id.len() <= 100).map(str::to_owned)
}

/// A failure of the exchange itself.
pub(super) fn lost(route: &'static str, failure: Failure) -> SendError {
    match failure {
        Failure::Unreachable => SendError::refused(route, failure.code()),
        Failure::Unsendable => SendError::misconfigured(route, failure.code()),
        Failure::Timeout | Failure::Broken => SendError::unknown(route, failure.code()),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn answer(status: u16, body: &'static str) -> Answer {
        Answer { status, body: Bytes::from_static(body.as_bytes()) }
    }

    #[test]
    fn no_credit_needs_a_person_and_a_bad_number_is_hopeless() {
        let no_credit =
            r#"{"requestError":{"policyException":{"messageId":"POL0050","text":"no credit","variables":[]}}}"#;
        assert_eq!(decode(&answer(403, no_credit)), Err(SendError::misconfigured(NAME, "POL0050")));
        let bad_number = r#"{"requestError":{"serviceException":{"messageId":"SVC0004","text":"No valid addresses","variables":[]}}}"#;
        assert_eq!(decode(&answer(400, bad_number)), Err(SendError::hopeless(NAME, "SVC0004")));
    }

    #[test]
    fn an_error_of_the_platform_leaves_the_outcome_open() {
        assert_eq!(decode(&answer(502, "<html>")), Err(SendError::unknown(NAME, "http_502")));
        assert_eq!(decode(&answer(429, "")), Err(SendError::refused(NAME, "http_429")));
    }
}
