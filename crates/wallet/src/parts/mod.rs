//! What the wallet adds to commands that belong to no house: export, erasure, the seed.

mod store;

use futures_util::future::BoxFuture;
use identity::me::{AccountErased, ExportPart};
use kernel::{Failure, Francs, Problem};
use serde_json::{Value, json};
use sqlx::PgConnection;

use crate::WalletError;
use crate::history::{self, Filter};
use crate::house::Wallet;
use crate::ledger::{Action, Command, Fingerprint, Kind, Movement, Party, Tariff};

/// Operations in an export, the newest.
const EXPORTED: i64 = 10_000;

impl Wallet {
    /// Gives people of a demonstration something to see: an opening balance each, and payments around the circle. The
    /// keys are fixed: a second seed changes nothing.
    pub async fn seed_part(&self, people: &[i32]) -> Result<(), WalletError> {
        for (rank, id_user) in people.iter().enumerate() {
            let opening = 25_000 + 5_000 * i64::try_from(rank % 20).unwrap_or(0);
            self.seeded(Kind::Opening, Party::system("ouverture"), *id_user, opening, "Solde de démonstration").await?;
        }
        let notes = ["Taxi", "Attiéké du midi", "Part du cadeau", "Crédit téléphone", "Courses au marché"];
        for (rank, (from, to)) in people.iter().zip(people.iter().cycle().skip(1)).enumerate() {
            let note = notes.get(rank % notes.len()).copied().unwrap_or("Merci");
            if from != to {
                let amount = 500 * (1 + i64::try_from(rank % 7).unwrap_or(0));
                self.seeded(Kind::Transfer, Party::User(*from), *to, amount, note).await?;
            }
        }
        Ok(())
    }

    async fn seeded(&self, kind: Kind, from: Party, to: i32, amount: i64, note: &str) -> Result<(), WalletError> {
        let amount = Francs::new(amount).ok_or_else(|| Failure::internal("a seed of no amount"))?;
        let key = format!("seed:{}:{to}", kind.stored());
        let movement = Movement { kind, from: from.clone(), to: Party::User(to), amount, tariff: Tariff::Free };
        let initiator = if kind == Kind::Opening { Party::system("systeme") } else { from };
        let command = Command::new(initiator, key, Fingerprint::of(&[b"seed"]), Action::Move(movement));
        let command = Command { note: Some(note.to_owned()), ..command };
        // A limit that refuses a demonstration's payment is no fault of the demonstration.
        self.ledger.post(command).await?;
        Ok(())
    }
}

/// Nobody leaves with money in the wallet, and nobody's history is erased: it stays under an anonymous account.
#[derive(Clone, Copy, Debug)]
pub struct Erasure;

impl AccountErased for Erasure {
    fn check_and_erase<'a>(
        &'a self,
        transaction: &'a mut PgConnection,
        id_user: i32,
    ) -> BoxFuture<'a, Result<(), Problem>> {
        Box::pin(async move {
            // The lock holds payments back until the account is anonymous or the erasure is refused.
            if store::holds_money(transaction, id_user).await.map_err(Failure::from)? {
                return Err(WalletError::Rule("wallet.not_empty").into());
            }
            Ok(store::erase(transaction, id_user).await.map_err(Failure::from)?)
        })
    }
}

/// The wallet's part of an export.
#[derive(Clone, Copy, Debug)]
pub struct Export;

impl ExportPart for Export {
    fn export<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        id_user: i32,
    ) -> BoxFuture<'a, Result<(&'static str, Value), Problem>> {
        Box::pin(async move { Ok(("wallet", exported(connection, id_user).await?)) })
    }
}

async fn exported(connection: &mut PgConnection, id_user: i32) -> Result<Value, Failure> {
    let Some((account, public_id)) = history::store::account(connection, id_user).await? else {
        return Ok(json!({"accountId": null, "transactions": []}));
    };
    let filter = Filter::default();
    let posted = history::store::posted(connection, account, &filter, i64::MAX, EXPORTED).await?;
    let opened = history::store::opened(connection, account, &filter, i64::MAX, EXPORTED).await?;
    let transactions: Vec<Value> = posted.iter().chain(&opened).map(|row| row.exported(account)).collect();
    Ok(json!({
        "accountId": public_id,
        "transactions": transactions,
        "cards": store::cards(connection, id_user).await?,
        "qrCodes": store::codes(connection, id_user).await?,
    }))
}

#[cfg(test)]
mod tests;
