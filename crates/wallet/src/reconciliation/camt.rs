//! camt.053, the statement of banks (ISO 20022), of whatever version: elements are found by their names.

use chrono::{DateTime, NaiveDate, Utc};
use roxmltree::{Document, Node};

use super::model::{Format, Line, MAX_LINES, ReadError, Statement, francs, short};

pub(super) fn read(text: &str) -> Result<Statement, ReadError> {
    let document = Document::parse(text).map_err(|error| ReadError::Unknown(error.to_string()))?;
    let mut statements = document.descendants().filter(|node| node.has_tag_name_local("Stmt")).peekable();
    if statements.peek().is_none() {
        return Err(ReadError::Unknown("no Stmt in it".to_owned()));
    }
    let mut read = Statement { format: Format::Camt053, from: None, to: None, closing: None, lines: Vec::new() };
    for statement in statements {
        for entry in statement.children().filter(|node| node.has_tag_name_local("Ntry")) {
            if read.lines.len() >= MAX_LINES {
                return Err(ReadError::TooLarge);
            }
            entries(&mut read.lines, entry)?;
        }
        let closing =
            statement.children().find(|node| node.has_tag_name_local("Bal") && text_of(*node, &["Cd"]) == Some("CLBD"));
        read.closing = closing.and_then(signed).or(read.closing);
        let day = |name| text_of(statement, &["FrToDt", name]).and_then(moment).map(|at| at.date_naive());
        read.from = read.from.into_iter().chain(day("FrDtTm")).min();
        read.to = read.to.into_iter().chain(day("ToDtTm")).max();
    }
    Ok(read)
}

/// An entry of booked money; a batch entry holds several transactions.
fn entries(lines: &mut Vec<Line>, entry: Node<'_, '_>) -> Result<(), ReadError> {
    let number = lines.len() + 1;
    let bad = |what| ReadError::Line { line: number, what };
    let status = entry.children().find(|node| node.has_tag_name_local("Sts"));
    let booked = status
        .is_none_or(|status| status.descendants().filter_map(|node| node.text()).any(|text| text.trim() == "BOOK"));
    if !booked {
        return Ok(());
    }
    let at = text_of(entry, &["BookgDt", "DtTm"]).or_else(|| text_of(entry, &["BookgDt", "Dt"])).and_then(moment);
    let label = text_of(entry, &["AddtlNtryInf"]).unwrap_or("virement");
    let own = text_of(entry, &["AcctSvcrRef"]).or_else(|| text_of(entry, &["NtryRef"]));
    let details: Vec<Node<'_, '_>> = entry.descendants().filter(|node| node.has_tag_name_local("TxDtls")).collect();
    let sign = if text_of(entry, &["CdtDbtInd"]) == Some("DBIT") { -1 } else { 1 };
    if details.len() <= 1 {
        let amount = signed(entry).ok_or_else(|| bad("has no amount in whole francs"))?;
        let inside = details.first().copied().unwrap_or(entry);
        let id = text_of(inside, &["AcctSvcrRef"])
            .or(own)
            .or_else(|| reference(inside))
            .ok_or_else(|| bad("has no reference of the bank"))?;
        lines.push(Line {
            id: short(id),
            label: short(label),
            amount,
            fee: 0,
            reference: reference(inside).map(short),
            at,
        });
        return Ok(());
    }
    for (position, detail) in details.into_iter().enumerate() {
        let amount = text_of(detail, &["Amt"]).and_then(francs).ok_or_else(|| bad("has no amount in whole francs"))?;
        let id =
            text_of(detail, &["AcctSvcrRef"]).map(str::to_owned).or_else(|| own.map(|own| format!("{own}/{position}")));
        let id = id.ok_or_else(|| bad("has no reference of the bank"))?;
        lines.push(Line {
            id: short(&id),
            label: short(label),
            amount: sign * amount,
            fee: 0,
            reference: reference(detail).map(short),
            at,
        });
    }
    Ok(())
}

/// Ours: the end-to-end identifier, or what stands in the free text.
fn reference<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    let end_to_end = text_of(node, &["EndToEndId"]).filter(|text| *text != "NOTPROVIDED");
    let free =
        || text_of(node, &["Ustrd"]).and_then(|text| text.split_whitespace().find(|word| word.starts_with("HSTL-")));
    end_to_end.or_else(free)
}

fn signed(node: Node<'_, '_>) -> Option<i64> {
    let amount = node.children().find(|child| child.has_tag_name_local("Amt"))?;
    if amount.attribute("Ccy").is_some_and(|currency| currency != kernel::money::CURRENCY) {
        return None;
    }
    let francs = amount.text().and_then(francs)?;
    Some(if text_of(node, &["CdtDbtInd"]) == Some("DBIT") { -francs } else { francs })
}

/// The text of the first element of this path, at any depth below.
fn text_of<'a>(node: Node<'a, '_>, path: &[&str]) -> Option<&'a str> {
    let mut found = node;
    for name in path {
        found = found.descendants().skip(1).find(|child| child.has_tag_name_local(name))?;
    }
    found.text().map(str::trim).filter(|text| !text.is_empty())
}

fn moment(text: &str) -> Option<DateTime<Utc>> {
    let whole = || DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc());
    let bare = || chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S").ok().map(|at| at.and_utc());
    let day =
        || NaiveDate::parse_from_str(text.get(..10)?, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0).map(|at| at.and_utc());
    whole().or_else(bare).or_else(day)
}

/// Names without their namespace: it changes with each version of the message.
trait Local {
    fn has_tag_name_local(&self, name: &str) -> bool;
}

impl Local for Node<'_, '_> {
    fn has_tag_name_local(&self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><Stmt>
<FrToDt><FrDtTm>2026-11-21T00:00:00</FrDtTm><ToDtTm>2026-11-21T23:59:59</ToDtTm></FrToDt>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="XOF">994000</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>
<Ntry><Amt Ccy="XOF">15000</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-11-21</Dt></BookgDt><AcctSvcrRef>B1</AcctSvcrRef>
 <NtryDtls><TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs><RmtInf><Ustrd>Depot HSTL-DEP-1 merci</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy="XOF">6000</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-11-21</Dt></BookgDt><AcctSvcrRef>B2</AcctSvcrRef>
 <NtryDtls><TxDtls><Refs><EndToEndId>HSTL-WDR-1</EndToEndId></Refs></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy="XOF">99</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>PDNG</Sts><AcctSvcrRef>B3</AcctSvcrRef></Ntry>
</Stmt></BkToCstmrStmt></Document>"#;

    #[test]
    fn booked_entries_are_read_with_sign_and_reference() {
        let statement = read(SAMPLE).unwrap();
        let lines: Vec<_> = statement.lines.iter().map(|line| (line.amount, line.reference.as_deref())).collect();
        assert_eq!(lines, [(15_000, Some("HSTL-DEP-1")), (-6_000, Some("HSTL-WDR-1"))]);
        assert_eq!(
            (statement.closing, statement.from, statement.to),
            (Some(994_000), "2026-11-21".parse().ok(), "2026-11-21".parse().ok())
        );
    }

    #[test]
    fn other_documents_and_other_money_are_refused() {
        assert!(matches!(read("<a/>"), Err(ReadError::Unknown(_))));
        assert!(matches!(read("<a"), Err(ReadError::Unknown(_))));
        assert!(matches!(
            read(&SAMPLE.replacen(r#"Ccy="XOF">15000"#, r#"Ccy="EUR">15000"#, 1)),
            Err(ReadError::Line { line: 1, .. })
        ));
    }
}
