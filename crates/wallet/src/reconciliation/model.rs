//! Lines of statements, and what each means beside the order that it is about.

use chrono::{DateTime, NaiveDate, Utc};
use providers::mobile_money::StatementLine;

use super::store::Order;

/// Lines of one statement.
pub(super) const MAX_LINES: usize = 500_000;
/// The longest identifier, label or reference that is kept, in characters.
const MAX_TEXT: usize = 140;

/// Where a statement came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A table of the operator's.
    Csv,
    /// ISO 20022, of a bank.
    Camt053,
    /// The operator's own list.
    Api,
}

impl Format {
    /// `releve.format`
    pub(super) fn stored(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Camt053 => "camt053",
            Format::Api => "api",
        }
    }
}

/// A statement, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Where it came from.
    pub format: Format,
    /// Its first day.
    pub from: Option<NaiveDate>,
    /// Its last day.
    pub to: Option<NaiveDate>,
    /// Our balance at its end, in francs.
    pub closing: Option<i64>,
    /// Its lines.
    pub lines: Vec<Line>,
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The operator's transaction.
    pub id: String,
    /// The operator's word for the movement.
    pub label: String,
    /// In francs, positive when our money there grew.
    pub amount: i64,
    /// Charged beside it, in francs.
    pub fee: i64,
    /// Our reference.
    pub reference: Option<String>,
    /// When.
    pub at: Option<DateTime<Utc>>,
}

/// Why a file is not read. Lines are counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Larger than 64 MiB, or more than 500,000 lines.
    #[error("the file is too large")]
    TooLarge,
    /// Neither a table nor camt.053.
    #[error("the file is neither CSV nor camt.053: {0}")]
    Unknown(String),
    /// A column without which nothing can be compared.
    #[error("the column {0} is missing")]
    MissingColumn(&'static str),
    /// A line that cannot be read.
    #[error("line {line}: {what}")]
    Line {
        /// Which one.
        line: usize,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// Reads a file by what it holds, not by its name.
pub(super) fn read(file: &[u8]) -> Result<Statement, ReadError> {
    let text = std::str::from_utf8(file).map(str::to_owned).unwrap_or_else(|_| {
        // Spreadsheets of the region still write Windows-1252; the letters that matter here are the same as in Latin-1.
        file.iter().map(|byte| char::from(*byte)).collect()
    });
    let text = text.trim_start_matches('\u{feff}');
    let mut statement =
        if text.trim_start().starts_with('<') { super::camt::read(text)? } else { super::csv::read(text)? };
    if statement.lines.len() > MAX_LINES {
        return Err(ReadError::TooLarge);
    }
    let days = || statement.lines.iter().filter_map(|line| line.at.map(|at| at.date_naive()));
    let (first, last) = (days().min(), days().max());
    statement.from = statement.from.or(first);
    statement.to = statement.to.or(last);
    Ok(statement)
}

/// A line of an operator's own list; what has no known sign is left for a person by the list itself.
pub(super) fn of_list(line: &StatementLine) -> Option<Line> {
    Some(Line {
        id: short(&line.transaction_id),
        label: short(&line.kind),
        amount: line.amount_francs?,
        fee: line.fee_francs.max(0),
        reference: line.reference.as_deref().map(short),
        at: line.at.parse().ok(),
    })
}

pub(super) fn short(text: &str) -> String {
    text.trim().chars().take(MAX_TEXT).collect()
}

/// `1500`, `1 500`, `1.500,00`, `1,500.00`, `-1500 XOF` in whole francs; anything with a fraction is refused.
pub(super) fn francs(text: &str) -> Option<i64> {
    let plain: String = text.chars().filter(|c| c.is_ascii_digit() || matches!(c, ',' | '.' | '-' | '+')).collect();
    let known = text.chars().all(|c| {
        c.is_ascii_digit()
            || c.is_whitespace()
            || c.is_alphabetic()
            || matches!(c, ',' | '.' | '-' | '+' | '\u{a0}' | '\u{202f}')
    });
    let (negative, digits) = match plain.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    // A separator followed by one or two digits at the end is a fraction; three digits are thousands.
    let (whole, fraction) = match digits.rfind([',', '.']) {
        Some(at) if digits.len() - at <= 3 => (digits.get(..at)?, digits.get(at + 1..)?),
        _ => (digits, ""),
    };
    let whole: String = whole.chars().filter(char::is_ascii_digit).collect();
    let zero = fraction.bytes().all(|byte| byte == b'0');
    let value: i64 = (known && zero && !whole.is_empty()).then(|| whole.parse().ok()).flatten()?;
    Some(if negative { -value } else { value })
}

/// What a line means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// The books say the same.
    Fits,
    /// The order has not ended here yet.
    Waiting,
    /// Another story.
    Differs {
        /// `ecart_rapprochement.nature`
        kind: &'static str,
        /// What the operator has more than the books know.
        francs: i64,
    },
}

/// `twice`: another line was ticked for the same order.
pub(super) fn judge(amount: i64, order: Option<&Order>, twice: bool) -> Finding {
    let Some(order) = order else { return Finding::Differs { kind: "inconnu_chez_nous", francs: amount } };
    if twice {
        return Finding::Differs { kind: "en_double", francs: amount };
    }
    let ours = if order.sens == "depot" { order.montant + order.frais } else { -order.montant };
    match order.etat.as_str() {
        "reussi" if amount == ours => Finding::Fits,
        "reussi" => Finding::Differs { kind: "montant_different", francs: amount - ours },
        "cree" | "envoye" | "inconnu" => Finding::Waiting,
        // Given up, refused or in the hands of a person: the books hold nothing of it.
        _ => Finding::Differs { kind: "non_regle", francs: amount },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(side: &str, state: &str) -> Order {
        Order { id: uuid::Uuid::nil(), sens: side.into(), montant: 1500, frais: 0, etat: state.into() }
    }

    #[test]
    fn amounts_are_read_in_the_spellings_of_spreadsheets() {
        for (text, expected) in [
            ("1500", 1500),
            ("1 500", 1500),
            ("1\u{202f}500 XOF", 1500),
            ("-1.500,00", -1500),
            ("+1,500.00", 1500),
            ("1,500", 1500),
            ("1500.0", 1500),
        ] {
            assert_eq!(francs(text), Some(expected), "{text}");
        }
        for text in ["", "XOF", "1500,50", "12:30", "=1+1", "99999999999999999999"] {
            assert_eq!(francs(text), None, "{text}");
        }
    }

    #[test]
    fn a_line_fits_or_says_by_how_much_it_does_not() {
        let differs = |kind, francs| Finding::Differs { kind, francs };
        assert_eq!(judge(1500, Some(&order("depot", "reussi")), false), Finding::Fits);
        assert_eq!(judge(-1500, Some(&order("retrait", "reussi")), false), Finding::Fits);
        assert_eq!(judge(1400, Some(&order("depot", "reussi")), false), differs("montant_different", -100));
        assert_eq!(judge(1500, Some(&order("retrait", "reussi")), false), differs("montant_different", 3000));
        assert_eq!(judge(-1500, Some(&order("retrait", "reussi")), true), differs("en_double", -1500));
        assert_eq!(judge(-1500, Some(&order("retrait", "inconnu")), false), Finding::Waiting);
        assert_eq!(judge(-1500, Some(&order("retrait", "echoue")), false), differs("non_regle", -1500));
        assert_eq!(judge(700, None, false), differs("inconnu_chez_nous", 700));
    }
}
