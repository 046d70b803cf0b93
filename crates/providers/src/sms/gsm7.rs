//! The alphabet of a plain SMS (3GPP TS 23.038): 160 characters in one message instead of 70.

/// Septets in a message alone.
pub const SINGLE_SEPTETS: usize = 160;
/// Septets in each message of a split text (the rest numbers the parts).
pub const PART_SEPTETS: usize = 153;
/// UTF-16 units in a message alone, outside the alphabet.
pub const SINGLE_UNITS: usize = 70;
/// UTF-16 units in each message of a split text.
pub const PART_UNITS: usize = 67;

/// Letters of one septet. French note: `é è à ù ò ì É Ç` are in it, `ê ô ç œ ’` are not.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                     ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// Letters of two septets (an escape comes first).
const EXTENDED: &str = "^{}\\[~]|€\u{c}";

/// Septets that the text takes, or nothing when a letter is outside the alphabet.
pub fn septets(text: &str) -> Option<usize> {
    text.chars().map(letter_septets).sum()
}

/// Whether the text is one message of the plain alphabet, as a code must be.
pub fn fits(text: &str) -> bool {
    septets(text).is_some_and(|count| count <= SINGLE_SEPTETS)
}

/// Number of messages that an operator bills for this text.
pub fn parts(text: &str) -> usize {
    let (size, single, part) = match septets(text) {
        Some(count) => (count, SINGLE_SEPTETS, PART_SEPTETS),
        None => (text.encode_utf16().count(), SINGLE_UNITS, PART_UNITS),
    };
    if size <= single { 1 } else { size.div_ceil(part) }
}

fn letter_septets(letter: char) -> Option<usize> {
    if BASIC.contains(letter) {
        Some(1)
    } else if EXTENDED.contains(letter) {
        Some(2)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet_has_its_127_letters_and_10_extensions() {
        // 128 places, one of which is the escape itself.
        assert_eq!(BASIC.chars().count(), 127);
        assert_eq!(EXTENDED.chars().count(), 10);
    }

    #[test]
    fn french_letters_in_and_out_of_the_alphabet() {
        assert_eq!(septets("Votre code: 482913. é è à ù É Ç"), Some(31));
        for outside in ["ê", "ô", "ç", "œ", "’", "😀"] {
            assert_eq!(septets(outside), None, "{outside}");
        }
    }

    #[test]
    fn lengths_at_their_borders() {
        assert!(fits(&"a".repeat(160)) && !fits(&"a".repeat(161)));
        assert!(fits(&"€".repeat(80)) && !fits(&"€".repeat(81)));
        assert_eq!([160, 161, 306, 307].map(|n| parts(&"a".repeat(n))), [1, 2, 2, 3]);
        assert_eq!([70, 71, 134, 135].map(|n| parts(&"ê".repeat(n))), [1, 2, 2, 3]);
    }
}
