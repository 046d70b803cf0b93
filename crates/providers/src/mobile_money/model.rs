//! The common model: what Hostolink says to every provider, and what it hears from each.

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use super::{Exchange, Notice};
use crate::{Secret, mask};

/// The currency of every amount here; it has no minor unit.
pub(crate) const CURRENCY: &str = "XOF";
/// Where an operation stands at the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum OperationState {
    /// Not final. Words that were never seen before end here.
    Pending,
    /// The provider says that the money moved.
    Succeeded,
    /// The provider says that the money did not move.
    Failed {
        /// The provider's own code, short and stable.
        code: String,
        /// Who can do something about it.
        blame: Blame,
    },
    /// The customer did not act in time and the provider says that the request is dead.
    Expired,
}

impl OperationState {
    pub(crate) fn failed(code: impl Into<String>, blame: Blame) -> Self {
        Self::Failed { code: code.into(), blame }
    }
}

/// Who can do something about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blame {
    /// The customer: no money, a refusal, a number without a wallet, a limit.
    Customer,
    /// Our balance at the provider: treasury must act, another route may serve.
    Float,
    /// Our settings, our request or the provider's platform: an engineer must act, another route may serve.
    Route,
}

/// What became of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<T> {
    /// The provider answered.
    Known(T),
    /// **This call** had no effect (never left, or refused at the door). It proves nothing about an earlier call with the
    /// same key whose outcome was unknown.
    NotExecuted {
        /// Stable code, such as `unreachable`, `circuit_open`, `http_401`.
        code: String,
    },
    /// Nobody knows: look the operation up before anything else.
    Unknown {
        /// Stable code, such as `timeout`, `http_503`.
        code: String,
    },
}

impl<T> Outcome<T> {
    pub(crate) fn unknown(code: impl Into<String>) -> Self {
        Self::Unknown { code: code.into() }
    }

    pub(crate) fn not_executed(code: impl Into<String>) -> Self {
        Self::NotExecuted { code: code.into() }
    }
}

/// An outcome and the exchanges that led to it, masked and ready to be stored.
#[derive(Debug, Clone)]
pub struct Answer<T> {
    /// What became of the call.
    pub outcome: Outcome<T>,
    /// Every exchange, tokens and retries included, in order.
    pub exchanges: Vec<Exchange>,
}

/// Which way the money goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the customer to us.
    Collect,
    /// From us to the customer.
    Payout,
}

/// Who holds the customer's money, which is not always whom we call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WalletKind {
    /// Orange Money.
    Orange,
    /// MTN MoMo.
    Mtn,
    /// Moov Money.
    Moov,
    /// Wave.
    Wave,
    /// Djamo.
    Djamo,
    /// A bank account.
    Bank,
    /// A bank card, through an acquirer's page.
    Card,
}

/// The other side of an operation.
#[derive(Clone, PartialEq, Eq)]
pub enum Party {
    /// Telephone number in E.164.
    Phone(String),
    /// PI-SPI alias.
    Alias(String),
    /// Account at an institution of the region.
    Account {
        /// IBAN.
        iban: String,
        /// Code of the institution.
        participant: String,
    },
}

impl Party {
    /// The number, or nothing when the party is not one.
    pub(crate) fn phone(&self) -> Option<&str> {
        match self {
            Self::Phone(number) => Some(number),
            Self::Alias(_) | Self::Account { .. } => None,
        }
    }
}

impl std::fmt::Debug for Party {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Phone(number) => out.debug_tuple("Phone").field(&mask::phone(number)).finish(),
            Self::Alias(_) => out.write_str("Alias(***)"),
            Self::Account { participant, .. } => out.debug_tuple("Account").field(participant).finish(),
        }
    }
}

/// Money coming in: a customer is asked to pay us.
#[derive(Debug, Clone)]
pub struct CollectOrder {
    /// Our identifier, unique for ever: 1 to 30 letters, digits and hyphens, so that every provider takes it.
    pub reference: String,
    /// Idempotency key of the operation (version 4), never of the attempt.
    pub key: Uuid,
    /// Whole francs.
    pub amount_francs: i64,
    /// Who pays.
    pub payer: Party,
    /// Who holds the payer's money.
    pub wallet: WalletKind,
    /// A few words for the payer; plain letters, digits and spaces pass everywhere.
    pub label: String,
    /// Code that Orange customers get by USSD, for the routes that ask for it.
    pub code: Option<Secret>,
    /// Page to return to after success (proves nothing).
    pub success_url: String,
    /// Page to return to after failure.
    pub failure_url: String,
    /// Where the provider reports, for the providers that take the address with each order. Holds a secret.
    pub callback_url: Option<String>,
}

/// Money going out: a customer is paid.
#[derive(Debug, Clone)]
pub struct PayoutOrder {
    /// As in [`CollectOrder::reference`].
    pub reference: String,
    /// As in [`CollectOrder::key`].
    pub key: Uuid,
    /// Whole francs that the beneficiary receives.
    pub amount_francs: i64,
    /// Who is paid.
    pub beneficiary: Party,
    /// Who holds the beneficiary's money.
    pub wallet: WalletKind,
    /// Name to check, when the provider checks names.
    pub name: Option<String>,
    /// A few words for the beneficiary.
    pub label: String,
    /// As in [`CollectOrder::callback_url`].
    pub callback_url: Option<String>,
}

impl CollectOrder {
    /// What must be kept to find the operation again.
    pub fn handle(&self) -> Handle {
        Handle::new(&self.reference, self.key, self.amount_francs)
    }
}

impl PayoutOrder {
    /// What must be kept to find the operation again.
    pub fn handle(&self) -> Handle {
        Handle::new(&self.reference, self.key, self.amount_francs)
    }
}

/// What must be kept to find an operation again. Store it before the call, and again after it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handle {
    /// Our reference.
    pub reference: String,
    /// Our key.
    pub key: Uuid,
    /// Whole francs.
    pub amount_francs: i64,
    /// The provider's identifier, once it gave one.
    pub provider_id: Option<String>,
    /// A secret of the provider without which the state cannot be read (Orange `pay_token`, CinetPay `payment_token`).
    pub read_token: Option<String>,
    /// A secret by which the provider's notification is recognised.
    pub notify_token: Option<String>,
}

impl Handle {
    fn new(reference: &str, key: Uuid, amount_francs: i64) -> Self {
        let reference = reference.to_owned();
        Self { reference, key, amount_francs, provider_id: None, read_token: None, notify_token: None }
    }

    /// Whether an unsigned notification carries this operation's own secret; compared in constant time.
    pub fn is_notified_by(&self, notice: &Notice) -> bool {
        match (&self.notify_token, &notice.notify_token) {
            (Some(ours), Some(theirs)) => ours.as_bytes().ct_eq(theirs.as_bytes()).into(),
            _ => false,
        }
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Handle")
            .field("reference", &self.reference)
            .field("amount_francs", &self.amount_francs)
            .field("provider_id", &self.provider_id)
            .finish_non_exhaustive()
    }
}

/// What the customer has to do now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "action")]
pub enum Action {
    /// Nothing.
    None,
    /// Approve on the telephone.
    ApproveOnPhone,
    /// Open this page in the system browser, never in a web view.
    OpenPage {
        /// Address of the page.
        url: String,
    },
    /// Ask the operator for a code and give it to us.
    GiveCode,
}

/// An operation that the provider took note of, or refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// What the provider says of it now.
    pub observed: Observed,
    /// Store this in place of the handle of the order.
    pub handle: Handle,
    /// What the customer has to do.
    pub action: Action,
}

/// An operation as the provider tells it. What it did not say is absent, not guessed.
#[derive(Clone, PartialEq, Eq)]
pub struct Observed {
    /// Where it stands.
    pub state: OperationState,
    /// The provider's identifier of the operation.
    pub provider_id: Option<String>,
    /// The identifier on statements and on the customer's receipt.
    pub transaction_id: Option<String>,
    /// Our reference, as the provider repeats it.
    pub reference: Option<String>,
    /// Whole francs.
    pub amount_francs: Option<i64>,
    /// ISO 4217.
    pub currency: Option<String>,
    /// Telephone number or alias of the other side.
    pub party: Option<String>,
    /// What the provider charged us, in whole francs.
    pub fee_francs: Option<i64>,
}

impl Observed {
    pub(crate) fn new(state: OperationState) -> Self {
        Self {
            state,
            provider_id: None,
            transaction_id: None,
            reference: None,
            amount_francs: None,
            currency: None,
            party: None,
            fee_francs: None,
        }
    }

    /// The first point where the provider tells another story than the order. Such an operation waits for a person.
    pub fn disagreement(&self, handle: &Handle, party: &Party, currency: &str) -> Option<Disagreement> {
        if self.amount_francs.is_some_and(|amount| amount != handle.amount_francs) {
            return Some(Disagreement::Amount);
        }
        if self.currency.as_deref().is_some_and(|found| found != currency) {
            return Some(Disagreement::Currency);
        }
        if self.reference.as_deref().is_some_and(|found| found != handle.reference) {
            return Some(Disagreement::Reference);
        }
        match (party, &self.party) {
            (Party::Phone(number), Some(found)) if !same_number(number, found) => Some(Disagreement::Party),
            _ => None,
        }
    }
}

impl std::fmt::Debug for Observed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Observed")
            .field("state", &self.state)
            .field("provider_id", &self.provider_id)
            .field("reference", &self.reference)
            .field("amount_francs", &self.amount_francs)
            .finish_non_exhaustive()
    }
}

/// Where the provider tells another story than the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disagreement {
    /// Another amount.
    Amount,
    /// Another currency.
    Currency,
    /// Another reference.
    Reference,
    /// Another person.
    Party,
}

/// Providers write one number in three ways (`+225…`, `225…`, national): the ten national digits decide.
fn same_number(ours: &str, theirs: &str) -> bool {
    const NATIONAL_DIGITS: usize = 10;
    let tail = |number: &str| {
        let digits: Vec<u8> = number.bytes().filter(u8::is_ascii_digit).collect();
        digits[digits.len().saturating_sub(NATIONAL_DIGITS)..].to_vec()
    };
    tail(ours) == tail(theirs)
}

/// A handle for the tests of the connectors' encodings.
#[cfg(test)]
pub(crate) fn sample_handle() -> Handle {
    Handle::new("HSTL-WDR-01J9", Uuid::from_u128(0x6f1c_1f0e_5d7a_4a51_9b1e_2f2f_6f1c_1f0e), 1500)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_different_amount_currency_reference_or_person_is_noticed() {
        let handle = Handle::new("HSTL-DEP-1", Uuid::nil(), 1500);
        let payer = Party::Phone("+2250708091011".to_owned());
        let good = Observed {
            reference: Some("HSTL-DEP-1".to_owned()),
            amount_francs: Some(1500),
            currency: Some("XOF".to_owned()),
            party: Some("0708091011".to_owned()),
            ..Observed::new(OperationState::Succeeded)
        };
        let found = |observed: Observed| observed.disagreement(&handle, &payer, CURRENCY);
        assert_eq!(found(good.clone()), None);
        assert_eq!(found(Observed { amount_francs: Some(150_000), ..good.clone() }), Some(Disagreement::Amount));
        assert_eq!(found(Observed { currency: Some("EUR".to_owned()), ..good.clone() }), Some(Disagreement::Currency));
        assert_eq!(found(Observed { reference: Some("X".to_owned()), ..good.clone() }), Some(Disagreement::Reference));
        assert_eq!(found(Observed { party: Some("2250708091012".to_owned()), ..good }), Some(Disagreement::Party));
    }

    #[test]
    fn debug_of_an_order_shows_no_number() {
        let shown = format!("{:?}", Party::Phone("+2250708091011".to_owned()));
        assert!(!shown.contains("0708091011"), "{shown}");
    }
}
