//! Sending money to somebody.

mod api;

use identity::session::Account;
use kernel::http::IdempotencyKey;

use crate::WalletError;
use crate::house::{Core, Wallet};
use crate::ledger::{Action, Command, Kind, Movement, Party, Receipt, Tariff};
use crate::operation::{Asked, Transaction, fingerprint, note};
use crate::people::Counterparty;

pub(crate) use api::routes;

/// Pays whoever has the identifier. The transaction, and whether it is a first answer given again.
pub(crate) async fn send(
    wallet: &Wallet,
    account: &Account,
    key: &IdempotencyKey,
    order: &api::TransferOrder,
) -> Result<(Transaction, bool), WalletError> {
    let fingerprint = fingerprint("POST /transfers", order)?;
    let asked = Asked { account, key, fingerprint, pin: order.pin.as_ref() };
    let mut shown = None;
    let verdict = wallet
        .decide(&asked, async {
            let note = note(order.note.as_deref())?;
            let payee = wallet.payee("to", &order.to).await?;
            shown = Some(payee.shown);
            let movement = Movement {
                kind: Kind::Transfer,
                from: Party::User(account.id_user),
                to: Party::User(payee.id_user),
                amount: order.amount,
                tariff: Tariff::Schedule(None),
            };
            let from = Party::User(account.id_user);
            Ok(Command { note, ..Command::new(from, key.as_str(), fingerprint, Action::Move(movement)) })
        })
        .await?;
    let (receipt, replayed) = verdict.accepted()?;
    let to = wallet.shown_to(&receipt, shown).await?;
    Ok((Transaction::sent(receipt, to), replayed))
}

impl Core {
    /// The payee as the flow found it; on a replay that never looked, as the books know it.
    pub(crate) async fn shown_to(
        &self,
        receipt: &Receipt,
        found: Option<Counterparty>,
    ) -> Result<Counterparty, WalletError> {
        match found {
            Some(shown) => Ok(shown),
            None => {
                let mut connection = self.db.write.acquire().await?;
                Ok(self.side(&mut connection, &receipt.to).await?)
            }
        }
    }
}

#[cfg(test)]
mod tests;
