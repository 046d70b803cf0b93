//! Moov Money's merchant interface (SOAP 1.1), known for Benin only and unproven for Côte d'Ivoire: it exists behind
//! configuration, and Moov customers are served through an aggregator until Moov gives its contract.
//!
//! Nothing calls back, and nobody promises that a repeated transfer pays once.

mod soap;
mod wire;

use futures_util::future::BoxFuture;

use super::{
    Answer, Collect, CollectOrder, Handle, Observed, Outcome, Payout, PayoutOrder, SenderLimits, Started,
    sender::{Call, Effect, Reply, Sender},
};
use crate::{
    Secret, SendError,
    vars::{Faults, Lookup, Reader},
};

const NAME: &str = "moov";
/// The key is AES-256.
const KEY_BYTES: usize = 32;

/// What Moov's interface needs.
#[derive(Debug, Clone)]
pub struct MoovConfig {
    /// Complete address of the service.
    pub endpoint: String,
    /// Account.
    pub username: String,
    /// Its password.
    pub password: Secret,
    /// 32 characters given by Moov; they encrypt the token.
    pub aes_key: Secret,
    /// Bounds of the traffic.
    pub limits: SenderLimits,
}

impl MoovConfig {
    /// Reads `HOSTOLINK_MOOV_…`.
    pub fn from_vars(lookup: Lookup<'_>) -> Result<Self, Faults> {
        let mut reader = Reader::new(lookup);
        let config = Self {
            endpoint: reader.base_url("HOSTOLINK_MOOV_ENDPOINT", None),
            username: reader.required("HOSTOLINK_MOOV_USERNAME"),
            password: reader.secret("HOSTOLINK_MOOV_PASSWORD"),
            aes_key: reader.secret("HOSTOLINK_MOOV_AES_KEY"),
            limits: SenderLimits::default(),
        };
        let length = config.aes_key.expose().len();
        if length != 0 && length != KEY_BYTES {
            reader.fault("HOSTOLINK_MOOV_AES_KEY", "is not 32 characters long");
        }
        reader.finish(config)
    }
}

/// The connector.
pub struct Moov {
    sender: Sender,
    token: Secret,
}

impl Moov {
    /// Makes the connector; nothing is sent.
    pub fn new(config: MoovConfig) -> Result<Self, SendError> {
        let sender = Sender::new(NAME, &config.endpoint, config.limits)
            .map_err(|_| SendError::misconfigured(NAME, "http_client"))?;
        let token = soap::token(&config.username, &config.password, &config.aes_key)
            .ok_or_else(|| SendError::misconfigured(NAME, "aes_key"))?;
        Ok(Self { sender, token })
    }

    async fn call<T>(
        &self,
        operation: &'static str,
        effect: Effect,
        body: String,
        read: impl FnOnce(Reply) -> Outcome<T>,
    ) -> Answer<T> {
        let call = Call::post(operation, "", body.into_bytes()).header("content-type", "text/xml; charset=utf-8");
        let call = if effect == Effect::Read { call.reading() } else { call };
        let mut exchanges = Vec::new();
        let outcome = self.sender.call(&call, &mut exchanges).await.then(read);
        Answer { outcome, exchanges }
    }

    async fn status(&self, operation: &'static str, handle: &Handle, is_payout: bool) -> Answer<Option<Observed>> {
        let body = wire::status(&self.token, handle);
        self.call(operation, Effect::Read, body, |reply| wire::read(&reply, is_payout)).await
    }
}

fn unsupported<T>() -> Answer<T> {
    Answer { outcome: Outcome::not_executed("unsupported_party"), exchanges: Vec::new() }
}

impl Collect for Moov {
    fn request_payment<'a>(&'a self, order: &'a CollectOrder) -> BoxFuture<'a, Answer<Started>> {
        Box::pin(async move {
            let Some(body) = wire::push(&self.token, order) else { return unsupported() };
            let read = |reply: Reply| wire::created(&reply, order.handle(), false);
            self.call("collect.request_payment", Effect::Write, body, read).await
        })
    }

    fn state<'a>(&'a self, handle: &'a Handle) -> BoxFuture<'a, Answer<Option<Observed>>> {
        Box::pin(self.status("collect.state", handle, false))
    }
}

impl Payout for Moov {
    /// Whether Moov refuses a `referenceid` twice is not known: a repeat may pay twice.
    fn may_repeat(&self) -> bool {
        false
    }

    fn send<'a>(&'a self, order: &'a PayoutOrder) -> BoxFuture<'a, Answer<Started>> {
        Box::pin(async move {
            let Some(body) = wire::transfer(&self.token, order) else { return unsupported() };
            let read = |reply: Reply| wire::created(&reply, order.handle(), true);
            self.call("payout.send", Effect::Write, body, read).await
        })
    }

    fn state<'a>(&'a self, handle: &'a Handle) -> BoxFuture<'a, Answer<Option<Observed>>> {
        Box::pin(self.status("payout.state", handle, true))
    }

    fn find_by_reference<'a>(&'a self, handle: &'a Handle) -> BoxFuture<'a, Answer<Option<Observed>>> {
        Box::pin(self.status("payout.find", handle, true))
    }
}
