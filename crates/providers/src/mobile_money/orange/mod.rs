//! Orange Money Web Payment (M Payment): money in by redirect. Orange Côte d'Ivoire offers no public way out: payouts go
//! through another route.
//!
//! An `order_id` is burnt for ever, even by a failure, so each attempt of a person needs a fresh reference. The state can
//! only be read with the `pay_token` of the answer: when that answer is lost nobody can pay, because the page's address was
//! lost with it, but nobody can prove it either. Such an operation stays unknown until its deadline and the statement.

mod wire;

use futures_util::future::BoxFuture;

use super::{
    Answer, Collect, CollectOrder, Delivery, Handle, Notice, Observed, Outcome, Rejected, SenderLimits, Started,
    Webhook,
    bearer::{Bearer, TokenDesk},
    sender::{Call, Reply, Sender},
    text::basic,
};
use crate::{
    Secret, SendError,
    vars::{Faults, Lookup, Reader},
};

const NAME: &str = "orange";

/// What Orange Web Payment needs.
#[derive(Debug, Clone)]
pub struct OrangeConfig {
    /// `https://api.orange.com`, or the simulator.
    pub base_url: String,
    /// Application's identifier.
    pub client_id: String,
    /// Application's secret.
    pub client_secret: Secret,
    /// Given after the merchant was validated.
    pub merchant_key: Secret,
    /// `ci`; `dev` in the sandbox.
    pub country: String,
    /// `XOF`; `OUV` in the sandbox.
    pub currency: String,
    /// Where Orange reports when the order names no address of its own.
    pub notify_url: String,
    /// Bounds of the traffic.
    pub limits: SenderLimits,
}

impl OrangeConfig {
    /// Reads `HOSTOLINK_ORANGE_MONEY_…`.
    pub fn from_vars(lookup: Lookup<'_>) -> Result<Self, Faults> {
        let mut reader = Reader::new(lookup);
        let or = |value: Option<String>, default: &str| value.unwrap_or_else(|| default.to_owned());
        let config = Self {
            base_url: reader.base_url("HOSTOLINK_ORANGE_MONEY_BASE_URL", Some("https://api.orange.com")),
            client_id: reader.required("HOSTOLINK_ORANGE_MONEY_CLIENT_ID"),
            client_secret: reader.secret("HOSTOLINK_ORANGE_MONEY_CLIENT_SECRET"),
            merchant_key: reader.secret("HOSTOLINK_ORANGE_MONEY_MERCHANT_KEY"),
            country: or(reader.optional("HOSTOLINK_ORANGE_MONEY_COUNTRY"), "ci"),
            currency: or(reader.optional("HOSTOLINK_ORANGE_MONEY_CURRENCY"), "XOF"),
            notify_url: reader.base_url("HOSTOLINK_ORANGE_MONEY_NOTIFY_URL", None),
            limits: SenderLimits::default(),
        };
        if (config.country == "dev") != (config.currency == "OUV") {
            reader.fault("HOSTOLINK_ORANGE_MONEY_CURRENCY", "does not fit the country (dev pays in OUV, ci in XOF)");
        }
        reader.finish(config)
    }
}

/// The connector.
pub struct OrangeMoney {
    sender: Sender,
    config: OrangeConfig,
    bearer: Bearer,
}

impl OrangeMoney {
    /// Makes the connector; nothing is sent.
    pub fn new(config: OrangeConfig) -> Result<Self, SendError> {
        let sender = Sender::new(NAME, &config.base_url, config.limits)
            .map_err(|_| SendError::misconfigured(NAME, "http_client"))?;
        Ok(Self { sender, config, bearer: Bearer::default() })
    }

    async fn call<T>(&self, call: Call, read: impl FnOnce(Reply) -> Outcome<T>) -> Answer<T> {
        let token_call = Call::post("token", "/oauth/v3/token", b"grant_type=client_credentials".to_vec())
            .header("authorization", basic(&self.config.client_id, &self.config.client_secret))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json")
            .reading();
        let call = call.header("content-type", "application/json").header("accept", "application/json");
        let desk = TokenDesk { sender: &self.sender, call: &token_call };
        let mut exchanges = Vec::new();
        let outcome = self.bearer.call(&self.sender, desk, call, &mut exchanges).await.then(read);
        Answer { outcome, exchanges }
    }

    fn path(&self, resource: &str) -> String {
        format!("/orange-money-webpay/{}/v1/{resource}", self.config.country)
    }
}

impl Collect for OrangeMoney {
    fn request_payment<'a>(&'a self, order: &'a CollectOrder) -> BoxFuture<'a, Answer<Started>> {
        Box::pin(async move {
            let Some(body) = wire::payment(order, &self.config) else {
                return Answer { outcome: Outcome::not_executed("unsupported_order"), exchanges: Vec::new() };
            };
            let call = Call::post("collect.request_payment", self.path("webpayment"), body);
            self.call(call, |reply| wire::created(&reply, order.handle())).await
        })
    }

    fn state<'a>(&'a self, handle: &'a Handle) -> BoxFuture<'a, Answer<Option<Observed>>> {
        Box::pin(async move {
            let Some(body) = wire::status(handle) else {
                return Answer { outcome: Outcome::unknown("pay_token_lost"), exchanges: Vec::new() };
            };
            // A POST that reads.
            let call = Call::post("collect.state", self.path("transactionstatus"), body).reading();
            self.call(call, |reply| wire::read(&reply)).await
        })
    }
}

impl Webhook for OrangeMoney {
    /// Orange signs nothing: find the operation by [`Handle::is_notified_by`], then read its state.
    fn verify<'a>(
        &'a self,
        delivery: &'a Delivery<'a>,
        _now_unix_s: i64,
    ) -> BoxFuture<'a, Result<Vec<Notice>, Rejected>> {
        Box::pin(async move { wire::notice(delivery) })
    }
}
