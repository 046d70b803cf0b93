//! Wave Business: checkout (money in), payout (money out), webhooks, statement and balance.

mod webhook;
mod wire;

use chrono::NaiveDate;
use futures_util::future::BoxFuture;

use super::{
    Answer, Collect, CollectOrder, Delivery, Float, Handle, Notice, Observed, Payout, PayoutOrder, Rejected,
    SenderLimits, Started, Statement, StatementPage, Webhook,
    sender::{Attempt, Call, Reply, Sender},
    signature::hmac_sha256,
    text::escaped,
};
use crate::{
    Secret, SendError, UnixSeconds,
    vars::{Faults, Lookup, Reader},
};

const NAME: &str = "wave";
/// Lines of a statement page; Wave allows a thousand.
const STATEMENT_PAGE_LINES: u32 = 500;

/// What a Wave Business account needs.
#[derive(Debug, Clone)]
pub struct WaveConfig {
    /// `https://api.wave.com`, or the simulator.
    pub base_url: String,
    /// Key of the wallet, limited to the interfaces used here.
    pub api_key: Secret,
    /// Only for keys that were created with request signing.
    pub request_signing_secret: Option<Secret>,
    /// Signing secrets of the webhook; two while one replaces the other.
    pub webhook_secrets: Vec<Secret>,
    /// Bounds of the traffic.
    pub limits: SenderLimits,
}

impl WaveConfig {
    /// Reads `HOSTOLINK_WAVE_…` (`BASE_URL`, `API_KEY`, `REQUEST_SIGNING_SECRET`, `WEBHOOK_SECRETS` separated by commas).
    pub fn from_vars(lookup: Lookup<'_>) -> Result<Self, Faults> {
        let mut reader = Reader::new(lookup);
        let config = Self {
            base_url: reader.base_url("HOSTOLINK_WAVE_BASE_URL", Some("https://api.wave.com")),
            api_key: reader.secret("HOSTOLINK_WAVE_API_KEY"),
            request_signing_secret: reader.optional("HOSTOLINK_WAVE_REQUEST_SIGNING_SECRET").map(Secret::new),
            webhook_secrets: reader.secrets("HOSTOLINK_WAVE_WEBHOOK_SECRETS"),
            limits: SenderLimits::default(),
        };
        reader.finish(config)
    }
}

/// The connector.
pub struct Wave {
    sender: Sender,
    config: WaveConfig,
    now: UnixSeconds,
}

impl Wave {
    /// Makes the connector; nothing is sent. `now` gives the time that signed requests carry.
    pub fn new(config: WaveConfig, now: UnixSeconds) -> Result<Self, SendError> {
        let sender = Sender::new(NAME, &config.base_url, config.limits)
            .map_err(|_| SendError::misconfigured(NAME, "http_client"))?;
        Ok(Self { sender, config, now })
    }

    async fn call<T>(&self, call: Call, read: impl FnOnce(Reply) -> super::Outcome<T>) -> Answer<T> {
        let mut exchanges = Vec::new();
        let call = self.authenticated(call);
        let outcome = match call {
            Some(call) => self.sender.call(&call, &mut exchanges).await.then(read),
            None => Attempt::NotSent("unsignable").then(read),
        };
        Answer { outcome, exchanges }
    }

    /// One signature serves every attempt of a call: the pauses between them are far below Wave's five minutes.
    fn authenticated(&self, call: Call) -> Option<Call> {
        let call = call
            .header("authorization", format!("Bearer {}", self.config.api_key.expose()))
            .header("content-type", "application/json");
        let Some(secret) = &self.config.request_signing_secret else { return Some(call) };
        let value = request_signature(secret, (self.now)(), call.body.as_deref().unwrap_or_default())?;
        Some(call.header("wave-signature", value))
    }
}

fn request_signature(secret: &Secret, unix_s: i64, body: &[u8]) -> Option<String> {
    let time = unix_s.to_string();
    let signature = hmac_sha256(secret, &[time.as_bytes(), body])?;
    Some(format!("t={time},v1={}", hex::encode(signature)))
}

impl Collect for Wave {
    fn request_payment<'a>(&'a self, order: &'a CollectOrder) -> BoxFuture<'a, Answer<Started>> {
        Box::pin(async move {
            match wire::session_request(order) {
                Some(body) => {
                    let call = Call::post("collect.request_payment", "/v1/checkout/sessions", body);
                    self.call(call, |reply| wire::session_created(&reply, order)).await
                }
                None => unsendable(),
            }
        })
    }

    fn state<'a>(&'a self, handle: &'a Handle) -> BoxFuture<'a, Answer<Option<Observed>>> {
        let call = match &handle.provider_id {
            Some(id) => Call::get("collect.state", format!("/v1/checkout/sessions/{}", escaped(id))),
            None => {
                let path = format!("/v1/checkout/sessions/search?client_reference={}", escaped(&handle.reference));
                Call::get("collect.find", path)
            }
        };
        let is_search = handle.provider_id.is_none();
        let read =
            move |reply: Reply| if is_search { wire::sessions_found(&reply) } else { wire::session_read(&reply) };
        Box::pin(self.call(call, read))
    }
}

impl Payout for Wave {
    /// `Idempotency-Key` is required and kept.
    fn may_repeat(&self) -> bool {
        true
    }

    fn send<'a>(&'a self, order: &'a PayoutOrder) -> BoxFuture<'a, Answer<Started>> {
        Box::pin(async move {
            match wire::payout_request(order) {
                Some(body) => {
                    let key = order.key.to_string();
                    let call = Call::post("payout.send", "/v1/payout", body).header("idempotency-key", key);
                    self.call(call, |reply| wire::payout_sent(&reply, order)).await
                }
                None => unsendable(),
            }
        })
    }

    fn state<'a>(&'a self, handle: &'a Handle) -> BoxFuture<'a, Answer<Option<Observed>>> {
        match &handle.provider_id {
            Some(id) => {
                let call = Call::get("payout.state", format!("/v1/payout/{}", escaped(id)));
                Box::pin(self.call(call, |reply| wire::payout_read(&reply)))
            }
            None => self.find_by_reference(handle),
        }
    }

    fn find_by_reference<'a>(&'a self, handle: &'a Handle) -> BoxFuture<'a, Answer<Option<Observed>>> {
        let path = format!("/v1/payouts/search?client_reference={}", escaped(&handle.reference));
        Box::pin(self.call(Call::get("payout.find", path), |reply| wire::payouts_found(&reply)))
    }
}

impl Webhook for Wave {
    fn verify<'a>(
        &'a self,
        delivery: &'a Delivery<'a>,
        now_unix_s: i64,
    ) -> BoxFuture<'a, Result<Vec<Notice>, Rejected>> {
        Box::pin(async move { webhook::verify(&self.config.webhook_secrets, delivery, now_unix_s) })
    }
}

impl Statement for Wave {
    fn page<'a>(&'a self, day: NaiveDate, cursor: Option<&'a str>) -> BoxFuture<'a, Answer<StatementPage>> {
        let after = cursor.map(|cursor| format!("&after={}", escaped(cursor))).unwrap_or_default();
        let path = format!("/v1/transactions?date={day}&first={STATEMENT_PAGE_LINES}{after}");
        Box::pin(self.call(Call::get("statement.page", path), |reply| wire::statement_page(&reply)))
    }
}

impl Float for Wave {
    fn balance(&self) -> BoxFuture<'_, Answer<i64>> {
        Box::pin(self.call(Call::get("float.balance", "/v1/balance"), |reply| wire::balance(&reply)))
    }
}

/// An order that Wave cannot express, such as a payment from an alias: nothing leaves.
fn unsendable<T>() -> Answer<T> {
    Answer { outcome: super::Outcome::not_executed("unsupported_party"), exchanges: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_requests_as_the_known_answer_says() {
        let secret = Secret::new("wave_ci_AKS_testsecret");
        let signed = request_signature(&secret, 1_795_305_600, b"").unwrap();
        assert_eq!(signed, "t=1795305600,v1=1f7c7543d305349d723dfbec16426af396ab6d768d43844c36179f4339335530");
    }
}
