//! Mail by SMTP.

use std::{net::IpAddr, time::Duration};

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    message::Mailbox as Correspondent,
    transport::smtp::{
        Error as SmtpError, PoolConfig,
        authentication::Credentials,
        client::{Tls, TlsParameters},
    },
};
use percent_encoding::percent_decode_str;
use reqwest::Url;
use serde::Deserialize;

use super::{Mail, compose};
use crate::{
    Receipt, Secret, SendError,
    vars::{Faults, Lookup, Reader},
};

const ROUTE: &str = "smtp";
/// Time for one message, connection included, in seconds.
const DEFAULT_TIMEOUT_S: u64 = 20;
/// Time to open a connection, in seconds; shorter than the whole, so that a dead host is told from a slow one.
const CONNECT_TIMEOUT_S: u64 = 8;
/// Connections open at once.
const MAX_CONNECTIONS: u32 = 4;

const URL_KEY: &str = "HOSTOLINK_SMTP_URL";
const FROM_KEY: &str = "HOSTOLINK_MAIL_FROM";

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpTls {
    /// TLS from the first byte (port 465).
    Implicit,
    /// Clear at first, then TLS or nothing (port 587).
    StartTls,
    /// Clear: a relay on this machine or on a private network.
    None,
}

/// Where and as whom mail is handed over.
#[derive(Debug, Clone, Deserialize)]
pub struct SmtpConfig {
    /// Host name; certificates are checked against it.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Protection of the connection.
    pub tls: SmtpTls,
    /// Account, when the server asks for one.
    pub user: Option<String>,
    /// Password of the account.
    pub password: Option<Secret>,
    /// Sender, such as `Hostolink <ne-pas-repondre@hostolink.ci>`.
    pub from: String,
    /// Time for one message, in seconds.
    #[serde(default = "default_timeout_s")]
    pub timeout_s: u64,
}

fn default_timeout_s() -> u64 {
    DEFAULT_TIMEOUT_S
}

impl SmtpConfig {
    /// Reads `HOSTOLINK_SMTP_URL` (`smtps://user:password@host:465`, `smtp://…:587` for STARTTLS, `smtp://host:25?tls=none`
    /// for a relay nearby) and `HOSTOLINK_MAIL_FROM`.
    pub fn from_vars(lookup: Lookup<'_>) -> Result<Self, Faults> {
        let mut reader = Reader::new(lookup);
        let from = reader.required(FROM_KEY);
        if !from.is_empty() && from.parse::<Correspondent>().is_err() {
            reader.fault(FROM_KEY, "is not an address such as 'Name <name@example.com>'");
        }
        let url = reader.required(URL_KEY);
        match Self::from_url(&url, from) {
            Ok(config) => return reader.finish(config),
            Err(problem) if !url.is_empty() => reader.fault(URL_KEY, problem),
            Err(_) => {}
        }
        Err(Faults(reader.into_faults()))
    }

    fn from_url(text: &str, from: String) -> Result<Self, &'static str> {
        let url = Url::parse(text).map_err(|_| "is not an address such as smtps://user:password@host:465")?;
        let host = url.host_str().ok_or("names no host")?.to_owned();
        let tls = match (url.scheme(), url.query()) {
            ("smtps", None) => SmtpTls::Implicit,
            ("smtp", None | Some("tls=required")) => SmtpTls::StartTls,
            ("smtp", Some("tls=none")) => SmtpTls::None,
            _ => return Err("is neither smtps://… nor smtp://…[?tls=required|none]"),
        };
        let port = url.port().unwrap_or(match tls {
            SmtpTls::Implicit => 465,
            SmtpTls::StartTls => 587,
            SmtpTls::None => 25,
        });
        let user = Some(decode(url.username())?).filter(|user| !user.is_empty());
        let password = url.password().map(decode).transpose()?.map(Secret::new);
        if tls == SmtpTls::None && password.is_some() && !is_loopback(&host) {
            return Err("would send a password in clear over a network");
        }
        Ok(Self { host, port, tls, user, password, from, timeout_s: DEFAULT_TIMEOUT_S })
    }
}

fn decode(text: &str) -> Result<String, &'static str> {
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_| "holds a user or password that is not UTF-8")?;
    Ok(decoded.into_owned())
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[derive(Debug)]
pub(super) struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Correspondent,
    timeout: Duration,
}

impl Smtp {
    pub(super) fn new(config: SmtpConfig) -> Result<Self, SendError> {
        let from = config.from.parse().map_err(|_| SendError::misconfigured(ROUTE, "invalid_sender"))?;
        let timeout = Duration::from_secs(config.timeout_s.max(1));
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(config.host.as_str())
            .port(config.port)
            .tls(tls(&config)?)
            .timeout(Some(Duration::from_secs(CONNECT_TIMEOUT_S).min(timeout / 2)))
            .pool_config(PoolConfig::new().max_size(MAX_CONNECTIONS));
        if let (Some(user), Some(password)) = (config.user, &config.password) {
            builder = builder.credentials(Credentials::new(user, password.expose().to_owned()));
        }
        Ok(Self { transport: builder.build(), from, timeout })
    }

    pub(super) async fn send(&self, mail: &Mail, id: &str) -> Result<Receipt, SendError> {
        let message = compose(ROUTE, &self.from, mail, id)?;
        match tokio::time::timeout(self.timeout, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(Receipt::new(ROUTE, None)),
            Ok(Err(error)) => Err(classify(&error)),
            Err(_) => Err(SendError::unknown(ROUTE, "timeout")),
        }
    }
}

fn tls(config: &SmtpConfig) -> Result<Tls, SendError> {
    let parameters =
        || TlsParameters::new(config.host.clone()).map_err(|_| SendError::misconfigured(ROUTE, "tls_unusable"));
    Ok(match config.tls {
        SmtpTls::Implicit => Tls::Wrapper(parameters()?),
        SmtpTls::StartTls => Tls::Required(parameters()?),
        SmtpTls::None => Tls::None,
    })
}

/// The server's own words are dropped: they often repeat the address.
fn classify(error: &SmtpError) -> SendError {
    if let Some(status) = error.status() {
        return classify_reply(u16::from(status), error.is_permanent());
    }
    if error.is_tls() {
        return SendError::misconfigured(ROUTE, "tls_refused");
    }
    if error.is_client() {
        return SendError::misconfigured(ROUTE, "unsupported_by_server");
    }
    // The library tells a failed connection apart in its words only; a test holds it to them.
    if error.to_string().starts_with("Connection error") {
        return SendError::refused(ROUTE, "unreachable");
    }
    SendError::unknown(ROUTE, if error.is_timeout() { "timeout" } else { "connection_broken" })
}

fn classify_reply(status: u16, permanent: bool) -> SendError {
    let code = format!("smtp_{status}");
    match status {
        // Account or sender refused: everybody's mail is concerned, not this recipient's.
        530 | 534 | 535 | 538 => SendError::misconfigured(ROUTE, code),
        _ if permanent => SendError::hopeless(ROUTE, code),
        _ => SendError::refused(ROUTE, code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(url: &str) -> Result<SmtpConfig, Faults> {
        SmtpConfig::from_vars(&|key| match key {
            URL_KEY => Some(url.to_owned()),
            FROM_KEY => Some("Hostolink <bonjour@hostolink.ci>".to_owned()),
            _ => None,
        })
    }

    #[test]
    fn reads_an_address_with_an_escaped_password_and_hides_it() {
        let config = config("smtps://moi%40hostolink.ci:p%2Fss@smtp.example.com").unwrap();
        assert_eq!((config.port, config.tls), (465, SmtpTls::Implicit));
        assert_eq!(config.user.as_deref(), Some("moi@hostolink.ci"));
        assert_eq!(config.password.as_ref().unwrap().expose(), "p/ss");
        assert!(!format!("{config:?}").contains("p/ss"));
    }

    #[test]
    fn names_every_fault_at_once() {
        let faults = SmtpConfig::from_vars(&|_| None).unwrap_err();
        assert_eq!(faults.to_string(), "HOSTOLINK_MAIL_FROM is missing; HOSTOLINK_SMTP_URL is missing");
    }

    #[test]
    fn refuses_a_password_in_clear_over_a_network_and_accepts_a_relay_nearby() {
        let fault = config("smtp://moi:secret@mail.example.com?tls=none").unwrap_err();
        assert_eq!(fault.to_string(), "HOSTOLINK_SMTP_URL would send a password in clear over a network");
        assert_eq!(config("smtp://127.0.0.1:2525?tls=none").unwrap().tls, SmtpTls::None);
        assert_eq!(config("smtp://mail.example.com").unwrap().tls, SmtpTls::StartTls);
    }

    #[test]
    fn replies_are_classed() {
        assert!(matches!(classify_reply(535, true), SendError::Misconfigured { .. }));
        assert!(matches!(classify_reply(550, true), SendError::Definite { permanent: true, .. }));
        assert!(matches!(classify_reply(451, false), SendError::Definite { permanent: false, .. }));
    }
}
