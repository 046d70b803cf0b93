//! What the GSMA's interface looks like, as pure functions.

use serde::{Deserialize, Serialize};

use crate::mobile_money::{
    Action, Blame, CollectOrder, Delivery, Direction, Handle, Notice, NoticeKind, Observed, OperationState, Outcome,
    PayoutOrder, Rejected, Started, Trust,
    model::CURRENCY,
    notice::MAX_WEBHOOK_BYTES,
    sender::Reply,
    signature::fingerprint,
    text::{code, last_segment},
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Creation<'a> {
    amount: String,
    currency: &'a str,
    debit_party: [Pair<'a>; 1],
    credit_party: [Pair<'a>; 1],
    requesting_organisation_transaction_reference: &'a str,
}

#[derive(Serialize)]
struct Pair<'a> {
    key: &'a str,
    value: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Accepted {
    server_correlation_id: String,
    status: String,
    #[serde(default)]
    object_reference: String,
    error: Option<Fault>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fault {
    error_category: String,
    error_code: String,
}

#[derive(Deserialize)]
struct Link {
    link: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Transaction {
    transaction_reference: Option<String>,
    #[serde(default)]
    transaction_status: String,
    amount: Option<String>,
    currency: Option<String>,
    debit_party: Option<Vec<KnownPair>>,
    credit_party: Option<Vec<KnownPair>>,
    requesting_organisation_transaction_reference: Option<String>,
}

#[derive(Deserialize)]
struct KnownPair {
    key: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Balance {
    available_balance: Option<String>,
    current_balance: String,
    currency: Option<String>,
}

/// Where a request stands.
pub(super) enum RequestState {
    Pending,
    Completed { reference: String },
    Ended(OperationState),
}

pub(super) fn collection(order: &CollectOrder, wallet_id: &str) -> Option<Vec<u8>> {
    let payer = Pair { key: "msisdn", value: order.payer.phone()? };
    creation(order.amount_francs, &order.reference, payer, Pair { key: "walletid", value: wallet_id })
}

pub(super) fn disbursement(order: &PayoutOrder, wallet_id: &str) -> Option<Vec<u8>> {
    let payee = Pair { key: "msisdn", value: order.beneficiary.phone()? };
    creation(order.amount_francs, &order.reference, Pair { key: "walletid", value: wallet_id }, payee)
}

fn creation(amount_francs: i64, reference: &str, debit: Pair<'_>, credit: Pair<'_>) -> Option<Vec<u8>> {
    let creation = Creation {
        amount: amount_francs.to_string(),
        currency: CURRENCY,
        debit_party: [debit],
        credit_party: [credit],
        requesting_organisation_transaction_reference: reference,
    };
    serde_json::to_vec(&creation).ok()
}

pub(super) fn created(reply: &Reply, mut handle: Handle, direction: Direction) -> Outcome<Started> {
    let started = |state: OperationState, handle: Handle| {
        let pending = state == OperationState::Pending;
        let asks = pending && direction == Direction::Collect;
        let action = if asks { Action::ApproveOnPhone } else { Action::None };
        let observed = Observed { provider_id: handle.provider_id.clone(), ..Observed::new(state) };
        Outcome::Known(Started { observed, handle, action })
    };
    match reply.status {
        200..=202 => match serde_json::from_slice::<Accepted>(&reply.body) {
            // A completed one is read whole before it counts: pending until then.
            Ok(accepted) => {
                handle.provider_id = Some(accepted.server_correlation_id.clone());
                match request(accepted) {
                    RequestState::Ended(state) => started(state, handle),
                    RequestState::Pending | RequestState::Completed { .. } => started(OperationState::Pending, handle),
                }
            }
            Err(_) => Outcome::unknown("unreadable_answer"),
        },
        401 | 403 => reply.refused_at_the_door(),
        400 | 404 => match fault(reply) {
            // The key was used: an earlier attempt did arrive, and `/responses` leads to it.
            Some(fault) if fault.error_code == "DuplicateRequest" => started(OperationState::Pending, handle),
            Some(fault) => match (fault.error_category.as_str(), code(&fault.error_code)) {
                ("Validation" | "BusinessRule" | "Identification", Some(code)) => started(failed(code), handle),
                _ => reply.doubt(),
            },
            None => reply.doubt(),
        },
        _ => reply.doubt(),
    }
}

fn fault(reply: &Reply) -> Option<Fault> {
    serde_json::from_slice(&reply.body).ok()
}

fn failed(code: String) -> OperationState {
    let blame = match code.as_str() {
        "LengthError"
        | "FormatError"
        | "NegativeValue"
        | "CurrencyNotSupported"
        | "MandatoryValueNotSupplied"
        | "GenericError"
        | "RateLimitError" => Blame::Route,
        _ => Blame::Customer,
    };
    OperationState::failed(code, blame)
}

fn request(accepted: Accepted) -> RequestState {
    match accepted.status.as_str() {
        "completed" => RequestState::Completed { reference: accepted.object_reference },
        "failed" => {
            let code = accepted.error.and_then(|fault| code(&fault.error_code));
            RequestState::Ended(failed(code.unwrap_or_else(|| "failed".to_owned())))
        }
        _ => RequestState::Pending,
    }
}

pub(super) fn request_state(reply: &Reply) -> Outcome<RequestState> {
    if reply.status != 200 {
        return reply.doubt();
    }
    match serde_json::from_slice::<Accepted>(&reply.body).map(request) {
        // Completed, and nothing named: what was done cannot be compared with what was ordered.
        Ok(RequestState::Completed { reference }) if reference.is_empty() => Outcome::unknown("no_object_reference"),
        Ok(state) => Outcome::Known(state),
        Err(_) => Outcome::unknown("unreadable_answer"),
    }
}

/// The reference at the end of the link; only transactions are followed, wherever the link's host is.
pub(super) fn response_link(reply: &Reply) -> Outcome<Option<String>> {
    match reply.status {
        200 => {
            let link = serde_json::from_slice::<Link>(&reply.body).ok();
            let reference = link.and_then(|link| {
                let (_, reference) = link.link.rsplit_once("/transactions/")?;
                Some(reference.to_owned()).filter(|reference| !reference.is_empty() && !reference.contains('/'))
            });
            reference.map_or_else(|| Outcome::unknown("unreadable_answer"), |found| Outcome::Known(Some(found)))
        }
        404 if fault(reply).is_some_and(|fault| fault.error_category == "Identification") => Outcome::Known(None),
        _ => reply.doubt(),
    }
}

pub(super) fn transaction(reply: &Reply, success_words: &[String], direction: Direction) -> Outcome<Option<Observed>> {
    if reply.status != 200 {
        return reply.doubt();
    }
    match serde_json::from_slice::<Transaction>(&reply.body) {
        Ok(transaction) => Outcome::Known(Some(observed(transaction, success_words, direction))),
        Err(_) => Outcome::unknown("unreadable_answer"),
    }
}

fn observed(transaction: Transaction, success_words: &[String], direction: Direction) -> Observed {
    let word = transaction.transaction_status.as_str();
    let state = if success_words.iter().any(|success| success == word) {
        OperationState::Succeeded
    } else if word == "failed" {
        OperationState::failed("failed", Blame::Customer)
    } else {
        OperationState::Pending
    };
    let side = match direction {
        Direction::Collect => transaction.debit_party,
        Direction::Payout => transaction.credit_party,
    };
    let msisdn = side.and_then(|pairs| pairs.into_iter().find(|pair| pair.key == "msisdn"));
    Observed {
        transaction_id: transaction.transaction_reference,
        reference: transaction.requesting_organisation_transaction_reference,
        amount_francs: transaction.amount.as_deref().and_then(whole_francs),
        currency: transaction.currency,
        party: msisdn.map(|pair| pair.value),
        ..Observed::new(state)
    }
}

/// Up to four decimals are allowed; here they must be nought.
fn whole_francs(text: &str) -> Option<i64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    decimals.bytes().all(|digit| digit == b'0').then(|| whole.parse().ok()).flatten()
}

pub(super) fn balance(reply: &Reply) -> Outcome<i64> {
    if reply.status != 200 {
        return reply.doubt();
    }
    let read = |balance: Balance| {
        let ours = balance.currency.as_deref().is_none_or(|currency| currency == CURRENCY);
        let text = balance.available_balance.unwrap_or(balance.current_balance);
        ours.then(|| text.split('.').next()?.parse().ok()).flatten()
    };
    match serde_json::from_slice(&reply.body).ok().and_then(read) {
        Some(amount) => Outcome::Known(amount),
        None => Outcome::unknown("unreadable_answer"),
    }
}

/// The final resource, or an error object: either way somebody says "come and look".
pub(super) fn notice(delivery: &Delivery<'_>) -> Result<Vec<Notice>, Rejected> {
    if delivery.body.len() > MAX_WEBHOOK_BYTES {
        return Err(Rejected::TooLarge);
    }
    let transaction: Transaction = serde_json::from_slice(delivery.body).map_err(|_| Rejected::Unreadable)?;
    let pays_us = |pairs: &Vec<KnownPair>| pairs.iter().any(|pair| pair.key == "msisdn");
    let collects = transaction.debit_party.as_ref().is_some_and(pays_us);
    let direction = if collects { Direction::Collect } else { Direction::Payout };
    Ok(vec![Notice {
        event_id: fingerprint(delivery.body),
        kind: NoticeKind::Operation(direction),
        reference: transaction.requesting_organisation_transaction_reference,
        provider_id: None,
        notify_token: last_segment(delivery.path),
        hint: OperationState::Pending,
        trust: Trust::Unsigned,
    }])
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::mobile_money::model::sample_handle;

    fn reply(status: u16, body: &str) -> Reply {
        Reply { status, body: Bytes::copy_from_slice(body.as_bytes()) }
    }

    fn start(status: u16, body: &str) -> Result<OperationState, String> {
        match created(&reply(status, body), sample_handle(), Direction::Payout) {
            Outcome::Known(started) => Ok(started.observed.state),
            Outcome::NotExecuted { code } | Outcome::Unknown { code } => Err(code),
        }
    }

    #[test]
    fn the_recorded_answers_are_read() {
        let accepted = r#"{"serverCorrelationId":"0c2f8a1e-6a35-4a0f-8d52-0d7b5e6f9a11","status":"pending","notificationMethod":"callback","objectReference":"","pollLimit":10}"#;
        assert_eq!(start(202, accepted), Ok(OperationState::Pending));
        let duplicate = r#"{"errorCategory":"BusinessRule","errorCode":"DuplicateRequest","errorDescription":"Duplicate request","errorDateTime":"2026-11-22T10:00:00.000Z"}"#;
        assert_eq!(start(400, duplicate), Ok(OperationState::Pending));
        let format = duplicate.replace("BusinessRule", "Validation").replace("DuplicateRequest", "FormatError");
        assert_eq!(start(400, &format), Ok(OperationState::failed("FormatError", Blame::Route)));
        assert_eq!(start(400, "<html>"), Err("http_400".to_owned()));
        assert_eq!(start(500, &format), Err("http_500".to_owned()));
        let Outcome::Unknown { code } = request_state(&reply(200, &accepted.replace("pending", "completed"))) else {
            panic!()
        };
        assert_eq!(code, "no_object_reference");
    }

    #[test]
    fn success_is_what_was_agreed() {
        let body =
            r#"{"transactionReference":"R","transactionStatus":"completed","amount":"1500.00","currency":"XOF"}"#;
        let state = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(ToString::to_string).collect();
            match transaction(&reply(200, body), &words, Direction::Payout) {
                Outcome::Known(Some(observed)) => (observed.state, observed.amount_francs),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(state(&["completed"]), (OperationState::Succeeded, Some(1500)));
        assert_eq!(state(&["done"]).0, OperationState::Pending);
    }

    #[test]
    fn links_lead_to_transactions_only() {
        let link = |link: &str| response_link(&reply(200, &format!(r#"{{"link":"{link}"}}"#)));
        assert_eq!(link("/transactions/REF-1"), Outcome::Known(Some("REF-1".to_owned())));
        assert_eq!(link("https://elsewhere.example/secrets"), Outcome::unknown("unreadable_answer"));
        assert_eq!(link("/transactions/../admin/x"), Outcome::unknown("unreadable_answer"));
    }
}
