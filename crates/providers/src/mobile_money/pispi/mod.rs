//! PI-SPI Business, the instant payments of the BCEAO seen from a business client of an institution: money out by alias or
//! account, money in by request to pay.
//!
//! A replay of a `txId` answers 200 with `REJETE`/`DU03` and hides the first attempt behind itself. So states are read from
//! the list only, `IRREVOCABLE` wins over everything there, and `DU03` is never an outcome.

mod webhook;
mod wire;

use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::Client;

use super::{
    Answer, Collect, CollectOrder, Delivery, Float, Handle, Notice, Observed, Outcome, Payout, PayoutOrder, Rejected,
    SenderLimits, Started, Webhook,
    bearer::{Bearer, TokenDesk},
    sender::{Call, Reply, Sender},
    text::{basic, escaped},
};
use crate::{
    Secret, SendError, http,
    vars::{Faults, Lookup, Reader},
};

const NAME: &str = "pispi";
/// Items asked of a list: one reference never has so many attempts.
const LIST_SIZE: u32 = 100;

/// The contract that the institution runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PispiVersion {
    /// The first one.
    V1_0,
    /// The one of the developer portal since 2026.
    V1_5,
}

impl PispiVersion {
    const fn payments(self) -> &'static str {
        match self {
            Self::V1_0 => "/paiements",
            Self::V1_5 => "/paiements-envoyes",
        }
    }
}

/// The certificate that the institution asks for.
#[derive(Debug, Clone)]
pub struct PispiIdentity {
    /// Key and chain, in PEM.
    pub identity_pem: Secret,
    /// Authority of the BCEAO, in PEM, where the system does not know it.
    pub authority_pem: Option<String>,
}

/// What PI-SPI Business needs.
#[derive(Debug, Clone)]
pub struct PispiConfig {
    /// Host and participant's segment.
    pub base_url: String,
    /// Where tokens come from.
    pub token_url: String,
    /// OAuth client.
    pub client_id: String,
    /// OAuth secret.
    pub client_secret: Secret,
    /// Scopes, with the prefix that the token's host wants.
    pub scopes: String,
    /// Without it the gateway refuses everything.
    pub api_key: Secret,
    /// Contract of the institution.
    pub version: PispiVersion,
    /// Alias of our account.
    pub our_alias: String,
    /// Number of our account.
    pub our_account: String,
    /// Secrets of the webhooks; two while one replaces the other.
    pub webhook_secrets: Vec<Secret>,
    /// Client certificate; none for the simulator.
    pub identity: Option<PispiIdentity>,
    /// Bounds of the traffic.
    pub limits: SenderLimits,
}

impl PispiConfig {
    /// Reads `HOSTOLINK_PISPI_…`; the certificates are given as PEM text.
    pub fn from_vars(lookup: Lookup<'_>) -> Result<Self, Faults> {
        let mut reader = Reader::new(lookup);
        let version = match reader.optional("HOSTOLINK_PISPI_VERSION").as_deref() {
            None | Some("1.5.0") => PispiVersion::V1_5,
            Some("1.0.0") => PispiVersion::V1_0,
            Some(_) => {
                reader.fault("HOSTOLINK_PISPI_VERSION", "is neither 1.0.0 nor 1.5.0");
                PispiVersion::V1_5
            }
        };
        let authority_pem = reader.optional("HOSTOLINK_PISPI_AUTHORITY_PEM");
        let identity = reader.optional("HOSTOLINK_PISPI_IDENTITY_PEM");
        let config = Self {
            base_url: reader.base_url("HOSTOLINK_PISPI_BASE_URL", None),
            token_url: reader.base_url("HOSTOLINK_PISPI_TOKEN_URL", None),
            client_id: reader.required("HOSTOLINK_PISPI_CLIENT_ID"),
            client_secret: reader.secret("HOSTOLINK_PISPI_CLIENT_SECRET"),
            scopes: reader.required("HOSTOLINK_PISPI_SCOPES"),
            api_key: reader.secret("HOSTOLINK_PISPI_API_KEY"),
            version,
            our_alias: reader.required("HOSTOLINK_PISPI_ALIAS"),
            our_account: reader.required("HOSTOLINK_PISPI_ACCOUNT"),
            webhook_secrets: reader.secrets("HOSTOLINK_PISPI_WEBHOOK_SECRETS"),
            identity: identity.map(|pem| PispiIdentity { identity_pem: Secret::new(pem), authority_pem }),
            limits: SenderLimits::default(),
        };
        reader.finish(config)
    }
}

/// The connector.
pub struct Pispi {
    sender: Sender,
    tokens: Sender,
    config: PispiConfig,
    bearer: Bearer,
}

impl Pispi {
    /// Makes the connector; nothing is sent. Tokens are bound to the certificate, so both hosts see the same one.
    pub fn new(config: PispiConfig) -> Result<Self, SendError> {
        let client = client(&config).map_err(|_| SendError::misconfigured(NAME, "client_certificate"))?;
        let sender = Sender::with_client(NAME, &config.base_url, config.limits, client.clone());
        let tokens = Sender::with_client(NAME, &config.token_url, config.limits, client);
        Ok(Self { sender, tokens, config, bearer: Bearer::default() })
    }

    async fn call<T>(&self, call: Call, read: impl FnOnce(Reply) -> Outcome<T>) -> Answer<T> {
        let form = format!("grant_type=client_credentials&scope={}", escaped(&self.config.scopes));
        let token_call = Call::post("token", "", form.into_bytes())
            .header("authorization", basic(&self.config.client_id, &self.config.client_secret))
            .header("content-type", "application/x-www-form-urlencoded")
            .reading();
        let call = call.header("x-api-key", self.config.api_key.expose()).header("content-type", "application/json");
        let desk = TokenDesk { sender: &self.tokens, call: &token_call };
        let mut exchanges = Vec::new();
        let outcome = self.bearer.call(&self.sender, desk, call, &mut exchanges).await.then(read);
        Answer { outcome, exchanges }
    }

    async fn find(&self, operation: &'static str, list: &str, handle: &Handle) -> Answer<Option<Observed>> {
        let path = format!("{list}?txId={}&size={LIST_SIZE}", escaped(&handle.reference));
        self.call(Call::get(operation, path), |reply| wire::found(&reply, &handle.reference)).await
    }
}

fn client(config: &PispiConfig) -> Result<Client, reqwest::Error> {
    let timeout = Duration::from_secs(config.limits.timeout_s.max(1));
    match &config.identity {
        Some(identity) => {
            http::client_with_identity(timeout, &identity.identity_pem, identity.authority_pem.as_deref())
        }
        None => http::client(timeout),
    }
}

impl Collect for Pispi {
    fn request_payment<'a>(&'a self, order: &'a CollectOrder) -> BoxFuture<'a, Answer<Started>> {
        Box::pin(async move {
            match wire::request(order, &self.config.our_alias) {
                Ok(body) => {
                    let call = Call::post("collect.request_payment", "/demandes-paiements", body);
                    self.call(call, |reply| wire::created(&reply, order.handle(), true)).await
                }
                Err(code) => Answer { outcome: Outcome::not_executed(code), exchanges: Vec::new() },
            }
        })
    }

    fn state<'a>(&'a self, handle: &'a Handle) -> BoxFuture<'a, Answer<Option<Observed>>> {
        Box::pin(self.find("collect.state", "/demandes-paiements", handle))
    }
}

impl Payout for Pispi {
    /// `txId` is unique: `DU03`.
    fn may_repeat(&self) -> bool {
        true
    }

    fn send<'a>(&'a self, order: &'a PayoutOrder) -> BoxFuture<'a, Answer<Started>> {
        Box::pin(async move {
            match wire::payment(order, &self.config.our_alias, self.config.version) {
                Ok(body) => {
                    let call = Call::post("payout.send", self.config.version.payments(), body);
                    self.call(call, |reply| wire::created(&reply, order.handle(), false)).await
                }
                Err(code) => Answer { outcome: Outcome::not_executed(code), exchanges: Vec::new() },
            }
        })
    }

    /// The list again: reading one payment by `txId` shows the last attempt, not the one that counted.
    fn state<'a>(&'a self, handle: &'a Handle) -> BoxFuture<'a, Answer<Option<Observed>>> {
        Box::pin(self.find("payout.state", self.config.version.payments(), handle))
    }

    fn find_by_reference<'a>(&'a self, handle: &'a Handle) -> BoxFuture<'a, Answer<Option<Observed>>> {
        Box::pin(self.find("payout.find", self.config.version.payments(), handle))
    }
}

impl Webhook for Pispi {
    fn verify<'a>(
        &'a self,
        delivery: &'a Delivery<'a>,
        _now_unix_s: i64,
    ) -> BoxFuture<'a, Result<Vec<Notice>, Rejected>> {
        Box::pin(async move { webhook::verify(&self.config.webhook_secrets, delivery) })
    }
}

impl Float for Pispi {
    fn balance(&self) -> BoxFuture<'_, Answer<i64>> {
        let call = Call::get("float.balance", format!("/comptes/{}", escaped(&self.config.our_account)));
        Box::pin(self.call(call, |reply| wire::balance(&reply)))
    }
}
