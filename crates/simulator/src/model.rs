//! What every operator has in common: an operation, its state, and who it belongs to.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An external party. Its name is also its path prefix: `/{name}` stands for its base URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Wave Business API.
    Wave,
    /// MTN MoMo Open API.
    Mtn,
    /// Orange: Web Payment and SMS.
    Orange,
    /// Djamo Business API.
    Djamo,
    /// pawaPay v2.
    Pawapay,
    /// Hub2.
    Hub2,
    /// CinetPay v1.
    Cinetpay,
    /// PI-SPI Business.
    Pispi,
    /// GSMA Mobile Money API 1.2.
    Gsma,
    /// Moov Money, SOAP.
    Moov,
    /// Paystack, for bank cards.
    Paystack,
    /// Twilio's messages.
    Twilio,
}

impl Provider {
    /// All of them, in the order in which they are shown.
    pub const ALL: &'static [Self] = &[
        Self::Wave,
        Self::Mtn,
        Self::Orange,
        Self::Djamo,
        Self::Pawapay,
        Self::Hub2,
        Self::Cinetpay,
        Self::Pispi,
        Self::Gsma,
        Self::Moov,
        Self::Paystack,
        Self::Twilio,
    ];

    /// The name, in paths and in the control interface.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wave => "wave",
            Self::Mtn => "mtn",
            Self::Orange => "orange",
            Self::Djamo => "djamo",
            Self::Pawapay => "pawapay",
            Self::Hub2 => "hub2",
            Self::Cinetpay => "cinetpay",
            Self::Pispi => "pispi",
            Self::Gsma => "gsma",
            Self::Moov => "moov",
            Self::Paystack => "paystack",
            Self::Twilio => "twilio",
        }
    }

    /// The provider of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|p| p.name() == name)
    }
}

/// Which way the money goes, seen from our business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// A customer pays us.
    Collection,
    /// We pay a customer.
    Payout,
}

/// The state of an operation at the operator, before it is put in that operator's own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// Nothing moved yet.
    Pending,
    /// The money moved.
    Succeeded,
    /// The money did not move and will not.
    Failed,
    /// The customer never acted.
    Expired,
    /// The money moved, then came back.
    Reversed,
}

/// What the operator will do by itself, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Planned {
    pub(crate) at_ms: i64,
    pub(crate) outcome: Outcome,
}

/// How an operation ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// The customer agrees, or the operator pays.
    Approve,
    /// It fails for good, for this reason in the operator's words.
    Refuse(String),
    /// The attempt fails but the customer may try again (Wave's checkout).
    Decline(String),
    /// The deadline passed.
    Expire,
}

/// The key under which a creation may be repeated, and the digest of the body it came with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IdempotencyKey {
    pub(crate) key: String,
    pub(crate) body_digest: String,
}

/// One collection or payout, as the operator knows it. Amounts are whole francs, times are milliseconds since 1970.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Operation {
    pub(crate) provider: Provider,
    /// The operator's id.
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) state: State,
    /// Why it failed, in the operator's words.
    pub(crate) reason: Option<String>,
    /// The reference that the merchant gave.
    pub(crate) reference: String,
    pub(crate) amount: i64,
    pub(crate) fee: i64,
    pub(crate) currency: String,
    /// The customer's number or alias.
    pub(crate) customer: String,
    /// The operator's user-facing id, given when the money moves.
    pub(crate) transaction_id: Option<String>,
    pub(crate) created_ms: i64,
    pub(crate) completed_ms: Option<i64>,
    pub(crate) expires_ms: Option<i64>,
    pub(crate) planned: Option<Planned>,
    pub(crate) idempotency: Option<IdempotencyKey>,
    /// Where this operation's own callback goes, when it named one.
    pub(crate) callback_url: Option<String>,
    /// How many times its money moved: more than one would be a bug of ours.
    pub(crate) executions: u32,
    /// What only this operator knows: the request's other fields.
    pub(crate) data: Value,
}

impl Operation {
    /// A pending operation with nothing planned.
    pub(crate) fn new(provider: Provider, kind: Kind, id: String, amount: i64, now_ms: i64) -> Self {
        Self {
            provider,
            id,
            kind,
            state: State::Pending,
            reason: None,
            reference: String::new(),
            amount,
            fee: 0,
            currency: "XOF".to_owned(),
            customer: String::new(),
            transaction_id: None,
            created_ms: now_ms,
            completed_ms: None,
            expires_ms: None,
            planned: None,
            idempotency: None,
            callback_url: None,
            executions: 0,
            data: Value::Null,
        }
    }

    pub(crate) fn key(&self) -> OperationKey {
        (self.provider, self.id.clone())
    }

    /// The next moment at which the operator acts by itself.
    pub(crate) fn due_ms(&self) -> Option<i64> {
        if self.state != State::Pending {
            return None;
        }
        match (&self.planned, self.expires_ms) {
            (Some(planned), Some(expires)) => Some(planned.at_ms.min(expires)),
            (Some(planned), None) => Some(planned.at_ms),
            (None, expires) => expires,
        }
    }

    /// A text field of `data`.
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.data.get(field).and_then(Value::as_str)
    }

    /// The last two digits of the amount choose a behaviour (section "triggers" of the README).
    pub(crate) fn amount_trigger(&self) -> i64 {
        self.amount % 100
    }
}

/// Where an operation is kept.
pub(crate) type OperationKey = (Provider, String);

/// Why the books refused a movement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No such operation.
    Unknown,
    /// It is in a state from which this cannot happen.
    WrongState,
    /// The customer has not enough.
    CustomerFunds,
    /// Our float has not enough.
    FloatFunds,
    /// A bound of the simulator is reached.
    Full,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A provider that is not in the list would have no path at all.
    #[test]
    fn the_list_is_whole() {
        let named = [
            "wave", "mtn", "orange", "djamo", "pawapay", "hub2", "cinetpay", "pispi", "gsma", "moov", "paystack",
            "twilio",
        ];
        let known: Vec<&str> = Provider::ALL.iter().map(|p| p.name()).collect();
        assert_eq!(known, named);
        for provider in Provider::ALL {
            assert_eq!(serde_json::to_value(provider).unwrap(), provider.name(), "one name everywhere");
        }
    }
}
