//! What each route needs, and the keys it is read from.

use serde::Deserialize;

use super::{Route, Router};
use crate::{
    Secret, SendError,
    vars::{Faults, Lookup, Reader},
};

const ROUTES_KEY: &str = "HOSTOLINK_SMS_ROUTES";

/// Orange SMS API.
#[derive(Debug, Clone, Deserialize)]
pub struct OrangeConfig {
    /// Root of the platform, without a final slash.
    pub base_url: String,
    /// Application's identifier.
    pub client_id: String,
    /// Application's secret.
    pub client_secret: Secret,
    /// Sender given by Orange, in E.164 (`+2250000` in Côte d'Ivoire).
    pub sender: String,
    /// Name shown to the person, at most 11 characters, approved by Orange.
    pub sender_name: Option<String>,
}

/// Twilio, or a provider that speaks like it.
#[derive(Debug, Clone, Deserialize)]
pub struct TwilioConfig {
    /// Root of the interface, without a final slash.
    pub base_url: String,
    /// Account (`AC…`).
    pub account_sid: String,
    /// Its token.
    pub auth_token: Secret,
    /// Number or name that sends, or a messaging service (`MG…`).
    pub from: String,
}

/// Kannel's `sendsms`.
#[derive(Debug, Clone, Deserialize)]
pub struct KannelConfig {
    /// Complete address, such as `http://127.0.0.1:13013/cgi-bin/sendsms`.
    pub url: String,
    /// Account of `sendsms-user`.
    pub username: String,
    /// Its password.
    pub password: Secret,
    /// Number or name that sends.
    pub from: String,
    /// Where Kannel reports delivery; our id, the event and the SMSC's id are appended to it.
    pub dlr_url: Option<String>,
}

impl OrangeConfig {
    /// Reads `HOSTOLINK_ORANGE_SMS_…`.
    pub fn from_vars(lookup: Lookup<'_>) -> Result<Self, Faults> {
        let mut reader = Reader::new(lookup);
        let config = Self {
            base_url: reader.base_url("HOSTOLINK_ORANGE_SMS_BASE_URL", Some("https://api.orange.com")),
            client_id: reader.required("HOSTOLINK_ORANGE_SMS_CLIENT_ID"),
            client_secret: reader.secret("HOSTOLINK_ORANGE_SMS_CLIENT_SECRET"),
            sender: reader.optional("HOSTOLINK_ORANGE_SMS_SENDER").unwrap_or_else(|| "+2250000".to_owned()),
            sender_name: reader.optional("HOSTOLINK_ORANGE_SMS_SENDER_NAME"),
        };
        if config.sender_name.as_ref().is_some_and(|name| name.chars().count() > 11) {
            reader.fault("HOSTOLINK_ORANGE_SMS_SENDER_NAME", "is longer than 11 characters");
        }
        reader.finish(config)
    }
}

impl TwilioConfig {
    /// Reads `HOSTOLINK_TWILIO_…`.
    pub fn from_vars(lookup: Lookup<'_>) -> Result<Self, Faults> {
        let mut reader = Reader::new(lookup);
        let config = Self {
            base_url: reader.base_url("HOSTOLINK_TWILIO_BASE_URL", Some("https://api.twilio.com")),
            account_sid: reader.required("HOSTOLINK_TWILIO_ACCOUNT_SID"),
            auth_token: reader.secret("HOSTOLINK_TWILIO_AUTH_TOKEN"),
            from: reader.required("HOSTOLINK_TWILIO_FROM"),
        };
        reader.finish(config)
    }
}

impl KannelConfig {
    /// Reads `HOSTOLINK_KANNEL_…`.
    pub fn from_vars(lookup: Lookup<'_>) -> Result<Self, Faults> {
        let mut reader = Reader::new(lookup);
        let dlr_url = reader.optional("HOSTOLINK_KANNEL_DLR_URL");
        let config = Self {
            url: reader.base_url("HOSTOLINK_KANNEL_URL", None),
            username: reader.required("HOSTOLINK_KANNEL_USERNAME"),
            password: reader.secret("HOSTOLINK_KANNEL_PASSWORD"),
            from: reader.required("HOSTOLINK_KANNEL_FROM"),
            dlr_url: dlr_url.map(|_| reader.base_url("HOSTOLINK_KANNEL_DLR_URL", None)),
        };
        reader.finish(config)
    }
}

impl Router {
    /// Reads `HOSTOLINK_SMS_ROUTES`, routes in order of preference, each with the prefixes it is reserved for if any:
    /// `orange=+22507|+22527,twilio,kannel`. The keys of every route named are read as well, and all faults reported at once.
    pub fn from_vars(lookup: Lookup<'_>) -> Result<Self, Faults> {
        let mut reader = Reader::new(lookup);
        let list = reader.required(ROUTES_KEY);
        let mut routes = Vec::new();
        for entry in list.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let (name, prefixes) = entry.split_once('=').unwrap_or((entry, ""));
            let prefixes: Vec<String> =
                prefixes.split('|').map(str::trim).filter(|prefix| !prefix.is_empty()).map(str::to_owned).collect();
            if !prefixes.iter().all(|prefix| is_prefix(prefix)) {
                reader.fault(ROUTES_KEY, "holds a prefix that is not + and digits");
            }
            match route(name, lookup) {
                Ok(route) => routes.push((route, prefixes)),
                Err(faults) => reader.merge(faults),
            }
        }
        let router = Self::new(routes).inspect_err(|_| reader.fault(ROUTES_KEY, "names no route, or more than eight"));
        match router {
            Ok(router) => reader.finish(router),
            Err(_) => Err(Faults(reader.into_faults())),
        }
    }
}

fn is_prefix(text: &str) -> bool {
    text.strip_prefix('+')
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()))
}

fn route(name: &str, lookup: Lookup<'_>) -> Result<Route, Faults> {
    let made = match name {
        "orange" => Route::orange(OrangeConfig::from_vars(lookup)?),
        "twilio" => Route::twilio(TwilioConfig::from_vars(lookup)?),
        "kannel" => Route::kannel(KannelConfig::from_vars(lookup)?),
        _ => Err(SendError::misconfigured("sms", "unknown_route")),
    };
    let unusable = "names a route that does not exist (orange, twilio, kannel) or cannot be used";
    made.map_err(|_| Faults::one(ROUTES_KEY, unusable))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_every_missing_key_of_every_route() {
        let faults = Router::from_vars(&|key| match key {
            ROUTES_KEY => Some("orange=+22507,twilio,pigeon".to_owned()),
            "HOSTOLINK_ORANGE_SMS_CLIENT_ID" => Some("id".to_owned()),
            "HOSTOLINK_TWILIO_BASE_URL" => Some("ftp://example.com".to_owned()),
            _ => None,
        })
        .unwrap_err();
        let keys: Vec<&str> = faults.0.iter().map(|fault| fault.key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "HOSTOLINK_ORANGE_SMS_CLIENT_SECRET",
                "HOSTOLINK_TWILIO_BASE_URL",
                "HOSTOLINK_TWILIO_ACCOUNT_SID",
                "HOSTOLINK_TWILIO_AUTH_TOKEN",
                "HOSTOLINK_TWILIO_FROM",
                "HOSTOLINK_SMS_ROUTES",
                "HOSTOLINK_SMS_ROUTES",
            ]
        );
    }
}
