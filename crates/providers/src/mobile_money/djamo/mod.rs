//! Djamo Business: charge (a Djamo customer pays us), transfer (a Djamo account is paid), webhooks, balance.

mod wire;

use futures_util::future::BoxFuture;

use super::{
    Answer, Collect, CollectOrder, Delivery, Float, Handle, Notice, Observed, Outcome, Payout, PayoutOrder, Rejected,
    SenderLimits, Started, Webhook,
    sender::{Call, Reply, Sender},
    text::escaped,
};
use crate::{
    Secret, SendError,
    vars::{Faults, Lookup, Reader},
};

const NAME: &str = "djamo";

/// What Djamo needs.
#[derive(Debug, Clone)]
pub struct DjamoConfig {
    /// `https://api-civ.djamo.com`, or the simulator.
    pub base_url: String,
    /// Long-lived token (`at_…`).
    pub access_token: Secret,
    /// Our company, a UUID.
    pub company_id: String,
    /// Secrets of the webhooks; two while one replaces the other.
    pub webhook_secrets: Vec<Secret>,
    /// Bounds of the traffic.
    pub limits: SenderLimits,
}

impl DjamoConfig {
    /// Reads `HOSTOLINK_DJAMO_…`.
    pub fn from_vars(lookup: Lookup<'_>) -> Result<Self, Faults> {
        let mut reader = Reader::new(lookup);
        let config = Self {
            base_url: reader.base_url("HOSTOLINK_DJAMO_BASE_URL", Some("https://api-civ.djamo.com")),
            access_token: reader.secret("HOSTOLINK_DJAMO_ACCESS_TOKEN"),
            company_id: reader.required("HOSTOLINK_DJAMO_COMPANY_ID"),
            webhook_secrets: reader.secrets("HOSTOLINK_DJAMO_WEBHOOK_SECRETS"),
            limits: SenderLimits::default(),
        };
        reader.finish(config)
    }
}

/// The connector.
pub struct Djamo {
    sender: Sender,
    config: DjamoConfig,
}

impl Djamo {
    /// Makes the connector; nothing is sent.
    pub fn new(config: DjamoConfig) -> Result<Self, SendError> {
        let sender = Sender::new(NAME, &config.base_url, config.limits)
            .map_err(|_| SendError::misconfigured(NAME, "http_client"))?;
        Ok(Self { sender, config })
    }

    async fn call<T>(&self, call: Call, read: impl FnOnce(Reply) -> Outcome<T>) -> Answer<T> {
        let call = call
            .header("authorization", format!("Bearer {}", self.config.access_token.expose()))
            .header("x-company-id", self.config.company_id.as_str())
            .header("content-type", "application/json");
        let mut exchanges = Vec::new();
        let outcome = self.sender.call(&call, &mut exchanges).await.then(read);
        Answer { outcome, exchanges }
    }
}

impl Collect for Djamo {
    fn request_payment<'a>(&'a self, order: &'a CollectOrder) -> BoxFuture<'a, Answer<Started>> {
        Box::pin(async move {
            let Some(body) = wire::charge(order) else { return wire::unsupported() };
            let call = Call::post("collect.request_payment", "/v1/charges", body);
            self.call(call, |reply| wire::charge_created(&reply, order.handle())).await
        })
    }

    /// Djamo reads a charge by its own identifier only. One whose answer was lost is named by its webhook; until then it
    /// stays unknown, which harms nobody: its page was never shown.
    fn state<'a>(&'a self, handle: &'a Handle) -> BoxFuture<'a, Answer<Option<Observed>>> {
        Box::pin(async move {
            let Some(id) = &handle.provider_id else {
                return Answer { outcome: Outcome::unknown("charge_id_lost"), exchanges: Vec::new() };
            };
            let call = Call::get("collect.state", format!("/v1/charges/{}", escaped(id)));
            self.call(call, |reply| wire::charge_read(&reply)).await
        })
    }
}

impl Payout for Djamo {
    /// `reference` is unique: 409.
    fn may_repeat(&self) -> bool {
        true
    }

    fn send<'a>(&'a self, order: &'a PayoutOrder) -> BoxFuture<'a, Answer<Started>> {
        Box::pin(async move {
            let Some(body) = wire::transfer(order) else { return wire::unsupported() };
            let call = Call::post("payout.send", "/v1/transactions", body);
            self.call(call, |reply| wire::transfer_created(&reply, order.handle())).await
        })
    }

    fn state<'a>(&'a self, handle: &'a Handle) -> BoxFuture<'a, Answer<Option<Observed>>> {
        match &handle.provider_id {
            Some(id) => {
                let call = Call::get("payout.state", format!("/v1/transactions/{}", escaped(id)));
                Box::pin(self.call(call, |reply| wire::transfer_read(&reply)))
            }
            None => self.find_by_reference(handle),
        }
    }

    fn find_by_reference<'a>(&'a self, handle: &'a Handle) -> BoxFuture<'a, Answer<Option<Observed>>> {
        let call = Call::get("payout.find", format!("/v1/transactions?reference={}", escaped(&handle.reference)));
        Box::pin(self.call(call, |reply| wire::transfers_found(&reply, &handle.reference)))
    }
}

impl Webhook for Djamo {
    fn verify<'a>(
        &'a self,
        delivery: &'a Delivery<'a>,
        _now_unix_s: i64,
    ) -> BoxFuture<'a, Result<Vec<Notice>, Rejected>> {
        Box::pin(async move { wire::verify(&self.config.webhook_secrets, delivery) })
    }
}

impl Float for Djamo {
    fn balance(&self) -> BoxFuture<'_, Answer<i64>> {
        Box::pin(self.call(Call::get("float.balance", "/v1/balance"), |reply| wire::balance(&reply)))
    }
}
