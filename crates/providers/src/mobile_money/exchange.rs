//! The masked record of one exchange, for a person who has to find out what happened.

use serde_json::Value;

use crate::mask;

/// Longest body kept of each side, in characters.
const MAX_BODY_CHARS: usize = 4000;
/// Runs of digits from this length on are taken for telephone numbers where a body has no structure.
const NUMBER_DIGITS: usize = 10;

/// One request and what came back, without numbers, names, codes or keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Provider.
    pub provider: &'static str,
    /// What was asked, in our words: `payout.send`.
    pub operation: &'static str,
    /// HTTP method.
    pub method: String,
    /// Path and query, numbers masked.
    pub path: String,
    /// Number of the attempt within the call, from 1.
    pub attempt: u32,
    /// Time taken, in milliseconds.
    pub elapsed_ms: u64,
    /// HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// Why there was none: `timeout`, `unreachable`, `connection_broken`, `circuit_open`, `rate_limited`.
    pub failure: Option<&'static str>,
    /// Body sent, masked.
    pub request: String,
    /// Body received, masked.
    pub response: String,
}

/// Fields that are never kept.
const SECRET_FIELDS: &[&str] = &[
    // Addresses that open a payment page or our own hook hold a secret in them.
    "payment_url",
    "paymenturl",
    "authorization_url",
    "authorizationurl",
    "notif_url",
    "notify_url",
    "callback_url",
    "firstname",
    "lastname",
    "fullname",
    "authorization_code",
    "access_code",
    "authorization",
    "name",
    "payeurnom",
    "payenom",
    "recipientname",
    "business_name",
    "merchant_name",
    "counterparty_name",
    "client_first_name",
    "client_last_name",
    "client_email",
    "email",
    "national_id",
    "otp",
    "otp_code",
    "code_otp",
    "preauthorisationcode",
    "token",
    "access_token",
    "pay_token",
    "notif_token",
    "payment_token",
    "notify_token",
    "api_key",
    "apikey",
    "api_password",
    "merchant_key",
    "secret",
];

/// Fields that hold a telephone number, an alias or an account.
const NUMBER_FIELDS: &[&str] = &[
    "mobile",
    "msisdn",
    "phone",
    "phonenumber",
    "phone_number",
    "client_phone_number",
    "partyid",
    "number",
    "destination",
    "restrict_payer_mobile",
    "counterparty_mobile",
    "sender_mobile",
    "payeuralias",
    "payealias",
    "payeiban",
    "payecompte",
    "iban",
    "alias",
];

/// Masks a body: field by field where it is JSON, run by run where it is not.
pub(crate) fn masked_body(body: &[u8]) -> String {
    let text = match serde_json::from_slice::<Value>(body) {
        Ok(mut value) => {
            mask_value(&mut value);
            value.to_string()
        }
        Err(_) => masked_text(&String::from_utf8_lossy(body)),
    };
    text.chars().take(MAX_BODY_CHARS).collect()
}

fn mask_value(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.iter_mut().for_each(|(name, value)| mask_field(name, value)),
        Value::Array(items) => items.iter_mut().for_each(mask_value),
        Value::String(text) => *text = masked_text(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn mask_field(name: &str, value: &mut Value) {
    let name = name.to_ascii_lowercase();
    match value {
        Value::String(text) if SECRET_FIELDS.contains(&name.as_str()) && !text.is_empty() => *text = "***".to_owned(),
        Value::String(text) if NUMBER_FIELDS.contains(&name.as_str()) => *text = mask::phone(text),
        other => mask_value(other),
    }
}

/// Masks runs of ten digits and more, and the content of XML elements that hold a secret.
pub(crate) fn masked_text(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut run = String::new();
    for letter in without_xml_secrets(text).chars() {
        if letter.is_ascii_digit() {
            run.push(letter);
            continue;
        }
        flush(&mut run, &mut shown);
        shown.push(letter);
    }
    flush(&mut run, &mut shown);
    shown
}

fn flush(run: &mut String, shown: &mut String) {
    if run.len() >= NUMBER_DIGITS {
        shown.push_str(&mask::phone(run))
    } else {
        shown.push_str(run)
    }
    run.clear();
}

fn without_xml_secrets(text: &str) -> String {
    let (start, end) = ("<token>", "</token>");
    match (text.find(start), text.find(end)) {
        (Some(from), Some(to)) if from + start.len() <= to => {
            format!("{}***{}", &text[..from + start.len()], &text[to..])
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_names_and_keys_are_masked_wherever_they_stand() {
        let body = br#"{"amount":"1500","payee":{"partyIdType":"MSISDN","partyId":"2250504030201"},"name":"Awa Kone",
            "list":[{"otp":"482913"}],"client_reference":"HSTL-WDR-01J9","message":"call 0708091011 now",
            "payment_url":"https://pay.example/abstract?token=f5720dd9"}"#;
        let shown = masked_body(body);
        for hidden in ["2250504030201", "Awa", "482913", "0708091011", "f5720dd9"] {
            assert!(!shown.contains(hidden), "{hidden} in {shown}");
        }
        assert!(shown.contains("HSTL-WDR-01J9") && shown.contains("\"1500\""), "{shown}");
    }

    #[test]
    fn xml_loses_its_token_and_numbers() {
        let shown =
            masked_body(b"<a><token>8C7gvROPN8C1==</token><msisdn>2250102030405</msisdn><amount>1500</amount></a>");
        assert_eq!(shown, "<a><token>***</token><msisdn>225010*****05</msisdn><amount>1500</amount></a>");
    }
}
