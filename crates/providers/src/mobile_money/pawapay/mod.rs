//! pawaPay v2, the aggregator of reference: Orange, MTN and Wave of Côte d'Ivoire, both ways. No Moov.
//!
//! Our key (a UUID) is pawaPay's identifier: an operation can always be found, and a repeat is `DUPLICATE_IGNORED`.

mod keys;
mod signature;
mod wire;

use futures_util::future::BoxFuture;

use self::keys::Keys;
use super::{
    Answer, Collect, CollectOrder, Delivery, Direction, Float, Handle, Notice, Observed, Outcome, Payout, PayoutOrder,
    Rejected, SenderLimits, Started, Webhook,
    sender::{Call, Reply, Sender},
};
use crate::{
    Secret, SendError,
    vars::{Faults, Lookup, Reader},
};

const NAME: &str = "pawapay";

/// What pawaPay needs.
#[derive(Debug, Clone)]
pub struct PawapayConfig {
    /// `https://api.pawapay.io`, its sandbox, or the simulator.
    pub base_url: String,
    /// Token of the environment.
    pub token: Secret,
    /// Our host as pawaPay addresses it: signatures cover it, and a proxy may have rewritten the one that arrives.
    pub public_authority: String,
    /// Bounds of the traffic.
    pub limits: SenderLimits,
}

impl PawapayConfig {
    /// Reads `HOSTOLINK_PAWAPAY_…`.
    pub fn from_vars(lookup: Lookup<'_>) -> Result<Self, Faults> {
        let mut reader = Reader::new(lookup);
        let config = Self {
            base_url: reader.base_url("HOSTOLINK_PAWAPAY_BASE_URL", Some("https://api.pawapay.io")),
            token: reader.secret("HOSTOLINK_PAWAPAY_TOKEN"),
            public_authority: reader.required("HOSTOLINK_PAWAPAY_PUBLIC_AUTHORITY"),
            limits: SenderLimits::default(),
        };
        reader.finish(config)
    }
}

/// The connector.
pub struct Pawapay {
    sender: Sender,
    config: PawapayConfig,
    keys: Keys,
}

impl Pawapay {
    /// Makes the connector; nothing is sent.
    pub fn new(config: PawapayConfig) -> Result<Self, SendError> {
        let sender = Sender::new(NAME, &config.base_url, config.limits)
            .map_err(|_| SendError::misconfigured(NAME, "http_client"))?;
        Ok(Self { sender, config, keys: Keys::default() })
    }

    async fn call<T>(&self, call: Call, read: impl FnOnce(Reply) -> Outcome<T>) -> Answer<T> {
        let call = call
            .header("authorization", format!("Bearer {}", self.config.token.expose()))
            .header("content-type", "application/json");
        let mut exchanges = Vec::new();
        let outcome = self.sender.call(&call, &mut exchanges).await.then(read);
        Answer { outcome, exchanges }
    }

    async fn read(&self, direction: Direction, operation: &'static str, handle: &Handle) -> Answer<Option<Observed>> {
        let resource = match direction {
            Direction::Collect => "deposits",
            Direction::Payout => "payouts",
        };
        let call = Call::get(operation, format!("/v2/{resource}/{}", handle.key));
        self.call(call, |reply| wire::read(&reply, direction)).await
    }

    async fn notices(&self, delivery: &Delivery<'_>, now_unix_s: i64) -> Result<Vec<Notice>, Rejected> {
        let signed = signature::parse(delivery, &self.config.public_authority, now_unix_s)?;
        let key = match self.keys.known(&signed.key_id).await {
            Some(key) => key,
            None => self.keys.fetch(&self.sender, &signed.key_id).await.ok_or(Rejected::BadSignature)?,
        };
        if !signed.is_made_by(&key) {
            return Err(Rejected::BadSignature);
        }
        wire::notice(delivery.body).ok_or(Rejected::Unreadable).map(|notice| vec![notice])
    }
}

impl Collect for Pawapay {
    fn request_payment<'a>(&'a self, order: &'a CollectOrder) -> BoxFuture<'a, Answer<Started>> {
        Box::pin(async move {
            match wire::deposit(order) {
                Ok(body) => {
                    let call = Call::post("collect.request_payment", "/v2/deposits", body);
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

impl Payout for Pawapay {
    /// `payoutId` is unique: `DUPLICATE_IGNORED`.
    fn may_repeat(&self) -> bool {
        true
    }

    fn send<'a>(&'a self, order: &'a PayoutOrder) -> BoxFuture<'a, Answer<Started>> {
        Box::pin(async move {
            match wire::payout(order) {
                Ok(body) => {
                    let call = Call::post("payout.send", "/v2/payouts", body);
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

impl Webhook for Pawapay {
    /// RFC 9421, with pawaPay's published keys; an unsigned callback is refused (switch signing on in the dashboard).
    fn verify<'a>(
        &'a self,
        delivery: &'a Delivery<'a>,
        now_unix_s: i64,
    ) -> BoxFuture<'a, Result<Vec<Notice>, Rejected>> {
        Box::pin(self.notices(delivery, now_unix_s))
    }
}

impl Float for Pawapay {
    fn balance(&self) -> BoxFuture<'_, Answer<i64>> {
        Box::pin(self.call(Call::get("float.balance", "/v2/wallet-balances"), |reply| wire::balance(&reply)))
    }
}
