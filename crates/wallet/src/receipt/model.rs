use chrono::{DateTime, Utc};
use kernel::http::{Lang, Lexicon};

use crate::operation::{Direction, Transaction};
use crate::pdf::{self, HEIGHT, Sheet, WIDTH, Weight};
use crate::people::Counterparty;

const LEFT: f32 = 60.0;
const RIGHT: f32 = WIDTH - 60.0;
/// Where values begin.
const COLUMN: f32 = 220.0;
/// Between two lines.
const STEP: f32 = 22.0;
const CODE_SIDE: f32 = 150.0;

/// The receipt of one operation, as one of its parties sees it.
pub(super) fn drawn(
    lexicon: &Lexicon,
    lang: Lang,
    transaction: &Transaction,
    own: &Counterparty,
    proof: &str,
    code: &(usize, Vec<(usize, usize, usize)>),
    now: DateTime<Utc>,
) -> Vec<u8> {
    let word = |key: &str| lexicon.sentence(lang, key, &[]);
    let (payer, payee) = match transaction.direction {
        Direction::Out => (own, &transaction.counterparty),
        Direction::In => (&transaction.counterparty, own),
    };
    let mut lines = vec![
        ("wallet.doc_number", transaction.id.to_string()),
        ("wallet.doc_type", word(kind(transaction.kind))),
        ("wallet.doc_status", word(status(transaction.status))),
        ("wallet.doc_date", moment(transaction.created_at.0)),
        ("wallet.doc_payer", shown(payer)),
        ("wallet.doc_payee", shown(payee)),
        ("wallet.doc_amount", francs(transaction.amount)),
    ];
    if transaction.direction == Direction::Out {
        lines.push(("wallet.doc_fee", francs(transaction.fee)));
        lines.push(("wallet.doc_total", francs(transaction.amount + transaction.fee)));
    }
    if let Some(note) = &transaction.note {
        lines.push(("wallet.doc_note", pdf::cut(note, 60)));
    }
    let mut sheet = Sheet::new();
    let mut y = HEIGHT - 90.0;
    sheet.text(LEFT, y, 22.0, Weight::Bold, "Hostolink");
    y -= 34.0;
    sheet.text(LEFT, y, 15.0, Weight::Regular, &word("wallet.doc_receipt"));
    y -= 18.0;
    sheet.rule(LEFT, RIGHT, y);
    for (label, value) in &lines {
        y -= STEP;
        sheet.text(LEFT, y, 10.5, Weight::Regular, &word(label));
        sheet.text(COLUMN, y, 10.5, Weight::Bold, value);
    }
    y -= 18.0;
    sheet.rule(LEFT, RIGHT, y);
    y -= CODE_SIDE + 10.0;
    sheet.code(LEFT - 8.0, y, CODE_SIDE, code.0, &code.1);
    sheet.text(COLUMN, y + 90.0, 10.0, Weight::Regular, &word("wallet.doc_check"));
    sheet.text(COLUMN, y + 72.0, 10.0, Weight::Bold, proof);
    let made = lexicon.sentence(lang, "wallet.doc_made", &[("date", moment(now))]);
    sheet.text(LEFT, 50.0, 8.5, Weight::Regular, &made);
    pdf::file(&word("wallet.doc_receipt"), vec![sheet])
}

fn francs(amount: i64) -> String {
    format!("{} F CFA", pdf::grouped(amount))
}

/// Abidjan's time is UTC all year.
pub(crate) fn moment(at: DateTime<Utc>) -> String {
    at.format("%d/%m/%Y %H:%M:%S").to_string()
}

fn shown(person: &Counterparty) -> String {
    if person.masked_identifier.is_empty() || person.display_name == person.masked_identifier {
        person.display_name.clone()
    } else {
        format!("{} ({})", person.display_name, person.masked_identifier)
    }
}

/// The word for a kind of operation.
pub(crate) fn kind(api: &str) -> &'static str {
    match api {
        "transfer" => "wallet.kind_transfer",
        "qr_payment" => "wallet.kind_qr_payment",
        "deposit" => "wallet.kind_deposit",
        "withdrawal" => "wallet.kind_withdrawal",
        "refund" => "wallet.kind_refund",
        "fee" => "wallet.kind_fee",
        "opening" => "wallet.kind_opening",
        "reversal" => "wallet.kind_reversal",
        _ => "wallet.kind_adjustment",
    }
}

fn status(api: &str) -> &'static str {
    match api {
        "succeeded" => "wallet.status_succeeded",
        "failed" => "wallet.status_failed",
        "expired" => "wallet.status_expired",
        _ => "wallet.status_pending",
    }
}
