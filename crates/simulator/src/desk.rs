//! What the frame must know of an operator; each operator's folder fills one in.

use crate::App;
use crate::books::Short;
use crate::callbacks::{Callback, Hand};
use crate::faults::Call;
use crate::model::{Operation, Outcome, Provider};
use crate::world::World;
use axum::Router;
use http::Method;
use std::sync::Arc;

/// The operator's particularities, as functions of values.
pub(crate) struct Desk {
    /// The paths below the operator's prefix.
    pub(crate) routes: fn() -> Router<Arc<App>>,
    /// What a call is for, from its method, its path below the prefix, and its body where one address serves for all.
    pub(crate) call: fn(&Method, &str, &[u8]) -> Call,
    /// The callbacks that an operation's present state deserves.
    pub(crate) callbacks: fn(&World, &Operation, Hand) -> Vec<Callback>,
    /// How an operation ends when the money is not there.
    pub(crate) short: fn(&Operation, Short) -> Outcome,
    /// How an operation ends when the customer refuses.
    pub(crate) refused: fn(&Operation) -> Outcome,
    /// The word for "too late".
    pub(crate) expired: &'static str,
    /// A fresh user-facing transaction id, for this moment.
    pub(crate) transaction_id: fn(i64) -> String,
}

impl Provider {
    /// The particularities of this operator.
    pub(crate) fn desk(self) -> &'static Desk {
        match self {
            Self::Wave => &crate::wave::DESK,
            Self::Mtn => &crate::mtn::DESK,
            Self::Orange => &crate::orange::DESK,
            Self::Djamo => &crate::djamo::DESK,
            Self::Pawapay => &crate::pawapay::DESK,
            Self::Hub2 => &crate::hub2::DESK,
            Self::Cinetpay => &crate::cinetpay::DESK,
            Self::Pispi => &crate::pispi::DESK,
            Self::Gsma => &crate::gsma::DESK,
            Self::Moov => &crate::moov::DESK,
            Self::Paystack => &crate::paystack::DESK,
            Self::Twilio => &crate::twilio::DESK,
        }
    }
}

/// Every operator under its prefix.
pub(crate) fn routes() -> Router<Arc<App>> {
    Provider::ALL.iter().fold(Router::new(), |router, provider| {
        router.nest(&format!("/{}", provider.name()), (provider.desk().routes)())
    })
}

/// Which operator a path belongs to. The pages that customers open are no calls.
pub(crate) fn operator(path: &str) -> Option<(Provider, &str)> {
    let (name, rest) = path.strip_prefix('/')?.split_once('/')?;
    let provider = Provider::named(name)?;
    let rest = path.get(name.len() + 1..).filter(|_| !rest.starts_with("pay/"))?;
    Some((provider, rest))
}
