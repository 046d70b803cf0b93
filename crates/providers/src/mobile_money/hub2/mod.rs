//! Hub2, the aggregator with all four Ivorian wallets: payment intents in two steps, transfers, signed webhooks.

mod webhook;
mod wire;

use futures_util::future::BoxFuture;

use super::{
    Answer, Collect, CollectOrder, Delivery, Exchange, Handle, Notice, Observed, Outcome, Payout, PayoutOrder,
    Rejected, SenderLimits, Started, Webhook,
    sender::{Call, Reply, Sender},
    text::escaped,
};
use crate::{
    Secret, SendError,
    vars::{Faults, Lookup, Reader},
};

const NAME: &str = "hub2";

/// What Hub2 needs.
#[derive(Debug, Clone)]
pub struct Hub2Config {
    /// `https://api.hub2.io`, or the simulator.
    pub base_url: String,
    /// `ApiKey`.
    pub api_key: Secret,
    /// `MerchantId`.
    pub merchant_id: String,
    /// `live` or `sandbox`.
    pub environment: String,
    /// Secrets of the webhooks, one for each that is registered, and the one before during a rotation.
    pub webhook_secrets: Vec<Secret>,
    /// Bounds of the traffic.
    pub limits: SenderLimits,
}

impl Hub2Config {
    /// Reads `HOSTOLINK_HUB2_…`.
    pub fn from_vars(lookup: Lookup<'_>) -> Result<Self, Faults> {
        let mut reader = Reader::new(lookup);
        let config = Self {
            base_url: reader.base_url("HOSTOLINK_HUB2_BASE_URL", Some("https://api.hub2.io")),
            api_key: reader.secret("HOSTOLINK_HUB2_API_KEY"),
            merchant_id: reader.required("HOSTOLINK_HUB2_MERCHANT_ID"),
            environment: reader.required("HOSTOLINK_HUB2_ENVIRONMENT"),
            webhook_secrets: reader.secrets("HOSTOLINK_HUB2_WEBHOOK_SECRETS"),
            limits: SenderLimits::default(),
        };
        if !config.environment.is_empty() && !matches!(config.environment.as_str(), "live" | "sandbox") {
            reader.fault("HOSTOLINK_HUB2_ENVIRONMENT", "is neither live nor sandbox");
        }
        reader.finish(config)
    }
}

/// The connector.
pub struct Hub2 {
    sender: Sender,
    config: Hub2Config,
}

impl Hub2 {
    /// Makes the connector; nothing is sent.
    pub fn new(config: Hub2Config) -> Result<Self, SendError> {
        let sender = Sender::new(NAME, &config.base_url, config.limits)
            .map_err(|_| SendError::misconfigured(NAME, "http_client"))?;
        Ok(Self { sender, config })
    }

    async fn exchange<T>(
        &self,
        call: Call,
        exchanges: &mut Vec<Exchange>,
        read: impl FnOnce(Reply) -> Outcome<T>,
    ) -> Outcome<T> {
        let call = call
            .header("apikey", self.config.api_key.expose())
            .header("merchantid", self.config.merchant_id.as_str())
            .header("environment", self.config.environment.as_str())
            .header("content-type", "application/json");
        self.sender.call(&call, exchanges).await.then(read)
    }

    async fn call<T>(&self, call: Call, read: impl FnOnce(Reply) -> Outcome<T>) -> Answer<T> {
        let mut exchanges = Vec::new();
        let outcome = self.exchange(call, &mut exchanges, read).await;
        Answer { outcome, exchanges }
    }

    /// First what is owed, then how it is paid. Only the second step can move money, and by then the intent can be read: a
    /// lost answer leaves a pending operation with a handle, not an unknown one without.
    async fn pay(&self, order: &CollectOrder, exchanges: &mut Vec<Exchange>) -> Outcome<Started> {
        let (intent, payment) = match wire::bodies(order) {
            Ok(bodies) => bodies,
            Err(code) => return Outcome::not_executed(code),
        };
        let call = Call::post("collect.intent", "/payment-intents", intent);
        let intent = match self.exchange(call, exchanges, |reply| wire::intent_created(&reply)).await {
            Outcome::Known(intent) => intent,
            Outcome::NotExecuted { code } => return Outcome::NotExecuted { code },
            Outcome::Unknown { code } => return Outcome::Unknown { code },
        };
        let handle = Handle { provider_id: Some(intent.id.clone()), ..order.handle() };
        let Some(body) = payment.with_token(&intent.token) else { return Outcome::not_executed("unsendable") };
        let path = format!("/payment-intents/{}/payments", escaped(&intent.id));
        let call = Call::post("collect.request_payment", path, body);
        let waiting = handle.clone();
        match self.exchange(call, exchanges, |reply| wire::payment_started(&reply, handle)).await {
            Outcome::Unknown { .. } => Outcome::Known(wire::in_doubt(waiting)),
            settled => settled,
        }
    }
}

impl Collect for Hub2 {
    fn request_payment<'a>(&'a self, order: &'a CollectOrder) -> BoxFuture<'a, Answer<Started>> {
        Box::pin(async move {
            let mut exchanges = Vec::new();
            let outcome = self.pay(order, &mut exchanges).await;
            Answer { outcome, exchanges }
        })
    }

    /// Without the intent's identifier no payment can have been attempted by us, but Hub2 offers no search to prove it.
    fn state<'a>(&'a self, handle: &'a Handle) -> BoxFuture<'a, Answer<Option<Observed>>> {
        Box::pin(async move {
            let Some(id) = &handle.provider_id else { return no_search() };
            let call = Call::get("collect.state", format!("/payment-intents/{}", escaped(id)));
            self.call(call, |reply| wire::intent_read(&reply)).await
        })
    }
}

impl Payout for Hub2 {
    /// `reference` is unique: 409.
    fn may_repeat(&self) -> bool {
        true
    }

    fn send<'a>(&'a self, order: &'a PayoutOrder) -> BoxFuture<'a, Answer<Started>> {
        Box::pin(async move {
            match wire::transfer(order) {
                Ok(body) => {
                    let call = Call::post("payout.send", "/transfers", body);
                    self.call(call, |reply| wire::transfer_created(&reply, order.handle())).await
                }
                Err(code) => Answer { outcome: Outcome::not_executed(code), exchanges: Vec::new() },
            }
        })
    }

    fn state<'a>(&'a self, handle: &'a Handle) -> BoxFuture<'a, Answer<Option<Observed>>> {
        Box::pin(async move {
            let Some(id) = &handle.provider_id else { return no_search() };
            let call = Call::get("payout.state", format!("/transfers/{}", escaped(id)));
            self.call(call, |reply| wire::transfer_read(&reply)).await
        })
    }

    /// Hub2 documents no search. Its references are unique, so a repeat of a transfer that arrived answers
    /// `duplicate_reference` and moves nothing; the webhook, which carries our reference, then gives the identifier.
    fn find_by_reference<'a>(&'a self, handle: &'a Handle) -> BoxFuture<'a, Answer<Option<Observed>>> {
        Payout::state(self, handle)
    }
}

impl Webhook for Hub2 {
    fn verify<'a>(
        &'a self,
        delivery: &'a Delivery<'a>,
        _now_unix_s: i64,
    ) -> BoxFuture<'a, Result<Vec<Notice>, Rejected>> {
        Box::pin(async move { webhook::verify(&self.config.webhook_secrets, delivery) })
    }
}

fn no_search<T>() -> Answer<T> {
    Answer { outcome: Outcome::unknown("no_search"), exchanges: Vec::new() }
}
