//! HMAC signatures of webhooks: every active secret, compared in constant time on decoded bytes.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::Secret;

/// HMAC-SHA256 of the parts, one after the other.
pub(crate) fn hmac_sha256(secret: &Secret, parts: &[&[u8]]) -> Option<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).ok()?;
    parts.iter().for_each(|part| mac.update(part));
    Some(mac.finalize().into_bytes().to_vec())
}

/// Whether one of the signatures was made with one of the secrets (a secret may be in rotation, and so may theirs).
pub(crate) fn is_signed(secrets: &[Secret], parts: &[&[u8]], signatures: &[Vec<u8>]) -> bool {
    secrets.iter().any(|secret| {
        Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).is_ok_and(|mut mac| {
            parts.iter().for_each(|part| mac.update(part));
            signatures.iter().any(|signature| mac.clone().verify_slice(signature).is_ok())
        })
    })
}

/// Hexadecimal in either case, as providers write it in both.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    hex::decode(text.trim()).ok()
}

/// SHA-256 in hexadecimal: identity of a webhook that has none of its own.
pub(crate) fn fingerprint(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    hex::encode(Sha256::digest(bytes))
}
