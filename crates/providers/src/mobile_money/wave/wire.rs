//! What Wave's interface looks like, as pure functions: orders to bytes, answers to states.

use serde::{Deserialize, Serialize};

use crate::mobile_money::{
    Action, Blame, CollectOrder, Handle, Observed, OperationState, Outcome, PayoutOrder, Started, StatementLine,
    StatementPage, model::CURRENCY, sender::Reply,
};

/// Longest `payment_reason`, in characters.
const MAX_REASON_CHARS: usize = 40;

#[derive(Serialize)]
struct SessionRequest<'a> {
    amount: String,
    currency: &'a str,
    success_url: &'a str,
    error_url: &'a str,
    client_reference: &'a str,
    restrict_payer_mobile: &'a str,
}

#[derive(Serialize)]
struct PayoutRequest<'a> {
    currency: &'a str,
    receive_amount: String,
    mobile: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    payment_reason: String,
    client_reference: &'a str,
}

/// A checkout session, as answers and webhooks carry it.
#[derive(Deserialize)]
pub(super) struct Session {
    id: String,
    amount: Option<String>,
    currency: Option<String>,
    #[serde(default)]
    checkout_status: String,
    #[serde(default)]
    payment_status: String,
    client_reference: Option<String>,
    transaction_id: Option<String>,
    wave_launch_url: Option<String>,
}

#[derive(Deserialize)]
struct PayoutState {
    id: String,
    currency: Option<String>,
    receive_amount: Option<String>,
    fee: Option<String>,
    mobile: Option<String>,
    client_reference: Option<String>,
    status: String,
    payout_error: Option<PayoutError>,
}

#[derive(Deserialize)]
struct PayoutError {
    error_code: String,
}

#[derive(Deserialize)]
struct Found<T> {
    result: Vec<T>,
}

#[derive(Deserialize)]
struct Refusal {
    code: String,
}

#[derive(Deserialize)]
struct Balance {
    amount: String,
    currency: String,
}

/// The body of a checkout session; nothing when the payer is not a telephone number.
pub(super) fn session_request(order: &CollectOrder) -> Option<Vec<u8>> {
    let request = SessionRequest {
        amount: order.amount_francs.to_string(),
        currency: CURRENCY,
        success_url: &order.success_url,
        error_url: &order.failure_url,
        client_reference: &order.reference,
        restrict_payer_mobile: order.payer.phone()?,
    };
    serde_json::to_vec(&request).ok()
}

/// The body of a payout; nothing when the beneficiary is not a telephone number.
pub(super) fn payout_request(order: &PayoutOrder) -> Option<Vec<u8>> {
    let request = PayoutRequest {
        currency: CURRENCY,
        receive_amount: order.amount_francs.to_string(),
        mobile: order.beneficiary.phone()?,
        name: order.name.as_deref(),
        payment_reason: order.label.chars().take(MAX_REASON_CHARS).collect(),
        client_reference: &order.reference,
    };
    serde_json::to_vec(&request).ok()
}

pub(super) fn session_created(reply: &Reply, order: &CollectOrder) -> Outcome<Started> {
    created(reply, order.handle(), |session: Session| {
        let url = session.wave_launch_url.clone();
        let action = url.map_or(Action::None, |url| Action::OpenPage { url });
        (session_observed(session), action)
    })
}

pub(super) fn payout_sent(reply: &Reply, order: &PayoutOrder) -> Outcome<Started> {
    created(reply, order.handle(), |payout: PayoutState| (payout_observed(payout), Action::None))
}

pub(super) fn session_read(reply: &Reply) -> Outcome<Option<Observed>> {
    read_one(reply, session_observed)
}

pub(super) fn payout_read(reply: &Reply) -> Outcome<Option<Observed>> {
    read_one(reply, payout_observed)
}

pub(super) fn sessions_found(reply: &Reply) -> Outcome<Option<Observed>> {
    read_list(reply, session_observed)
}

pub(super) fn payouts_found(reply: &Reply) -> Outcome<Option<Observed>> {
    read_list(reply, payout_observed)
}

pub(super) fn balance(reply: &Reply) -> Outcome<i64> {
    if reply.status != 200 {
        return reply.doubt();
    }
    match serde_json::from_slice::<Balance>(&reply.body)
        .ok()
        .and_then(|balance| (balance.currency == CURRENCY).then(|| francs(&balance.amount)).flatten())
    {
        Some(amount) => Outcome::Known(amount),
        None => unreadable(),
    }
}

pub(super) fn session_state(session: &Session) -> OperationState {
    match (session.checkout_status.as_str(), session.payment_status.as_str()) {
        ("complete", "succeeded") => OperationState::Succeeded,
        ("expired", status) if status != "succeeded" => OperationState::Expired,
        // Cancelled and still open: the payer may try again until the session expires.
        _ => OperationState::Pending,
    }
}

fn session_observed(session: Session) -> Observed {
    Observed {
        amount_francs: session.amount.as_deref().and_then(francs),
        currency: session.currency.clone(),
        reference: session.client_reference.clone(),
        transaction_id: session.transaction_id.clone(),
        ..Observed { provider_id: Some(session.id.clone()), ..Observed::new(session_state(&session)) }
    }
}

fn payout_observed(payout: PayoutState) -> Observed {
    let state = match payout.status.as_str() {
        // A reversal is a movement of its own, found on the statement; the payout itself did succeed.
        "succeeded" | "reversed" => OperationState::Succeeded,
        "failed" => {
            let code = payout.payout_error.map_or_else(|| "failed".to_owned(), |error| error.error_code);
            let blame = known_refusal(&code).unwrap_or(Blame::Customer);
            OperationState::failed(code, blame)
        }
        _ => OperationState::Pending,
    };
    Observed {
        provider_id: Some(payout.id),
        reference: payout.client_reference,
        amount_francs: payout.receive_amount.as_deref().and_then(francs),
        currency: payout.currency,
        party: payout.mobile,
        fee_francs: payout.fee.as_deref().and_then(francs),
        ..Observed::new(state)
    }
}

/// `"1500"` and nothing else: no decimals, no sign of a surprise.
fn francs(text: &str) -> Option<i64> {
    text.parse().ok()
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
            Err(_) => unreadable(),
        },
        401 | 403 => reply.refused_at_the_door(),
        // Only codes that Wave documents are believed; any other may hide a movement.
        400 | 422 => match refusal(reply) {
            Some((code, Some(blame))) => {
                let observed = Observed::new(OperationState::failed(code, blame));
                Outcome::Known(Started { observed, handle, action: Action::None })
            }
            Some((code, None)) => Outcome::unknown(code),
            None => reply.doubt(),
        },
        409 => Outcome::unknown(refusal(reply).map_or_else(|| "http_409".to_owned(), |(code, _)| code)),
        _ => reply.doubt(),
    }
}

fn refusal(reply: &Reply) -> Option<(String, Option<Blame>)> {
    let Refusal { code } = serde_json::from_slice(&reply.body).ok()?;
    let blame = known_refusal(&code);
    let is_code = code.len() <= 60 && code.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'-');
    is_code.then_some((code, blame))
}

/// The documented codes after which nothing moved, and who can do something about each.
fn known_refusal(code: &str) -> Option<Blame> {
    match code {
        "insufficient-funds" => Some(Blame::Float),
        "recipient-minor"
        | "recipient-account-blocked"
        | "recipient-account-inactive"
        | "recipient-limit-exceeded"
        | "blocked-account"
        | "cross-border-payment-not-allowed"
        | "customer-age-restricted"
        | "payer-mobile-mismatch" => Some(Blame::Customer),
        "country-mismatch"
        | "currency-mismatch"
        | "aggregated-merchant-required"
        | "invalid-aggregated-merchant-id"
        | "request-validation-error"
        | "request-not-json"
        | "request-parsing-error"
        | "unauthorized-wallet"
        | "kyb-limits-exceeded" => Some(Blame::Route),
        _ => None,
    }
}

fn read_one<T: for<'de> Deserialize<'de>>(
    reply: &Reply,
    read: impl FnOnce(T) -> Observed,
) -> Outcome<Option<Observed>> {
    match reply.status {
        200 => {
            serde_json::from_slice(&reply.body).map_or_else(|_| unreadable(), |value| Outcome::Known(Some(read(value))))
        }
        // A gateway that does not know the path is not Wave that does not know the operation.
        404 if refusal(reply).is_some() => Outcome::Known(None),
        _ => reply.doubt(),
    }
}

/// Several operations may carry one reference, because a checkout has no key of its own: one that succeeded wins, then one
/// that may still. Two that succeeded are a matter for a person.
fn read_list<T: for<'de> Deserialize<'de>>(reply: &Reply, read: impl Fn(T) -> Observed) -> Outcome<Option<Observed>> {
    if reply.status != 200 {
        return reply.doubt();
    }
    let Ok(found) = serde_json::from_slice::<Found<T>>(&reply.body) else { return unreadable() };
    let mut all: Vec<Observed> = found.result.into_iter().map(read).collect();
    if all.iter().filter(|one| one.state == OperationState::Succeeded).count() > 1 {
        return Outcome::unknown("several_succeeded");
    }
    all.sort_by_key(|one| match one.state {
        OperationState::Succeeded => 0,
        OperationState::Pending => 1,
        OperationState::Failed { .. } | OperationState::Expired => 2,
    });
    Outcome::Known(all.into_iter().next())
}

fn unreadable<T>() -> Outcome<T> {
    Outcome::unknown("unreadable_answer")
}

#[derive(Deserialize)]
struct Transactions {
    page_info: PageInfo,
    items: Vec<Transaction>,
}

#[derive(Deserialize)]
struct PageInfo {
    end_cursor: Option<String>,
    has_next_page: bool,
}

#[derive(Deserialize)]
struct Transaction {
    timestamp: String,
    transaction_id: String,
    transaction_type: String,
    amount: String,
    fee: Option<String>,
    balance: Option<String>,
    client_reference: Option<String>,
}

pub(super) fn statement_page(reply: &Reply) -> Outcome<StatementPage> {
    if reply.status != 200 {
        return reply.doubt();
    }
    let Ok(page) = serde_json::from_slice::<Transactions>(&reply.body) else { return unreadable() };
    let lines: Option<Vec<StatementLine>> = page.items.into_iter().map(statement_line).collect();
    let next = page.page_info.end_cursor.filter(|_| page.page_info.has_next_page);
    lines.map_or_else(unreadable, |lines| Outcome::Known(StatementPage { lines, next }))
}

fn statement_line(item: Transaction) -> Option<StatementLine> {
    let amount = francs(&item.amount)?;
    // Wave's page does not say whether money out is written with a minus: the kind decides.
    let amount_francs = match item.transaction_type.as_str() {
        "merchant_payment" | "api_checkout" | "api_payout_reversal" => Some(amount.abs()),
        "merchant_payment_refund" | "api_checkout_refund" | "api_payout" | "bulk_payment" => Some(-amount.abs()),
        _ => None,
    };
    Some(StatementLine {
        transaction_id: item.transaction_id,
        at: item.timestamp,
        kind: item.transaction_type,
        amount_francs,
        fee_francs: item.fee.as_deref().map_or(Some(0), francs)?,
        balance_francs: item.balance.as_deref().and_then(francs),
        reference: item.client_reference,
    })
}

#[cfg(test)]
mod tests;
