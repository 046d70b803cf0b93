use chrono::{DateTime, Utc};
use kernel::Failure;
use kernel::http::{Lang, Lexicon};

use super::{Line, Statement};
use crate::pdf::{self, HEIGHT, Sheet, WIDTH, Weight};
use crate::receipt::{kind, moment};

const LEFT: f32 = 45.0;
const RIGHT: f32 = WIDTH - 45.0;
const TOP: f32 = HEIGHT - 60.0;
const BOTTOM: f32 = 60.0;
const STEP: f32 = 15.0;
/// Where columns begin; amounts end at theirs.
const KIND: f32 = 140.0;
const OTHER: f32 = 235.0;
const AMOUNT: f32 = 465.0;

/// One line a posting, UTF-8, comma separated (RFC 4180); amounts are whole francs, negative when they left.
pub(super) fn csv(statement: &Statement) -> Result<Vec<u8>, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = ["date", "id", "type", "counterparty", "identifier", "note", "amount", "fee", "balance", "currency"];
    writer.write_record(header).map_err(Failure::internal)?;
    for Line { entry, other } in &statement.lines {
        let operation = &entry.operation;
        let fee = if entry.amount < 0 { operation.fee } else { 0 };
        writer
            .write_record([
                kernel::Timestamp(entry.at).text(),
                operation.id.to_string(),
                operation.kind.api().to_owned(),
                harmless(&other.display_name),
                harmless(&other.masked_identifier),
                harmless(operation.note.as_deref().unwrap_or("")),
                entry.amount.to_string(),
                fee.to_string(),
                entry.balance.to_string(),
                kernel::money::CURRENCY.to_owned(),
            ])
            .map_err(Failure::internal)?;
    }
    writer.into_inner().map_err(Failure::internal)
}

/// A spreadsheet runs what begins like a formula: other people's notes must not.
fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

/// As many pages as it takes, each with its head and number.
pub(super) fn pdf(lexicon: &Lexicon, lang: Lang, statement: &Statement, now: DateTime<Utc>) -> Vec<u8> {
    let word = |key: &str| lexicon.sentence(lang, key, &[]);
    let mut sheets = Vec::new();
    let mut lines = statement.lines.iter().peekable();
    loop {
        let mut sheet = Sheet::new();
        let mut y = head(&mut sheet, lexicon, lang, statement, sheets.len() + 1);
        if sheets.is_empty() {
            y = balance(&mut sheet, y, &word("wallet.doc_opening"), statement.opening);
        }
        while y > BOTTOM + STEP
            && let Some(line) = lines.next()
        {
            y -= STEP;
            drawn(&mut sheet, y, line, &word(kind(line.entry.operation.kind.api())));
        }
        let last = lines.peek().is_none();
        if last {
            sheet.rule(LEFT, RIGHT, y - 5.0);
            balance(&mut sheet, y - 5.0, &word("wallet.doc_closing"), statement.closing);
        }
        let made = lexicon.sentence(lang, "wallet.doc_made", &[("date", moment(now))]);
        sheet.text(LEFT, 35.0, 8.0, Weight::Regular, &made);
        sheets.push(sheet);
        if last {
            return pdf::file(&word("wallet.doc_statement"), sheets);
        }
    }
}

fn head(sheet: &mut Sheet, lexicon: &Lexicon, lang: Lang, statement: &Statement, page: usize) -> f32 {
    let word = |key: &str| lexicon.sentence(lang, key, &[]);
    let day = |day: chrono::NaiveDate| day.format("%d/%m/%Y").to_string();
    let period = format!("{} - {}", day(statement.period.from), day(statement.period.to));
    sheet.text(LEFT, TOP, 18.0, Weight::Bold, "Hostolink");
    sheet.number(RIGHT, TOP, 10.0, Weight::Regular, &page.to_string());
    sheet.text(LEFT, TOP - 22.0, 12.0, Weight::Regular, &format!("{}  {period}", word("wallet.doc_statement")));
    let owner = format!("{} {}", statement.owner.display_name, statement.owner.masked_identifier);
    sheet.text(LEFT, TOP - 38.0, 10.0, Weight::Regular, owner.trim());
    let y = TOP - 60.0;
    for (x, key) in [(LEFT, "wallet.doc_date"), (KIND, "wallet.doc_type"), (OTHER, "wallet.doc_other")] {
        sheet.text(x, y, 8.5, Weight::Bold, &word(key));
    }
    sheet.text(AMOUNT - 45.0, y, 8.5, Weight::Bold, &word("wallet.doc_amount"));
    sheet.text(RIGHT - 35.0, y, 8.5, Weight::Bold, &word("wallet.doc_balance"));
    sheet.rule(LEFT, RIGHT, y - 5.0);
    y - 5.0
}

fn balance(sheet: &mut Sheet, y: f32, label: &str, amount: i64) -> f32 {
    let y = y - STEP;
    sheet.text(LEFT, y, 8.5, Weight::Bold, label);
    sheet.number(RIGHT, y, 8.5, Weight::Bold, &pdf::grouped(amount));
    y
}

fn drawn(sheet: &mut Sheet, y: f32, line: &Line, kind: &str) {
    let other = format!("{} {}", line.other.display_name, line.entry.operation.note.as_deref().unwrap_or(""));
    sheet.text(LEFT, y, 8.0, Weight::Regular, &moment(line.entry.at));
    sheet.text(KIND, y, 8.0, Weight::Regular, kind);
    sheet.text(OTHER, y, 8.0, Weight::Regular, &pdf::cut(other.trim(), 42));
    sheet.number(AMOUNT, y, 8.0, Weight::Regular, &pdf::grouped(line.entry.amount));
    sheet.number(RIGHT, y, 8.0, Weight::Regular, &pdf::grouped(line.entry.balance));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_of_others_are_no_formulas() {
        assert_eq!(harmless("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        assert_eq!(harmless("+225 07"), "'+225 07");
        assert_eq!(harmless("Loyer"), "Loyer");
    }
}
