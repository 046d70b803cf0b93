//! The faults that a test orders: what goes wrong, at which operator, for how many calls.

use crate::model::Provider;
use serde::{Deserialize, Serialize};

/// Faults that may be waiting at once.
pub(crate) const MAX_FAULTS: usize = 1_000;
/// How long a hanging answer hangs when the order does not say, in milliseconds.
const HANG_MS: u64 = 30_000;
/// How late a late answer or callback is when the order does not say, in milliseconds.
const LATE_MS: u64 = 1_500;
/// The longest wait that may be ordered, in milliseconds.
pub(crate) const MAX_WAIT_MS: u64 = 120_000;

/// What a call is for; a fault may be ordered for one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Call {
    /// Ask a customer to pay.
    Collect,
    /// Pay a customer.
    Payout,
    /// Read or search a state.
    Read,
    /// Get an access token.
    Token,
    /// Send a message.
    Message,
    /// Everything else.
    Other,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Fault {
    /// Executes, then never answers.
    TimeoutAfterExecution,
    /// Never answers and does nothing.
    TimeoutBefore,
    /// Answers 500 and does nothing.
    #[serde(rename = "status_500")]
    Status500,
    /// Answers 429 and does nothing.
    #[serde(rename = "status_429")]
    Status429,
    /// Executes, then answers 503.
    #[serde(rename = "status_503_after_execution")]
    Status503AfterExecution,
    /// Executes, sends half of the answer, then falls silent.
    HalfOpen,
    /// Closes the connection and does nothing.
    Reset,
    /// Executes, then closes the connection.
    ResetAfterExecution,
    /// Executes and answers late.
    Slow,
    /// A gateway's HTML page instead of an answer; nothing is done.
    #[serde(rename = "html_502")]
    Html502,
    /// Executes and answers with a word for the state that nobody ever saw.
    UnknownStatus,
    /// Executes and answers JSON that is called `text/plain`.
    WrongContentType,
    /// The callback comes three times.
    DuplicateCallback,
    /// The callback is overtaken by those that follow it.
    ReorderCallbacks,
    /// A callback that claims success under a wrong signature comes before the true one.
    ForgedCallback,
    /// The callback is late.
    LateCallback,
    /// The callback, well signed, names ten times the amount.
    AlteredAmountCallback,
    /// No callback comes.
    NoCallback,
    /// A callback for an operation that nobody made comes as well.
    UnknownOperationCallback,
    /// The operator says that our float is empty.
    EmptyFloat,
    /// The operation stays pending until ordered otherwise.
    StayPending,
}

impl Fault {
    /// Whether it strikes the answer to a call (the others strike callbacks or the books).
    pub(crate) const fn strikes_answer(self) -> bool {
        matches!(
            self,
            Self::TimeoutAfterExecution
                | Self::TimeoutBefore
                | Self::Status500
                | Self::Status429
                | Self::Status503AfterExecution
                | Self::HalfOpen
                | Self::Reset
                | Self::ResetAfterExecution
                | Self::Slow
                | Self::Html502
                | Self::UnknownStatus
                | Self::WrongContentType
        )
    }

    /// Whether it strikes a callback.
    pub(crate) const fn strikes_callback(self) -> bool {
        matches!(
            self,
            Self::DuplicateCallback
                | Self::ReorderCallbacks
                | Self::ForgedCallback
                | Self::LateCallback
                | Self::AlteredAmountCallback
                | Self::NoCallback
                | Self::UnknownOperationCallback
        )
    }

    /// Whether the operator acts on the call all the same.
    pub(crate) const fn executes(self) -> bool {
        !matches!(self, Self::TimeoutBefore | Self::Status500 | Self::Status429 | Self::Reset | Self::Html502)
    }

    const fn default_ms(self) -> u64 {
        match self {
            Self::TimeoutAfterExecution | Self::TimeoutBefore | Self::HalfOpen => HANG_MS,
            _ => LATE_MS,
        }
    }
}

/// An order, as the control interface takes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Order {
    /// Which operator; all when absent.
    pub(crate) provider: Option<Provider>,
    /// Which calls; all when absent. For a callback: `collect` or `payout`.
    #[serde(alias = "operation")]
    pub(crate) call: Option<Call>,
    pub(crate) kind: Fault,
    /// For how many matching calls.
    #[serde(default = "one", alias = "count")]
    pub(crate) times: u32,
    /// How long, for the faults that wait.
    pub(crate) ms: Option<u64>,
}

const fn one() -> u32 {
    1
}

/// A fault that struck.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Strike {
    pub(crate) kind: Fault,
    pub(crate) ms: u64,
}

/// Takes the first waiting order that matches, and counts it down.
pub(crate) fn take(
    orders: &mut Vec<Order>,
    provider: Provider,
    call: Call,
    wanted: impl Fn(Fault) -> bool,
) -> Option<Strike> {
    let index = orders
        .iter()
        .position(|o| wanted(o.kind) && o.provider.is_none_or(|p| p == provider) && o.call.is_none_or(|c| c == call))?;
    let order = orders.get_mut(index)?;
    let strike = Strike { kind: order.kind, ms: order.ms.unwrap_or(order.kind.default_ms()).min(MAX_WAIT_MS) };
    order.times = order.times.saturating_sub(1);
    if order.times == 0 {
        orders.remove(index);
    }
    Some(strike)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(json: &str) -> Order {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn an_order_is_taken_as_often_as_it_says() {
        let mut orders = vec![order(r#"{"provider":"wave","operation":"payout","kind":"status_500","count":2}"#)];
        assert!(take(&mut orders, Provider::Wave, Call::Collect, Fault::strikes_answer).is_none());
        assert!(take(&mut orders, Provider::Wave, Call::Payout, Fault::strikes_callback).is_none());
        assert_eq!(
            take(&mut orders, Provider::Wave, Call::Payout, Fault::strikes_answer).unwrap().kind,
            Fault::Status500
        );
        assert!(take(&mut orders, Provider::Wave, Call::Payout, Fault::strikes_answer).is_some());
        assert!(take(&mut orders, Provider::Wave, Call::Payout, Fault::strikes_answer).is_none());
        assert!(orders.is_empty());
    }

    #[test]
    fn waits_are_bounded() {
        let mut orders = vec![order(r#"{"kind":"slow","ms":999999999}"#)];
        assert_eq!(take(&mut orders, Provider::Wave, Call::Read, Fault::strikes_answer).unwrap().ms, MAX_WAIT_MS);
    }
}
