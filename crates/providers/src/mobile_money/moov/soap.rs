//! Envelopes: writing one, reading one, and the token inside.

use aes::Aes256;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use cbc::{
    Encryptor,
    cipher::{BlockModeEncrypt as _, KeyIvInit as _, block_padding::Pkcs7},
};

use zeroize::Zeroizing;

use crate::Secret;

/// The token's IV, as Moov fixed it. One key and one constant text: nothing is learnt from its sameness.
const IV: [u8; 16] = [0; 16];
/// A block of AES: room for the padding.
const BLOCK_BYTES: usize = 16;
/// Elements looked at in an answer.
const MAX_NODES: usize = 1000;

/// `0:<user>:<password>` under AES-256-CBC, in base64.
pub(super) fn token(username: &str, password: &Secret, key: &Secret) -> Option<Secret> {
    let cipher = Encryptor::<Aes256>::new_from_slices(key.expose().as_bytes(), &IV).ok()?;
    let mut buffer = Zeroizing::new(format!("0:{username}:{}", password.expose()).into_bytes());
    let length = buffer.len();
    buffer.resize(length + BLOCK_BYTES, 0);
    let encrypted = cipher.encrypt_padded::<Pkcs7>(&mut buffer, length).ok()?;
    Some(Secret::new(STANDARD.encode(encrypted)))
}

/// An envelope around `<api:operation>…</api:operation>`; `inner` is XML already.
pub(super) fn envelope(operation: &str, token: &Secret, inner: &str) -> String {
    format!(
        concat!(
            r#"<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:api="http://api.merchant.tlc.com/">"#,
            "<soapenv:Header/><soapenv:Body><api:{operation}><token>{token}</token>{inner}</api:{operation}>",
            "</soapenv:Body></soapenv:Envelope>"
        ),
        operation = operation,
        token = token.expose(),
        inner = inner
    )
}

/// `<name>text</name>`, escaped.
pub(super) fn element(name: &str, text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<{name}>{escaped}</{name}>")
}

/// What an answer says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Result {
    pub(super) status: i64,
    pub(super) description: String,
    pub(super) reference_id: Option<String>,
    pub(super) transaction_id: Option<String>,
}

/// Reads an answer by the names of its elements, whatever wraps them. Some peers announce UTF-16 and send UTF-8: the
/// announcement is dropped.
pub(super) fn parse(body: &[u8]) -> Option<Result> {
    let text = std::str::from_utf8(body).ok()?.trim_start_matches('\u{feff}').trim_start();
    let text = match text.strip_prefix("<?xml") {
        Some(rest) => rest.split_once("?>")?.1,
        None => text,
    };
    let document = roxmltree::Document::parse(text).ok()?;
    let find = |names: &[&str]| {
        let mut nodes = document.descendants().take(MAX_NODES);
        let node = nodes.find(|node| names.contains(&node.tag_name().name()))?;
        node.text().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    Some(Result {
        status: find(&["status"])?.parse().ok()?,
        description: find(&["description", "message"]).unwrap_or_default(),
        reference_id: find(&["referenceid"]),
        transaction_id: find(&["transid", "transactionid"]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_matches_the_known_answer() {
        let token = token("demo", &Secret::new("secret"), &Secret::new("0123456789ABCDEF0123456789ABCDEF"));
        assert_eq!(token.unwrap().expose(), "8C7gvROPN8C1rAHV/G6edA==");
        assert!(super::token("demo", &Secret::new("secret"), &Secret::new("short")).is_none());
    }

    #[test]
    fn a_wrong_announcement_of_the_encoding_is_survived() {
        let body = r#"<?xml version="1.0" encoding="utf-16"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>
            <ns2:PushWithPendingResponse xmlns:ns2="http://api.merchant.tlc.com/"><result>
            <description>PENDING</description><referenceid>72026112200012345</referenceid><status>100</status><transid>HSTL-DEP-01J9</transid>
            </result></ns2:PushWithPendingResponse></soap:Body></soap:Envelope>"#;
        let result = parse(body.as_bytes()).unwrap();
        assert_eq!((result.status, result.description.as_str()), (100, "PENDING"));
        assert_eq!(result.reference_id.as_deref(), Some("72026112200012345"));
        assert_eq!(result.transaction_id.as_deref(), Some("HSTL-DEP-01J9"));
        assert_eq!(parse(b"<html><body>502</body></html>"), None);
        assert_eq!(
            parse(br#"<!DOCTYPE a [<!ENTITY b "c">]><a><status>0</status></a>"#),
            None,
            "no entities from outside"
        );
    }

    #[test]
    fn texts_cannot_break_out_of_their_element() {
        assert_eq!(element("message", "a<b>&c"), "<message>a&lt;b&gt;&amp;c</message>");
    }
}
