//! Mobile money and its neighbours: one connector a provider, behind small capabilities.
//!
//! What every connector promises:
//!
//! * **No default in doubt.** A time-out, a server error, an unreadable answer or a word never seen before is
//!   [`Outcome::Unknown`] or [`OperationState::Pending`], never a failure: money may have moved.
//! * **Same order, same bytes.** Encoding is a pure function of the order, so a repeat carries the same key and the same
//!   body. The caller commits the order before the first call and, after a doubt, looks up before it repeats.
//! * **A webhook is a hint.** [`Webhook::verify`] says who wrote it; the state is then read from the provider, and
//!   [`Observed::disagreement`] compares it with what was ordered.
//! * **Everything is told.** Each exchange comes back as a masked [`Exchange`] for the caller to store.

mod bearer;
mod breaker;
mod capability;
pub mod cinetpay;
pub mod djamo;
mod exchange;
pub mod gsma;
pub mod hub2;
mod model;
pub mod moov;
pub mod mtn;
mod notice;
pub mod orange;
pub mod pawapay;
pub mod paystack;
pub mod pispi;
pub mod rails;
mod sender;
mod signature;
mod statement;
mod text;
pub mod wave;

pub use capability::{CardVault, Collect, Float, Payout, SavedCard, Statement, Webhook};
pub use exchange::Exchange;
pub use model::{
    Action, Answer, Blame, CollectOrder, Direction, Disagreement, Handle, Observed, OperationState, Outcome, Party,
    PayoutOrder, Started, WalletKind,
};
pub use notice::{Delivery, Notice, NoticeKind, Rejected, Trust};
pub use rails::Rail;
pub use sender::SenderLimits;
pub use statement::{StatementLine, StatementPage};
