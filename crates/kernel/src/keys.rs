//! Every key of the program is derived from one secret of 32 bytes. The previous secret may stay beside the current one
//! while it is being replaced: what was made with it still verifies, everything new is made with the current one.

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::Random;

const SECRET_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;

/// The names of what is derived: a key serves one purpose only.
#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    /// Codes by SMS and e-mail.
    Otp,
    /// The payment PIN.
    Pin,
    /// Messages that wait to be sent.
    Outbox,
    /// Cursors, receipts and other things that we hand out and read back.
    Token,
    /// What has to be read again to deal with others: accounts at operators, secrets of webhooks.
    Vault,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Purpose::Otp => b"hostolink/otp/1",
            Purpose::Pin => b"hostolink/pin/1",
            Purpose::Outbox => b"hostolink/outbox/1",
            Purpose::Token => b"hostolink/token/1",
            Purpose::Vault => b"hostolink/vault/1",
        }
    }
}

/// The current secret and, while it is being replaced, the previous one.
#[derive(Clone)]
pub struct Keys {
    secrets: Vec<Generation>,
}

#[derive(Clone)]
struct Generation {
    id: i16,
    secret: Zeroizing<[u8; SECRET_BYTES]>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Keys({} generation(s))", self.secrets.len())
    }
}

impl Keys {
    /// The first secret makes, all of them verify.
    pub fn new(current: [u8; SECRET_BYTES], previous: Option<[u8; SECRET_BYTES]>) -> Self {
        let generations = std::iter::once(current).chain(previous).map(Generation::new).collect();
        Self { secrets: generations }
    }

    /// Reads a secret written as 64 hexadecimal digits or as base64 of 32 bytes.
    pub fn parse_secret(text: &str) -> Option<[u8; SECRET_BYTES]> {
        use base64::Engine;
        use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
        let text = text.trim();
        let bytes = hex::decode(text)
            .ok()
            .filter(|bytes| bytes.len() == SECRET_BYTES)
            .or_else(|| STANDARD.decode(text).ok())
            .or_else(|| URL_SAFE_NO_PAD.decode(text).ok())?;
        bytes.try_into().ok()
    }

    /// Which secret makes new things: kept beside each of them.
    pub fn current(&self) -> i16 {
        self.secrets.first().map_or(0, |generation| generation.id)
    }

    /// HMAC-SHA256 under the key of this purpose. `None` when the generation is not known any more.
    /// The parts are prefixed with their length, so that `ab|c` and `a|bc` differ.
    pub fn mac(&self, purpose: Purpose, generation: i16, parts: &[&[u8]]) -> Option<[u8; 32]> {
        let key = self.derive(purpose, generation)?;
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key.as_slice()).ok()?;
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        Some(mac.finalize().into_bytes().into())
    }

    /// Seals a text for storage: generation, nonce and ciphertext in one piece. `context` has to be the same when it is opened.
    pub fn seal(&self, purpose: Purpose, random: &Random, context: &[u8], clear: &[u8]) -> Option<Vec<u8>> {
        let generation = self.current();
        let cipher = Aes256Gcm::new_from_slice(self.derive(purpose, generation)?.as_slice()).ok()?;
        let nonce: [u8; NONCE_BYTES] = random.bytes();
        let sealed = cipher.encrypt(&Nonce::from(nonce), Payload { msg: clear, aad: context }).ok()?;
        Some([generation.to_be_bytes().as_slice(), &nonce, &sealed].concat())
    }

    /// Opens what [`Keys::seal`] made; `None` when it was altered, belongs elsewhere or its secret is gone.
    pub fn open(&self, purpose: Purpose, context: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (generation, rest) = sealed.split_first_chunk::<2>()?;
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_BYTES>()?;
        let key = self.derive(purpose, i16::from_be_bytes(*generation))?;
        let cipher = Aes256Gcm::new_from_slice(key.as_slice()).ok()?;
        let clear = cipher.decrypt(&Nonce::from(*nonce), Payload { msg: ciphertext, aad: context }).ok()?;
        Some(Zeroizing::new(clear))
    }

    fn derive(&self, purpose: Purpose, generation: i16) -> Option<Zeroizing<[u8; 32]>> {
        let secret = &self.secrets.iter().find(|known| known.id == generation)?.secret;
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(None, secret.as_slice()).expand(purpose.label(), key.as_mut_slice()).ok()?;
        Some(key)
    }
}

impl Generation {
    /// A generation is named by two bytes of a hash of its secret: nothing to number by hand, nothing that tells the secret.
    fn new(secret: [u8; SECRET_BYTES]) -> Self {
        let digest = Sha256::new().chain_update(b"hostolink/generation/1").chain_update(secret).finalize();
        let id = i16::from_be_bytes([digest[0], digest[1]]);
        Self { id, secret: Zeroizing::new(secret) }
    }
}

/// SHA-256, for tokens of full entropy: nothing to guess, so no key is needed.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_secret_still_verifies_and_opens() {
        let (old, random) = (Keys::new([1; 32], None), Random::seeded(1));
        let sealed = old.seal(Purpose::Outbox, &random, b"42", b"bonjour").unwrap();
        let mac = old.mac(Purpose::Otp, old.current(), &[b"a", b"b"]);
        let new = Keys::new([2; 32], Some([1; 32]));
        assert_eq!(new.open(Purpose::Outbox, b"42", &sealed).unwrap().as_slice(), b"bonjour");
        assert_eq!(new.mac(Purpose::Otp, old.current(), &[b"a", b"b"]), mac);
        assert_ne!(new.current(), old.current());
        assert!(Keys::new([2; 32], None).open(Purpose::Outbox, b"42", &sealed).is_none());
        assert!(new.open(Purpose::Outbox, b"43", &sealed).is_none(), "another context");
    }

    #[test]
    fn parts_do_not_run_together() {
        let keys = Keys::new([3; 32], None);
        let mac = |parts: &[&[u8]]| keys.mac(Purpose::Otp, keys.current(), parts);
        assert_ne!(mac(&[b"ab", b"c"]), mac(&[b"a", b"bc"]));
    }

    #[test]
    fn secrets_are_read_in_hex_and_base64() {
        assert!(Keys::parse_secret(&"ab".repeat(32)).is_some());
        assert!(Keys::parse_secret("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").is_some());
        assert!(Keys::parse_secret("trop court").is_none());
    }
}
