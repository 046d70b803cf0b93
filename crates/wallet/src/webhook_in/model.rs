//! A tripwire: what a webhook says of its amount moves nothing, but another amount than the order's is told to staff.

use serde_json::Value;

/// Names under which operators write what the customer pays or receives.
const AMOUNTS: [&str; 5] = ["amount", "montant", "depositedAmount", "requestedAmount", "cpm_amount"];
/// Some write hundredths of a franc.
const HUNDREDTHS: i64 = 100;
/// How deep a body is looked into.
const MAX_DEPTH: usize = 8;

/// Whether a webhook names amounts, and none of them is the order's.
pub(super) fn names_another_amount(body: &[u8], ordered: i64) -> bool {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return false };
    let mut named = Vec::new();
    collect(&body, MAX_DEPTH, &mut named);
    !named.is_empty()
        && !named.iter().any(|amount| *amount == ordered || Some(*amount) == ordered.checked_mul(HUNDREDTHS))
}

fn collect(value: &Value, depth: usize, named: &mut Vec<i64>) {
    if depth == 0 {
        return;
    }
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                if AMOUNTS.contains(&name.as_str()) {
                    named.extend(francs(inner));
                }
                collect(inner, depth - 1, named);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, depth - 1, named)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// `1500`, `1500.0`, `"1500"`, `"1500.00"`
fn francs(value: &Value) -> Option<i64> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
    rest.bytes().all(|byte| byte == b'0').then(|| whole.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_in_every_spelling() {
        for body in [
            r#"{"amount":1500}"#,
            r#"{"data":{"amount":"1500"}}"#,
            r#"{"amount":"1500.00"}"#,
            r#"{"data":[{"montant":1500.0}]}"#,
            r#"{"data":{"amount":150000}}"#,
        ] {
            assert!(!names_another_amount(body.as_bytes(), 1500), "{body}");
            assert!(names_another_amount(body.as_bytes(), 700), "{body}");
        }
    }

    #[test]
    fn what_names_none_is_no_other_amount() {
        for body in ["", "pay_token=1", r#"{"status":"SUCCESS"}"#, r#"{"amount":null}"#, "[[[[[[[[[[{}]]]]]]]]]]"] {
            assert!(!names_another_amount(body.as_bytes(), 1500), "{body}");
        }
    }
}
