//! Merkle roots and the chain of seals, computed again from the rows.

use std::pin::pin;

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use kernel::Failure;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use super::{Finding, Found};
use crate::ledger::seal::{Facts, genesis, link, root};

const BATCHES: &str = "SELECT premier, dernier, racine FROM lot ORDER BY premier";
const OPERATIONS: &str = "SELECT id_transaction, public_id, nature, initiateur, coalesce(cle, ''), coalesce(empreinte, ''), id_compte_expediteur, \
    id_compte_recepteur, montant::bigint, frais, taxe, coalesce(id_compte_frais, 0), coalesce(id_compte_taxe, 0), \
    coalesce(code_refus, ''), coalesce(lie_a, 0), CASE WHEN differee THEN 0 ELSE coalesce(solde_expediteur, 0) END, \
    CASE WHEN differee THEN 0 ELSE coalesce(solde_recepteur, 0) END, differee, date_transaction AT TIME ZONE 'UTC' \
    FROM transaction WHERE initiateur IS NOT NULL ORDER BY id_transaction";
const SEALS: &str = "SELECT s.position, s.precedent, s.empreinte, l.premier, l.dernier, l.racine, l.scelle \
    FROM sceau s LEFT JOIN lot l ON l.premier = s.lot ORDER BY s.position";

/// Operations and batches side by side, both in order of their ids: every operation lies in one batch, every batch has
/// all of its operations, and their root is the stored one.
pub(super) async fn batches(client: &Client) -> Result<(i64, Option<Finding>), Failure> {
    // Read whole (some hundred bytes a batch): two streams of one connection would wait for each other.
    let batches = client.query(BATCHES, &[]).await?;
    let mut operations = pin!(client.query_raw(OPERATIONS, none()).await?);
    let (mut found, mut checked) = (Found::new("batches"), 0);
    let mut next = operations.try_next().await?;
    for batch in batches {
        let (first, last): (i64, i64) = (batch.get(0), batch.get(1));
        while let Some(stray) = next.take_if(|row| row.get::<_, i64>(0) < first) {
            found.add(|| format!("operation {} in no batch", stray.get::<_, i64>(0)));
            next = operations.try_next().await?;
        }
        let (mut leaves, mut expected, mut complete) = (Vec::new(), first, true);
        while let Some(row) = next.take_if(|row| row.get::<_, i64>(0) <= last) {
            complete &= row.get::<_, i64>(0) == expected;
            expected += 1;
            leaves.push(facts(&row).leaf());
            next = operations.try_next().await?;
        }
        if !complete || expected != last + 1 || root(leaves).as_slice() != batch.get::<_, &[u8]>(2) {
            found.add(|| format!("batch {first}"));
        }
        checked += 1;
    }
    while let Some(stray) = next {
        found.add(|| format!("operation {} in no batch", stray.get::<_, i64>(0)));
        next = operations.try_next().await?;
    }
    Ok((checked, found.finding()))
}

/// The chain has no gap, names batches that are there, and gives the last seal.
pub(super) async fn seals(client: &Client) -> Result<(Option<String>, Option<Finding>), Failure> {
    let mut seals = pin!(client.query_raw(SEALS, none()).await?);
    let (mut found, mut position, mut previous) = (Found::new("seals"), 0_i64, genesis().to_vec());
    while let Some(row) = seals.try_next().await? {
        position += 1;
        let batch = (row.get::<_, Option<i64>>(3), row.get::<_, Option<i64>>(4), row.get::<_, Option<&[u8]>>(5));
        let right = match batch {
            (Some(first), Some(last), Some(root)) => {
                row.get::<_, i64>(0) == position
                    && row.get::<_, &[u8]>(1) == previous
                    && row.get::<_, &[u8]>(2) == link(&previous, position, first, last, root)
                    && row.get::<_, Option<bool>>(6) == Some(true)
            }
            _ => false,
        };
        if !right {
            found.add(|| format!("seal {}", row.get::<_, i64>(0)));
        }
        previous = row.get::<_, &[u8]>(2).to_vec();
    }
    Ok(((position > 0).then(|| hex::encode(&previous)), found.finding()))
}

fn none() -> Vec<&'static (dyn ToSql + Sync)> {
    Vec::new()
}

fn facts(row: &Row) -> Facts<'_> {
    Facts {
        row: row.get(0),
        id: *row.get::<_, Uuid>(1).as_bytes(),
        kind: row.get(2),
        initiator: row.get(3),
        key: row.get(4),
        fingerprint: row.get(5),
        from: row.get(6),
        to: row.get(7),
        amount: row.get(8),
        fee: row.get(9),
        tax: row.get(10),
        fee_account: row.get(11),
        tax_account: row.get(12),
        refusal: row.get(13),
        linked: row.get(14),
        balances: (row.get(15), row.get(16)),
        deferred: row.get(17),
        at_micros: row.get::<_, DateTime<Utc>>(18).timestamp_micros(),
    }
}
