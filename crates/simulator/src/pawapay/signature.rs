//! RFC 9421 signatures as pawaPay really makes them: ECDSA P-256, DER-encoded instead of the standard's raw form.

use super::PAWAPAY;
use crate::callbacks::{Hand, Signing};
use crate::wire::BASE64;
use crate::world::World;
use base64::Engine as _;
use chrono::DateTime;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::{EncodePublicKey as _, LineEnding};
use sha2::{Digest as _, Sha256, Sha512};

/// How long a signature holds, in seconds.
const LIFE_S: i64 = 60;
/// Where the number of rotations is remembered.
const GENERATION: &str = "key-generation";

/// A key with its name.
#[derive(Clone)]
pub(super) struct Signer {
    id: String,
    key: Option<SigningKey>,
    raw: bool,
}

/// The key of a generation: made from the simulator's own secret, so that it is the same after a restart.
fn key(secret: &str, generation: u64) -> Option<SigningKey> {
    let seed = Sha256::digest(format!("pawapay signing key {generation} {secret}"));
    SigningKey::from_slice(&seed).ok()
}

fn generation(world: &World) -> u64 {
    world.record(PAWAPAY, GENERATION).and_then(serde_json::Value::as_u64).unwrap_or(1)
}

/// Makes a new key; the one before stays published.
pub(super) fn rotate(world: &mut World) -> Result<(), crate::model::Refusal> {
    let next = generation(world) + 1;
    world.set_record(PAWAPAY, GENERATION, Some(serde_json::json!(next)))
}

impl Signer {
    /// The present key, or a thief's.
    pub(super) fn present(world: &World, hand: Hand) -> Self {
        let generation = generation(world);
        let secret = match hand {
            Hand::Genuine => world.settings.token_secret.as_str(),
            Hand::Forged => "a key that a thief made up",
        };
        let raw = world.settings.credentials.pawapay.raw_signatures;
        Self { id: key_id(generation), key: key(secret, generation), raw }
    }

    /// The headers of one sending.
    pub(super) fn headers(&self, signing: &Signing<'_>) -> Vec<(&'static str, String)> {
        let date = DateTime::from_timestamp_millis(signing.now_ms).unwrap_or_default();
        let date = date.format("%Y-%m-%dT%H:%M:%S%.9fZ").to_string();
        let digest = format!("sha-512=:{}:", BASE64.encode(Sha512::digest(signing.body)));
        let created = signing.now_ms / 1_000;
        let parameters = format!(
            "(\"@method\" \"@authority\" \"@path\" \"signature-date\" \"content-digest\" \"content-type\");alg=\"ecdsa-p256-sha256\";keyid=\"{}\";created={created};expires={}",
            self.id,
            created + LIFE_S
        );
        let base = base(signing, &date, &digest, &parameters);
        vec![
            ("content-digest", digest),
            ("signature-date", date),
            ("signature", format!("sig-pp=:{}:", BASE64.encode(self.sign(base.as_bytes())))),
            ("signature-input", format!("sig-pp={parameters}")),
            ("accept-signature", "ecdsa-p256-sha256,ecdsa-p384-sha384,rsa-pss-sha512,rsa-v1_5-sha256".to_owned()),
            ("accept-digest", "sha-256,sha-512".to_owned()),
        ]
    }

    fn sign(&self, base: &[u8]) -> Vec<u8> {
        let Some(key) = &self.key else { return Vec::new() };
        let signature: Signature = key.sign(base);
        if self.raw { signature.to_bytes().to_vec() } else { signature.to_der().as_bytes().to_vec() }
    }
}

fn base(signing: &Signing<'_>, date: &str, digest: &str, parameters: &str) -> String {
    let authority = signing.uri.authority().map_or("", |a| a.as_str());
    format!(
        "\"@method\": {}\n\"@authority\": {authority}\n\"@path\": {}\n\"signature-date\": {date}\n\"content-digest\": {digest}\n\"content-type\": {}\n\"@signature-params\": {parameters}",
        signing.method,
        signing.uri.path(),
        signing.content_type
    )
}

fn key_id(generation: u64) -> String {
    format!("HTTP_EC_P256_KEY:{generation}")
}

/// The published keys with their names: the present one and the one before.
pub(super) fn published(world: &World) -> Vec<(String, String)> {
    let present = generation(world);
    let generations = present.saturating_sub(1).max(1)..=present;
    let keys = generations.filter_map(|generation| {
        let key = key(&world.settings.token_secret, generation)?;
        let pem = key.verifying_key().to_public_key_pem(LineEnding::LF).ok()?;
        Some((key_id(generation), pem))
    });
    keys.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use p256::ecdsa::VerifyingKey;
    use p256::ecdsa::signature::Verifier as _;
    use p256::pkcs8::DecodePublicKey as _;

    const PUBLIC: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEavII3g0Afh79ExaQzItBh0vEg85JJlKmjY/776EaZOe0bAQU5oJrmaEeZQdKqBSXXzKUsCh6rHZKD8EkaIIH6g==";
    const DIGEST: &str =
        "sha-512=:nlU9HFYJ3DK9H2MoIsmo6Rtfi8zzIPD7aXYH3yFskeOomWOUlpGbBjN0WOWUjctMWmgPQp+HMyZYwDP8sTeSIA==:";
    const PARAMETERS: &str = "(\"@method\" \"@authority\" \"@path\" \"signature-date\" \"content-digest\" \"content-type\");alg=\"ecdsa-p256-sha256\";keyid=\"HTTP_EC_P256_KEY:1\";created=1790171710;expires=1790171770";
    const DER: &str =
        "MEYCIQD0ks6XJ87Bdz3DAICiyYvk3G+PH55x6kPjtsikACmDzgIhAK5hODjNtTfW/Up/v17LhveEEMBWlUWoxv5XPMcocKqH";

    /// The signature base that we build is the one that the real sandbox signed.
    #[test]
    fn a_captured_callback_verifies() {
        let uri = "https://pay-api.reignovatechnologies.com/api/v1/webhooks/pawapay".parse().unwrap();
        let signing = Signing {
            now_ms: 1_790_171_710_673,
            method: &http::Method::POST,
            uri: &uri,
            content_type: "application/json",
            body: b"",
        };
        let base = base(&signing, "2026-09-23T13:55:10.673817314Z", DIGEST, PARAMETERS);
        let key = VerifyingKey::from_public_key_der(&BASE64.decode(PUBLIC).unwrap()).unwrap();
        let signature = Signature::from_der(&BASE64.decode(DER).unwrap()).unwrap();
        assert!(key.verify(base.as_bytes(), &signature).is_ok());
    }

    #[test]
    fn both_encodings_verify() {
        let key = key("s", 1).unwrap();
        let public = *key.verifying_key();
        for raw in [false, true] {
            let signer = Signer { id: key_id(1), key: Some(key.clone()), raw };
            let bytes = signer.sign(b"base");
            let signature = if raw { Signature::from_slice(&bytes) } else { Signature::from_der(&bytes) };
            assert!(public.verify(b"base", &signature.unwrap()).is_ok());
        }
    }
}
