//! A receipt that can be shown to anybody: its code leads to a page of ours that says whether it is true.

mod api;
mod model;

use identity::session::Account;
use kernel::http::Lang;
use kernel::keys::Purpose;
use kernel::{Failure, Timestamp};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::WalletError;
use crate::house::{Core, Wallet};
use crate::ledger::{Receipt, Status};
use crate::{history, qr};

use api::Checked;
pub(crate) use api::download;
pub(crate) use api::routes;
pub(crate) use model::{kind, moment};

/// Bytes of the proof in a receipt's code.
const PROOF_BYTES: usize = 12;

/// The PDF of one's own operation.
pub(crate) async fn print(wallet: &Wallet, account: &Account, id: Uuid, lang: Lang) -> Result<Vec<u8>, WalletError> {
    let transaction = history::show(wallet, account, id).await?;
    let mut connection = wallet.db.write.acquire().await?;
    let own = wallet.person(&mut connection, account.id_user).await?;
    let proof = wallet.proof(id)?;
    let address = format!("{}/receipts/{id}?code={proof}", wallet.config.public_url);
    let code = qr::image::runs(&address)?;
    Ok(model::drawn(&wallet.lexicon, lang, &transaction, &own, &proof, &code, wallet.clock.now()))
}

/// What anybody may know of an operation whose receipt is in their hands.
pub(crate) async fn check(wallet: &Wallet, id: Uuid, proof: &str) -> Result<Checked, WalletError> {
    if !wallet.proves(id, proof) {
        return Err(WalletError::NotFound);
    }
    let receipt = wallet.ledger.operation(id).await?.filter(|receipt| receipt.status != Status::Refused);
    let receipt = receipt.ok_or(WalletError::NotFound)?;
    let mut connection = wallet.db.write.acquire().await?;
    let payer = wallet.side(&mut connection, &receipt.from).await?;
    let payee = wallet.side(&mut connection, &receipt.to).await?;
    let Receipt { id, kind, status, amount, fee, created_at, settled_at, refunded, .. } = receipt;
    Ok(Checked {
        id,
        kind: kind.api(),
        status: status.api(),
        amount,
        fee,
        refunded,
        currency: kernel::money::CURRENCY,
        payer,
        payee,
        created_at: Timestamp(created_at),
        settled_at: settled_at.map(Timestamp),
    })
}

impl Core {
    /// `generation` and a keyed hash of the id: only we can have written it.
    fn proof(&self, id: Uuid) -> Result<String, Failure> {
        let generation = self.keys.current();
        self.proof_of(generation, id).ok_or_else(|| Failure::internal("no key for receipts"))
    }

    fn proof_of(&self, generation: i16, id: Uuid) -> Option<String> {
        let mac = self.keys.mac(Purpose::Token, generation, &[b"receipt", id.as_bytes()])?;
        let bytes = [generation.to_be_bytes().as_slice(), mac.get(..PROOF_BYTES)?].concat();
        Some(hex::encode(bytes))
    }

    fn proves(&self, id: Uuid, proof: &str) -> bool {
        let generation = proof.get(..4).and_then(|text| u16::from_str_radix(text, 16).ok()).map(u16::cast_signed);
        let right = generation.and_then(|generation| self.proof_of(generation, id));
        right.is_some_and(|right| right.as_bytes().ct_eq(proof.to_ascii_lowercase().as_bytes()).into())
    }
}

#[cfg(test)]
mod tests;
