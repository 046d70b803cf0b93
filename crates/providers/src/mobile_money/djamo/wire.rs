//! What Djamo's interface looks like, as pure functions.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Secret,
    mobile_money::{
        Action, Answer, Blame, CollectOrder, Delivery, Direction, Handle, Notice, NoticeKind, Observed, OperationState,
        Outcome, PayoutOrder, Rejected, Started, Trust,
        model::CURRENCY,
        notice::MAX_WEBHOOK_BYTES,
        sender::Reply,
        signature::{fingerprint, is_signed},
        text,
    },
};

/// Longest description, in characters.
const MAX_DESCRIPTION_CHARS: usize = 100;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ChargeRequest<'a> {
    amount: i64,
    external_id: &'a str,
    description: String,
    on_completed_redirection_url: &'a str,
    on_canceled_redirection_url: &'a str,
}

#[derive(Serialize)]
struct TransferRequest<'a> {
    amount: i64,
    msisdn: &'a str,
    reference: &'a str,
    description: String,
    #[serde(rename = "type")]
    kind: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Charge {
    id: String,
    external_id: Option<String>,
    status: String,
    amount: Option<i64>,
    currency: Option<String>,
    fees: Option<i64>,
    payment_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Transfer {
    id: String,
    amount: Option<i64>,
    fee: Option<i64>,
    msisdn: Option<String>,
    status: String,
    reference: Option<String>,
    djamo_transaction_reference: Option<String>,
    failure_reason: Option<String>,
}

#[derive(Deserialize)]
struct Event {
    topic: String,
    data: Value,
}

#[derive(Deserialize)]
struct Balance {
    balance: i64,
    currency: String,
}

pub(super) fn charge(order: &CollectOrder) -> Option<Vec<u8>> {
    let request = ChargeRequest {
        amount: order.amount_francs,
        external_id: &order.reference,
        description: text::plain(&order.label, MAX_DESCRIPTION_CHARS),
        on_completed_redirection_url: &order.success_url,
        on_canceled_redirection_url: &order.failure_url,
    };
    order.payer.phone()?;
    serde_json::to_vec(&request).ok()
}

pub(super) fn transfer(order: &PayoutOrder) -> Option<Vec<u8>> {
    let request = TransferRequest {
        amount: order.amount_francs,
        msisdn: order.beneficiary.phone()?,
        reference: &order.reference,
        description: text::plain(&order.label, MAX_DESCRIPTION_CHARS),
        kind: "transfer",
    };
    serde_json::to_vec(&request).ok()
}

pub(super) fn unsupported<T>() -> Answer<T> {
    Answer { outcome: Outcome::not_executed("unsupported_party"), exchanges: Vec::new() }
}

pub(super) fn charge_created(reply: &Reply, handle: Handle) -> Outcome<Started> {
    created(reply, handle, |charge: Charge| {
        let action = charge.payment_url.clone().map_or(Action::None, |url| Action::OpenPage { url });
        (charge_observed(charge), action)
    })
}

pub(super) fn transfer_created(reply: &Reply, handle: Handle) -> Outcome<Started> {
    created(reply, handle, |transfer: Transfer| (transfer_observed(transfer), Action::None))
}

fn created<T: for<'de> Deserialize<'de>>(
    reply: &Reply,
    mut handle: Handle,
    read: impl FnOnce(T) -> (Observed, Action),
) -> Outcome<Started> {
    match reply.status {
        200 | 201 => match serde_json::from_slice(&reply.body) {
            Ok(value) => {
                let (observed, action) = read(value);
                handle.provider_id.clone_from(&observed.provider_id);
                Outcome::Known(Started { observed, handle, action })
            }
            Err(_) => Outcome::unknown("unreadable_answer"),
        },
        401 | 403 => reply.refused_at_the_door(),
        // Documented refusals of the request itself, in Djamo's own shape: nothing was made.
        status @ (400 | 422) if is_djamo_error(reply) => {
            let observed = Observed::new(OperationState::failed(format!("http_{status}"), Blame::Customer));
            Outcome::Known(Started { observed, handle, action: Action::None })
        }
        // 409: the reference was used, so an earlier attempt did arrive and is to be looked up.
        409 => Outcome::unknown("duplicate_reference"),
        _ => reply.doubt(),
    }
}

/// Djamo's errors carry `correlationId`; a gateway's do not.
fn is_djamo_error(reply: &Reply) -> bool {
    serde_json::from_slice::<Value>(&reply.body).is_ok_and(|body| body.get("correlationId").is_some())
}

pub(super) fn charge_read(reply: &Reply) -> Outcome<Option<Observed>> {
    read_one(reply, charge_observed)
}

pub(super) fn transfer_read(reply: &Reply) -> Outcome<Option<Observed>> {
    read_one(reply, transfer_observed)
}

fn read_one<T: for<'de> Deserialize<'de>>(
    reply: &Reply,
    read: impl FnOnce(T) -> Observed,
) -> Outcome<Option<Observed>> {
    match reply.status {
        200 => match serde_json::from_slice(&reply.body) {
            Ok(value) => Outcome::Known(Some(read(value))),
            Err(_) => Outcome::unknown("unreadable_answer"),
        },
        404 if is_djamo_error(reply) => Outcome::Known(None),
        _ => reply.doubt(),
    }
}

/// The shape of a search's answer is not documented: one object, a list, and a list under `data` are read. Only an empty
/// list, or Djamo's own 404, says that there is nothing.
pub(super) fn transfers_found(reply: &Reply, reference: &str) -> Outcome<Option<Observed>> {
    if reply.status != 200 {
        return read_one(reply, transfer_observed);
    }
    let Ok(mut body) = serde_json::from_slice::<Value>(&reply.body) else {
        return Outcome::unknown("unreadable_answer");
    };
    let listed = body.get_mut("data").map(Value::take);
    let items = match listed.unwrap_or(body) {
        Value::Array(items) => items,
        other => vec![other],
    };
    let transfers: Result<Vec<Transfer>, _> = items.into_iter().map(serde_json::from_value).collect();
    match transfers {
        Ok(transfers) => {
            // A filter that is ignored would list other people's transfers.
            let ours = transfers.into_iter().find(|transfer| transfer.reference.as_deref() == Some(reference));
            Outcome::Known(ours.map(transfer_observed))
        }
        Err(_) => Outcome::unknown("unreadable_answer"),
    }
}

fn charge_observed(charge: Charge) -> Observed {
    let state = charge_state(&charge.status);
    Observed {
        provider_id: Some(charge.id),
        reference: charge.external_id,
        amount_francs: charge.amount,
        currency: charge.currency,
        fee_francs: charge.fees,
        ..Observed::new(state)
    }
}

fn charge_state(word: &str) -> OperationState {
    match word {
        // A refund is a movement of its own: the charge itself did succeed.
        "paid" | "refunded" | "refunded_partially" => OperationState::Succeeded,
        "dropped" => OperationState::Expired,
        _ => OperationState::Pending,
    }
}

fn transfer_observed(transfer: Transfer) -> Observed {
    let state = match transfer.status.as_str() {
        "completed" => OperationState::Succeeded,
        "failed" => {
            let reason = transfer.failure_reason.as_deref().and_then(text::code);
            OperationState::failed(reason.unwrap_or_else(|| "failed".to_owned()), Blame::Customer)
        }
        _ => OperationState::Pending,
    };
    Observed {
        provider_id: Some(transfer.id),
        transaction_id: transfer.djamo_transaction_reference,
        reference: transfer.reference,
        amount_francs: transfer.amount,
        party: transfer.msisdn,
        fee_francs: transfer.fee,
        ..Observed::new(state)
    }
}

pub(super) fn balance(reply: &Reply) -> Outcome<i64> {
    if reply.status != 200 {
        return reply.doubt();
    }
    match serde_json::from_slice::<Balance>(&reply.body) {
        Ok(balance) if balance.currency == CURRENCY => Outcome::Known(balance.balance),
        Ok(_) | Err(_) => Outcome::unknown("unreadable_answer"),
    }
}

pub(super) fn verify(secrets: &[Secret], delivery: &Delivery<'_>) -> Result<Vec<Notice>, Rejected> {
    if secrets.is_empty() {
        return Err(Rejected::NotConfigured);
    }
    if delivery.body.len() > MAX_WEBHOOK_BYTES {
        return Err(Rejected::TooLarge);
    }
    let header = delivery.header("x-djamo-hmac-sha256").ok_or(Rejected::MissingSignature)?;
    let signature = STANDARD.decode(header.trim()).map_err(|_| Rejected::BadSignature)?;
    if !is_signed(secrets, &[delivery.body], &[signature]) {
        return Err(Rejected::BadSignature);
    }
    let event: Event = serde_json::from_slice(delivery.body).map_err(|_| Rejected::Unreadable)?;
    Ok(vec![notice(&event, delivery.body)])
}

/// Nothing signed dates an event and none has an identifier: its bytes are its identity, for ever.
fn notice(event: &Event, body: &[u8]) -> Notice {
    let field = |name: &str| event.data.get(name).and_then(Value::as_str).map(str::to_owned);
    let status = field("status").unwrap_or_default();
    let (kind, hint, reference) = if event.topic.starts_with("transactions/") {
        let state = if status == "completed" { OperationState::Succeeded } else { OperationState::Pending };
        (NoticeKind::Operation(Direction::Payout), state, field("reference"))
    } else if event.topic.starts_with("charge") {
        (NoticeKind::Operation(Direction::Collect), charge_state(&status), field("externalId"))
    } else {
        (NoticeKind::Other, OperationState::Pending, None)
    };
    let provider_id = field("id");
    Notice { event_id: fingerprint(body), kind, reference, provider_id, notify_token: None, hint, trust: Trust::Signed }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::mobile_money::model::sample_handle;

    fn reply(status: u16, body: &str) -> Reply {
        Reply { status, body: Bytes::copy_from_slice(body.as_bytes()) }
    }

    const TRANSFER: &str = r#"{"id":"7d0e","amount":15000,"fee":150,"totalAmount":15150,"msisdn":"+2250708091011","status":"pending",
        "reference":"HSTL-WDR-01J9","djamoTransactionReference":null,"batchId":null,"failureReason":null,
        "createdAt":"2026-11-22T10:00:00.000Z","updatedAt":"2026-11-22T10:00:00.000Z"}"#;

    #[test]
    fn the_known_webhook_is_accepted_and_a_changed_one_is_not() {
        let body = br#"{"topic":"transactions/completed","data":{"id":"tr_1","status":"completed","amount":5000}}"#;
        let signature = "HU+NtbRgGC/AnI0nlXI0YWNl9FvjxKEwVTsnEx6AUJM=";
        let headers = [("x-djamo-hmac-sha256".to_owned(), signature.to_owned())];
        let check = |body: &[u8]| {
            let delivery = Delivery { method: "POST", path: "/hooks/djamo", headers: &headers, body };
            verify(&[Secret::new("djamo_test_secret")], &delivery)
        };
        let notice = check(body).unwrap().remove(0);
        assert_eq!(notice.kind, NoticeKind::Operation(Direction::Payout));
        assert_eq!((notice.provider_id.as_deref(), notice.hint), (Some("tr_1"), OperationState::Succeeded));
        assert_eq!(check(&body[1..]), Err(Rejected::BadSignature));
    }

    #[test]
    fn a_used_reference_is_a_doubt_and_a_refusal_is_final() {
        let conflict =
            r#"{"statusCode":409,"message":["reference already used"],"error":"Conflict","correlationId":"b1c2"}"#;
        assert_eq!(transfer_created(&reply(409, conflict), sample_handle()), Outcome::unknown("duplicate_reference"));
        let refused = conflict.replace("409", "422");
        let Outcome::Known(started) = transfer_created(&reply(422, &refused), sample_handle()) else { panic!() };
        assert_eq!(started.observed.state, OperationState::failed("http_422", Blame::Customer));
        assert_eq!(transfer_created(&reply(422, "<html>"), sample_handle()), Outcome::unknown("http_422"));
    }

    #[test]
    fn a_search_reads_every_shape_and_believes_only_our_reference() {
        for body in [TRANSFER.to_owned(), format!("[{TRANSFER}]"), format!(r#"{{"data":[{TRANSFER}]}}"#)] {
            let Outcome::Known(Some(observed)) = transfers_found(&reply(200, &body), "HSTL-WDR-01J9") else { panic!() };
            assert_eq!(observed.amount_francs, Some(15_000));
            assert_eq!(transfers_found(&reply(200, &body), "HSTL-WDR-02"), Outcome::Known(None));
        }
        assert_eq!(transfers_found(&reply(200, "[]"), "HSTL-WDR-01J9"), Outcome::Known(None));
        assert_eq!(transfers_found(&reply(200, r#"{"odd":1}"#), "X"), Outcome::unknown("unreadable_answer"));
    }

    #[test]
    fn charge_words_become_states() {
        assert_eq!(charge_state("paid"), OperationState::Succeeded);
        assert_eq!(charge_state("dropped"), OperationState::Expired);
        assert_eq!(charge_state("due"), OperationState::Pending);
        assert_eq!(charge_state("new-word"), OperationState::Pending);
    }
}
