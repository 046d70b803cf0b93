//! RFC 9421 signatures of callbacks, as pawaPay makes them. Real ones carry ECDSA in DER instead of the standard's raw form:
//! both are read.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA384_FIXED,
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA512, UnparsedPublicKey, VerificationAlgorithm,
};
use sha2::{Digest as _, Sha256, Sha512};
use subtle::ConstantTimeEq as _;

use crate::mobile_money::{Delivery, Rejected, notice::MAX_WEBHOOK_BYTES};

/// How far the two clocks may differ, in seconds.
const MAX_SKEW_S: i64 = 120;
/// Longest life of a signature, in seconds, whatever it says of itself.
const MAX_LIFE_S: i64 = 300;
/// Components that a signature covers at most.
const MAX_COMPONENTS: usize = 16;
/// Without these a signature could be moved to another address or another body.
const REQUIRED: [&str; 4] = ["@method", "@authority", "@path", "content-digest"];

/// A signature whose key is not checked yet.
pub(super) struct Signed {
    pub(super) key_id: String,
    algorithm: Algorithm,
    base: String,
    signature: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Algorithm {
    EcdsaP256,
    EcdsaP384,
    RsaPss,
    RsaV15,
}

/// Checks everything but the key: form, time, digest of the body.
pub(super) fn parse(delivery: &Delivery<'_>, authority: &str, now_unix_s: i64) -> Result<Signed, Rejected> {
    if delivery.body.len() > MAX_WEBHOOK_BYTES {
        return Err(Rejected::TooLarge);
    }
    let input = delivery.header("signature-input").ok_or(Rejected::MissingSignature)?;
    let signature = delivery.header("signature").ok_or(Rejected::MissingSignature)?;
    let (label, parameters) = input.split_once('=').ok_or(Rejected::BadSignature)?;
    let signature = labelled(signature, label).ok_or(Rejected::BadSignature)?;
    check_time(parameters, now_unix_s)?;
    let components = components(parameters).ok_or(Rejected::BadSignature)?;
    if !REQUIRED.iter().all(|required| components.contains(required)) || !is_digest_right(delivery) {
        return Err(Rejected::BadSignature);
    }
    let base = base(delivery, authority, &components, parameters).ok_or(Rejected::BadSignature)?;
    let key_id = parameter(parameters, "keyid").ok_or(Rejected::BadSignature)?.to_owned();
    let algorithm = parameter(parameters, "alg").and_then(Algorithm::named).ok_or(Rejected::BadSignature)?;
    Ok(Signed { key_id, algorithm, base, signature })
}

impl Algorithm {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "ecdsa-p256-sha256" => Self::EcdsaP256,
            "ecdsa-p384-sha384" => Self::EcdsaP384,
            "rsa-pss-sha512" => Self::RsaPss,
            "rsa-v1_5-sha256" => Self::RsaV15,
            _ => return None,
        })
    }

    /// The raw form has a fixed length; DER starts with a sequence and is longer.
    fn verifier(self, signature: &[u8]) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::EcdsaP256 if signature.len() == 64 => &ECDSA_P256_SHA256_FIXED,
            Self::EcdsaP256 => &ECDSA_P256_SHA256_ASN1,
            Self::EcdsaP384 if signature.len() == 96 => &ECDSA_P384_SHA384_FIXED,
            Self::EcdsaP384 => &ECDSA_P384_SHA384_ASN1,
            Self::RsaPss => &RSA_PSS_2048_8192_SHA512,
            Self::RsaV15 => &RSA_PKCS1_2048_8192_SHA256,
        }
    }
}

impl Signed {
    /// Whether the key (a `SubjectPublicKeyInfo`) made it. A key of another kind than the algorithm fails by its length.
    pub(super) fn is_made_by(&self, spki: &[u8]) -> bool {
        let Some(key) = subject_public_key(spki) else { return false };
        let verifier = self.algorithm.verifier(&self.signature);
        UnparsedPublicKey::new(verifier, key).verify(self.base.as_bytes(), &self.signature).is_ok()
    }
}

/// `label=:base64:` of a list of such, by its label.
fn labelled(header: &str, label: &str) -> Option<Vec<u8>> {
    let entry = header.split(',').find_map(|entry| entry.trim().strip_prefix(label)?.strip_prefix("=:"))?;
    STANDARD.decode(entry.strip_suffix(':')?).ok()
}

fn components(parameters: &str) -> Option<Vec<&str>> {
    let inner = parameters.strip_prefix('(')?.split_once(')')?.0;
    let names: Option<Vec<&str>> =
        inner.split_ascii_whitespace().map(|name| name.strip_prefix('"')?.strip_suffix('"')).collect();
    names.filter(|names| names.len() <= MAX_COMPONENTS)
}

fn parameter<'a>(parameters: &'a str, name: &str) -> Option<&'a str> {
    let listed = parameters.split_once(')')?.1;
    let value = listed.split(';').find_map(|entry| entry.trim().strip_prefix(name)?.strip_prefix('='))?;
    Some(value.trim_matches('"'))
}

fn check_time(parameters: &str, now_unix_s: i64) -> Result<(), Rejected> {
    let time = |name| parameter(parameters, name).and_then(|value| value.parse::<i64>().ok());
    let created = time("created").ok_or(Rejected::BadSignature)?;
    let limit = created.saturating_add(MAX_LIFE_S);
    let expires = time("expires").map_or(limit, |expires| expires.min(limit));
    let from = created.saturating_sub(MAX_SKEW_S);
    if now_unix_s < from || now_unix_s > expires.saturating_add(MAX_SKEW_S) {
        return Err(Rejected::TooOld);
    }
    Ok(())
}

/// `Content-Digest: sha-512=:…:` of the raw body.
fn is_digest_right(delivery: &Delivery<'_>) -> bool {
    let Some(header) = delivery.header("content-digest") else { return false };
    let matches = |name: &str, digest: &[u8]| {
        labelled(header, name).is_some_and(|claimed| bool::from(claimed.as_slice().ct_eq(digest)))
    };
    matches("sha-512", &Sha512::digest(delivery.body)) || matches("sha-256", &Sha256::digest(delivery.body))
}

fn base(delivery: &Delivery<'_>, authority: &str, components: &[&str], parameters: &str) -> Option<String> {
    let mut lines = Vec::with_capacity(components.len() + 1);
    for name in components {
        let value = match *name {
            "@method" => delivery.method,
            "@authority" => authority,
            "@path" => delivery.path,
            derived if derived.starts_with('@') => return None,
            header => delivery.header(header)?.trim(),
        };
        lines.push(format!("\"{name}\": {value}"));
    }
    lines.push(format!("\"@signature-params\": {parameters}"));
    Some(lines.join("\n"))
}

/// The key's own bits out of `SEQUENCE { SEQUENCE { algorithm }, BIT STRING }`.
fn subject_public_key(spki: &[u8]) -> Option<&[u8]> {
    let (outer, _) = element(spki, 0x30)?;
    let (_, after_algorithm) = element(outer, 0x30)?;
    let (bits, _) = element(after_algorithm, 0x03)?;
    // The first byte counts the unused bits of the last one: none.
    bits.strip_prefix(&[0])
}

/// One DER element with this tag: its content, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let [found, first, rest @ ..] = der else { return None };
    if *found != tag {
        return None;
    }
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81 | 0x82 => {
            let count = usize::from(first & 0x0f);
            let length = rest.get(..count)?.iter().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
            (length, rest.get(count..)?)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Captured from pawaPay's sandbox; the body was not published, so only the signature base is checked.
    const KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEavII3g0Afh79ExaQzItBh0vEg85JJlKmjY/776EaZOe0bAQU5oJrmaEeZQdKqBSXXzKUsCh6rHZKD8EkaIIH6g==";
    const SIGNATURE: &str =
        "MEYCIQD0ks6XJ87Bdz3DAICiyYvk3G+PH55x6kPjtsikACmDzgIhAK5hODjNtTfW/Up/v17LhveEEMBWlUWoxv5XPMcocKqH";
    const DIGEST: &str =
        "sha-512=:nlU9HFYJ3DK9H2MoIsmo6Rtfi8zzIPD7aXYH3yFskeOomWOUlpGbBjN0WOWUjctMWmgPQp+HMyZYwDP8sTeSIA==:";
    const PARAMETERS: &str = r#"("@method" "@authority" "@path" "signature-date" "content-digest" "content-type");alg="ecdsa-p256-sha256";keyid="HTTP_EC_P256_KEY:1";created=1790171710;expires=1790171770"#;

    fn captured(path: &str) -> Signed {
        let headers = [
            ("signature-date".to_owned(), "2026-09-23T13:55:10.673817314Z".to_owned()),
            ("content-digest".to_owned(), DIGEST.to_owned()),
            ("content-type".to_owned(), "application/json".to_owned()),
        ];
        let delivery = Delivery { method: "POST", path, headers: &headers, body: b"" };
        let components = components(PARAMETERS).unwrap();
        let base = base(&delivery, "pay-api.reignovatechnologies.com", &components, PARAMETERS).unwrap();
        let signature = STANDARD.decode(SIGNATURE).unwrap();
        Signed { key_id: String::new(), algorithm: Algorithm::EcdsaP256, base, signature }
    }

    #[test]
    fn the_captured_callback_verifies_and_a_changed_one_does_not() {
        let key = STANDARD.decode(KEY).unwrap();
        assert!(captured("/api/v1/webhooks/pawapay").is_made_by(&key));
        assert!(!captured("/api/v1/webhooks/other").is_made_by(&key));
        assert!(!captured("/api/v1/webhooks/pawapay").is_made_by(&key[1..]));
        assert_eq!(parameter(PARAMETERS, "keyid"), Some("HTTP_EC_P256_KEY:1"));
    }

    #[test]
    fn time_is_checked_both_ways() {
        let at = |now| check_time(PARAMETERS, now);
        assert_eq!(at(1_790_171_770 + MAX_SKEW_S), Ok(()));
        assert_eq!(at(1_790_171_771 + MAX_SKEW_S), Err(Rejected::TooOld));
        assert_eq!(at(1_790_171_709 - MAX_SKEW_S), Err(Rejected::TooOld));
        let endless = "();created=1790171710;expires=9999999999";
        assert_eq!(check_time(endless, 1_790_171_711 + MAX_LIFE_S + MAX_SKEW_S), Err(Rejected::TooOld));
    }

    #[test]
    fn a_signature_that_does_not_cover_the_body_or_whose_digest_is_wrong_is_refused() {
        let check = |parameters: &str, digest: &str| {
            let headers = [
                ("signature-input".to_owned(), format!("sig-pp={parameters}")),
                ("signature".to_owned(), format!("sig-pp=:{SIGNATURE}:")),
                ("content-digest".to_owned(), digest.to_owned()),
                ("signature-date".to_owned(), "2026-09-23T13:55:10.673817314Z".to_owned()),
                ("content-type".to_owned(), "application/json".to_owned()),
            ];
            let delivery = Delivery { method: "POST", path: "/", headers: &headers, body: b"{}" };
            parse(&delivery, "host", 1_790_171_720).map(|signed| signed.key_id)
        };
        let digest = format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(b"{}")));
        assert_eq!(check(PARAMETERS, &digest), Ok("HTTP_EC_P256_KEY:1".to_owned()));
        assert_eq!(check(PARAMETERS, DIGEST), Err(Rejected::BadSignature));
        let uncovered = PARAMETERS.replace(" \"content-digest\"", "");
        assert_eq!(check(&uncovered, &digest), Err(Rejected::BadSignature));
    }
}
