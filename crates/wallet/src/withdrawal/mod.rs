//! Money out to an operator: held first, taken when the operator says that it paid, given back when it says that it did not.

mod api;

use identity::session::Account;
use kernel::http::{IdempotencyKey, Lang};

use crate::WalletError;
use crate::deposit::{Started, told, wish};
use crate::house::Wallet;
use crate::instruction::{self, Side};
use crate::operation::{Asked, fingerprint};

use api::WithdrawalOrder;
pub(crate) use api::routes;

/// Orders a payout. What is held cannot be spent meanwhile.
pub(crate) async fn start(
    wallet: &Wallet,
    account: &Account,
    key: &IdempotencyKey,
    order: &WithdrawalOrder,
    lang: Lang,
) -> Result<(Started, bool), WalletError> {
    let fingerprint = fingerprint("POST /withdrawals", order)?;
    let asked = Asked { account, key, fingerprint, pin: order.pin.as_ref() };
    let mut there = false;
    let verdict = wallet
        .decide(&asked, async {
            let wish = wish(wallet, Side::Withdrawal, order.provider, order.amount, &order.account).await?;
            let (command, known) = instruction::plan(wallet, account, key, fingerprint, &wish).await?;
            there = known;
            Ok(command)
        })
        .await?;
    let (receipt, replayed, row) = instruction::after(wallet, account, key, verdict, there).await?;
    Ok((told(wallet, receipt, &row, lang).await?, replayed))
}

#[cfg(test)]
mod tests;
