//! Tables: each operator names its columns its own way, in French or in English, with commas, semicolons or tabs.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};

use super::model::{Format, Line, MAX_LINES, ReadError, Statement, francs, short};

/// Names of a column, in lower case and without accents, as the exports of Wave, MTN, Orange, Moov, Djamo, the aggregators
/// and banks write them.
const ID: &[&str] = &[
    "transaction_id",
    "transaction id",
    "id transaction",
    "id de transaction",
    "financial transaction id",
    "identifiant",
    "id",
    "numero de transaction",
    "end2endid",
];
const LABEL: &[&str] = &[
    "transaction_type",
    "type",
    "type de transaction",
    "transaction type",
    "libelle",
    "nature",
    "operation",
    "service",
];
const AMOUNT: &[&str] = &["amount", "montant", "montant (xof)", "amount (xof)", "montant net", "valeur"];
const CREDIT: &[&str] = &["credit", "montant credit", "entree"];
const DEBIT: &[&str] = &["debit", "montant debit", "sortie"];
const FEE: &[&str] = &["fee", "fees", "frais", "commission", "montant frais"];
const REFERENCE: &[&str] = &[
    "client_reference",
    "reference",
    "external id",
    "externalid",
    "reference client",
    "client reference",
    "reference marchand",
    "order_id",
    "txid",
    "merchant reference",
];
const AT: &[&str] =
    &["timestamp", "date", "date et heure", "date de transaction", "date operation", "created_at", "date heure"];
const BALANCE: &[&str] = &["balance", "solde", "solde apres"];

struct Columns {
    id: usize,
    label: Option<usize>,
    amount: Option<usize>,
    credit: Option<usize>,
    debit: Option<usize>,
    fee: Option<usize>,
    reference: Option<usize>,
    at: Option<usize>,
    balance: Option<usize>,
}

pub(super) fn read(text: &str) -> Result<Statement, ReadError> {
    let head = text.lines().next().unwrap_or("");
    let delimiter = [b';', b'\t', b',']
        .into_iter()
        .max_by_key(|mark| head.bytes().filter(|byte| byte == mark).count())
        .unwrap_or(b',');
    let mut reader = ::csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text.as_bytes());
    let headers = reader.headers().map_err(|error| ReadError::Unknown(error.to_string()))?.clone();
    let columns = columns(&headers)?;
    let (mut lines, mut closing) = (Vec::new(), None);
    for (position, record) in reader.records().enumerate() {
        let at = position + 2;
        if lines.len() >= MAX_LINES {
            return Err(ReadError::TooLarge);
        }
        let record = record.map_err(|_| ReadError::Line { line: at, what: "cannot be read" })?;
        if record.iter().all(|field| field.trim().is_empty()) {
            continue;
        }
        lines.push(line(&columns, &record, at)?);
        closing = columns.balance.and_then(|column| record.get(column)).and_then(francs).or(closing);
    }
    Ok(Statement { format: Format::Csv, from: None, to: None, closing, lines })
}

fn columns(headers: &::csv::StringRecord) -> Result<Columns, ReadError> {
    let names: Vec<String> = headers.iter().map(plain).collect();
    let find = |known: &[&str]| known.iter().find_map(|wanted| names.iter().position(|name| name == wanted));
    let columns = Columns {
        id: find(ID).ok_or(ReadError::MissingColumn("transaction id"))?,
        label: find(LABEL),
        amount: find(AMOUNT),
        credit: find(CREDIT),
        debit: find(DEBIT),
        fee: find(FEE),
        reference: find(REFERENCE),
        at: find(AT),
        balance: find(BALANCE),
    };
    let some_amount = columns.amount.is_some() || (columns.credit.is_some() && columns.debit.is_some());
    if some_amount { Ok(columns) } else { Err(ReadError::MissingColumn("amount (or credit and debit)")) }
}

/// Lower case, without accents and spaces around.
fn plain(name: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    let bare: String = name.nfd().filter(|letter| !unicode_normalization::char::is_combining_mark(*letter)).collect();
    bare.trim().to_lowercase()
}

fn line(columns: &Columns, record: &::csv::StringRecord, at: usize) -> Result<Line, ReadError> {
    let text = |column: Option<usize>| {
        column.and_then(|column| record.get(column)).map(str::trim).filter(|text| !text.is_empty())
    };
    let bad = |what| ReadError::Line { line: at, what };
    let number = |column, what| text(column).map_or(Ok(None), |text| francs(text).map(Some).ok_or_else(|| bad(what)));
    let id = text(Some(columns.id)).ok_or_else(|| bad("has no transaction id"))?;
    let (credit, debit) =
        (number(columns.credit, "the credit is no amount")?, number(columns.debit, "the debit is no amount")?);
    let amount = match number(columns.amount, "the amount is no amount")? {
        Some(amount) => amount,
        None => match (credit.unwrap_or(0).abs(), debit.unwrap_or(0).abs()) {
            (0, 0) => return Err(bad("has no amount")),
            (credit, debit) => credit - debit,
        },
    };
    Ok(Line {
        id: short(id),
        label: short(text(columns.label).unwrap_or("")),
        amount,
        fee: number(columns.fee, "the fee is no amount")?.unwrap_or(0).abs(),
        reference: text(columns.reference).map(short),
        at: text(columns.at).and_then(moment),
    })
}

/// RFC 3339, or a date with or without a time as spreadsheets of the region write it; Abidjan lives in UTC.
fn moment(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.to_utc());
    }
    let with_time = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%Y-%m-%d %H:%M"];
    let at = with_time.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    let day = || ["%Y-%m-%d", "%d/%m/%Y"].iter().find_map(|format| NaiveDate::parse_from_str(text, format).ok());
    at.or_else(|| day().and_then(|day| day.and_hms_opt(0, 0, 0))).map(|at| at.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_several_operators_are_read() {
        let wave = "timestamp,transaction_id,transaction_type,amount,fee,balance,currency,client_reference\n\
                    2026-11-21T10:00:00Z,T_A1,api_checkout,1500,15,101500,XOF,HSTL-DEP-1\n\
                    2026-11-21T11:00:00Z,T_A2,api_payout,-700,7,100793,XOF,HSTL-WDR-1\n";
        let read_wave = read(wave).unwrap();
        assert_eq!(read_wave.closing, Some(100_793));
        assert_eq!(
            (read_wave.lines[1].amount, read_wave.lines[1].fee, read_wave.lines[1].reference.as_deref()),
            (-700, 7, Some("HSTL-WDR-1"))
        );
        let bank = "Date opération;Identifiant;Libellé;Débit;Crédit;Référence\n\
                    21/11/2026;B1;VIREMENT RECU;;15 000;HSTL-DEP-2\n\
                    21/11/2026;B2;VIREMENT EMIS;6 000,00;;HSTL-WDR-2\n\n";
        let amounts: Vec<i64> = read(bank).unwrap().lines.iter().map(|line| line.amount).collect();
        assert_eq!(amounts, [15_000, -6_000]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        assert_eq!(read("a,b\n1,2\n").unwrap_err(), ReadError::MissingColumn("transaction id"));
        assert_eq!(read("id,frais\n1,2\n").unwrap_err(), ReadError::MissingColumn("amount (or credit and debit)"));
        let half = read("id,montant\nT1,1500\nT2,15.5\n").unwrap_err();
        assert_eq!(half, ReadError::Line { line: 3, what: "the amount is no amount" });
    }
}
