//! From a row to what a connector is told, always the same for the same row.

use kernel::Failure;
use providers::Secret;
use providers::mobile_money::{CollectOrder, Handle, PayoutOrder};

use super::model::Sealed;
use super::store::Row;
use crate::house::Wallet;
use crate::provider::ProviderCode;

/// What customers read at the operator.
const DEPOSIT_LABEL: &str = "Depot Hostolink";
const WITHDRAWAL_LABEL: &str = "Retrait Hostolink";

/// Money in. `amount` is what the customer pays: the deposit and its fee.
pub(super) fn collect(
    wallet: &Wallet,
    row: &Row,
    sealed: &Sealed,
    route: &str,
    amount: i64,
    code: Option<Secret>,
) -> Result<CollectOrder, Failure> {
    let provider = provider(row)?;
    let back = |outcome: &str| format!("{}/deposits/{}/{outcome}", wallet.config.public_url, row.id);
    Ok(CollectOrder {
        reference: row.reference.clone(),
        key: row.cle_operateur,
        amount_francs: amount,
        payer: sealed.at.party(),
        wallet: provider.wallet(),
        label: DEPOSIT_LABEL.to_owned(),
        code,
        success_url: back("done"),
        failure_url: back("failed"),
        callback_url: callback(wallet, route),
    })
}

/// Money out.
pub(super) fn payout(wallet: &Wallet, row: &Row, sealed: &Sealed, route: &str) -> Result<PayoutOrder, Failure> {
    let provider = provider(row)?;
    Ok(PayoutOrder {
        reference: row.reference.clone(),
        key: row.cle_operateur,
        amount_francs: row.montant,
        beneficiary: sealed.at.party(),
        wallet: provider.wallet(),
        name: None,
        label: WITHDRAWAL_LABEL.to_owned(),
        callback_url: callback(wallet, route),
    })
}

/// What finds the operation at the operator: as it was stored, else as the order itself would be found.
pub(super) fn handle(sealed: &Sealed, otherwise: impl FnOnce() -> Result<Handle, Failure>) -> Result<Handle, Failure> {
    sealed.handle.clone().map_or_else(otherwise, Ok)
}

pub(super) fn provider(row: &Row) -> Result<ProviderCode, Failure> {
    ProviderCode::from_code(&row.operateur).ok_or_else(|| Failure::internal("an instruction of an unknown operator"))
}

fn callback(wallet: &Wallet, route: &str) -> Option<String> {
    let secret = crate::webhook_in::secret(wallet, route)?;
    Some(format!("{}/webhooks/{route}/{secret}", wallet.config.public_url))
}
