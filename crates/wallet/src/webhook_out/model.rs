//! Standard Webhooks (standardwebhooks.com): how a message is signed, so that merchants use the libraries that exist.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use kernel::Random;
use sha2::Sha256;
use uuid::Uuid;

/// Bytes of a signing secret.
const SECRET_BYTES: usize = 32;
const PREFIX: &str = "whsec_";

/// A new signing secret, as merchants' libraries take it.
pub(super) fn secret(random: &Random) -> String {
    format!("{PREFIX}{}", STANDARD.encode(random.bytes::<SECRET_BYTES>()))
}

/// One signature for each secret that is valid at present: `v1,… v1,…`.
pub(super) fn signatures(secrets: &[&str], id: &str, unix_s: i64, body: &[u8]) -> String {
    secrets.iter().filter_map(|secret| signature(secret, id, unix_s, body)).collect::<Vec<_>>().join(" ")
}

fn signature(secret: &str, id: &str, unix_s: i64, body: &[u8]) -> Option<String> {
    let key = STANDARD.decode(secret.strip_prefix(PREFIX)?).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(format!("{id}.{unix_s}.").as_bytes());
    mac.update(body);
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

/// `webhook-id` of a message: the same at every try, so that a merchant can tell a repeat.
pub(super) fn message_id(delivery: Uuid) -> String {
    format!("msg_{}", delivery.simple())
}

/// The name of what happened to an operation.
pub(super) fn event(nature: &str, status: &str) -> Option<&'static str> {
    match status {
        "reussie" => Some("transaction.succeeded"),
        "attente" if nature == "reglement" => Some("transaction.captured"),
        "attente" => Some("transaction.pending"),
        "echouee" => Some("transaction.failed"),
        "expiree" => Some("transaction.expired"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_example_is_signed_as_published() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let signed = signatures(&[secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn both_secrets_sign_during_a_rotation() {
        let random = Random::seeded(1);
        let (old, new) = (secret(&random), secret(&random));
        assert!(old.starts_with(PREFIX) && old != new);
        let both = signatures(&[&new, &old], "msg_1", 1, b"{}");
        assert_eq!(both.split(' ').count(), 2);
        assert!(both.ends_with(&signatures(&[&old], "msg_1", 1, b"{}")));
    }
}
