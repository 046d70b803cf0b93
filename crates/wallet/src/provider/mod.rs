//! Ways in and out: what an installation offers, and the connectors behind it.

mod api;
mod connector;
mod model;
mod store;

use crate::WalletError;
use crate::house::Wallet;
use crate::instruction::Side;
use crate::ledger::{Kind, Rules};

pub(crate) use api::routes;
pub use connector::Connector;
pub use model::ProviderCode;
pub(crate) use model::{Format, Product, label};

/// What this provider takes, whether it is connected or not.
pub(crate) async fn product(wallet: &Wallet, code: ProviderCode) -> Result<Product, WalletError> {
    let mut connection = wallet.db.write.acquire().await?;
    let row = store::product(&mut connection, code.code()).await?;
    row.and_then(Product::of).ok_or(WalletError::ProviderUnavailable)
}

/// All of them, in the order of the screen.
async fn list(wallet: &Wallet) -> Result<Vec<api::Provider>, WalletError> {
    let mut connection = wallet.db.write.acquire().await?;
    let products = store::products(&mut connection).await?;
    let rules = wallet.ledger.rules().await?;
    let mut shown = Vec::with_capacity(products.len());
    for product in products.into_iter().filter_map(Product::of) {
        let (collects, pays) =
            (wallet.serves(product.code, Side::Deposit), wallet.serves(product.code, Side::Withdrawal));
        let deposit = way(&rules, &product, Kind::Deposit, collects);
        let withdrawal = way(&rules, &product, Kind::Withdrawal, pays);
        shown.push(api::Provider::of(&product, deposit, withdrawal));
    }
    Ok(shown)
}

fn way(rules: &Rules, product: &Product, kind: Kind, connected: bool) -> api::Way {
    let (minimum, maximum) = product.bounds(kind);
    // As the ledger chooses: the provider's own schedule, else the one for any provider.
    let of =
        |provider: &str| rules.schedules.iter().find(|schedule| schedule.kind == kind && schedule.provider == provider);
    let fees = of(product.code.code()).or_else(|| of("")).map(api::Fees::of).unwrap_or_default();
    api::Way { available: connected && product.active, minimum, maximum, fees }
}

#[cfg(test)]
mod tests;
