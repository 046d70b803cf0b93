use std::sync::Arc;

use providers::mobile_money::{CardVault, Collect, Float, Payout, Statement, Webhook};

use super::ProviderCode;
use crate::house::Core;
use crate::instruction::Side;

/// A way to a provider that this installation has. What is absent is not offered. An aggregator's route serves several
/// providers; the first of a provider's ways is preferred, the others are there for when it cannot.
#[derive(Clone)]
pub struct Connector {
    /// Whose money it moves.
    pub provider: ProviderCode,
    /// Its name in `/webhooks/{route}`.
    pub route: &'static str,
    /// Money in.
    pub collect: Option<Arc<dyn Collect>>,
    /// Money out.
    pub payout: Option<Arc<dyn Payout>>,
    /// What it sends by itself.
    pub webhook: Option<Arc<dyn Webhook>>,
    /// Its own books.
    pub statement: Option<Arc<dyn Statement>>,
    /// Our money there.
    pub float: Option<Arc<dyn Float>>,
    /// Cards that it keeps for us.
    pub cards: Option<Arc<dyn CardVault>>,
    /// A deposit leaves only with a code that the customer asked the operator for.
    pub needs_code: bool,
}

impl Connector {
    /// A way that can do nothing yet.
    pub fn new(provider: ProviderCode, route: &'static str) -> Self {
        Self {
            provider,
            route,
            collect: None,
            payout: None,
            webhook: None,
            statement: None,
            float: None,
            cards: None,
            needs_code: false,
        }
    }

    /// Whether it moves money this way.
    pub(crate) fn serves(&self, side: Side) -> bool {
        match side {
            Side::Deposit => self.collect.is_some(),
            Side::Withdrawal => self.payout.is_some(),
        }
    }
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Connector({:?} by {})", self.provider, self.route)
    }
}

impl Core {
    /// The ways to this provider, the preferred one first.
    pub(crate) fn ways(&self, provider: ProviderCode) -> impl Iterator<Item = &Connector> {
        self.connectors.iter().filter(move |connector| connector.provider == provider)
    }

    /// The way that an order left by.
    pub(crate) fn way(&self, provider: ProviderCode, route: &str) -> Option<&Connector> {
        self.ways(provider).find(|connector| connector.route == route)
    }

    /// Whether this provider can be used this way at all.
    pub(crate) fn serves(&self, provider: ProviderCode, side: Side) -> bool {
        self.ways(provider).any(|connector| connector.serves(side))
    }

    /// Who verifies what arrives on a route.
    pub(crate) fn webhook(&self, route: &str) -> Option<(&'static str, Arc<dyn Webhook>)> {
        let connector = self.connectors.iter().find(|connector| connector.route == route)?;
        Some((connector.route, connector.webhook.clone()?))
    }
}
