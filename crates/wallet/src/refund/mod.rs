//! Giving back what one received, whole or in parts; never more than was paid, whatever runs beside it.

mod api;

use identity::session::Account;
use kernel::http::IdempotencyKey;
use uuid::Uuid;

use crate::WalletError;
use crate::house::Wallet;
use crate::ledger::{Action, Command, Party};
use crate::operation::{Asked, Transaction, fingerprint, note};

use api::RefundOrder;
pub(crate) use api::routes;

/// Refunds a transfer or a QR payment that this person received.
pub(crate) async fn give_back(
    wallet: &Wallet,
    account: &Account,
    key: &IdempotencyKey,
    operation: Uuid,
    order: &RefundOrder,
) -> Result<(Transaction, bool), WalletError> {
    let fingerprint = fingerprint(&format!("POST /transactions/{operation}/refunds"), order)?;
    let asked = Asked { account, key, fingerprint, pin: order.pin.as_ref() };
    let verdict = wallet
        .decide(&asked, async {
            let note = note(order.note.as_deref())?;
            let action = Action::Refund { operation, amount: order.amount };
            Ok(Command { note, ..Command::new(Party::User(account.id_user), key.as_str(), fingerprint, action) })
        })
        .await?;
    let (receipt, replayed) = verdict.accepted()?;
    let to = wallet.shown_to(&receipt, None).await?;
    Ok((Transaction::sent(receipt, to), replayed))
}

#[cfg(test)]
mod tests;
