//! Paystack, the acquirer of bank cards: a hosted page on which the number is typed, and a token that pays again. Its
//! interface is the best documented of those that serve Côte d'Ivoire. No card number ever passes through here.
//!
//! `reference` (ours) is unique: a payment can always be found, and a repeat answers `duplicate_reference`. Amounts are a
//! hundred times the franc on the wire, although the franc has no cents; they are converted here and nowhere else.

mod wire;

use futures_util::future::BoxFuture;

use super::{
    Answer, CardVault, Collect, CollectOrder, Delivery, Float, Handle, Notice, Observed, Outcome, Rejected, SavedCard,
    SenderLimits, Started, Webhook,
    sender::{Call, Reply, Sender},
    text::escaped,
};
use crate::{
    Secret, SendError,
    vars::{Faults, Lookup, Reader},
};

const NAME: &str = "paystack";

/// What Paystack needs.
#[derive(Debug, Clone)]
pub struct PaystackConfig {
    /// `https://api.paystack.co`, or the simulator.
    pub base_url: String,
    /// Opens the interface and signs the webhooks.
    pub secret_key: Secret,
    /// Paystack wants an address for each payer, and ties cards to it: `{customer}` stands for an opaque name that we derive
    /// from the payer, so that nobody's address is given away (`{customer}@cartes.hostolink.ci`).
    pub email_template: String,
    /// Bounds of the traffic.
    pub limits: SenderLimits,
}

impl PaystackConfig {
    /// Reads `HOSTOLINK_PAYSTACK_…`.
    pub fn from_vars(lookup: Lookup<'_>) -> Result<Self, Faults> {
        let mut reader = Reader::new(lookup);
        let config = Self {
            base_url: reader.base_url("HOSTOLINK_PAYSTACK_BASE_URL", Some("https://api.paystack.co")),
            secret_key: reader.secret("HOSTOLINK_PAYSTACK_SECRET_KEY"),
            email_template: reader.required("HOSTOLINK_PAYSTACK_EMAIL_TEMPLATE"),
            limits: SenderLimits::default(),
        };
        let template = &config.email_template;
        let is_usable = template.contains("{customer}") && template.contains('@');
        if !template.is_empty() && !is_usable {
            reader.fault("HOSTOLINK_PAYSTACK_EMAIL_TEMPLATE", "is not an address with {customer} in it");
        }
        reader.finish(config)
    }
}

/// The connector.
pub struct Paystack {
    sender: Sender,
    config: PaystackConfig,
}

impl Paystack {
    /// Makes the connector; nothing is sent.
    pub fn new(config: PaystackConfig) -> Result<Self, SendError> {
        let sender = Sender::new(NAME, &config.base_url, config.limits)
            .map_err(|_| SendError::misconfigured(NAME, "http_client"))?;
        Ok(Self { sender, config })
    }

    async fn call<T>(&self, call: Call, read: impl FnOnce(Reply) -> Outcome<T>) -> Answer<T> {
        let call = call
            .header("authorization", format!("Bearer {}", self.config.secret_key.expose()))
            .header("content-type", "application/json");
        let mut exchanges = Vec::new();
        let outcome = self.sender.call(&call, &mut exchanges).await.then(read);
        Answer { outcome, exchanges }
    }

    fn verification(operation: &'static str, handle: &Handle) -> Call {
        Call::get(operation, format!("/transaction/verify/{}", escaped(&handle.reference)))
    }
}

fn unsendable<T>(code: &str) -> Answer<T> {
    Answer { outcome: Outcome::not_executed(code), exchanges: Vec::new() }
}

impl Collect for Paystack {
    fn request_payment<'a>(&'a self, order: &'a CollectOrder) -> BoxFuture<'a, Answer<Started>> {
        Box::pin(async move {
            match wire::initialize(order, &self.config) {
                Ok(body) => {
                    let call = Call::post("collect.request_payment", "/transaction/initialize", body);
                    self.call(call, |reply| wire::initialized(&reply, order.handle())).await
                }
                Err(code) => unsendable(code),
            }
        })
    }

    fn state<'a>(&'a self, handle: &'a Handle) -> BoxFuture<'a, Answer<Option<Observed>>> {
        Box::pin(self.call(Self::verification("collect.state", handle), |reply| wire::read(&reply)))
    }
}

impl CardVault for Paystack {
    fn saved_card<'a>(&'a self, handle: &'a Handle) -> BoxFuture<'a, Answer<Option<SavedCard>>> {
        Box::pin(self.call(Self::verification("card.read", handle), |reply| wire::saved_card(&reply)))
    }

    fn charge_saved<'a>(&'a self, order: &'a CollectOrder, token: &'a Secret) -> BoxFuture<'a, Answer<Started>> {
        Box::pin(async move {
            match wire::charge(order, token, &self.config) {
                Ok(body) => {
                    let call = Call::post("card.charge", "/transaction/charge_authorization", body);
                    self.call(call, |reply| wire::charged(&reply, order.handle())).await
                }
                Err(code) => unsendable(code),
            }
        })
    }

    fn forget<'a>(&'a self, token: &'a Secret) -> BoxFuture<'a, Answer<()>> {
        Box::pin(async move {
            let Some(body) = wire::deactivate(token) else { return unsendable("unsendable") };
            let call = Call::post("card.forget", "/customer/authorization/deactivate", body);
            self.call(call, |reply| wire::forgotten(&reply)).await
        })
    }
}

impl Webhook for Paystack {
    fn verify<'a>(
        &'a self,
        delivery: &'a Delivery<'a>,
        _now_unix_s: i64,
    ) -> BoxFuture<'a, Result<Vec<Notice>, Rejected>> {
        Box::pin(async move { wire::verify(&self.config.secret_key, delivery) })
    }
}

impl Float for Paystack {
    fn balance(&self) -> BoxFuture<'_, Answer<i64>> {
        Box::pin(self.call(Call::get("float.balance", "/balance"), |reply| wire::balance(&reply)))
    }
}
