//! What pawaPay's interface looks like, as pure functions.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::mobile_money::{
    Action, Blame, CollectOrder, Direction, Handle, Notice, NoticeKind, Observed, OperationState, Outcome, Party,
    PayoutOrder, Started, Trust, WalletKind,
    model::CURRENCY,
    sender::Reply,
    signature::fingerprint,
    text::{code, msisdn, plain},
};

/// Longest message to the customer, in characters; the shortest is four.
const MAX_MESSAGE_CHARS: usize = 22;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Creation<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    deposit_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payout_id: Option<Uuid>,
    amount: String,
    currency: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payer: Option<Side<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient: Option<Side<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pre_authorisation_code: Option<&'a str>,
    client_reference_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    successful_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_url: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Side<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    account_details: Account<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Account<'a> {
    phone_number: &'a str,
    provider: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Acknowledged {
    status: String,
    authorization_url: Option<String>,
    failure_reason: Option<FailureReason>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FailureReason {
    failure_code: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    failure_reason: FailureReason,
}

#[derive(Deserialize)]
struct Found {
    status: String,
    data: Option<Operation>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Operation {
    deposit_id: Option<String>,
    payout_id: Option<String>,
    status: String,
    amount: Option<String>,
    currency: Option<String>,
    payer: Option<Value>,
    recipient: Option<Value>,
    client_reference_id: Option<String>,
    provider_transaction_id: Option<String>,
    failure_reason: Option<FailureReason>,
}

#[derive(Deserialize)]
struct Balances {
    balances: Vec<Balance>,
}

#[derive(Deserialize)]
struct Balance {
    country: String,
    balance: String,
    currency: String,
}

pub(super) fn deposit(order: &CollectOrder) -> Result<Vec<u8>, &'static str> {
    let is = |wallet| order.wallet == wallet;
    if is(WalletKind::Orange) && order.code.is_none() {
        return Err("code_required");
    }
    encode(&Creation {
        deposit_id: Some(order.key),
        payout_id: None,
        amount: order.amount_francs.to_string(),
        currency: CURRENCY,
        payer: Some(side(&order.payer, order.wallet)?),
        recipient: None,
        pre_authorisation_code: order.code.as_ref().filter(|_| is(WalletKind::Orange)).map(|code| code.expose()),
        client_reference_id: &order.reference,
        customer_message: message(&order.label),
        successful_url: is(WalletKind::Wave).then_some(&order.success_url),
        failed_url: is(WalletKind::Wave).then_some(&order.failure_url),
    })
}

pub(super) fn payout(order: &PayoutOrder) -> Result<Vec<u8>, &'static str> {
    encode(&Creation {
        deposit_id: None,
        payout_id: Some(order.key),
        amount: order.amount_francs.to_string(),
        currency: CURRENCY,
        payer: None,
        recipient: Some(side(&order.beneficiary, order.wallet)?),
        pre_authorisation_code: None,
        client_reference_id: &order.reference,
        customer_message: message(&order.label),
        successful_url: None,
        failed_url: None,
    })
}

fn encode(creation: &Creation<'_>) -> Result<Vec<u8>, &'static str> {
    serde_json::to_vec(creation).map_err(|_| "unsendable")
}

fn side(party: &Party, wallet: WalletKind) -> Result<Side<'_>, &'static str> {
    let provider = match wallet {
        WalletKind::Mtn => "MTN_MOMO_CIV",
        WalletKind::Orange => "ORANGE_CIV",
        WalletKind::Wave => "WAVE_CIV",
        WalletKind::Moov | WalletKind::Djamo | WalletKind::Bank | WalletKind::Card => return Err("unsupported_wallet"),
    };
    let phone_number = msisdn(party.phone().ok_or("unsupported_party")?);
    Ok(Side { kind: "MMO", account_details: Account { phone_number, provider } })
}

fn message(label: &str) -> Option<String> {
    let message = plain(&label.replace('-', " "), MAX_MESSAGE_CHARS);
    (message.trim().len() >= 4).then_some(message)
}

pub(super) fn created(reply: &Reply, mut handle: Handle, direction: Direction) -> Outcome<Started> {
    handle.provider_id = Some(handle.key.to_string());
    let started = |state: OperationState, action: Action| {
        let observed = Observed { provider_id: handle.provider_id.clone(), ..Observed::new(state) };
        Outcome::Known(Started { observed, handle: handle.clone(), action })
    };
    match reply.status {
        200..=202 => match serde_json::from_slice::<Acknowledged>(&reply.body) {
            Ok(Acknowledged { status, authorization_url, failure_reason }) => match status.as_str() {
                // An ignored duplicate did arrive the first time; its state is to be read.
                "ACCEPTED" | "DUPLICATE_IGNORED" => {
                    started(OperationState::Pending, action(direction, authorization_url))
                }
                "REJECTED" => started(failed(failure_reason, direction), Action::None),
                _ => Outcome::unknown("unknown_status"),
            },
            Err(_) => Outcome::unknown("unreadable_answer"),
        },
        401 | 403 => reply.refused_at_the_door(),
        400 => match serde_json::from_slice::<Failure>(&reply.body) {
            Ok(failure) => started(failed(Some(failure.failure_reason), direction), Action::None),
            Err(_) => reply.doubt(),
        },
        _ => reply.doubt(),
    }
}

fn action(direction: Direction, authorization_url: Option<String>) -> Action {
    match (direction, authorization_url) {
        (Direction::Payout, _) => Action::None,
        (Direction::Collect, Some(url)) => Action::OpenPage { url },
        (Direction::Collect, None) => Action::ApproveOnPhone,
    }
}

fn failed(reason: Option<FailureReason>, direction: Direction) -> OperationState {
    let code = reason.and_then(|reason| code(&reason.failure_code)).unwrap_or_else(|| "FAILED".to_owned());
    let blame = match code.as_str() {
        "PAWAPAY_WALLET_OUT_OF_FUNDS" => Blame::Float,
        "PAYER_NOT_FOUND"
        | "PAYMENT_NOT_APPROVED"
        | "PAYER_LIMIT_REACHED"
        | "PAYMENT_IN_PROGRESS"
        | "RECIPIENT_NOT_FOUND"
        | "WALLET_LIMIT_REACHED"
        | "INVALID_PHONE_NUMBER" => Blame::Customer,
        "INSUFFICIENT_BALANCE" if direction == Direction::Collect => Blame::Customer,
        _ => Blame::Route,
    };
    OperationState::failed(code, blame)
}

pub(super) fn read(reply: &Reply, direction: Direction) -> Outcome<Option<Observed>> {
    if reply.status != 200 {
        return reply.doubt();
    }
    match serde_json::from_slice::<Found>(&reply.body) {
        Ok(Found { status, data: Some(operation) }) if status == "FOUND" => {
            Outcome::Known(Some(observed(operation, direction)))
        }
        Ok(Found { status, data: None }) if status == "NOT_FOUND" => Outcome::Known(None),
        Ok(_) | Err(_) => Outcome::unknown("unreadable_answer"),
    }
}

fn observed(operation: Operation, direction: Direction) -> Observed {
    let (id, side) = match direction {
        Direction::Collect => (operation.deposit_id, operation.payer),
        Direction::Payout => (operation.payout_id, operation.recipient),
    };
    let phone = side.and_then(|side| side.pointer("/accountDetails/phoneNumber")?.as_str().map(str::to_owned));
    Observed {
        provider_id: id,
        transaction_id: operation.provider_transaction_id,
        reference: operation.client_reference_id,
        amount_francs: operation.amount.as_deref().and_then(whole_francs),
        currency: operation.currency,
        party: phone,
        ..Observed::new(state(&operation.status, operation.failure_reason, direction))
    }
}

fn state(word: &str, reason: Option<FailureReason>, direction: Direction) -> OperationState {
    match word {
        "COMPLETED" => OperationState::Succeeded,
        "FAILED" | "REJECTED" => failed(reason, direction),
        _ => OperationState::Pending,
    }
}

/// `"1500"`, and `"1500.00"` as some answers write it.
fn whole_francs(text: &str) -> Option<i64> {
    let (whole, cents) = text.split_once('.').unwrap_or((text, ""));
    cents.bytes().all(|digit| digit == b'0').then(|| whole.parse().ok()).flatten()
}

pub(super) fn balance(reply: &Reply) -> Outcome<i64> {
    if reply.status != 200 {
        return reply.doubt();
    }
    let Ok(Balances { balances }) = serde_json::from_slice(&reply.body) else {
        return Outcome::unknown("unreadable_answer");
    };
    let ours = balances.iter().filter(|one| one.country == "CIV" && one.currency == CURRENCY);
    let francs: Option<i64> = ours.map(|one| one.balance.split('.').next()?.parse::<i64>().ok()).sum();
    francs.map_or_else(|| Outcome::unknown("unreadable_answer"), Outcome::Known)
}

pub(super) fn notice(body: &[u8]) -> Option<Notice> {
    let operation: Operation = serde_json::from_slice(body).ok()?;
    let direction = if operation.payout_id.is_some() { Direction::Payout } else { Direction::Collect };
    let known = operation.payout_id.is_some() || operation.deposit_id.is_some();
    let kind = if known { NoticeKind::Operation(direction) } else { NoticeKind::Other };
    let observed = observed(operation, direction);
    let (hint, reference, provider_id) = (observed.state, observed.reference, observed.provider_id);
    let event_id = fingerprint(body);
    Some(Notice { event_id, kind, reference, provider_id, notify_token: None, hint, trust: Trust::Signed })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::mobile_money::model::sample_handle;

    fn reply(status: u16, body: &str) -> Reply {
        Reply { status, body: Bytes::copy_from_slice(body.as_bytes()) }
    }

    fn start(status: u16, body: &str) -> Outcome<OperationState> {
        match created(&reply(status, body), sample_handle(), Direction::Payout) {
            Outcome::Known(started) => Outcome::Known(started.observed.state),
            Outcome::NotExecuted { code } => Outcome::NotExecuted { code },
            Outcome::Unknown { code } => Outcome::Unknown { code },
        }
    }

    #[test]
    fn http_200_is_not_acceptance() {
        let rejected = r#"{"payoutId":"x","status":"REJECTED","failureReason":{"failureCode":"AMOUNT_OUT_OF_BOUNDS"}}"#;
        assert_eq!(start(200, rejected), Outcome::Known(OperationState::failed("AMOUNT_OUT_OF_BOUNDS", Blame::Route)));
        assert_eq!(start(200, r#"{"status":"DUPLICATE_IGNORED"}"#), Outcome::Known(OperationState::Pending));
        assert_eq!(start(200, r#"{"status":"SOMETHING"}"#), Outcome::unknown("unknown_status"));
        assert_eq!(start(500, r#"{"failureReason":{"failureCode":"UNKNOWN_ERROR"}}"#), Outcome::unknown("http_500"));
        assert_eq!(start(403, ""), Outcome::not_executed("http_403"));
    }

    #[test]
    fn states_of_payouts_are_read() {
        let found = |inner: &str| {
            let body = format!(
                r#"{{"status":"FOUND","data":{{"payoutId":"p","amount":"1500.00","currency":"XOF",{inner}}}}}"#
            );
            match read(&reply(200, &body), Direction::Payout) {
                Outcome::Known(Some(observed)) => (observed.state, observed.amount_francs),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(found(r#""status":"COMPLETED""#), (OperationState::Succeeded, Some(1500)));
        for word in ["ACCEPTED", "ENQUEUED", "PROCESSING", "IN_RECONCILIATION", "SUBMITTED", "NEW"] {
            assert_eq!(found(&format!(r#""status":"{word}""#)).0, OperationState::Pending, "{word}");
        }
        let poor = found(r#""status":"FAILED","failureReason":{"failureCode":"PAWAPAY_WALLET_OUT_OF_FUNDS"}"#);
        assert_eq!(poor.0, OperationState::failed("PAWAPAY_WALLET_OUT_OF_FUNDS", Blame::Float));
        assert_eq!(read(&reply(200, r#"{"status":"NOT_FOUND"}"#), Direction::Payout), Outcome::Known(None));
        assert_eq!(read(&reply(404, ""), Direction::Payout), Outcome::unknown("http_404"));
    }

    #[test]
    fn messages_fit_or_are_left_out() {
        assert_eq!(message("Dépôt-Hostolink du 22 novembre").as_deref(), Some("Depot Hostolink du 22 "));
        assert_eq!(message("é!"), None);
    }
}
