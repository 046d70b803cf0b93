use std::collections::HashSet;
use std::sync::LazyLock;

use subtle::ConstantTimeEq;

use crate::IdentityError;

/// Fewer characters are guessed, in characters.
const MIN_CHARS: usize = 8;
/// More are only sent to keep the hasher busy, in characters.
const MAX_CHARS: usize = 128;
/// Fewer different characters than this are a pattern, not a password.
const MIN_DISTINCT: usize = 4;
/// A shorter part of an identifier may stand in a password by chance, in characters.
const MIN_OWN_PART: usize = 4;
/// The last digits of a number are what people remember of it.
const OWN_NUMBER_DIGITS: usize = 8;

/// Words, names and keyboard walks that are tried first, here and elsewhere; lower case, one a line.
static COMMON: LazyLock<HashSet<&str>> = LazyLock::new(|| include_str!("common.txt").lines().collect());

/// Whether a password may be chosen; `identifiers` are the account's own, which it may not contain.
pub(crate) fn check<'a>(password: &str, identifiers: impl IntoIterator<Item = &'a str>) -> Result<(), IdentityError> {
    let refused = |reason| Err(IdentityError::Field("password", reason));
    // Counting stops early: the text may be as long as a body may be.
    match password.chars().take(MAX_CHARS + 1).count() {
        length if length < MIN_CHARS => return refused("password_too_short"),
        length if length > MAX_CHARS => return refused("password_too_long"),
        _ => {}
    }
    let lower = password.to_lowercase();
    if is_common(&lower) {
        return refused("password_too_common");
    }
    if identifiers.into_iter().filter_map(own_part).any(|part| lower.contains(&part)) {
        return refused("password_contains_identifier");
    }
    Ok(())
}

/// Whether the password was typed twice the same; compared in constant time.
pub(crate) fn confirmed(password: &str, confirmation: &str) -> Result<(), IdentityError> {
    if bool::from(password.as_bytes().ct_eq(confirmation.as_bytes())) {
        Ok(())
    } else {
        Err(IdentityError::Field("confirmPassword", "password_mismatch"))
    }
}

/// A known word, also with a year or signs behind it, a row of neighbours, or a few characters again and again.
fn is_common(lower: &str) -> bool {
    let word = lower.trim_end_matches(|c: char| c.is_ascii_digit() || c.is_ascii_punctuation());
    let distinct = lower.chars().collect::<HashSet<_>>().len();
    COMMON.contains(lower) || COMMON.contains(word) || distinct < MIN_DISTINCT || is_sequence(lower)
}

/// `abcdefgh`, `98765432`: each character is the neighbour of the one before, always on the same side.
fn is_sequence(text: &str) -> bool {
    let steps: HashSet<i64> = text
        .chars()
        .zip(text.chars().skip(1))
        .map(|(a, b)| i64::from(u32::from(b)) - i64::from(u32::from(a)))
        .collect();
    matches!(steps.iter().next(), Some(1 | -1)) && steps.len() == 1
}

/// What of an identifier its owner's acquaintances know.
fn own_part(identifier: &str) -> Option<String> {
    let part = match identifier.split_once('@') {
        Some((local, _)) => local.to_lowercase(),
        None => identifier.get(identifier.len().checked_sub(OWN_NUMBER_DIGITS)?..)?.to_owned(),
    };
    (part.chars().count() >= MIN_OWN_PART).then_some(part)
}
