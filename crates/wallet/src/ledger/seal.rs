//! Proof that nothing was changed afterwards: a Merkle root over each batch, and a chain over the batches. The root is
//! computed before the batch is written; the chain is made by one sealer after the commits, off the way of the payments.

use std::time::Duration;

use kernel::{Clock, Db, Failure};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use tokio::sync::Notify;

use super::core::Operation;

/// What the first seal continues.
const GENESIS: [u8; 32] = [0; 32];
/// How many batches are sealed in one transaction.
const SEALED_AT_ONCE: i64 = 500;
/// The sealer's lock among the advisory locks of the database.
const SEALER_LOCK: i64 = 0x6865_726d_6573_0030;
/// Even when nobody wakes the sealer it looks again: another process may have died between commit and seal.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// The facts of an operation that never change. What changes later (refunds so far, the state of an open operation) and
/// what may have to be erased (the note) stay out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts<'a> {
    pub(crate) row: i64,
    pub(crate) id: [u8; 16],
    pub(crate) kind: &'a str,
    pub(crate) initiator: i64,
    pub(crate) key: &'a str,
    pub(crate) fingerprint: &'a [u8],
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) amount: i64,
    pub(crate) fee: i64,
    pub(crate) tax: i64,
    pub(crate) fee_account: i64,
    pub(crate) tax_account: i64,
    pub(crate) refusal: &'a str,
    pub(crate) linked: i64,
    /// Balances after; 0 for what was refused or only opened.
    pub(crate) balances: (i64, i64),
    pub(crate) deferred: bool,
    pub(crate) at_micros: i64,
}

impl Facts<'_> {
    /// RFC 6962: a leaf and a node are never mistaken for each other.
    pub(crate) fn leaf(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update([0]);
        let numbers = [
            self.row,
            self.initiator,
            self.from,
            self.to,
            self.amount,
            self.fee,
            self.tax,
            self.fee_account,
            self.tax_account,
            self.linked,
            self.balances.0,
            self.balances.1,
            i64::from(self.deferred),
            self.at_micros,
        ];
        for number in numbers {
            digest.update(number.to_be_bytes());
        }
        digest.update(self.id);
        for text in [self.kind.as_bytes(), self.key.as_bytes(), self.fingerprint, self.refusal.as_bytes()] {
            digest.update((text.len() as u64).to_be_bytes());
            digest.update(text);
        }
        digest.finalize().into()
    }
}

impl Operation {
    pub(crate) fn facts(&self) -> Facts<'_> {
        let fixed = |balance: Option<i64>| if self.deferred { 0 } else { balance.unwrap_or(0) };
        Facts {
            row: self.row,
            id: *self.id.as_bytes(),
            kind: self.kind.stored(),
            initiator: self.initiator,
            key: &self.key,
            fingerprint: &self.fingerprint.0,
            from: self.from,
            to: self.to,
            amount: self.amount,
            fee: self.fee,
            tax: self.tax,
            fee_account: self.fee_account.unwrap_or(0),
            tax_account: self.tax_account.unwrap_or(0),
            refusal: self.refusal.map_or("", |refusal| refusal.stored()),
            linked: self.linked.unwrap_or(0),
            balances: (fixed(self.from_balance), fixed(self.to_balance)),
            deferred: self.deferred,
            at_micros: self.at.timestamp_micros(),
        }
    }
}

/// The root over leaves; a leaf without a neighbour rises as it is.
pub(crate) fn root(mut level: Vec<[u8; 32]>) -> [u8; 32] {
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => {
                    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
                }
                [alone] => *alone,
                _ => GENESIS,
            })
            .collect();
    }
    level.first().copied().unwrap_or(GENESIS)
}

/// One link of the chain.
pub(crate) fn link(previous: &[u8], position: i64, first: i64, last: i64, root: &[u8]) -> [u8; 32] {
    let numbers = [position, first, last].map(i64::to_be_bytes).concat();
    Sha256::new().chain_update([2]).chain_update(previous).chain_update(numbers).chain_update(root).finalize().into()
}

/// What the first seal continues.
pub(crate) fn genesis() -> [u8; 32] {
    GENESIS
}

/// Seals what was committed, for ever. One sealer at a time works, in whatever process it is.
pub(crate) async fn run(db: Db, clock: Clock, committed: std::sync::Arc<Notify>) {
    loop {
        // A timeout is the normal case of an idle system.
        let _ = tokio::time::timeout(LOOK_AGAIN, committed.notified()).await;
        match seal_all(&db, &clock).await {
            Ok(0) => {}
            Ok(sealed) => metrics::counter!("hostolink_ledger_batches_sealed_total").increment(sealed),
            Err(failure) => tracing::warn!(%failure, "batches wait to be sealed"),
        }
        // Seals of many batches together cost less than one each: a consumer waits this long at most.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Seals every batch that is committed by now; gives how many.
pub(crate) async fn seal_all(db: &Db, clock: &Clock) -> Result<u64, Failure> {
    let mut sealed = 0;
    loop {
        let mut transaction = db.write.begin().await?;
        let more = seal_some(&mut transaction, clock).await?;
        transaction.commit().await?;
        sealed += u64::try_from(more).unwrap_or(0);
        if more < SEALED_AT_ONCE {
            return Ok(sealed);
        }
    }
}

async fn seal_some(connection: &mut PgConnection, clock: &Clock) -> Result<i64, Failure> {
    let alone: bool = sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1)")
        .bind(SEALER_LOCK)
        .fetch_one(&mut *connection)
        .await?;
    if !alone {
        return Ok(0);
    }
    let last: Option<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT position, empreinte FROM sceau ORDER BY position DESC LIMIT 1")
            .fetch_optional(&mut *connection)
            .await?;
    let (mut position, mut previous) = last.unwrap_or((0, GENESIS.to_vec()));
    let batches: Vec<(i64, i64, Vec<u8>)> =
        sqlx::query_as("SELECT premier, dernier, racine FROM lot WHERE NOT scelle ORDER BY premier LIMIT $1")
            .bind(SEALED_AT_ONCE)
            .fetch_all(&mut *connection)
            .await?;
    let (mut positions, mut firsts, mut befores, mut seals) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (first, last, root) in &batches {
        position += 1;
        let seal = link(&previous, position, *first, *last, root).to_vec();
        positions.push(position);
        firsts.push(*first);
        befores.push(std::mem::replace(&mut previous, seal.clone()));
        seals.push(seal);
    }
    if positions.is_empty() {
        return Ok(0);
    }
    sqlx::query(
        "INSERT INTO sceau (position, lot, precedent, empreinte, scelle_le) \
         SELECT x.p, x.l, x.a, x.e, $5 FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bytea[]) AS x (p, l, a, e)",
    )
    .bind(&positions)
    .bind(&firsts)
    .bind(&befores)
    .bind(&seals)
    .bind(clock.now())
    .execute(&mut *connection)
    .await?;
    sqlx::query("UPDATE lot SET scelle = true WHERE premier = ANY($1)").bind(&firsts).execute(&mut *connection).await?;
    Ok(i64::try_from(positions.len()).unwrap_or(SEALED_AT_ONCE))
}
