use std::sync::Arc;

use providers::mobile_money::{Collect, Payout, Webhook};

use super::ProviderCode;
use crate::house::Core;

/// A way to a provider that this installation has. What is absent is not offered.
#[derive(Clone)]
pub struct Connector {
    /// Whose money it moves.
    pub provider: ProviderCode,
    /// Its name in `/webhooks/{route}`; an aggregator serves several providers by one route.
    pub route: &'static str,
    /// Money in.
    pub collect: Option<Arc<dyn Collect>>,
    /// Money out.
    pub payout: Option<Arc<dyn Payout>>,
    /// What it sends by itself.
    pub webhook: Option<Arc<dyn Webhook>>,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Connector({:?} by {})", self.provider, self.route)
    }
}

impl Core {
    /// The first way to this provider.
    pub(crate) fn connector(&self, provider: ProviderCode) -> Option<&Connector> {
        self.connectors.iter().find(|connector| connector.provider == provider)
    }

    /// Who verifies what arrives on a route.
    pub(crate) fn webhook(&self, route: &str) -> Option<(&'static str, Arc<dyn Webhook>)> {
        let connector = self.connectors.iter().find(|connector| connector.route == route)?;
        Some((connector.route, connector.webhook.clone()?))
    }
}
