//! Twilio, and the providers that copy its interface.

use std::time::Duration;

use reqwest::Client;
use serde::Deserialize;

use super::{EXCHANGE_TIMEOUT_S, Sms, SmsRoute, TwilioConfig, orange::lost};
use crate::{
    Receipt, SendError,
    http::{self, Answer},
};

const NAME: &str = "twilio";
/// Errors that lie with the number: bad, not mobile, opted out.
const HOPELESS: [u32; 4] = [21211, 21214, 21610, 21614];

/// Twilio-compatible interface.
#[derive(Debug)]
pub struct Twilio {
    client: Client,
    url: String,
    config: TwilioConfig,
}

#[derive(Deserialize)]
struct Accepted {
    sid: String,
}

#[derive(Deserialize)]
struct Refusal {
    code: u32,
}

impl Twilio {
    pub(super) fn new(config: TwilioConfig) -> Result<Self, SendError> {
        let client = http::client(Duration::from_secs(EXCHANGE_TIMEOUT_S))
            .map_err(|_| SendError::misconfigured(NAME, "http_client"))?;
        let url = format!("{}/2010-04-01/Accounts/{}/Messages.json", config.base_url, config.account_sid);
        Ok(Self { client, url, config })
    }
}

impl SmsRoute for Twilio {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn send(&self, sms: &Sms, _id: &str) -> Result<Receipt, SendError> {
        let sender = if self.config.from.starts_with("MG") { "MessagingServiceSid" } else { "From" };
        let form = [("To", sms.to.as_str()), (sender, self.config.from.as_str()), ("Body", sms.text.as_str())];
        let request = self
            .client
            .post(&self.url)
            .basic_auth(&self.config.account_sid, Some(self.config.auth_token.expose()))
            .form(&form);
        let answer = http::exchange(request, http::MAX_ANSWER_BYTES).await.map_err(|failure| lost(NAME, failure))?;
        decode(&answer)
    }
}

fn decode(answer: &Answer) -> Result<Receipt, SendError> {
    let refusal = serde_json::from_slice::<Refusal>(&answer.body).ok().map(|refusal| refusal.code);
    let code = refusal.map_or_else(|| format!("http_{}", answer.status), |code| format!("twilio_{code}"));
    match answer.status {
        200 | 201 => match serde_json::from_slice::<Accepted>(&answer.body) {
            Ok(accepted) => Ok(Receipt::new(NAME, Some(accepted.sid))),
            Err(_) => Err(SendError::unknown(NAME, "unreadable_answer")),
        },
        401 | 403 => Err(SendError::misconfigured(NAME, code)),
        400..=499 if refusal.is_some_and(|code| HOPELESS.contains(&code)) => Err(SendError::hopeless(NAME, code)),
        status @ 400..=499 if status != 408 => Err(SendError::refused(NAME, code)),
        _ => Err(SendError::unknown(NAME, code)),
    }
}
