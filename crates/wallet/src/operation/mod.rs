//! What every request that moves money has in common: its key, the confirmation of its owner, and how it is told.

mod pin;
mod view;

use std::future::Future;

use identity::session::Account;
use kernel::Failure;
use kernel::http::IdempotencyKey;
use serde::Serialize;

use crate::WalletError;
use crate::house::Core;
use crate::ledger::{Command, Fingerprint, Party, Unconfirmed, Verdict};

pub(crate) use pin::Pin;
pub use view::{Direction, Transaction};
pub(crate) use view::{TransactionAnswer, TransactionData, answered};

/// The longest note, in characters.
pub(crate) const MAX_NOTE: usize = 280;

/// A request that wants to move money out of somebody's wallet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    /// Who asks.
    pub(crate) account: &'a Account,
    /// The request's key.
    pub(crate) key: &'a IdempotencyKey,
    /// Of the request, without its PIN.
    pub(crate) fingerprint: Fingerprint,
    /// The PIN, when it came with the request.
    pub(crate) pin: Option<&'a Pin>,
}

/// The fingerprint of a request: its address and its body as we read it, so that spaces and the order of fields do not
/// count. The body's type leaves its PIN out.
pub(crate) fn fingerprint(operation: &str, body: &impl Serialize) -> Result<Fingerprint, WalletError> {
    let body = serde_json::to_vec(body).map_err(Failure::internal)?;
    Ok(Fingerprint::of(&[operation.as_bytes(), &body]))
}

/// A note as it is kept: trimmed, not empty, not too long.
pub(crate) fn note(text: Option<&str>) -> Result<Option<String>, WalletError> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    match text {
        Some(text) if text.chars().count() > MAX_NOTE => Err(WalletError::Field("note", "too_long")),
        other => Ok(other.map(str::to_owned)),
    }
}

impl Core {
    /// Decides a request in the contract's order: a known key is answered at once; then its owner has to have confirmed;
    /// then `plan` finds out what is to be done (and may refuse); then the ledger decides.
    ///
    /// On the common path, an unlocked session with a new key, nothing is asked of the database before `plan`: the ledger
    /// looks the key up itself.
    pub(crate) async fn decide(
        &self,
        asked: &Asked<'_>,
        plan: impl Future<Output = Result<Command, WalletError>> + Send,
    ) -> Result<Verdict, WalletError> {
        let confirmed = self.is_confirmed(asked.account);
        if !confirmed {
            if let Some(known) = self.known(asked).await? {
                return Ok(known);
            }
            self.confirm(asked).await?;
        }
        match plan.await {
            Ok(command) => Ok(self.ledger.post(command).await?),
            // What was refused for another reason since must not hide the first answer.
            Err(refusal) if confirmed => match self.known(asked).await? {
                Some(known) => Ok(known),
                None => Err(refusal),
            },
            Err(refusal) => Err(refusal),
        }
    }

    /// The first answer to this key, if there was one.
    pub(crate) async fn known(&self, asked: &Asked<'_>) -> Result<Option<Verdict>, WalletError> {
        let initiator = Party::User(asked.account.id_user);
        Ok(self.ledger.replay(&initiator, asked.key.as_str(), asked.fingerprint).await?)
    }

    /// The owner's confirmation, for flows that ask about their key themselves.
    pub(crate) async fn confirmed(&self, asked: &Asked<'_>) -> Result<(), WalletError> {
        self.confirm(asked).await
    }

    fn is_confirmed(&self, account: &Account) -> bool {
        let now = self.clock.now();
        account.verified && !account.outgoing_blocked(now) && account.unlocked(now)
    }

    /// Verified, not blocked after a reset, and the PIN given a short while ago or with this request.
    async fn confirm(&self, asked: &Asked<'_>) -> Result<(), WalletError> {
        let (account, now) = (asked.account, self.clock.now());
        if !account.verified {
            return Err(WalletError::NotConfirmed(Unconfirmed::NotVerified));
        }
        if let Some(until) = account.outgoing_blocked_until.filter(|until| *until > now) {
            return Err(WalletError::OutgoingBlocked { until });
        }
        match asked.pin {
            _ if account.unlocked(now) => Ok(()),
            Some(pin) => Ok(self.identity.confirm_pin(account, pin.expose()).await?),
            None => Err(WalletError::NotConfirmed(Unconfirmed::PinMissing)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_trimmed_and_bounded() {
        assert_eq!(note(Some("  loyer ")).unwrap().as_deref(), Some("loyer"));
        assert_eq!(note(Some("   ")).unwrap(), None);
        assert_eq!(note(Some(&"é".repeat(280))).unwrap().map(|text| text.len()), Some(560));
        assert!(note(Some(&"é".repeat(281))).is_err());
    }
}
