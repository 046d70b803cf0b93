//! Small things of the wire: signatures, tokens, times, ids, amounts and telephone numbers.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, SecondsFormat};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use std::time::{SystemTime, UNIX_EPOCH};
use subtle::ConstantTimeEq as _;

pub(crate) use base64::engine::general_purpose::STANDARD as BASE64;

/// HMAC-SHA256 over several parts, as if they were one.
pub(crate) fn hmac_sha256(secret: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    // HMAC takes a key of any length: the error cannot happen, and an empty signature would be refused by everybody.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return Vec::new() };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

/// Hexadecimal SHA-256, to recognise a body that came before.
pub(crate) fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Compares two secrets in a time that does not depend on where they differ.
pub(crate) fn same(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

/// The computer's clock, in milliseconds since 1970: the one place where it is read.
pub(crate) fn wall_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// An instant as ISO 8601 in UTC, to the second.
pub(crate) fn iso(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// An instant as ISO 8601 in UTC, to the millisecond.
pub(crate) fn iso_ms(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The day of an instant, `YYYY-MM-DD`.
pub(crate) fn day(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms).unwrap_or_default().format("%Y-%m-%d").to_string()
}

/// So many random characters of a set.
pub(crate) fn random_text(set: &[u8], length: usize) -> String {
    (0..length).filter_map(|_| set.get(rand::random_range(0..set.len()))).map(|b| char::from(*b)).collect()
}

/// Random lower-case letters and digits.
pub(crate) fn random_id(length: usize) -> String {
    random_text(b"0123456789abcdefghjkmnpqrstvwxyz", length)
}

/// A random UUID, version 4.
pub(crate) fn random_uuid() -> String {
    uuid::Builder::from_random_bytes(rand::random()).into_uuid().to_string()
}

/// `"1500"`: digits without a leading zero.
pub(crate) fn parse_amount(text: &str) -> Option<i64> {
    let plain = !text.is_empty() && text.len() <= 12 && text.bytes().all(|b| b.is_ascii_digit());
    if !plain || text.starts_with('0') {
        return None;
    }
    text.parse().ok()
}

/// An international number with its plus sign.
pub(crate) fn is_e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(is_msisdn)
}

/// An international number without plus sign.
pub(crate) fn is_msisdn(text: &str) -> bool {
    (8..=15).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// What a token is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Valid,
    Expired,
    Wrong,
}

/// A bearer token that proves itself (a JWT, HS256): a simulator that restarts still knows it.
pub(crate) fn mint_token(secret: &str, scope: &str, expires_ms: i64) -> String {
    let head = URL_SAFE_NO_PAD.encode(br#"{"alg":"HS256","typ":"JWT"}"#);
    let claims = serde_json::json!({"scope": scope, "exp": expires_ms / 1_000, "jti": random_id(12)});
    let claims = URL_SAFE_NO_PAD.encode(claims.to_string());
    let signature = URL_SAFE_NO_PAD.encode(hmac_sha256(secret.as_bytes(), &[head.as_bytes(), b".", claims.as_bytes()]));
    format!("{head}.{claims}.{signature}")
}

/// Checks a token of [`mint_token`].
pub(crate) fn check_token(secret: &str, scope: &str, token: &str, now_ms: i64) -> Token {
    let Some((signed, signature)) = token.rsplit_once('.') else { return Token::Wrong };
    let expected = URL_SAFE_NO_PAD.encode(hmac_sha256(secret.as_bytes(), &[signed.as_bytes()]));
    if !same(&expected, signature) {
        return Token::Wrong;
    }
    let claims = signed.rsplit_once('.').and_then(|(_, claims)| URL_SAFE_NO_PAD.decode(claims).ok());
    let Some(claims) = claims.and_then(|c| serde_json::from_slice::<serde_json::Value>(&c).ok()) else {
        return Token::Wrong;
    };
    if claims.get("scope").and_then(serde_json::Value::as_str) != Some(scope) {
        return Token::Wrong;
    }
    match claims.get("exp").and_then(serde_json::Value::as_i64) {
        Some(expires) if expires * 1_000 > now_ms => Token::Valid,
        _ => Token::Expired,
    }
}

/// The bearer token of a request.
pub(crate) fn bearer(headers: &http::HeaderMap) -> Option<&str> {
    header(headers, "authorization")?.strip_prefix("Bearer ").map(str::trim)
}

/// User and password of a request with Basic authentication.
pub(crate) fn basic(headers: &http::HeaderMap) -> Option<(String, String)> {
    let encoded = header(headers, "authorization")?.strip_prefix("Basic ")?;
    let text = String::from_utf8(BASE64.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// A header as text.
pub(crate) fn header<'h>(headers: &'h http::HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|v| v.to_str().ok())
}

/// Text made safe to stand in HTML, in an attribute as well.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_proves_itself_until_it_expires() {
        let token = mint_token("s", "collection", 10_000);
        assert_eq!(check_token("s", "collection", &token, 9_000), Token::Valid);
        assert_eq!(check_token("s", "collection", &token, 10_000), Token::Expired);
        assert_eq!(check_token("s", "disbursement", &token, 9_000), Token::Wrong);
        assert_eq!(check_token("other", "collection", &token, 9_000), Token::Wrong);
        assert_eq!(check_token("s", "collection", "nonsense", 9_000), Token::Wrong);
    }

    #[test]
    fn amounts_are_whole_francs() {
        assert_eq!(parse_amount("1500"), Some(1_500));
        for wrong in ["", "0", "01500", "15.00", "-5", "1e3", "９", "1234567890123"] {
            assert_eq!(parse_amount(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn html_is_escaped() {
        assert_eq!(escape(r#"<b a="x" b='y'>&"#), "&lt;b a=&quot;x&quot; b=&#39;y&#39;&gt;&amp;");
    }
}
