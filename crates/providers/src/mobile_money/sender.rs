//! The one way in which every connector speaks: bounded, paced, recorded, and never repeating what may have had an effect.

use std::{num::NonZeroU32, time::Duration};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use reqwest::{Client, Method};
use tokio::time::Instant;

use super::{
    Outcome,
    breaker::Breaker,
    exchange::{Exchange, masked_body, masked_text},
};
use crate::http::{self, Failure};

/// Longest answer read, in bytes: a statement page of a thousand lines fits.
const MAX_ANSWER_BYTES: usize = 2 * 1024 * 1024;
/// Attempts of a call that may be repeated.
const MAX_ATTEMPTS: u32 = 3;
/// Pause before the second attempt, in milliseconds; it doubles each time.
const FIRST_PAUSE_MS: u64 = 200;
/// Longest wait for one's turn under the rate limit, in milliseconds.
const MAX_TURN_WAIT_MS: u64 = 2000;

/// Bounds of the traffic with one provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderLimits {
    /// Time of one exchange, in seconds.
    pub timeout_s: u64,
    /// Requests a second.
    pub requests_per_s: NonZeroU32,
    /// Failures in a row before the provider is left alone.
    pub failures_to_open: u32,
    /// Time that it is left alone, in seconds.
    pub pause_s: u64,
}

impl Default for SenderLimits {
    fn default() -> Self {
        Self { timeout_s: 20, requests_per_s: NonZeroU32::MIN.saturating_add(19), failures_to_open: 5, pause_s: 30 }
    }
}

/// Whether repeating a request could change anything at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It only reads (or fetches a token): repeated after any passing failure.
    Read,
    /// It may move money: repeated only when it certainly did not leave.
    Write,
}

/// One request.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) operation: &'static str,
    pub(crate) method: Method,
    /// Path and query below the provider's base address.
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) effect: Effect,
}

impl Call {
    pub(crate) fn get(operation: &'static str, path: impl Into<String>) -> Self {
        let path = path.into();
        Self { operation, method: Method::GET, path, headers: Vec::new(), body: None, effect: Effect::Read }
    }

    pub(crate) fn post(operation: &'static str, path: impl Into<String>, body: Vec<u8>) -> Self {
        let path = path.into();
        Self { operation, method: Method::POST, path, headers: Vec::new(), body: Some(body), effect: Effect::Write }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Marks a POST that changes nothing.
    pub(crate) fn reading(mut self) -> Self {
        self.effect = Effect::Read;
        self
    }
}

/// What came back of a request.
#[derive(Debug)]
pub(crate) enum Attempt {
    /// An answer, of any status.
    Reply(Reply),
    /// It certainly did not leave.
    NotSent(&'static str),
    /// It left, and no answer could be read.
    Lost(&'static str),
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: bytes::Bytes,
}

impl Reply {
    /// Nothing is known after a server error, a "slow down" or a redirect: `http_503`.
    pub(crate) fn doubt<T>(&self) -> Outcome<T> {
        Outcome::unknown(format!("http_{}", self.status))
    }

    pub(crate) fn refused_at_the_door<T>(&self) -> Outcome<T> {
        Outcome::not_executed(format!("http_{}", self.status))
    }
}

impl Attempt {
    /// Reads a reply; the two other cases mean the same everywhere.
    pub(crate) fn then<T>(self, read: impl FnOnce(Reply) -> Outcome<T>) -> Outcome<T> {
        match self {
            Self::Reply(reply) => read(reply),
            Self::NotSent(code) => Outcome::not_executed(code),
            Self::Lost(code) => Outcome::unknown(code),
        }
    }
}

/// The traffic with one provider.
#[derive(Debug)]
pub(crate) struct Sender {
    provider: &'static str,
    base_url: String,
    client: Client,
    pace: DefaultDirectRateLimiter,
    breaker: Breaker,
}

impl Sender {
    pub(crate) fn new(provider: &'static str, base_url: &str, limits: SenderLimits) -> Result<Self, reqwest::Error> {
        let client = http::client(Duration::from_secs(limits.timeout_s.max(1)))?;
        Ok(Self::with_client(provider, base_url, limits, client))
    }

    /// For a provider that asks for a client certificate.
    pub(crate) fn with_client(provider: &'static str, base_url: &str, limits: SenderLimits, client: Client) -> Self {
        Self {
            provider,
            base_url: base_url.trim_end_matches('/').to_owned(),
            client,
            pace: RateLimiter::direct(Quota::per_second(limits.requests_per_s)),
            breaker: Breaker::new(limits.failures_to_open, Duration::from_secs(limits.pause_s)),
        }
    }

    /// Sends one request, repeating it only where that is harmless, and records every attempt.
    pub(crate) async fn call(&self, call: &Call, exchanges: &mut Vec<Exchange>) -> Attempt {
        let mut pause = Duration::from_millis(FIRST_PAUSE_MS);
        let mut attempt = 1;
        loop {
            let sent = self.attempt(call, attempt, exchanges).await;
            if attempt >= MAX_ATTEMPTS || !may_repeat(call.effect, &sent) {
                return sent;
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
            attempt += 1;
        }
    }

    async fn attempt(&self, call: &Call, attempt: u32, exchanges: &mut Vec<Exchange>) -> Attempt {
        let started = Instant::now();
        let sent = match self.turn().await {
            Ok(()) => self.exchange(call).await,
            Err(code) => Attempt::NotSent(code),
        };
        let record = self.record(call, attempt, started.elapsed(), &sent);
        tracing::info!(
            provider = self.provider,
            operation = call.operation,
            attempt,
            status = record.status,
            failure = record.failure,
            elapsed_ms = record.elapsed_ms,
            "exchange with a provider"
        );
        exchanges.push(record);
        sent
    }

    /// Waits for the pace, then asks the breaker: in this order, so that a probe that it lets through really leaves.
    async fn turn(&self) -> Result<(), &'static str> {
        if self.breaker.is_open() {
            return Err("circuit_open");
        }
        let wait = Duration::from_millis(MAX_TURN_WAIT_MS);
        tokio::time::timeout(wait, self.pace.until_ready()).await.map_err(|_| "rate_limited")?;
        if self.breaker.admits() { Ok(()) } else { Err("circuit_open") }
    }

    async fn exchange(&self, call: &Call) -> Attempt {
        let url = format!("{}{}", self.base_url, call.path);
        let mut request = self.client.request(call.method.clone(), url);
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        if let Some(body) = &call.body {
            request = request.body(body.clone());
        }
        let result = http::exchange(request, MAX_ANSWER_BYTES).await;
        match &result {
            // A plain 500 is a business refusal at some providers: it must not close the road for everybody.
            Ok(answer) if !matches!(answer.status, 502..=504) => self.breaker.success(),
            Err(Failure::Unsendable) => {}
            Ok(_) | Err(_) => self.breaker.failure(),
        }
        match result {
            Ok(answer) => Attempt::Reply(Reply { status: answer.status, body: answer.body }),
            Err(failure @ (Failure::Unreachable | Failure::Unsendable)) => Attempt::NotSent(failure.code()),
            Err(failure @ (Failure::Timeout | Failure::Broken)) => Attempt::Lost(failure.code()),
        }
    }

    fn record(&self, call: &Call, attempt: u32, elapsed: Duration, sent: &Attempt) -> Exchange {
        let (status, failure, response) = match sent {
            Attempt::Reply(reply) => (Some(reply.status), None, masked_body(&reply.body)),
            Attempt::NotSent(code) | Attempt::Lost(code) => (None, Some(*code), String::new()),
        };
        Exchange {
            provider: self.provider,
            operation: call.operation,
            method: call.method.to_string(),
            path: masked_text(&call.path),
            attempt,
            elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            status,
            failure,
            request: call.body.as_deref().map(masked_body).unwrap_or_default(),
            response,
        }
    }
}

fn may_repeat(effect: Effect, sent: &Attempt) -> bool {
    match (effect, sent) {
        (_, Attempt::NotSent(code)) => *code == Failure::Unreachable.code(),
        (Effect::Read, Attempt::Lost(_)) => true,
        (Effect::Read, Attempt::Reply(reply)) => matches!(reply.status, 408 | 429 | 502..=504),
        (Effect::Write, Attempt::Lost(_) | Attempt::Reply(_)) => false,
    }
}
