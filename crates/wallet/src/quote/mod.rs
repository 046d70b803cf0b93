//! What an operation would cost and whom it would reach, before it is confirmed.

mod api;

use identity::session::Account;
use kernel::Francs;
use kernel::money::CURRENCY;

use crate::WalletError;
use crate::house::Wallet;
use crate::ledger::Kind;
use crate::provider;

pub(crate) use api::routes;
use api::{Quote, QuoteOperation, QuoteRequest};

/// Fee, total and payee. Nothing is reserved: the operation itself decides again.
pub(crate) async fn quote(wallet: &Wallet, account: &Account, asked: &QuoteRequest) -> Result<Quote, WalletError> {
    let (kind, payee) = match asked.operation {
        QuoteOperation::Transfer => {
            let to = asked.to.as_deref().ok_or(WalletError::Field("to", "required"))?;
            let payee = wallet.payee("to", to).await?;
            if payee.id_user == account.id_user {
                return Err(WalletError::Rule("wallet.same_account"));
            }
            (Kind::Transfer, Some(payee.shown))
        }
        QuoteOperation::QrPayment => {
            let to = asked.to.as_deref().ok_or(WalletError::Field("to", "required"))?;
            let scanned = crate::qr::scan(wallet, to).await?;
            (Kind::QrPayment, Some(scanned.payee))
        }
        QuoteOperation::Deposit => (Kind::Deposit, None),
        QuoteOperation::Withdrawal => (Kind::Withdrawal, None),
    };
    let provider = match (kind, asked.provider) {
        (Kind::Deposit | Kind::Withdrawal, None) => return Err(WalletError::Field("provider", "required")),
        (Kind::Deposit | Kind::Withdrawal, Some(provider)) => {
            let product = provider::product(wallet, provider).await?;
            product.accepts(kind, asked.amount)?;
            Some(provider.code())
        }
        _ => None,
    };
    let fee = fee(wallet, kind, provider, asked.amount).await?;
    let amount = asked.amount.get();
    Ok(Quote { amount, fee, total: amount + fee, currency: CURRENCY, payee })
}

/// By the schedule that the ledger itself will apply.
pub(crate) async fn fee(
    wallet: &Wallet,
    kind: Kind,
    provider: Option<&str>,
    amount: Francs,
) -> Result<i64, WalletError> {
    Ok(wallet.ledger.rules().await?.fee(kind, provider, amount.get()).total)
}

#[cfg(test)]
mod tests;
