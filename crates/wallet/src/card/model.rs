use kernel::Random;

use crate::letters::letters;

/// Letters behind the prefix: 50 bits, unique by an index.
const LENGTH: usize = 10;

/// A card's reference: `HL-7K2M9-QX4TD`. With its letters it can never be taken for a card number.
pub(super) fn reference(random: &Random) -> String {
    let letters = letters::<LENGTH>(random);
    let (first, second) = letters.split_at(LENGTH / 2);
    format!("HL-{first}-{second}")
}

/// Whether a text holds what looks like a full card number: 13 to 19 digits, spaced or not, whose Luhn sum is right.
pub(super) fn holds_card_number(text: &str) -> bool {
    let mut digits: Vec<u8> = Vec::new();
    let mut gap = 0;
    for byte in text.bytes().chain(std::iter::once(b'"')) {
        match byte {
            b'0'..=b'9' => {
                digits.push(byte - b'0');
                gap = 0;
            }
            // Numbers are written in groups: one separator between digits does not end them.
            b' ' | b'-' | b'.' if gap == 0 && !digits.is_empty() => gap = 1,
            _ => {
                if is_number(&digits) {
                    return true;
                }
                digits.clear();
                gap = 0;
            }
        }
    }
    false
}

/// A run of a card's length is judged as a whole; in a longer one (a number with its date behind it) every window counts.
fn is_number(digits: &[u8]) -> bool {
    match digits.len() {
        ..13 => false,
        13..=19 => luhn(digits),
        20..=MAX_RUN => (13..=19).any(|length| digits.windows(length).any(luhn)),
        _ => false,
    }
}

/// Longer runs of digits are no card: bounds the work on a hostile text.
const MAX_RUN: usize = 64;

fn luhn(digits: &[u8]) -> bool {
    let doubled = |digit: u8| if digit > 4 { 2 * digit - 9 } else { 2 * digit };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| u32::from(if place % 2 == 1 { doubled(*digit) } else { *digit }))
        .sum();
    sum > 0 && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn card_numbers_are_seen_however_they_are_written() {
        for text in [
            r#"{"number":"4242424242424242"}"#,
            r#"{"n":4242424242424242}"#,
            "4242 4242 4242 4242",
            "5555-5555-5555-4444",
            "3782 822463 10005",
            "carte 4000056655665556 merci",
            "6011.1111.1111.1117",
            "4242424242424242 12 27 123",
        ] {
            assert!(holds_card_number(text), "{text}");
        }
        for text in [
            r#"{"token":"tok_4242"}"#,
            "4242424242424241",
            "+2250707070707",
            "019a2b3c-0000-7000-8000-0000000000",
            "0000000000000000",
            "",
        ] {
            assert!(!holds_card_number(text), "{text}");
        }
    }

    #[test]
    fn references_differ_and_are_no_card_numbers() {
        let random = Random::seeded(5);
        let made: Vec<String> = (0..100).map(|_| reference(&random)).collect();
        let distinct: std::collections::BTreeSet<&String> = made.iter().collect();
        assert_eq!(distinct.len(), made.len());
        assert!(made.iter().all(|text| text.len() == 14 && !holds_card_number(text)));
    }
}
