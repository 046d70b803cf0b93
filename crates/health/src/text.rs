//! Names as people type them: accents, case, punctuation and the words that name a kind do not tell two places apart.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Lower case, no accents, everything that is no letter or digit becomes one space.
pub fn normal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase) {
        match c {
            'œ' => out.push_str("oe"),
            'æ' => out.push_str("ae"),
            c if c.is_alphanumeric() => out.push(c),
            _ if out.is_empty() || out.ends_with(' ') => {}
            _ => out.push(' '),
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// A display name: no-break and repeated spaces are one space, nothing at the ends.
pub fn tidy(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The longest word that is compared, in bytes; what is longer is compared by its beginning.
const MAX_WORD: usize = 48;

/// How alike two words in normal form are, 0 to 1: edits (a swap of neighbours is one) against the longer one's length.
pub fn likeness(a: &str, b: &str) -> f32 {
    if a == b {
        return 1.0;
    }
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let (a, b) = (&a[..a.len().min(MAX_WORD)], &b[..b.len().min(MAX_WORD)]);
    let longest = a.len().max(b.len());
    #[expect(clippy::cast_precision_loss, reason = "words are short")]
    let share = edits(a, b) as f32 / longest.max(1) as f32;
    1.0 - share
}

/// Optimal string alignment distance over three rows on the stack: a search asks for it some ten thousand times.
fn edits(a: &[u8], b: &[u8]) -> usize {
    let mut before = [0_usize; MAX_WORD + 1];
    let mut last = [0_usize; MAX_WORD + 1];
    let mut row = [0_usize; MAX_WORD + 1];
    for (j, cell) in last.iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        row[0] = i;
        for j in 1..=b.len() {
            let change = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + change);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row[j] = best;
        }
        (before, last, row) = (last, row, before);
    }
    last[b.len()]
}

/// The three-letter pieces of a normal text, each word with a blank on both sides; sorted, each once.
pub fn trigrams(normal: &str) -> Vec<[u8; 3]> {
    let mut pieces = Vec::new();
    for word in normal.split(' ').filter(|word| !word.is_empty()) {
        let padded: Vec<u8> = [b" ", word.as_bytes(), b" "].concat();
        pieces.extend(padded.windows(3).map(|w| [w[0], w[1], w[2]]));
    }
    pieces.sort_unstable();
    pieces.dedup();
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_does_not_matter() {
        assert_eq!(normal("  Hôpital Général d'Abobo (Cœur)\u{a0}"), "hopital general d abobo coeur");
        assert_eq!(normal("II  PLATEAUX—Vallon"), "ii plateaux vallon");
        assert_eq!(tidy(" a\u{a0} b \t"), "a b");
    }

    #[test]
    fn one_typing_error_is_a_small_distance() {
        assert!((likeness("treichville", "trecihville") - (1.0 - 1.0 / 11.0)).abs() < 1e-6);
        assert_eq!(likeness("abc", "xyz"), 0.0);
        assert_eq!(likeness("", ""), 1.0);
        assert!(likeness(&"a".repeat(500), "a") < 0.1);
    }

    #[test]
    fn pieces_mark_the_ends_of_words() {
        assert_eq!(trigrams("ab"), [*b" ab", *b"ab "]);
        assert_eq!(trigrams("a"), [*b" a "]);
    }
}
