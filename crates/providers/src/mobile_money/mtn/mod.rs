//! MTN MoMo: request to pay (money in), transfer (money out), unsigned callbacks, balance.
//!
//! `X-Reference-Id` is both the idempotency key and the identifier: an operation can always be found, and a repeat answers
//! 409 without a second effect.

mod wire;

use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::{
    Answer, Collect, CollectOrder, Delivery, Direction, Float, Handle, Notice, Observed, Outcome, Payout, PayoutOrder,
    Rejected, SenderLimits, Started, Webhook,
    bearer::{Bearer, TokenDesk},
    sender::{Call, Reply, Sender},
    text::{basic, last_segment},
};
use crate::{
    Secret, SendError,
    vars::{Faults, Lookup, Reader},
};

const NAME: &str = "mtn";
const REQUESTS: &str = "/collection/v1_0/requesttopay";
const TRANSFERS: &str = "/disbursement/v1_0/transfer";

/// The keys of one product.
#[derive(Debug, Clone)]
pub struct MtnProduct {
    /// `Ocp-Apim-Subscription-Key`.
    pub subscription_key: Secret,
    /// API user, a UUID.
    pub api_user: String,
    /// Its key.
    pub api_key: Secret,
}

/// What MTN MoMo needs.
#[derive(Debug, Clone)]
pub struct MtnConfig {
    /// Host of the country, to be asked from MTN, or the simulator.
    pub base_url: String,
    /// `mtnivorycoast`; `sandbox` in the sandbox.
    pub target_environment: String,
    /// `XOF`; the sandbox knows `EUR` only.
    pub currency: String,
    /// Money in.
    pub collection: MtnProduct,
    /// Money out.
    pub disbursement: MtnProduct,
    /// Bounds of the traffic.
    pub limits: SenderLimits,
}

impl MtnConfig {
    /// Reads `HOSTOLINK_MTN_…`.
    pub fn from_vars(lookup: Lookup<'_>) -> Result<Self, Faults> {
        let mut reader = Reader::new(lookup);
        let or = |value: Option<String>, default: &str| value.unwrap_or_else(|| default.to_owned());
        let config = Self {
            base_url: reader.base_url("HOSTOLINK_MTN_BASE_URL", None),
            target_environment: or(reader.optional("HOSTOLINK_MTN_TARGET_ENVIRONMENT"), "mtnivorycoast"),
            currency: or(reader.optional("HOSTOLINK_MTN_CURRENCY"), "XOF"),
            collection: product(&mut reader, "COLLECTION"),
            disbursement: product(&mut reader, "DISBURSEMENT"),
            limits: SenderLimits::default(),
        };
        reader.finish(config)
    }
}

fn product(reader: &mut Reader<'_>, name: &str) -> MtnProduct {
    MtnProduct {
        subscription_key: reader.secret(&format!("HOSTOLINK_MTN_{name}_SUBSCRIPTION_KEY")),
        api_user: reader.required(&format!("HOSTOLINK_MTN_{name}_API_USER")),
        api_key: reader.secret(&format!("HOSTOLINK_MTN_{name}_API_KEY")),
    }
}

/// The connector.
pub struct Mtn {
    sender: Sender,
    config: MtnConfig,
    collection: Bearer,
    disbursement: Bearer,
}

impl Mtn {
    /// Makes the connector; nothing is sent.
    pub fn new(config: MtnConfig) -> Result<Self, SendError> {
        let sender = Sender::new(NAME, &config.base_url, config.limits)
            .map_err(|_| SendError::misconfigured(NAME, "http_client"))?;
        Ok(Self { sender, config, collection: Bearer::default(), disbursement: Bearer::default() })
    }

    async fn call<T>(&self, direction: Direction, call: Call, read: impl FnOnce(Reply) -> Outcome<T>) -> Answer<T> {
        let (bearer, keys, token_path) = match direction {
            Direction::Collect => (&self.collection, &self.config.collection, "/collection/token/"),
            Direction::Payout => (&self.disbursement, &self.config.disbursement, "/disbursement/token/"),
        };
        let subscription = keys.subscription_key.expose();
        let token_call = Call::post("token", token_path, Vec::new())
            .header("authorization", basic(&keys.api_user, &keys.api_key))
            .header("ocp-apim-subscription-key", subscription)
            .reading();
        let call = call
            .header("ocp-apim-subscription-key", subscription)
            .header("x-target-environment", self.config.target_environment.as_str())
            .header("content-type", "application/json");
        let desk = TokenDesk { sender: &self.sender, call: &token_call };
        let mut exchanges = Vec::new();
        let outcome = bearer.call(&self.sender, desk, call, &mut exchanges).await.then(read);
        Answer { outcome, exchanges }
    }

    fn create(&self, operation: &'static str, path: &str, body: Vec<u8>, key: Uuid, callback: Option<&String>) -> Call {
        let call = Call::post(operation, path, body).header("x-reference-id", key.to_string());
        match callback {
            Some(url) => call.header("x-callback-url", url.as_str()),
            None => call,
        }
    }

    async fn read(&self, direction: Direction, operation: &'static str, handle: &Handle) -> Answer<Option<Observed>> {
        let path = match direction {
            Direction::Collect => REQUESTS,
            Direction::Payout => TRANSFERS,
        };
        let call = Call::get(operation, format!("{path}/{}", handle.key));
        self.call(direction, call, |reply| wire::read(&reply, direction)).await
    }
}

fn handle(mut handle: Handle, callback: Option<&String>) -> Handle {
    handle.provider_id = Some(handle.key.to_string());
    handle.notify_token = callback.and_then(|url| last_segment(url));
    handle
}

impl Collect for Mtn {
    fn request_payment<'a>(&'a self, order: &'a CollectOrder) -> BoxFuture<'a, Answer<Started>> {
        Box::pin(async move {
            let Some(body) = wire::request(order, &self.config.currency) else { return wire::unsupported() };
            let callback = order.callback_url.as_ref();
            let call = self.create("collect.request_payment", REQUESTS, body, order.key, callback);
            let handle = handle(order.handle(), callback);
            self.call(Direction::Collect, call, |reply| wire::created(&reply, handle, Direction::Collect)).await
        })
    }

    fn state<'a>(&'a self, handle: &'a Handle) -> BoxFuture<'a, Answer<Option<Observed>>> {
        Box::pin(self.read(Direction::Collect, "collect.state", handle))
    }
}

impl Payout for Mtn {
    /// `X-Reference-Id` is kept: 409.
    fn may_repeat(&self) -> bool {
        true
    }

    fn send<'a>(&'a self, order: &'a PayoutOrder) -> BoxFuture<'a, Answer<Started>> {
        Box::pin(async move {
            let Some(body) = wire::transfer(order, &self.config.currency) else { return wire::unsupported() };
            let callback = order.callback_url.as_ref();
            let call = self.create("payout.send", TRANSFERS, body, order.key, callback);
            let handle = handle(order.handle(), callback);
            self.call(Direction::Payout, call, |reply| wire::created(&reply, handle, Direction::Payout)).await
        })
    }

    fn state<'a>(&'a self, handle: &'a Handle) -> BoxFuture<'a, Answer<Option<Observed>>> {
        Box::pin(self.read(Direction::Payout, "payout.state", handle))
    }

    fn find_by_reference<'a>(&'a self, handle: &'a Handle) -> BoxFuture<'a, Answer<Option<Observed>>> {
        Box::pin(self.read(Direction::Payout, "payout.find", handle))
    }
}

impl Webhook for Mtn {
    /// MTN signs nothing: compare [`Notice::notify_token`] (the last segment of the address that we gave), then read.
    fn verify<'a>(
        &'a self,
        delivery: &'a Delivery<'a>,
        _now_unix_s: i64,
    ) -> BoxFuture<'a, Result<Vec<Notice>, Rejected>> {
        Box::pin(async move { wire::notice(delivery) })
    }
}

impl Float for Mtn {
    fn balance(&self) -> BoxFuture<'_, Answer<i64>> {
        let call = Call::get("float.balance", "/disbursement/v1_0/account/balance");
        Box::pin(self.call(Direction::Payout, call, |reply| wire::balance(&reply, &self.config.currency)))
    }
}
