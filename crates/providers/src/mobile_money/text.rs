//! Texts and numbers in the shapes that providers take.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use unicode_normalization::UnicodeNormalization as _;

use crate::Secret;

/// Letters, digits, spaces and hyphens only, accents removed: apostrophes and accents are refused in some countries.
pub(crate) fn plain(text: &str, max_chars: usize) -> String {
    text.nfd().filter(|letter| letter.is_ascii_alphanumeric() || matches!(letter, ' ' | '-')).take(max_chars).collect()
}

/// `2250708091011`: E.164 without its plus sign.
pub(crate) fn msisdn(e164: &str) -> &str {
    e164.strip_prefix('+').unwrap_or(e164)
}

/// `0708091011`: the national number, leading zero kept, which is part of Ivorian numbers.
pub(crate) fn national(e164: &str) -> &str {
    e164.strip_prefix("+225").unwrap_or(e164)
}

/// `Basic …` of a user and a password.
pub(crate) fn basic(user: &str, password: &Secret) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.expose())))
}

/// A value safe in a path or a query.
pub(crate) fn escaped(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// A provider's code, if it looks like one: what goes into logs and tables must not be a sentence with a name in it.
pub(crate) fn code(text: &str) -> Option<String> {
    let fits = |letter: u8| letter.is_ascii_alphanumeric() || matches!(letter, b'-' | b'_');
    (!text.is_empty() && text.len() <= 60 && text.bytes().all(fits)).then(|| text.to_owned())
}

/// The secret at the end of a callback address (or of the path that a callback arrived on).
pub(crate) fn last_segment(address: &str) -> Option<String> {
    let path = address.split(['?', '#']).next()?;
    path.trim_end_matches('/').rsplit('/').next().filter(|segment| !segment.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_lose_accents_and_apostrophes_but_stay_readable() {
        assert_eq!(plain("Dépôt d’argent à l'étudiante n°3", 160), "Depot dargent a letudiante n3");
        assert_eq!(plain("Depot Hostolink", 5), "Depot");
    }

    #[test]
    fn numbers_keep_their_leading_zero() {
        assert_eq!(msisdn("+2250708091011"), "2250708091011");
        assert_eq!(national("+2250708091011"), "0708091011");
    }

    #[test]
    fn basic_credentials_match_the_known_answer() {
        let user = "6f1c1f0e-5d7a-4a51-9b1e-2f2f6f1c1f0e";
        let header = basic(user, &Secret::new("0123456789abcdef0123456789abcdef"));
        let expected =
            "Basic NmYxYzFmMGUtNWQ3YS00YTUxLTliMWUtMmYyZjZmMWMxZjBlOjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm";
        assert_eq!(header, expected);
    }

    #[test]
    fn sentences_are_not_codes() {
        assert_eq!(code("PAYER_NOT_FOUND").as_deref(), Some("PAYER_NOT_FOUND"));
        assert_eq!(code("No account for Awa Kone"), None);
    }
}
