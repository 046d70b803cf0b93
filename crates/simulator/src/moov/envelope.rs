//! Reading the envelope: the operation's name, and its fields wherever they stand.

use std::collections::BTreeMap;

/// Fields of one request.
const MAX_FIELDS: usize = 64;

/// What was asked.
pub(super) struct Request {
    pub(super) operation: String,
    fields: BTreeMap<String, String>,
}

impl Request {
    pub(super) fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

/// Reads an envelope. Some clients declare UTF-16 and send UTF-8: the bytes decide.
pub(super) fn parse(body: &[u8]) -> Option<Request> {
    let text = std::str::from_utf8(body).ok()?;
    let document = roxmltree::Document::parse(text).ok()?;
    let body = document.descendants().find(|n| n.is_element() && n.tag_name().name() == "Body")?;
    let operation = body.children().find(roxmltree::Node::is_element)?;
    let leaves = operation.descendants().filter(|n| n.is_element() && !n.children().any(|c| c.is_element()));
    let fields = leaves
        .take(MAX_FIELDS)
        .map(|n| (n.tag_name().name().to_owned(), n.text().unwrap_or("").trim().to_owned()))
        .collect();
    Some(Request { operation: operation.tag_name().name().to_owned(), fields })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_where_they_stand() {
        let text = r#"<?xml version="1.0" encoding="utf-16"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:api="http://api.merchant.tlc.com/"><soapenv:Header/><soapenv:Body><api:transferFlooz><token>T</token><request><amount>1500</amount><walletid>0</walletid></request></api:transferFlooz></soapenv:Body></soapenv:Envelope>"#;
        let request = parse(text.as_bytes()).unwrap();
        assert_eq!(
            (request.operation.as_str(), request.field("amount"), request.field("token")),
            ("transferFlooz", "1500", "T")
        );
        assert_eq!(request.field("absent"), "");
        assert!(parse(b"<a>").is_none());
        assert!(parse(b"<a/>").is_none());
    }
}
