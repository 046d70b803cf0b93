//! The proof of a day: customers' money on one side, where it is on the other, signed so that a copy kept elsewhere shows
//! whether it was changed.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use kernel::Failure;
use kernel::keys::Purpose;
use serde_json::{Value, json};

use super::store::{self, Kept};
use crate::WalletError;
use crate::alert::{self, Alert, AlertKind};
use crate::house::Wallet;

/// A proof, written or found.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The day that it is about.
    pub day: NaiveDate,
    /// What was summed up, in francs.
    pub report: Value,
    /// Both sides are the same francs, and no wallet is below zero.
    pub holds: bool,
    /// HMAC-SHA256 over the report with its fields sorted by name, in hexadecimal.
    pub signature: String,
    /// The signature is ours.
    pub genuine: bool,
    /// When it was made.
    pub at: DateTime<Utc>,
}

/// Whether there is one for a day.
pub type Proved = Option<Proof>;

/// Writes the proof of a day once; later calls find it.
pub async fn prove(wallet: &Wallet, day: NaiveDate) -> Result<Proof, WalletError> {
    if let Some(found) = read(wallet, day).await? {
        return Ok(found);
    }
    let mut connection = wallet.db.write.acquire().await?;
    let sums = store::sums(&mut connection).await?;
    let (books, told) = (store::books(&mut connection).await?, store::told(&mut connection).await?);
    let now = wallet.clock.now();
    let holds = sums.avoirs == sums.clients + sums.autres && sums.negatifs == 0;
    let floats: Value = books
        .iter()
        .map(|book| (book.operateur.clone(), json!(book.flottant)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let routes: Value =
        told.iter().map(|one| (one.route.clone(), json!(one.solde))).collect::<serde_json::Map<_, _>>().into();
    let report = json!({
        "day": day,
        "customers": sums.clients,
        "held": sums.avoirs,
        "other": sums.autres,
        "walletsBelowZero": sums.negatifs,
        "floats": floats,
        "toldByRoutes": routes,
        "at": kernel::Timestamp(now).text(),
    });
    let generation = wallet.keys.current();
    let signature = sign(wallet, generation, &report).ok_or_else(|| Failure::internal("nothing can be signed"))?;
    let kept = Kept { rapport: report, juste: holds, signature, version_cle: generation, etabli_le: now };
    let new = store::keep_proof(&mut connection, day, &kept).await?;
    drop(connection);
    if new && !holds {
        let detail = "l'argent des clients et ses contreparties diffèrent".to_owned();
        alert::raise(
            wallet,
            Alert { kind: AlertKind::ProofBroken, subject: day.to_string(), detail, instruction: None },
        )
        .await?;
    }
    Ok(shown(wallet, day, kept))
}

/// The proof of a day, and whether its signature is ours.
pub(super) async fn read(wallet: &Wallet, day: NaiveDate) -> Result<Proved, WalletError> {
    let mut connection = wallet.db.write.acquire().await?;
    Ok(store::proof(&mut connection, day).await?.map(|kept| shown(wallet, day, kept)))
}

fn shown(wallet: &Wallet, day: NaiveDate, kept: Kept) -> Proof {
    let genuine = sign(wallet, kept.version_cle, &kept.rapport).is_some_and(|ours| ours == kept.signature);
    Proof {
        day,
        report: kept.rapport,
        holds: kept.juste,
        signature: hex::encode(&kept.signature),
        genuine,
        at: kept.etabli_le,
    }
}

fn sign(wallet: &Wallet, generation: i16, report: &Value) -> Option<Vec<u8>> {
    let mac = wallet.keys.mac(Purpose::Token, generation, &[b"preuve", sorted(report).to_string().as_bytes()])?;
    Some(mac.to_vec())
}

/// The database keeps fields in an order of its own: what is signed has them by name.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let by_name: BTreeMap<&String, &Value> = fields.iter().collect();
            Value::Object(by_name.into_iter().map(|(name, inner)| (name.clone(), sorted(inner))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        plain => plain.clone(),
    }
}
