//! Kannel, the SMS gateway: its `sendsms` interface.

use std::time::Duration;

use reqwest::{Client, Url};

use super::{EXCHANGE_TIMEOUT_S, KannelConfig, Sms, SmsRoute, gsm7, orange::lost};
use crate::{
    Receipt, SendError,
    http::{self, Answer},
};

const NAME: &str = "kannel";
/// Every delivery event: delivered, failed, queued, accepted and refused by the SMSC.
const ALL_DELIVERY_EVENTS: &str = "31";

/// Kannel's `sendsms`.
#[derive(Debug)]
pub struct Kannel {
    client: Client,
    config: KannelConfig,
}

impl Kannel {
    pub(super) fn new(config: KannelConfig) -> Result<Self, SendError> {
        let client = http::client(Duration::from_secs(EXCHANGE_TIMEOUT_S))
            .map_err(|_| SendError::misconfigured(NAME, "http_client"))?;
        Ok(Self { client, config })
    }
}

impl SmsRoute for Kannel {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn send(&self, sms: &Sms, id: &str) -> Result<Receipt, SendError> {
        let url = address(&self.config, sms, id).ok_or_else(|| SendError::misconfigured(NAME, "invalid_url"))?;
        let answer = http::exchange(self.client.get(url), http::MAX_ANSWER_BYTES)
            .await
            .map_err(|failure| lost(NAME, failure))?;
        decode(&answer)
    }
}

/// The whole message is in the query, the password as well: this address is never logged.
fn address(config: &KannelConfig, sms: &Sms, id: &str) -> Option<Url> {
    let mut url = Url::parse(&config.url).ok()?;
    let coding = if gsm7::septets(&sms.text).is_some() { "0" } else { "2" };
    url.query_pairs_mut()
        .append_pair("username", &config.username)
        .append_pair("password", config.password.expose())
        .append_pair("from", &config.from)
        .append_pair("to", &sms.to)
        .append_pair("text", &sms.text)
        .append_pair("charset", "UTF-8")
        .append_pair("coding", coding);
    if let Some(dlr_url) = &config.dlr_url {
        url.query_pairs_mut()
            .append_pair("dlr-mask", ALL_DELIVERY_EVENTS)
            .append_pair("dlr-url", &delivery_address(dlr_url, id)?);
    }
    Some(url)
}

/// `%d` (event) and `%i` (SMSC) are filled in by Kannel; our id has no percent sign to be mistaken for one of them.
fn delivery_address(dlr_url: &str, id: &str) -> Option<String> {
    let mut url = Url::parse(dlr_url).ok()?;
    let id: String = id.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-').collect();
    url.query_pairs_mut().append_pair("id", &id);
    Some(format!("{url}&event=%d&smsc=%i"))
}

fn decode(answer: &Answer) -> Result<Receipt, SendError> {
    let code = format!("http_{}", answer.status);
    match answer.status {
        // "0: Accepted for delivery" or "3: Queued for later delivery"; Kannel gives no identifier.
        200 | 202 => Ok(Receipt::new(NAME, None)),
        401 | 403 | 404 => Err(SendError::misconfigured(NAME, code)),
        // 503 is documented as "temporarily no": Kannel did not keep the message.
        503 => Err(SendError::refused(NAME, code)),
        status @ 400..=499 if status != 408 => Err(SendError::refused(NAME, code)),
        _ => Err(SendError::unknown(NAME, code)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;

    #[test]
    fn the_address_carries_our_id_for_the_delivery_receipt() {
        let config = KannelConfig {
            url: "http://127.0.0.1:13013/cgi-bin/sendsms".to_owned(),
            username: "u".to_owned(),
            password: Secret::new("p&p"),
            from: "HOSTOLINK".to_owned(),
            dlr_url: Some("http://127.0.0.1:3000/hooks/kannel?key=k".to_owned()),
        };
        let sms = Sms { to: "+2250708091011".to_owned(), text: "Reçu & payé".to_owned() };
        let url = address(&config, &sms, "0193-ab%d").unwrap();
        let value = |key: &str| url.query_pairs().find(|(name, _)| name == key).map(|(_, value)| value.into_owned());
        assert_eq!(value("to").unwrap(), "+2250708091011");
        assert_eq!(value("text").unwrap(), "Reçu & payé");
        assert_eq!(value("coding").unwrap(), "2", "ç is outside the plain alphabet");
        assert_eq!(value("dlr-url").unwrap(), "http://127.0.0.1:3000/hooks/kannel?key=k&id=0193-abd&event=%d&smsc=%i");
    }
}
