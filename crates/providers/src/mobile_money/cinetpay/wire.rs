//! What CinetPay's interface looks like, as pure functions.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::CinetpayConfig;
use crate::{
    Secret,
    mobile_money::{
        Action, Blame, CollectOrder, Delivery, Direction, Handle, Notice, NoticeKind, Observed, OperationState,
        Outcome, PayoutOrder, Rejected, Started, Trust, WalletKind, model::CURRENCY, notice::MAX_WEBHOOK_BYTES,
        sender::Reply, signature::fingerprint, text::plain,
    },
};

/// Longest address, in bytes.
const MAX_URL: usize = 120;
/// Longest label, in characters.
const MAX_LABEL_CHARS: usize = 100;

#[derive(Serialize)]
struct Payment<'a> {
    currency: &'a str,
    merchant_transaction_id: &'a str,
    amount: i64,
    lang: &'a str,
    designation: String,
    client_email: &'a str,
    client_first_name: &'a str,
    client_last_name: &'a str,
    success_url: &'a str,
    failed_url: &'a str,
    notify_url: &'a str,
    channel: &'a str,
    payment_method: &'a str,
    client_phone_number: &'a str,
    direct_pay: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    otp_code: Option<&'a str>,
}

#[derive(Serialize)]
struct Transfer<'a> {
    currency: &'a str,
    merchant_transaction_id: &'a str,
    phone_number: &'a str,
    amount: i64,
    payment_method: &'a str,
    reason: String,
    notify_url: &'a str,
}

#[derive(Deserialize)]
struct Answered {
    code: i64,
    payment_token: Option<String>,
    notify_token: Option<String>,
    transaction_id: Option<String>,
    merchant_transaction_id: Option<String>,
    payment_url: Option<String>,
    details: Option<Details>,
    amount: Option<Value>,
    fee_amount: Option<Value>,
    currency: Option<String>,
    phone_number: Option<String>,
}

#[derive(Deserialize)]
struct Details {
    code: Option<i64>,
    #[serde(default)]
    must_be_redirected: bool,
}

#[derive(Deserialize)]
struct Notification {
    notify_token: String,
    merchant_transaction_id: Option<String>,
    transaction_id: Option<String>,
}

fn method(wallet: WalletKind) -> Result<&'static str, &'static str> {
    match wallet {
        WalletKind::Orange => Ok("OM_CI"),
        WalletKind::Mtn => Ok("MTN_CI"),
        WalletKind::Moov => Ok("MOOV_CI"),
        WalletKind::Wave => Ok("WAVE_CI"),
        WalletKind::Djamo | WalletKind::Bank | WalletKind::Card => Err("unsupported_wallet"),
    }
}

pub(super) fn payment(order: &CollectOrder, config: &CinetpayConfig) -> Result<Vec<u8>, &'static str> {
    let is_orange = order.wallet == WalletKind::Orange;
    if is_orange && order.code.is_none() {
        return Err("code_required");
    }
    let notify_url = order.callback_url.as_deref().unwrap_or(&config.notify_url);
    if [order.success_url.as_str(), &order.failure_url, notify_url].iter().any(|url| url.len() > MAX_URL) {
        return Err("address_too_long");
    }
    encode(&Payment {
        currency: CURRENCY,
        merchant_transaction_id: &order.reference,
        amount: order.amount_francs,
        lang: "fr",
        designation: plain(&order.label, MAX_LABEL_CHARS),
        client_email: &config.contact_email,
        client_first_name: "Client",
        client_last_name: "Hostolink",
        success_url: &order.success_url,
        failed_url: &order.failure_url,
        notify_url,
        channel: if is_orange { "OTP" } else { "PUSH" },
        payment_method: method(order.wallet)?,
        client_phone_number: order.payer.phone().ok_or("unsupported_party")?,
        direct_pay: true,
        otp_code: order.code.as_ref().filter(|_| is_orange).map(Secret::expose),
    })
}

pub(super) fn transfer(order: &PayoutOrder, config: &CinetpayConfig) -> Result<Vec<u8>, &'static str> {
    encode(&Transfer {
        currency: CURRENCY,
        merchant_transaction_id: &order.reference,
        phone_number: order.beneficiary.phone().ok_or("unsupported_party")?,
        amount: order.amount_francs,
        payment_method: method(order.wallet)?,
        reason: plain(&order.label, MAX_LABEL_CHARS),
        notify_url: order.callback_url.as_deref().unwrap_or(&config.notify_url),
    })
}

fn encode(request: &impl Serialize) -> Result<Vec<u8>, &'static str> {
    serde_json::to_vec(request).map_err(|_| "unsendable")
}

pub(super) fn created(reply: &Reply, mut handle: Handle, direction: Direction) -> Outcome<Started> {
    let Ok(answered) = serde_json::from_slice::<Answered>(&reply.body) else { return reply.doubt() };
    match (reply.status, answered.code) {
        (_, 1002 | 1003 | 1005) | (401 | 403, _) => reply.refused_at_the_door(),
        // The reference was used: an earlier attempt did arrive, its state is to be read.
        (_, 1200) => {
            let observed = Observed::new(OperationState::Pending);
            Outcome::Known(Started { observed, handle, action: Action::None })
        }
        (400 | 422, 1004) => {
            let observed = Observed::new(OperationState::failed("1004", Blame::Route));
            Outcome::Known(Started { observed, handle, action: Action::None })
        }
        (200 | 201, code) => {
            handle.provider_id.clone_from(&answered.transaction_id);
            handle.read_token.clone_from(&answered.payment_token);
            handle.notify_token.clone_from(&answered.notify_token);
            let details = answered.details.as_ref();
            // 200 on creation only means accepted: the details tell the state.
            let code = details.and_then(|details| details.code).unwrap_or(code);
            let redirected = details.is_some_and(|details| details.must_be_redirected);
            let action = match (direction, answered.payment_url.clone().filter(|_| redirected)) {
                (Direction::Collect, Some(url)) => Action::OpenPage { url },
                (Direction::Collect, None) => Action::ApproveOnPhone,
                (Direction::Payout, _) => Action::None,
            };
            let observed = observed(answered, state(code, direction));
            Outcome::Known(Started { observed, handle, action })
        }
        _ => reply.doubt(),
    }
}

pub(super) fn read(reply: &Reply, direction: Direction) -> Outcome<Option<Observed>> {
    let Ok(answered) = serde_json::from_slice::<Answered>(&reply.body) else { return reply.doubt() };
    match (reply.status, answered.code) {
        (200, code) => Outcome::Known(Some(observed(answered, state(code, direction)))),
        (404, 404) => Outcome::Known(None),
        _ => reply.doubt(),
    }
}

fn observed(answered: Answered, state: OperationState) -> Observed {
    Observed {
        provider_id: answered.transaction_id,
        reference: answered.merchant_transaction_id,
        amount_francs: answered.amount.as_ref().and_then(francs),
        currency: answered.currency,
        party: answered.phone_number,
        fee_francs: answered.fee_amount.as_ref().and_then(francs),
        ..Observed::new(state)
    }
}

/// Numbers come as numbers and as text.
fn francs(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn state(code: i64, direction: Direction) -> OperationState {
    let failed = |blame| OperationState::failed(code.to_string(), blame);
    match code {
        100 => OperationState::Succeeded,
        2003 | 2008 => OperationState::Expired,
        2005 if direction == Direction::Payout => failed(Blame::Float),
        2004..=2007 => failed(Blame::Customer),
        2010 | 2011 => failed(Blame::Route),
        // 2001 and 2002, the 200 of a call that says nothing of the money, and every code to come.
        _ => OperationState::Pending,
    }
}

pub(super) fn balance(reply: &Reply) -> Outcome<i64> {
    if reply.status != 200 {
        return reply.doubt();
    }
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let is_ours = body.get("currency").is_none_or(|currency| currency == CURRENCY);
    match body.get("available_balance").and_then(francs).filter(|_| is_ours) {
        Some(amount) => Outcome::Known(amount),
        None => Outcome::unknown("unreadable_answer"),
    }
}

pub(super) fn notice(delivery: &Delivery<'_>) -> Result<Vec<Notice>, Rejected> {
    if delivery.body.len() > MAX_WEBHOOK_BYTES {
        return Err(Rejected::TooLarge);
    }
    let notification: Notification = serde_json::from_slice(delivery.body).map_err(|_| Rejected::Unreadable)?;
    // The body names no direction; the operation that the token finds knows its own.
    Ok(vec![Notice {
        event_id: fingerprint(delivery.body),
        kind: NoticeKind::Operation(Direction::Collect),
        reference: notification.merchant_transaction_id,
        provider_id: notification.transaction_id,
        notify_token: Some(notification.notify_token),
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

    #[test]
    fn codes_become_states() {
        let state = |code| state(code, Direction::Payout);
        assert_eq!(state(100), OperationState::Succeeded);
        for code in [2001, 2002, 200, -1, 9999] {
            assert_eq!(state(code), OperationState::Pending, "{code}");
        }
        assert_eq!(state(2003), OperationState::Expired);
        assert_eq!(state(2005), OperationState::failed("2005", Blame::Float));
        assert_eq!(super::state(2005, Direction::Collect), OperationState::failed("2005", Blame::Customer));
    }

    #[test]
    fn accepted_is_not_paid_and_a_used_reference_is_read() {
        let accepted = r#"{"code":200,"status":"OK","payment_token":"p","notify_token":"n","transaction_id":"t",
            "merchant_transaction_id":"m","payment_url":"https://pay","details":{"code":2001,"status":"INITIATED","must_be_redirected":true}}"#;
        let Outcome::Known(started) = created(&reply(200, accepted), sample_handle(), Direction::Collect) else {
            panic!()
        };
        assert_eq!(started.observed.state, OperationState::Pending);
        assert_eq!(started.action, Action::OpenPage { url: "https://pay".to_owned() });
        assert_eq!(started.handle.notify_token.as_deref(), Some("n"));
        let used =
            created(&reply(409, r#"{"code":1200,"status":"TRANSACTION_EXIST"}"#), sample_handle(), Direction::Payout);
        assert!(matches!(used, Outcome::Known(Started { observed, .. }) if observed.state == OperationState::Pending));
        let odd = created(&reply(500, r#"{"code":-1}"#), sample_handle(), Direction::Payout);
        assert_eq!(odd, Outcome::unknown("http_500"));
    }

    #[test]
    fn only_cinetpay_may_say_that_it_knows_nothing() {
        assert_eq!(read(&reply(404, r#"{"code":404,"status":"NOT_FOUND"}"#), Direction::Payout), Outcome::Known(None));
        assert_eq!(read(&reply(404, "<html>"), Direction::Payout), Outcome::unknown("http_404"));
    }
}
