//! What a provider may be able to do. A connector implements what its provider offers and nothing else: there is no default
//! body to inherit by mistake.

use chrono::NaiveDate;
use futures_util::future::BoxFuture;

use crate::Secret;

use super::{Answer, CollectOrder, Delivery, Handle, Notice, Observed, PayoutOrder, Rejected, Started, StatementPage};

/// Money in.
pub trait Collect: Send + Sync {
    /// Asks the customer to pay. The order was committed before.
    fn request_payment<'a>(&'a self, order: &'a CollectOrder) -> BoxFuture<'a, Answer<Started>>;

    /// Reads the state, by the provider's identifier or else by our reference. `Known(None)` means that the provider knows
    /// nothing of it *now*: a request that is still on its way may arrive later, so wait longer than a time-out before
    /// the same order is sent again.
    fn state<'a>(&'a self, handle: &'a Handle) -> BoxFuture<'a, Answer<Option<Observed>>>;
}

/// Money out.
pub trait Payout: Send + Sync {
    /// Whether the provider itself guarantees that the same order sent again moves nothing twice. Where it does not, an
    /// unknown outcome is never repeated by a machine: a person decides.
    fn may_repeat(&self) -> bool;

    /// Pays the customer. The order was committed before.
    fn send<'a>(&'a self, order: &'a PayoutOrder) -> BoxFuture<'a, Answer<Started>>;

    /// Reads the state of an operation whose identifier at the provider is known.
    fn state<'a>(&'a self, handle: &'a Handle) -> BoxFuture<'a, Answer<Option<Observed>>>;

    /// Finds an operation whose answer was lost. `Known(None)` as in [`Collect::state`].
    fn find_by_reference<'a>(&'a self, handle: &'a Handle) -> BoxFuture<'a, Answer<Option<Observed>>>;
}

/// Messages that the provider sends by itself.
pub trait Webhook: Send + Sync {
    /// Says who wrote a webhook and splits it into events. Every repeat gives the same event identifiers.
    fn verify<'a>(
        &'a self,
        delivery: &'a Delivery<'a>,
        now_unix_s: i64,
    ) -> BoxFuture<'a, Result<Vec<Notice>, Rejected>>;
}

/// The provider's own books, for reconciliation.
pub trait Statement: Send + Sync {
    /// One page of a day (UTC). Start without a cursor and go on with [`StatementPage::next`].
    fn page<'a>(&'a self, day: NaiveDate, cursor: Option<&'a str>) -> BoxFuture<'a, Answer<StatementPage>>;
}

/// Our money at the provider.
pub trait Float: Send + Sync {
    /// Balance in whole francs.
    fn balance(&self) -> BoxFuture<'_, Answer<i64>>;
}

/// Cards that the acquirer keeps for us. We hold its token, never a number.
pub trait CardVault: Send + Sync {
    /// The card of a payment that succeeded, when it may be charged again.
    fn saved_card<'a>(&'a self, handle: &'a Handle) -> BoxFuture<'a, Answer<Option<SavedCard>>>;

    /// Asks a saved card to pay; the state is read like that of any collection.
    fn charge_saved<'a>(&'a self, order: &'a CollectOrder, token: &'a Secret) -> BoxFuture<'a, Answer<Started>>;

    /// Has the acquirer forget a card.
    fn forget<'a>(&'a self, token: &'a Secret) -> BoxFuture<'a, Answer<()>>;
}

/// What may be kept and shown of a card.
#[derive(Debug, Clone)]
pub struct SavedCard {
    /// The acquirer's token.
    pub token: Secret,
    /// `visa`, `mastercard`…
    pub brand: String,
    /// Last four digits.
    pub last4: String,
    /// Month of expiry, 1 to 12.
    pub expiry_month: u8,
    /// Year of expiry.
    pub expiry_year: u16,
}
