//! The GSMA Mobile Money API 1.2: a generic operator, for partners to come.
//!
//! `X-CorrelationID` (our key) is the idempotency key; `/responses/{key}` leads from it to what a lost answer made.

mod wire;

use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::{
    Answer, Collect, CollectOrder, Delivery, Direction, Exchange, Float, Handle, Notice, Observed, OperationState,
    Outcome, Payout, PayoutOrder, Rejected, SenderLimits, Started, Webhook,
    sender::{Call, Reply, Sender},
    text::{basic, escaped, last_segment},
};
use crate::{
    Secret, SendError,
    vars::{Faults, Lookup, Reader},
};

const NAME: &str = "gsma";

/// What an operator of this kind needs.
#[derive(Debug, Clone)]
pub struct GsmaConfig {
    /// Host and version, such as `https://operator.example/1.2/mm`.
    pub base_url: String,
    /// `X-API-Key`.
    pub api_key: Secret,
    /// User of the basic authentication.
    pub user: String,
    /// Its password.
    pub password: Secret,
    /// Our wallet at the operator (`walletid`).
    pub wallet_id: String,
    /// Words of `transactionStatus` that mean success: the standard leaves them free, so they are agreed with each operator.
    pub success_words: Vec<String>,
    /// Bounds of the traffic.
    pub limits: SenderLimits,
}

impl GsmaConfig {
    /// Reads `HOSTOLINK_GSMA_…`.
    pub fn from_vars(lookup: Lookup<'_>) -> Result<Self, Faults> {
        let mut reader = Reader::new(lookup);
        let words = reader.required("HOSTOLINK_GSMA_SUCCESS_WORDS");
        let config = Self {
            base_url: reader.base_url("HOSTOLINK_GSMA_BASE_URL", None),
            api_key: reader.secret("HOSTOLINK_GSMA_API_KEY"),
            user: reader.required("HOSTOLINK_GSMA_USER"),
            password: reader.secret("HOSTOLINK_GSMA_PASSWORD"),
            wallet_id: reader.required("HOSTOLINK_GSMA_WALLET_ID"),
            success_words: words.split(',').map(|word| word.trim().to_owned()).collect(),
            limits: SenderLimits::default(),
        };
        reader.finish(config)
    }
}

/// The connector.
pub struct Gsma {
    sender: Sender,
    config: GsmaConfig,
}

impl Gsma {
    /// Makes the connector; nothing is sent.
    pub fn new(config: GsmaConfig) -> Result<Self, SendError> {
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
            .header("authorization", basic(&self.config.user, &self.config.password))
            .header("x-api-key", self.config.api_key.expose())
            .header("content-type", "application/json");
        self.sender.call(&call, exchanges).await.then(read)
    }

    async fn create(
        &self,
        (operation, kind): (&'static str, &str),
        body: Vec<u8>,
        (key, callback): (Uuid, Option<&String>),
        mut handle: Handle,
        direction: Direction,
    ) -> Answer<Started> {
        let call = Call::post(operation, format!("/transactions/type/{kind}"), body);
        let mut call = call.header("x-correlationid", key.to_string());
        if let Some(url) = callback {
            call = call.header("x-callback-url", url.as_str());
            handle.notify_token = last_segment(url);
        }
        let mut exchanges = Vec::new();
        let outcome = self.exchange(call, &mut exchanges, |reply| wire::created(&reply, handle, direction)).await;
        Answer { outcome, exchanges }
    }

    async fn find(&self, operation: &'static str, handle: &Handle, direction: Direction) -> Answer<Option<Observed>> {
        let mut exchanges = Vec::new();
        let outcome = match &handle.provider_id {
            Some(id) => self.by_request(operation, id, direction, &mut exchanges).await,
            None => self.by_response(operation, handle.key, direction, &mut exchanges).await,
        };
        Answer { outcome, exchanges }
    }

    /// The state of the request; a completed one is read whole, because amounts are compared before anybody is credited.
    async fn by_request(
        &self,
        operation: &'static str,
        id: &str,
        direction: Direction,
        exchanges: &mut Vec<Exchange>,
    ) -> Outcome<Option<Observed>> {
        let call = Call::get(operation, format!("/requeststates/{}", escaped(id)));
        match self.exchange(call, exchanges, |reply| wire::request_state(&reply)).await {
            Outcome::Known(wire::RequestState::Completed { reference }) => {
                self.transaction(operation, &reference, direction, exchanges).await
            }
            Outcome::Known(wire::RequestState::Ended(state)) => found(id, state),
            Outcome::Known(wire::RequestState::Pending) => found(id, OperationState::Pending),
            Outcome::NotExecuted { code } | Outcome::Unknown { code } => Outcome::Unknown { code },
        }
    }

    async fn by_response(
        &self,
        operation: &'static str,
        key: Uuid,
        direction: Direction,
        exchanges: &mut Vec<Exchange>,
    ) -> Outcome<Option<Observed>> {
        let call = Call::get(operation, format!("/responses/{key}"));
        match self.exchange(call, exchanges, |reply| wire::response_link(&reply)).await {
            Outcome::Known(Some(reference)) => self.transaction(operation, &reference, direction, exchanges).await,
            Outcome::Known(None) => Outcome::Known(None),
            Outcome::NotExecuted { code } | Outcome::Unknown { code } => Outcome::Unknown { code },
        }
    }

    async fn transaction(
        &self,
        operation: &'static str,
        reference: &str,
        direction: Direction,
        exchanges: &mut Vec<Exchange>,
    ) -> Outcome<Option<Observed>> {
        let call = Call::get(operation, format!("/transactions/{}", escaped(reference)));
        let words = &self.config.success_words;
        self.exchange(call, exchanges, |reply| wire::transaction(&reply, words, direction)).await
    }
}

fn found(id: &str, state: OperationState) -> Outcome<Option<Observed>> {
    Outcome::Known(Some(Observed { provider_id: Some(id.to_owned()), ..Observed::new(state) }))
}

fn unsupported<T>() -> Answer<T> {
    Answer { outcome: Outcome::not_executed("unsupported_party"), exchanges: Vec::new() }
}

impl Collect for Gsma {
    fn request_payment<'a>(&'a self, order: &'a CollectOrder) -> BoxFuture<'a, Answer<Started>> {
        Box::pin(async move {
            let Some(body) = wire::collection(order, &self.config.wallet_id) else { return unsupported() };
            let what = ("collect.request_payment", "merchantpay");
            let identity = (order.key, order.callback_url.as_ref());
            self.create(what, body, identity, order.handle(), Direction::Collect).await
        })
    }

    fn state<'a>(&'a self, handle: &'a Handle) -> BoxFuture<'a, Answer<Option<Observed>>> {
        Box::pin(self.find("collect.state", handle, Direction::Collect))
    }
}

impl Payout for Gsma {
    /// `X-CorrelationID` is kept: `DuplicateRequest`.
    fn may_repeat(&self) -> bool {
        true
    }

    fn send<'a>(&'a self, order: &'a PayoutOrder) -> BoxFuture<'a, Answer<Started>> {
        Box::pin(async move {
            let Some(body) = wire::disbursement(order, &self.config.wallet_id) else { return unsupported() };
            let identity = (order.key, order.callback_url.as_ref());
            self.create(("payout.send", "disbursement"), body, identity, order.handle(), Direction::Payout).await
        })
    }

    fn state<'a>(&'a self, handle: &'a Handle) -> BoxFuture<'a, Answer<Option<Observed>>> {
        Box::pin(self.find("payout.state", handle, Direction::Payout))
    }

    fn find_by_reference<'a>(&'a self, handle: &'a Handle) -> BoxFuture<'a, Answer<Option<Observed>>> {
        Box::pin(async move {
            let lost = Handle { provider_id: None, ..handle.clone() };
            self.find("payout.find", &lost, Direction::Payout).await
        })
    }
}

impl Webhook for Gsma {
    /// The standard signs nothing: compare [`Notice::notify_token`] (the last segment of our address), then read.
    fn verify<'a>(
        &'a self,
        delivery: &'a Delivery<'a>,
        _now_unix_s: i64,
    ) -> BoxFuture<'a, Result<Vec<Notice>, Rejected>> {
        Box::pin(async move { wire::notice(delivery) })
    }
}

impl Float for Gsma {
    fn balance(&self) -> BoxFuture<'_, Answer<i64>> {
        Box::pin(async move {
            let path = format!("/accounts/walletid/{}/balance", escaped(&self.config.wallet_id));
            let mut exchanges = Vec::new();
            let call = Call::get("float.balance", path);
            let outcome = self.exchange(call, &mut exchanges, |reply| wire::balance(&reply)).await;
            Answer { outcome, exchanges }
        })
    }
}
