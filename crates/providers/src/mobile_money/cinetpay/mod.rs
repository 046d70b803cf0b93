//! CinetPay v1, an aggregator of all four Ivorian wallets, both ways. Nothing is signed: a webhook only says "come and look".
//!
//! `merchant_transaction_id` (our reference) is unique: an operation can always be found, and a repeat answers 1200.

mod wire;

use futures_util::future::BoxFuture;
use serde_json::json;

use super::{
    Answer, Collect, CollectOrder, Delivery, Direction, Float, Handle, Notice, Observed, Outcome, Payout, PayoutOrder,
    Rejected, SenderLimits, Started, Webhook,
    bearer::{Bearer, TokenDesk},
    sender::{Call, Reply, Sender},
    text::escaped,
};
use crate::{
    Secret, SendError,
    vars::{Faults, Lookup, Reader},
};

const NAME: &str = "cinetpay";

/// What CinetPay needs.
#[derive(Debug, Clone)]
pub struct CinetpayConfig {
    /// `https://api.cinetpay.co`, the sandbox `https://api.cinetpay.net`, or the simulator.
    pub base_url: String,
    /// Key of the country (`sk_live_…`, `sk_test_…`).
    pub api_key: Secret,
    /// Its password.
    pub api_password: Secret,
    /// CinetPay wants an address for each payer: one of ours, so that nobody's is given away.
    pub contact_email: String,
    /// Where CinetPay reports when the order names no address of its own.
    pub notify_url: String,
    /// Bounds of the traffic.
    pub limits: SenderLimits,
}

impl CinetpayConfig {
    /// Reads `HOSTOLINK_CINETPAY_…`.
    pub fn from_vars(lookup: Lookup<'_>) -> Result<Self, Faults> {
        let mut reader = Reader::new(lookup);
        let config = Self {
            base_url: reader.base_url("HOSTOLINK_CINETPAY_BASE_URL", Some("https://api.cinetpay.co")),
            api_key: reader.secret("HOSTOLINK_CINETPAY_API_KEY"),
            api_password: reader.secret("HOSTOLINK_CINETPAY_API_PASSWORD"),
            contact_email: reader.required("HOSTOLINK_CINETPAY_CONTACT_EMAIL"),
            notify_url: reader.base_url("HOSTOLINK_CINETPAY_NOTIFY_URL", None),
            limits: SenderLimits::default(),
        };
        let is_test_key = config.api_key.expose().starts_with("sk_test_");
        if is_test_key && config.base_url == "https://api.cinetpay.co" {
            reader.fault("HOSTOLINK_CINETPAY_API_KEY", "is a test key at the production address");
        }
        reader.finish(config)
    }
}

/// The connector.
pub struct Cinetpay {
    sender: Sender,
    config: CinetpayConfig,
    bearer: Bearer,
}

impl Cinetpay {
    /// Makes the connector; nothing is sent.
    pub fn new(config: CinetpayConfig) -> Result<Self, SendError> {
        let sender = Sender::new(NAME, &config.base_url, config.limits)
            .map_err(|_| SendError::misconfigured(NAME, "http_client"))?;
        Ok(Self { sender, config, bearer: Bearer::default() })
    }

    async fn call<T>(&self, call: Call, read: impl FnOnce(Reply) -> Outcome<T>) -> Answer<T> {
        let login =
            json!({ "api_key": self.config.api_key.expose(), "api_password": self.config.api_password.expose() });
        let token_call = Call::post("token", "/v1/oauth/login", login.to_string().into_bytes())
            .header("content-type", "application/json")
            .reading();
        let call = call.header("content-type", "application/json");
        let desk = TokenDesk { sender: &self.sender, call: &token_call };
        let mut exchanges = Vec::new();
        let outcome = self.bearer.call(&self.sender, desk, call, &mut exchanges).await.then(read);
        Answer { outcome, exchanges }
    }

    async fn read(&self, direction: Direction, operation: &'static str, handle: &Handle) -> Answer<Option<Observed>> {
        let resource = match direction {
            Direction::Collect => "payment",
            Direction::Payout => "transfer",
        };
        let call = Call::get(operation, format!("/v1/{resource}/{}", escaped(&handle.reference)));
        self.call(call, |reply| wire::read(&reply, direction)).await
    }
}

impl Collect for Cinetpay {
    fn request_payment<'a>(&'a self, order: &'a CollectOrder) -> BoxFuture<'a, Answer<Started>> {
        Box::pin(async move {
            match wire::payment(order, &self.config) {
                Ok(body) => {
                    let call = Call::post("collect.request_payment", "/v1/payment", body);
                    self.call(call, |reply| wire::created(&reply, order.handle(), Direction::Collect)).await
                }
                Err(code) => Answer { outcome: Outcome::not_executed(code), exchanges: Vec::new() },
            }
        })
    }

    fn state<'a>(&'a self, handle: &'a Handle) -> BoxFuture<'a, Answer<Option<Observed>>> {
        Box::pin(self.read(Direction::Collect, "collect.state", handle))
    }
}

impl Payout for Cinetpay {
    /// `merchant_transaction_id` is unique: 1200.
    fn may_repeat(&self) -> bool {
        true
    }

    fn send<'a>(&'a self, order: &'a PayoutOrder) -> BoxFuture<'a, Answer<Started>> {
        Box::pin(async move {
            match wire::transfer(order, &self.config) {
                Ok(body) => {
                    let call = Call::post("payout.send", "/v1/transfer", body);
                    self.call(call, |reply| wire::created(&reply, order.handle(), Direction::Payout)).await
                }
                Err(code) => Answer { outcome: Outcome::not_executed(code), exchanges: Vec::new() },
            }
        })
    }

    fn state<'a>(&'a self, handle: &'a Handle) -> BoxFuture<'a, Answer<Option<Observed>>> {
        Box::pin(self.read(Direction::Payout, "payout.state", handle))
    }

    fn find_by_reference<'a>(&'a self, handle: &'a Handle) -> BoxFuture<'a, Answer<Option<Observed>>> {
        Box::pin(self.read(Direction::Payout, "payout.find", handle))
    }
}

impl Webhook for Cinetpay {
    /// CinetPay signs nothing: find the operation by [`Handle::is_notified_by`], then read its state.
    fn verify<'a>(
        &'a self,
        delivery: &'a Delivery<'a>,
        _now_unix_s: i64,
    ) -> BoxFuture<'a, Result<Vec<Notice>, Rejected>> {
        Box::pin(async move { wire::notice(delivery) })
    }
}

impl Float for Cinetpay {
    fn balance(&self) -> BoxFuture<'_, Answer<i64>> {
        Box::pin(self.call(Call::get("float.balance", "/v1/balances"), |reply| wire::balance(&reply)))
    }
}
