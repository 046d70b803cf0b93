//! Opaque tokens: a prefix that secret scanners know, 32 random bytes, a checksum that tells a torn copy from a token
//! without asking the database. Only SHA-256 of a token is kept: there is nothing to guess in 32 random bytes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crc::{CRC_32_ISO_HDLC, Crc};
use kernel::Random;
use kernel::keys::sha256;

const CHECKSUM: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);
const RANDOM_BYTES: usize = 32;
const CHECKSUM_LETTERS: usize = 6;
/// `hsa_`, 43 letters of randomness, 6 of checksum.
const LETTERS: usize = 4 + 43 + CHECKSUM_LETTERS;

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Access,
    Refresh,
}

impl Kind {
    fn prefix(self) -> &'static str {
        match self {
            Kind::Access => "hsa_",
            Kind::Refresh => "hsr_",
        }
    }
}

/// SHA-256 of a token: what the database knows of it.
pub(crate) type Fingerprint = [u8; 32];

/// A new token and its fingerprint.
pub(crate) fn make(kind: Kind, random: &Random) -> (String, Fingerprint) {
    let body = format!("{}{}", kind.prefix(), URL_SAFE_NO_PAD.encode(random.bytes::<RANDOM_BYTES>()));
    let token = format!("{body}{}", checksum(&body));
    let fingerprint = sha256(token.as_bytes());
    (token, fingerprint)
}

/// The fingerprint of what could be a token of ours; `None` for everything else.
pub(crate) fn read(kind: Kind, text: &str) -> Option<Fingerprint> {
    if text.len() != LETTERS || !text.is_ascii() || !text.starts_with(kind.prefix()) {
        return None;
    }
    let (body, sum) = text.split_at(LETTERS - CHECKSUM_LETTERS);
    (checksum(body) == sum).then(|| sha256(text.as_bytes()))
}

fn checksum(body: &str) -> String {
    URL_SAFE_NO_PAD.encode(CHECKSUM.checksum(body.as_bytes()).to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_is_read_and_nothing_else() {
        let (token, fingerprint) = make(Kind::Access, &Random::system());
        assert_eq!(token.len(), LETTERS);
        assert_eq!(read(Kind::Access, &token), Some(fingerprint));
        assert_eq!(read(Kind::Refresh, &token), None, "another kind");
        for at in 4..LETTERS {
            let mut torn = token.clone().into_bytes();
            torn[at] = if torn[at] == b'a' { b'b' } else { b'a' };
            assert_eq!(read(Kind::Access, &String::from_utf8(torn).unwrap()), None, "letter {at} changed");
        }
        for text in ["", "hsa_", &token[1..], &format!("{token}a"), "é".repeat(27).as_str()] {
            assert_eq!(read(Kind::Access, text), None);
        }
    }
}
