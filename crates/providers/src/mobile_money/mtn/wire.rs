//! What MTN's interface looks like, as pure functions.

use serde::{Deserialize, Serialize};

use crate::mobile_money::{
    Action, Answer, Blame, CollectOrder, Delivery, Direction, Handle, Notice, NoticeKind, Observed, OperationState,
    Outcome, Party, PayoutOrder, Rejected, Started, Trust,
    notice::MAX_WEBHOOK_BYTES,
    sender::Reply,
    signature::fingerprint,
    text::{code, last_segment, msisdn, plain},
};

/// Longest message to either side, in characters.
const MAX_MESSAGE_CHARS: usize = 160;
/// What both sides read beside the label.
const NOTE: &str = "Hostolink";

#[derive(Serialize)]
struct Creation<'a> {
    amount: String,
    currency: &'a str,
    #[serde(rename = "externalId")]
    external_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payer: Option<PartyId<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payee: Option<PartyId<'a>>,
    #[serde(rename = "payerMessage")]
    payer_message: String,
    #[serde(rename = "payeeNote")]
    payee_note: &'a str,
}

#[derive(Serialize)]
struct PartyId<'a> {
    #[serde(rename = "partyIdType")]
    kind: &'a str,
    #[serde(rename = "partyId")]
    id: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Operation {
    amount: Option<String>,
    currency: Option<String>,
    financial_transaction_id: Option<String>,
    external_id: Option<String>,
    reference_id: Option<String>,
    payer: Option<KnownParty>,
    payee: Option<KnownParty>,
    #[serde(default)]
    status: String,
    reason: Option<Reason>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KnownParty {
    party_id: Option<String>,
}

/// A word in most answers, an object in some.
#[derive(Deserialize)]
#[serde(untagged)]
enum Reason {
    Word(String),
    Detailed { code: String },
}

#[derive(Deserialize)]
struct Refusal {
    code: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Balance {
    available_balance: String,
    currency: String,
}

pub(super) fn request(order: &CollectOrder, currency: &str) -> Option<Vec<u8>> {
    let payer = Some(party(&order.payer)?);
    creation(order.amount_francs, currency, &order.reference, &order.label, payer, None)
}

pub(super) fn transfer(order: &PayoutOrder, currency: &str) -> Option<Vec<u8>> {
    let payee = Some(party(&order.beneficiary)?);
    creation(order.amount_francs, currency, &order.reference, &order.label, None, payee)
}

fn creation(
    amount_francs: i64,
    currency: &str,
    external_id: &str,
    label: &str,
    payer: Option<PartyId<'_>>,
    payee: Option<PartyId<'_>>,
) -> Option<Vec<u8>> {
    let (amount, payer_message) = (amount_francs.to_string(), plain(label, MAX_MESSAGE_CHARS));
    let creation = Creation { amount, currency, external_id, payer, payee, payer_message, payee_note: NOTE };
    serde_json::to_vec(&creation).ok()
}

fn party(party: &Party) -> Option<PartyId<'_>> {
    party.phone().map(|number| PartyId { kind: "MSISDN", id: msisdn(number) })
}

pub(super) fn unsupported<T>() -> Answer<T> {
    Answer { outcome: Outcome::not_executed("unsupported_party"), exchanges: Vec::new() }
}

pub(super) fn created(reply: &Reply, handle: Handle, direction: Direction) -> Outcome<Started> {
    let started = |state: OperationState| {
        let action = match (direction, &state) {
            (Direction::Collect, OperationState::Pending) => Action::ApproveOnPhone,
            _ => Action::None,
        };
        let observed = Observed { provider_id: handle.provider_id.clone(), ..Observed::new(state) };
        Outcome::Known(Started { observed, handle: handle.clone(), action })
    };
    match reply.status {
        202 => started(OperationState::Pending),
        401 | 403 => reply.refused_at_the_door(),
        // 409: this key was used, so the first attempt did arrive; its state is to be read.
        400 | 404 | 409 | 500 => match refusal(reply).as_deref() {
            Some("RESOURCE_ALREADY_EXIST") => started(OperationState::Pending),
            // MTN answers business refusals with 400, 404 and even 500: the code decides, not the status.
            Some(word) => match reason_state(word, direction) {
                Some(state) => started(state),
                None => Outcome::unknown(word),
            },
            None if reply.status == 409 => started(OperationState::Pending),
            None => reply.doubt(),
        },
        _ => reply.doubt(),
    }
}

fn refusal(reply: &Reply) -> Option<String> {
    serde_json::from_slice::<Refusal>(&reply.body).ok().and_then(|refusal| code(&refusal.code))
}

pub(super) fn read(reply: &Reply, direction: Direction) -> Outcome<Option<Observed>> {
    match reply.status {
        200 => match serde_json::from_slice::<Operation>(&reply.body) {
            Ok(operation) => Outcome::Known(Some(observed(operation, direction))),
            Err(_) => Outcome::unknown("unreadable_answer"),
        },
        404 => match refusal(reply).as_deref() {
            Some("RESOURCE_NOT_FOUND" | "TRANSACTION_NOT_FOUND") => Outcome::Known(None),
            // A gateway that does not know the path is not an operator that does not know the operation.
            _ => reply.doubt(),
        },
        _ => reply.doubt(),
    }
}

fn observed(operation: Operation, direction: Direction) -> Observed {
    let state = state(&operation, direction);
    let party = match direction {
        Direction::Collect => operation.payer,
        Direction::Payout => operation.payee,
    };
    Observed {
        provider_id: operation.reference_id,
        transaction_id: operation.financial_transaction_id,
        reference: operation.external_id,
        amount_francs: operation.amount.as_deref().and_then(|amount| amount.parse().ok()),
        currency: operation.currency,
        party: party.and_then(|party| party.party_id),
        ..Observed::new(state)
    }
}

fn state(operation: &Operation, direction: Direction) -> OperationState {
    let reason = match &operation.reason {
        Some(Reason::Word(word) | Reason::Detailed { code: word }) => code(word),
        None => None,
    };
    match operation.status.as_str() {
        "SUCCESSFUL" => OperationState::Succeeded,
        "FAILED" => match &reason {
            Some(word) => {
                reason_state(word, direction).unwrap_or_else(|| OperationState::failed(word.as_str(), Blame::Route))
            }
            None => OperationState::failed("FAILED", Blame::Route),
        },
        "REJECTED" => OperationState::failed(reason.unwrap_or_else(|| "REJECTED".to_owned()), Blame::Customer),
        // PENDING, CREATED, TIMEOUT (until MTN confirms), and every word to come.
        _ => OperationState::Pending,
    }
}

/// What a documented reason means; nothing for a word that MTN does not document.
fn reason_state(reason: &str, direction: Direction) -> Option<OperationState> {
    let failed = |blame| Some(OperationState::failed(reason, blame));
    match reason {
        "EXPIRED" | "COULD_NOT_PERFORM_TRANSACTION" => match direction {
            Direction::Collect => Some(OperationState::Expired),
            Direction::Payout => failed(Blame::Route),
        },
        "NOT_ENOUGH_FUNDS" | "LOW_BALANCE_OR_PAYEE_LIMIT_REACHED_OR_NOT_ALLOWED" => match direction {
            Direction::Collect => failed(Blame::Customer),
            Direction::Payout => failed(Blame::Float),
        },
        "APPROVAL_REJECTED"
        | "PAYMENT_NOT_APPROVED"
        | "TRANSACTION_CANCELED"
        | "PAYER_NOT_FOUND"
        | "PAYEE_NOT_FOUND"
        | "SENDER_ACCOUNT_NOT_ACTIVE"
        | "PAYEE_NOT_ALLOWED_TO_RECEIVE"
        | "PAYER_LIMIT_REACHED"
        | "PAYEE_LIMIT_REACHED" => failed(Blame::Customer),
        "NOT_ALLOWED"
        | "NOT_ALLOWED_TARGET_ENVIRONMENT"
        | "INVALID_CALLBACK_URL_HOST"
        | "INVALID_CURRENCY"
        | "VALIDATION_ERROR"
        | "INTERNAL_PROCESSING_ERROR" => failed(Blame::Route),
        "SERVICE_UNAVAILABLE" | "ONGOING" | "PAYER_DELAYED" | "PAYEE_DELAYED" => Some(OperationState::Pending),
        _ => None,
    }
}

pub(super) fn balance(reply: &Reply, currency: &str) -> Outcome<i64> {
    if reply.status != 200 {
        return reply.doubt();
    }
    let read = |balance: Balance| {
        let whole = balance.available_balance.split('.').next()?.parse().ok()?;
        (balance.currency == currency).then_some(whole)
    };
    match serde_json::from_slice(&reply.body).ok().and_then(read) {
        Some(francs) => Outcome::Known(francs),
        None => Outcome::unknown("unreadable_answer"),
    }
}

pub(super) fn notice(delivery: &Delivery<'_>) -> Result<Vec<Notice>, Rejected> {
    if delivery.body.len() > MAX_WEBHOOK_BYTES {
        return Err(Rejected::TooLarge);
    }
    let operation: Operation = serde_json::from_slice(delivery.body).map_err(|_| Rejected::Unreadable)?;
    let direction = if operation.payee.is_some() { Direction::Payout } else { Direction::Collect };
    Ok(vec![Notice {
        event_id: fingerprint(delivery.body),
        kind: NoticeKind::Operation(direction),
        hint: state(&operation, direction),
        reference: operation.external_id,
        provider_id: operation.reference_id,
        notify_token: last_segment(delivery.path),
        trust: Trust::Unsigned,
    }])
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn reply(status: u16, body: &str) -> Reply {
        Reply { status, body: Bytes::copy_from_slice(body.as_bytes()) }
    }

    const RECORDED: &str = r#"{"amount":"1500","currency":"XOF","financialTransactionId":"363440463","externalId":"HSTL-DEP-01J9",
        "payer":{"partyIdType":"MSISDN","partyId":"2250504030201"},"payerMessage":"Depot","payeeNote":"Hostolink",
        "status":"SUCCESSFUL"}"#;

    fn read_state(body: &str, direction: Direction) -> OperationState {
        match read(&reply(200, body), direction) {
            Outcome::Known(Some(observed)) => observed.state,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_recorded_answer_is_read_whole() {
        let Outcome::Known(Some(observed)) = read(&reply(200, RECORDED), Direction::Collect) else { panic!() };
        assert_eq!(observed.state, OperationState::Succeeded);
        assert_eq!(observed.transaction_id.as_deref(), Some("363440463"));
        assert_eq!(observed.party.as_deref(), Some("2250504030201"));
        assert_eq!(observed.amount_francs, Some(1500));
    }

    #[test]
    fn reasons_come_as_words_and_as_objects() {
        let failed = |reason: &str| format!(r#"{{"status":"FAILED","reason":{reason}}}"#);
        let expired = failed(r#""COULD_NOT_PERFORM_TRANSACTION""#);
        assert_eq!(read_state(&expired, Direction::Collect), OperationState::Expired);
        let poor = failed(r#"{"code":"NOT_ENOUGH_FUNDS","message":"x"}"#);
        assert_eq!(read_state(&poor, Direction::Collect), OperationState::failed("NOT_ENOUGH_FUNDS", Blame::Customer));
        assert_eq!(read_state(&poor, Direction::Payout), OperationState::failed("NOT_ENOUGH_FUNDS", Blame::Float));
        for word in ["PENDING", "TIMEOUT", "CREATED", "SOMETHING_NEW"] {
            assert_eq!(read_state(&format!(r#"{{"status":"{word}"}}"#), Direction::Collect), OperationState::Pending);
        }
    }

    #[test]
    fn a_500_may_be_a_refusal_and_may_be_a_doubt() {
        let handle = || crate::mobile_money::model::sample_handle();
        let answer = |status, body: &str| created(&reply(status, body), handle(), Direction::Payout);
        let state = |outcome| match outcome {
            Outcome::Known(Started { observed, .. }) => observed.state,
            other => panic!("{other:?}"),
        };
        let refused = answer(500, r#"{"code":"PAYEE_NOT_FOUND","message":"m"}"#);
        assert_eq!(state(refused), OperationState::failed("PAYEE_NOT_FOUND", Blame::Customer));
        let used = answer(409, r#"{"code":"RESOURCE_ALREADY_EXIST","message":"Duplicated reference id."}"#);
        assert_eq!(state(used), OperationState::Pending);
        assert_eq!(answer(500, "<html>"), Outcome::unknown("http_500"));
        assert_eq!(answer(500, r#"{"code":"NEVER_SEEN"}"#), Outcome::unknown("NEVER_SEEN"));
        assert_eq!(answer(401, r#"{"statusCode":401,"message":"Access denied"}"#), Outcome::not_executed("http_401"));
        assert_eq!(answer(503, ""), Outcome::unknown("http_503"));
    }

    #[test]
    fn only_mtn_itself_may_say_that_it_knows_nothing() {
        let unknown = r#"{"code":"RESOURCE_NOT_FOUND","message":"Requested resource was not found."}"#;
        assert_eq!(read(&reply(404, unknown), Direction::Payout), Outcome::Known(None));
        assert_eq!(read(&reply(404, "<html>not here</html>"), Direction::Payout), Outcome::unknown("http_404"));
    }
}
