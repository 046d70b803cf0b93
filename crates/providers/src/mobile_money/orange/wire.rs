//! What Orange Web Payment looks like, as pure functions.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::OrangeConfig;
use crate::mobile_money::{
    Action, Blame, CollectOrder, Delivery, Direction, Handle, Notice, NoticeKind, Observed, OperationState, Outcome,
    Rejected, Started, Trust, notice::MAX_WEBHOOK_BYTES, sender::Reply, signature::fingerprint,
};

/// Longest `order_id`, in bytes.
const MAX_ORDER_ID: usize = 30;
/// Longest address of each kind, in bytes.
const MAX_URL: usize = 120;
/// Merchant's name on the page.
const MERCHANT: &str = "Hostolink";

#[derive(Serialize)]
struct Payment<'a> {
    merchant_key: &'a str,
    currency: &'a str,
    order_id: &'a str,
    amount: i64,
    return_url: &'a str,
    cancel_url: &'a str,
    notif_url: &'a str,
    lang: &'a str,
    reference: &'a str,
}

#[derive(Serialize)]
struct Question<'a> {
    order_id: &'a str,
    amount: i64,
    pay_token: &'a str,
}

#[derive(Deserialize)]
struct Created {
    pay_token: String,
    payment_url: String,
    notif_token: String,
}

#[derive(Deserialize)]
struct Status {
    status: String,
    order_id: Option<String>,
    txnid: Option<String>,
}

#[derive(Deserialize)]
struct Notification {
    status: String,
    notif_token: String,
    txnid: Option<String>,
}

/// The body of a payment; nothing when a field is longer than Orange takes.
pub(super) fn payment(order: &CollectOrder, config: &OrangeConfig) -> Option<Vec<u8>> {
    let notif_url = order.callback_url.as_deref().unwrap_or(&config.notify_url);
    let urls = [order.success_url.as_str(), order.failure_url.as_str(), notif_url];
    if order.reference.len() > MAX_ORDER_ID || urls.iter().any(|url| url.len() > MAX_URL) {
        return None;
    }
    let payment = Payment {
        merchant_key: config.merchant_key.expose(),
        currency: &config.currency,
        order_id: &order.reference,
        amount: order.amount_francs,
        return_url: urls[0],
        cancel_url: urls[1],
        notif_url,
        lang: "fr",
        reference: MERCHANT,
    };
    serde_json::to_vec(&payment).ok()
}

/// The question for a state; nothing without the token of the answer to the creation.
pub(super) fn status(handle: &Handle) -> Option<Vec<u8>> {
    let pay_token = handle.read_token.as_deref()?;
    serde_json::to_vec(&Question { order_id: &handle.reference, amount: handle.amount_francs, pay_token }).ok()
}

pub(super) fn created(reply: &Reply, mut handle: Handle) -> Outcome<Started> {
    match reply.status {
        200 | 201 => match serde_json::from_slice::<Created>(&reply.body) {
            Ok(created) => {
                handle.read_token = Some(created.pay_token);
                handle.notify_token = Some(created.notif_token);
                let action = Action::OpenPage { url: created.payment_url };
                Outcome::Known(Started { observed: Observed::new(OperationState::Pending), handle, action })
            }
            Err(_) => Outcome::unknown("unreadable_answer"),
        },
        401 => reply.refused_at_the_door(),
        400..=499 => match code(reply) {
            // Not allowed, wrong merchant key, wrong currency: our side; nothing was made.
            Some(code @ (1201..=1203 | 50 | 53)) => {
                let observed = Observed::new(OperationState::failed(code.to_string(), Blame::Route));
                Outcome::Known(Started { observed, handle, action: Action::None })
            }
            // The order exists already: an earlier attempt did arrive.
            Some(code) => Outcome::unknown(format!("orange_{code}")),
            None => reply.doubt(),
        },
        _ => reply.doubt(),
    }
}

/// Codes come as numbers and, from some gateways, as text.
fn code(reply: &Reply) -> Option<u64> {
    let body: Value = serde_json::from_slice(&reply.body).ok()?;
    let code = body.get("code")?;
    code.as_u64().or_else(|| code.as_str()?.parse().ok())
}

pub(super) fn read(reply: &Reply) -> Outcome<Option<Observed>> {
    match reply.status {
        200 | 201 => match serde_json::from_slice::<Status>(&reply.body) {
            Ok(status) => Outcome::Known(Some(Observed {
                transaction_id: status.txnid,
                reference: status.order_id,
                ..Observed::new(state(&status.status))
            })),
            Err(_) => Outcome::unknown("unreadable_answer"),
        },
        _ => reply.doubt(),
    }
}

fn state(word: &str) -> OperationState {
    match word {
        "SUCCESS" => OperationState::Succeeded,
        "FAILED" => OperationState::failed("FAILED", Blame::Customer),
        "EXPIRED" => OperationState::Expired,
        _ => OperationState::Pending,
    }
}

pub(super) fn notice(delivery: &Delivery<'_>) -> Result<Vec<Notice>, Rejected> {
    if delivery.body.len() > MAX_WEBHOOK_BYTES {
        return Err(Rejected::TooLarge);
    }
    let notification: Notification = serde_json::from_slice(delivery.body).map_err(|_| Rejected::Unreadable)?;
    Ok(vec![Notice {
        event_id: fingerprint(delivery.body),
        kind: NoticeKind::Operation(Direction::Collect),
        reference: None,
        provider_id: notification.txnid,
        notify_token: Some(notification.notif_token),
        hint: state(&notification.status),
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

    const CREATED: &str = r#"{"status":201,"message":"OK","pay_token":"f5720dd906203c62033ffe64ed75614e6f1",
        "payment_url":"https://mpayment.orange-money.com/ci/mpayment/abstract/v1?token=f5720",
        "notif_token":"dd497bda3b250e536186fc0663f32f40"}"#;

    #[test]
    fn the_tokens_of_a_payment_are_kept_and_recognise_its_notification() {
        let Outcome::Known(started) = created(&reply(201, CREATED), sample_handle()) else { panic!() };
        assert!(status(&started.handle).is_some() && status(&sample_handle()).is_none());
        let notify = |token: &str| {
            let body = format!(r#"{{"status":"SUCCESS","notif_token":"{token}","txnid":"MP261122.1004.A12345"}}"#);
            let delivery = Delivery { method: "POST", path: "/hooks/orange", headers: &[], body: body.as_bytes() };
            notice(&delivery).unwrap().remove(0)
        };
        let genuine = notify("dd497bda3b250e536186fc0663f32f40");
        assert!(started.handle.is_notified_by(&genuine));
        assert_eq!((genuine.trust, genuine.hint.clone()), (Trust::Unsigned, OperationState::Succeeded));
        assert!(!started.handle.is_notified_by(&notify("dd497bda3b250e536186fc0663f32f41")));
        assert!(!sample_handle().is_notified_by(&genuine), "no token, no recognition");
    }

    #[test]
    fn a_burnt_order_id_proves_that_an_earlier_attempt_arrived() {
        let burnt = reply(400, r#"{"code":1204,"message":"Duplicate order id","description":"x"}"#);
        assert_eq!(created(&burnt, sample_handle()), Outcome::unknown("orange_1204"));
        let key = reply(400, r#"{"code":1202,"message":"Invalid merchant key","description":"x"}"#);
        let Outcome::Known(started) = created(&key, sample_handle()) else { panic!() };
        assert_eq!(started.observed.state, OperationState::failed("1202", Blame::Route));
    }

    #[test]
    fn status_words_become_states() {
        let read_state = |word: &str| match read(&reply(201, &format!(r#"{{"status":"{word}","order_id":"x"}}"#))) {
            Outcome::Known(Some(observed)) => observed.state,
            other => panic!("{other:?}"),
        };
        assert_eq!(read_state("SUCCESS"), OperationState::Succeeded);
        assert_eq!(read_state("EXPIRED"), OperationState::Expired);
        assert_eq!(read_state("INITIATED"), OperationState::Pending);
        assert_eq!(read_state("SUCCESSFULL"), OperationState::Pending, "a sister interface's word is not ours");
    }
}
