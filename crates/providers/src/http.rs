//! One way of speaking HTTP: bounded, without redirects, without proxies from the environment, and with failures that say
//! whether the request can have left.

use std::{sync::Once, time::Duration};

use bytes::{Bytes, BytesMut};
use reqwest::{Certificate, Client, ClientBuilder, Identity, RequestBuilder, redirect};

use crate::Secret;

/// Time to open a connection, TLS included, in seconds.
const CONNECT_TIMEOUT_S: u64 = 5;
/// Idle connections kept for one host.
const IDLE_CONNECTIONS_PER_HOST: usize = 4;
/// Longest answer read from a messaging provider, in bytes.
pub(crate) const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// An answer that was read completely.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// No connection: nothing left.
    Unreachable,
    /// The request could not be written down (bad address, bad header): nothing left.
    Unsendable,
    /// The time ran out after the connection was open.
    Timeout,
    /// The connection broke, or the answer is longer than we read.
    Broken,
}

impl Failure {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Unsendable => "unsendable",
            Self::Timeout => "timeout",
            Self::Broken => "connection_broken",
        }
    }
}

/// A client whose whole exchange, body included, ends within `timeout`.
pub(crate) fn client(timeout: Duration) -> Result<Client, reqwest::Error> {
    builder(timeout).build()
}

/// A client that shows a certificate (PEM, key and chain) and may trust one more authority (PEM).
pub(crate) fn client_with_identity(
    timeout: Duration,
    identity_pem: &Secret,
    authority_pem: Option<&str>,
) -> Result<Client, reqwest::Error> {
    let mut builder = builder(timeout).identity(Identity::from_pem(identity_pem.expose().as_bytes())?);
    if let Some(pem) = authority_pem {
        builder = builder.tls_certs_merge(Certificate::from_pem_bundle(pem.as_bytes())?);
    }
    builder.build()
}

fn builder(timeout: Duration) -> ClientBuilder {
    install_tls_provider();
    Client::builder()
        .timeout(timeout)
        .connect_timeout(Duration::from_secs(CONNECT_TIMEOUT_S).min(timeout))
        .pool_max_idle_per_host(IDLE_CONNECTIONS_PER_HOST)
        // A redirect would carry the message and our keys to a host that nobody configured.
        .redirect(redirect::Policy::none())
        .no_proxy()
        .user_agent("hostolink")
}

/// rustls needs one process-wide source of cryptography; somebody else may have chosen it already, which is as good.
pub(crate) fn install_tls_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// Sends and reads at most `max_bytes`. The error never holds the address, which may carry a password (Kannel).
pub(crate) async fn exchange(request: RequestBuilder, max_bytes: usize) -> Result<Answer, Failure> {
    let mut response = request.send().await.map_err(|error| classify(&error))?;
    let status = response.status().as_u16();
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| classify_after_headers(&error))? {
        if body.len() + chunk.len() > max_bytes {
            return Err(Failure::Broken);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, body: body.freeze() })
}

fn classify(error: &reqwest::Error) -> Failure {
    // Order matters: a connection that timed out is both, and nothing left.
    if error.is_connect() {
        Failure::Unreachable
    } else if error.is_builder() {
        Failure::Unsendable
    } else if error.is_timeout() {
        Failure::Timeout
    } else {
        Failure::Broken
    }
}

fn classify_after_headers(error: &reqwest::Error) -> Failure {
    if error.is_timeout() { Failure::Timeout } else { Failure::Broken }
}
