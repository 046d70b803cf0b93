//! What Hub2's interface looks like, as pure functions.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Secret,
    mobile_money::{
        Action, Blame, CollectOrder, Direction, Handle, Observed, OperationState, Outcome, PayoutOrder, Started,
        WalletKind, model::CURRENCY, sender::Reply, text,
    },
};

/// Longest description, in characters.
const MAX_DESCRIPTION_CHARS: usize = 100;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct IntentRequest<'a> {
    customer_reference: &'a str,
    purchase_reference: &'a str,
    amount: i64,
    currency: &'a str,
}

/// The second step, before the intent's token is known.
pub(super) struct Payment<'a> {
    provider: &'a str,
    msisdn: &'a str,
    otp: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PaymentRequest<'a> {
    token: &'a str,
    payment_method: &'a str,
    country: &'a str,
    provider: &'a str,
    mobile_money: MobileMoney<'a>,
}

#[derive(Serialize)]
struct MobileMoney<'a> {
    msisdn: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    otp: Option<&'a str>,
}

#[derive(Serialize)]
struct TransferRequest<'a> {
    reference: &'a str,
    amount: i64,
    currency: &'a str,
    description: String,
    destination: Destination<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Destination<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    country: &'a str,
    recipient_name: &'a str,
    msisdn: &'a str,
    provider: &'a str,
}

/// An intent that was just made.
#[derive(Deserialize)]
pub(super) struct Intent {
    pub(super) id: String,
    pub(super) token: Secret,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Operation {
    id: String,
    status: String,
    amount: Option<i64>,
    currency: Option<String>,
    purchase_reference: Option<String>,
    reference: Option<String>,
    #[serde(default)]
    payments: Vec<Attempted>,
    failure_cause: Option<String>,
    provider_reference: Option<String>,
    destination: Option<Paid>,
    next_action: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attempted {
    status: Option<String>,
    number: Option<String>,
    provider_reference: Option<String>,
    failure_cause: Option<String>,
}

#[derive(Deserialize)]
struct Paid {
    msisdn: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    code: String,
}

fn provider(wallet: WalletKind) -> Result<&'static str, &'static str> {
    match wallet {
        WalletKind::Orange => Ok("orange"),
        WalletKind::Mtn => Ok("mtn"),
        WalletKind::Moov => Ok("moov"),
        WalletKind::Wave => Ok("wave"),
        WalletKind::Djamo | WalletKind::Bank | WalletKind::Card => Err("unsupported_wallet"),
    }
}

pub(super) fn bodies(order: &CollectOrder) -> Result<(Vec<u8>, Payment<'_>), &'static str> {
    if order.wallet == WalletKind::Orange && order.code.is_none() {
        return Err("code_required");
    }
    let intent = IntentRequest {
        customer_reference: &order.reference,
        purchase_reference: &order.reference,
        amount: order.amount_francs,
        currency: CURRENCY,
    };
    let payment = Payment {
        provider: provider(order.wallet)?,
        msisdn: text::national(order.payer.phone().ok_or("unsupported_party")?),
        otp: order.code.as_ref().filter(|_| order.wallet == WalletKind::Orange).map(Secret::expose),
    };
    Ok((serde_json::to_vec(&intent).map_err(|_| "unsendable")?, payment))
}

impl Payment<'_> {
    pub(super) fn with_token(&self, token: &Secret) -> Option<Vec<u8>> {
        let request = PaymentRequest {
            token: token.expose(),
            payment_method: "mobile_money",
            country: "CI",
            provider: self.provider,
            mobile_money: MobileMoney { msisdn: self.msisdn, otp: self.otp },
        };
        serde_json::to_vec(&request).ok()
    }
}

pub(super) fn transfer(order: &PayoutOrder) -> Result<Vec<u8>, &'static str> {
    let request = TransferRequest {
        reference: &order.reference,
        amount: order.amount_francs,
        currency: CURRENCY,
        description: text::plain(&order.label, MAX_DESCRIPTION_CHARS),
        destination: Destination {
            kind: "mobile_money",
            country: "CI",
            recipient_name: order.name.as_deref().unwrap_or("Client Hostolink"),
            msisdn: text::national(order.beneficiary.phone().ok_or("unsupported_party")?),
            provider: provider(order.wallet)?,
        },
    };
    serde_json::to_vec(&request).map_err(|_| "unsendable")
}

/// The first step moves nothing, whatever becomes of it. Only a reference that was used before may hide an earlier payment.
pub(super) fn intent_created(reply: &Reply) -> Outcome<Intent> {
    match reply.status {
        200 | 201 => serde_json::from_slice(&reply.body)
            .map_or_else(|_| Outcome::not_executed("unreadable_intent"), Outcome::Known),
        409 => Outcome::unknown("duplicate_reference"),
        _ => reply.refused_at_the_door(),
    }
}

pub(super) fn payment_started(reply: &Reply, handle: Handle) -> Outcome<Started> {
    match reply.status {
        200 | 201 => match serde_json::from_slice::<Operation>(&reply.body) {
            Ok(operation) => {
                let action = action(operation.next_action.as_ref());
                Outcome::Known(Started { observed: observed(operation, Direction::Collect), handle, action })
            }
            Err(_) => Outcome::unknown("unreadable_answer"),
        },
        401 | 403 => reply.refused_at_the_door(),
        _ => reply.doubt(),
    }
}

/// A payment whose request may or may not have arrived: pending, and readable.
pub(super) fn in_doubt(handle: Handle) -> Started {
    let observed = Observed { provider_id: handle.provider_id.clone(), ..Observed::new(OperationState::Pending) };
    Started { observed, handle, action: Action::None }
}

/// Where the address stands inside `nextAction` differs between workflows: the first one found is taken.
fn action(next: Option<&Value>) -> Action {
    let Some(next) = next.filter(|next| next.is_object()) else { return Action::ApproveOnPhone };
    match next.pointer("/data/url").or_else(|| next.get("url")).and_then(Value::as_str) {
        Some(url) => Action::OpenPage { url: url.to_owned() },
        None if next.get("type").and_then(Value::as_str) == Some("otp") => Action::GiveCode,
        None => Action::ApproveOnPhone,
    }
}

pub(super) fn transfer_created(reply: &Reply, mut handle: Handle) -> Outcome<Started> {
    match reply.status {
        200 | 201 => match serde_json::from_slice::<Operation>(&reply.body) {
            Ok(operation) => {
                handle.provider_id = Some(operation.id.clone());
                let observed = observed(operation, Direction::Payout);
                Outcome::Known(Started { observed, handle, action: Action::None })
            }
            Err(_) => Outcome::unknown("unreadable_answer"),
        },
        401 | 403 => reply.refused_at_the_door(),
        409 => Outcome::unknown("duplicate_reference"),
        // Hub2's own refusal of a malformed request; a gateway's 400 has no such body.
        400 => {
            match serde_json::from_slice::<Refusal>(&reply.body).ok().and_then(|refusal| text::code(&refusal.code)) {
                Some(code) => {
                    let observed = Observed::new(OperationState::failed(code, Blame::Route));
                    Outcome::Known(Started { observed, handle, action: Action::None })
                }
                None => reply.doubt(),
            }
        }
        _ => reply.doubt(),
    }
}

pub(super) fn intent_read(reply: &Reply) -> Outcome<Option<Observed>> {
    read(reply, Direction::Collect)
}

pub(super) fn transfer_read(reply: &Reply) -> Outcome<Option<Observed>> {
    read(reply, Direction::Payout)
}

fn read(reply: &Reply, direction: Direction) -> Outcome<Option<Observed>> {
    match reply.status {
        200 => match serde_json::from_slice(&reply.body) {
            Ok(operation) => Outcome::Known(Some(observed(operation, direction))),
            Err(_) => Outcome::unknown("unreadable_answer"),
        },
        // We only ask for identifiers that Hub2 gave: that it does not know one is a doubt, not an absence.
        _ => reply.doubt(),
    }
}

pub(super) fn observed(operation: Operation, direction: Direction) -> Observed {
    let last = operation.payments.into_iter().next_back();
    let payment_status = last.as_ref().and_then(|payment| payment.status.clone());
    let (party, transaction_id, cause) = match last {
        Some(payment) => (payment.number, payment.provider_reference, payment.failure_cause),
        None => {
            (operation.destination.and_then(|paid| paid.msisdn), operation.provider_reference, operation.failure_cause)
        }
    };
    let state = match operation.status.as_str() {
        "successful" => OperationState::Succeeded,
        // An intent fails with its payment; one that says otherwise of itself than its payment is not final.
        "failed" if payment_status.as_deref().is_none_or(|status| status == "failed") => {
            failed(cause.as_deref(), direction)
        }
        _ => OperationState::Pending,
    };
    Observed {
        provider_id: Some(operation.id),
        transaction_id,
        reference: operation.purchase_reference.or(operation.reference),
        amount_francs: operation.amount,
        currency: operation.currency,
        party,
        ..Observed::new(state)
    }
}

fn failed(cause: Option<&str>, direction: Direction) -> OperationState {
    let code = cause.and_then(text::code).unwrap_or_else(|| "failed".to_owned());
    let blame = match (code.as_str(), direction) {
        ("insufficient_balance" | "insufficient_funds", Direction::Payout) => Blame::Float,
        ("provider_error", _) => Blame::Route,
        _ => Blame::Customer,
    };
    OperationState::failed(code, blame)
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
    fn an_intent_is_final_only_when_its_payment_agrees() {
        let state = |intent: &str, payment: &str| {
            let body = format!(r#"{{"id":"pi_1","status":"{intent}","payments":[{{"status":"{payment}"}}]}}"#);
            match intent_read(&reply(200, &body)) {
                Outcome::Known(Some(observed)) => observed.state,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(state("successful", "successful"), OperationState::Succeeded);
        assert_eq!(state("failed", "failed"), OperationState::failed("failed", Blame::Customer));
        assert_eq!(state("failed", "pending"), OperationState::Pending);
        assert_eq!(state("action_required", "pending"), OperationState::Pending);
        assert_eq!(intent_read(&reply(404, "{}")), Outcome::unknown("http_404"));
    }

    #[test]
    fn the_first_step_moves_nothing() {
        let code = |status| match intent_created(&reply(status, "{}")) {
            Outcome::NotExecuted { code } => code,
            other => panic!("{}", matches!(other, Outcome::Known(_))),
        };
        assert_eq!([code(503), code(422), code(201)], ["http_503", "http_422", "unreadable_intent"]);
        assert!(matches!(intent_created(&reply(409, "{}")), Outcome::Unknown { .. }));
        let used = transfer_created(&reply(409, r#"{"code":"duplicate_reference"}"#), sample_handle());
        assert_eq!(used, Outcome::unknown("duplicate_reference"));
    }

    #[test]
    fn next_actions_are_understood() {
        let action_of = |text: &str| action(Some(&serde_json::from_str(text).unwrap()));
        let page = action_of(r#"{"type":"redirection","data":{"method":"GET","url":"https://pay"}}"#);
        assert_eq!(page, Action::OpenPage { url: "https://pay".to_owned() });
        assert_eq!(action_of(r#"{"type":"otp"}"#), Action::GiveCode);
        assert_eq!(action(None), Action::ApproveOnPhone);
    }
}
