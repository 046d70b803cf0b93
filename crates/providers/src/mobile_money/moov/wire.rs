//! What Moov's interface looks like, as pure functions.

use super::soap::{Result as Answered, element, envelope, parse};
use crate::{
    Secret,
    mobile_money::{
        Action, Blame, CollectOrder, Handle, Observed, OperationState, Outcome, PayoutOrder, Started,
        sender::Reply,
        text::{msisdn, plain},
    },
};

/// Longest message on the customer's screen, in characters.
const MAX_MESSAGE_CHARS: usize = 100;

pub(super) fn push(token: &Secret, order: &CollectOrder) -> Option<String> {
    let inner = [
        element("msisdn", msisdn(order.payer.phone()?)),
        element("message", &plain(&order.label, MAX_MESSAGE_CHARS)),
        element("amount", &order.amount_francs.to_string()),
        element("externaldata1", &order.reference),
        element("externaldata2", ""),
        element("fee", "0"),
    ];
    Some(envelope("PushWithPending", token, &inner.concat()))
}

pub(super) fn transfer(token: &Secret, order: &PayoutOrder) -> Option<String> {
    let request = [
        element("destination", msisdn(order.beneficiary.phone()?)),
        element("amount", &order.amount_francs.to_string()),
        element("referenceid", &order.reference),
        element("walletid", "0"),
        element("extendeddata", &plain(&order.label, MAX_MESSAGE_CHARS)),
    ];
    Some(envelope("transferFlooz", token, &format!("<request>{}</request>", request.concat())))
}

/// Whose identifier `transid` is, is not certain: the one that the first answer carried is asked for, else ours.
pub(super) fn status(token: &Secret, handle: &Handle) -> String {
    let id = handle.read_token.as_deref().unwrap_or(&handle.reference);
    envelope("getTransactionStatus", token, &format!("<request>{}</request>", element("transid", id)))
}

pub(super) fn created(reply: &Reply, mut handle: Handle, is_payout: bool) -> Outcome<Started> {
    let Some(answered) = answered(reply) else { return reply.doubt() };
    match state(&answered, is_payout) {
        Verdict::State(state) => {
            // A payout's `transactionid` is Moov's; a push's `transid` is the one to ask with.
            let (theirs, ask_with) = if is_payout {
                (answered.transaction_id, None)
            } else {
                (answered.reference_id, answered.transaction_id)
            };
            handle.provider_id.clone_from(&theirs);
            handle.read_token = ask_with;
            let asks = !is_payout && state == OperationState::Pending;
            let action = if asks { Action::ApproveOnPhone } else { Action::None };
            let observed = Observed { transaction_id: theirs.clone(), provider_id: theirs, ..Observed::new(state) };
            Outcome::Known(Started { observed, handle, action })
        }
        Verdict::Refused(code) => Outcome::not_executed(code),
        Verdict::Absent | Verdict::Doubt => Outcome::unknown(format!("moov_{}", answered.status)),
    }
}

pub(super) fn read(reply: &Reply, is_payout: bool) -> Outcome<Option<Observed>> {
    let Some(answered) = answered(reply) else { return reply.doubt() };
    match state(&answered, is_payout) {
        Verdict::State(state) => {
            let transaction_id = answered.reference_id;
            Outcome::Known(Some(Observed { transaction_id, ..Observed::new(state) }))
        }
        Verdict::Absent => Outcome::Known(None),
        Verdict::Refused(_) | Verdict::Doubt => Outcome::unknown(format!("moov_{}", answered.status)),
    }
}

fn answered(reply: &Reply) -> Option<Answered> {
    if reply.status == 200 { parse(&reply.body) } else { None }
}

enum Verdict {
    State(OperationState),
    /// Our credentials: nothing was looked at.
    Refused(String),
    /// The transaction does not exist.
    Absent,
    /// An internal error may hide an execution.
    Doubt,
}

fn state(answered: &Answered, is_payout: bool) -> Verdict {
    let code = answered.status;
    let failed = |blame| Verdict::State(OperationState::failed(format!("moov_{code}"), blame));
    match code {
        0 if answered.description == "SUCCESS" => Verdict::State(OperationState::Succeeded),
        100 => Verdict::State(OperationState::Pending),
        1 | 2 | 4 | 91 => failed(Blame::Route),
        10 => failed(if is_payout { Blame::Float } else { Blame::Customer }),
        3 | 555 | 6 | 7 | 9 | 11..=16 | 18..=20 | 95 => failed(Blame::Customer),
        92 if is_payout => Verdict::Doubt,
        92 => Verdict::State(OperationState::Expired),
        94 => Verdict::Absent,
        98 => Verdict::Refused("moov_98".to_owned()),
        _ => Verdict::Doubt,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(status: i64, description: &str, is_payout: bool) -> Option<OperationState> {
        let (reference_id, transaction_id) = (None, None);
        let answered = Answered { status, description: description.to_owned(), reference_id, transaction_id };
        match state(&answered, is_payout) {
            Verdict::State(state) => Some(state),
            Verdict::Refused(_) | Verdict::Absent | Verdict::Doubt => None,
        }
    }

    #[test]
    fn codes_become_states_and_internal_errors_do_not() {
        assert_eq!(verdict(0, "SUCCESS", true), Some(OperationState::Succeeded));
        assert_eq!(verdict(0, "TRAITEMENT", true), None, "a zero without its word is not a success");
        assert_eq!(verdict(100, "PENDING", false), Some(OperationState::Pending));
        assert_eq!(verdict(92, "", false), Some(OperationState::Expired));
        assert_eq!(verdict(10, "", true), Some(OperationState::failed("moov_10", Blame::Float)));
        assert_eq!(verdict(10, "", false), Some(OperationState::failed("moov_10", Blame::Customer)));
        for code in [99, -1, 17, 12345] {
            assert_eq!(verdict(code, "", true), None, "{code}");
        }
    }
}
