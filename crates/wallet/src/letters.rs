//! References that people read to each other.

use kernel::Random;

/// Letters and digits that nobody confuses: no I, L, O, U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// `N` random letters: five bits each.
pub(crate) fn letters<const N: usize>(random: &Random) -> String {
    let letter = |byte: &u8| char::from(ALPHABET.get(usize::from(byte & 31)).copied().unwrap_or(b'0'));
    random.bytes::<N>().iter().map(letter).collect()
}
