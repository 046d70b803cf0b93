//! The token: `0:<user>:<password>` under AES-256-CBC with an IV of zeros, in base64.

use crate::credentials::MoovKeys;
use crate::wire::{self, BASE64};
use aes::Aes256;
use base64::Engine as _;
use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt as _, KeyIvInit as _};

const IV: [u8; 16] = [0; 16];

fn decrypt(key: &[u8], token: &str) -> Option<String> {
    let mut bytes = BASE64.decode(token).ok()?;
    let cipher = Decryptor::<Aes256>::new_from_slices(key, &IV).ok()?;
    let plain = cipher.decrypt_padded::<Pkcs7>(&mut bytes).ok()?;
    String::from_utf8(plain.to_vec()).ok()
}

/// Whether a token was made with our keys.
pub(super) fn holds(keys: &MoovKeys, token: &str) -> bool {
    let expected = format!("0:{}:{}", keys.username, keys.password);
    decrypt(keys.aes_key.as_bytes(), token).is_some_and(|plain| wire::same(&plain, &expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answer() {
        let keys = MoovKeys {
            username: "demo".to_owned(),
            password: "secret".to_owned(),
            aes_key: "0123456789ABCDEF0123456789ABCDEF".to_owned(),
        };
        assert!(holds(&keys, "8C7gvROPN8C1rAHV/G6edA=="));
        assert!(!holds(&keys, "8C7gvROPN8C1rAHV/G6edB=="));
        assert!(!holds(&keys, "not base64"));
        assert!(!holds(&MoovKeys { password: "other".to_owned(), ..keys }, "8C7gvROPN8C1rAHV/G6edA=="));
    }
}
