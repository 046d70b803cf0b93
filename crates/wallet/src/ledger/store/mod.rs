//! The ledger's SQL. The border between French tables and English values runs through these files.

mod place;
mod read;
mod write;

use kernel::Failure;
use kernel::db::HotClient;
use tokio_postgres::Statement;

pub(crate) use read::{RULES, Wanted, known_by_key, load, receipt_of, rules_of};
pub(crate) use write::write;

/// Columns of an operation `v` as people are shown it; `a` and `b` are its accounts. Read by [`receipt_of`].
macro_rules! shown {
    () => {
        "v.public_id, v.nature, v.statut, v.id_compte_expediteur, a.id_user, a.code, v.solde_expediteur, \
         v.id_compte_recepteur, b.id_user, b.code, v.solde_recepteur, coalesce(round(v.montant), 0)::bigint, v.frais, v.taxe, \
         v.note, coalesce(v.date_transaction, 'epoch') AT TIME ZONE 'UTC', v.regle_le, v.rembourse, v.differee"
    };
}
pub(crate) use shown;

/// The writer's own session. Its statements name rows by key only, whatever the statistics of a young database say.
pub(crate) const SESSION: &str = "SET application_name = 'hostolink grand livre'; SET default_transaction_isolation = 'read committed'; SET synchronous_commit = on; \
    SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '15s'; SET plan_cache_mode = force_generic_plan; \
    SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off";

/// The writer's statements, prepared once a connection: a pipelined batch must not stop to prepare one.
pub(crate) struct Statements {
    next_rows: Statement,
    rules: Statement,
    lock: Statement,
    keys: Statement,
    targets: Statement,
    counters: Statement,
    subjects: Statement,
    accounts: Statement,
    operations: Statement,
    entries: Statement,
    batch: Statement,
    holds: Statement,
    changed_holds: Statement,
    changed_targets: Statement,
    changed_counters: Statement,
    used: Statement,
}

impl Statements {
    pub(crate) async fn prepare(connection: &HotClient) -> Result<Self, Failure> {
        Ok(Self {
            next_rows: connection.prepared(read::NEXT_ROWS).await?,
            rules: connection.prepared(RULES).await?,
            lock: connection.prepared(read::LOCK).await?,
            keys: connection.prepared(read::KEYS).await?,
            targets: connection.prepared(read::TARGETS).await?,
            counters: connection.prepared(read::COUNTERS).await?,
            subjects: connection.prepared(read::SUBJECTS).await?,
            accounts: connection.prepared(write::ACCOUNTS).await?,
            operations: connection.prepared(write::OPERATIONS).await?,
            entries: connection.prepared(write::ENTRIES).await?,
            batch: connection.prepared(write::BATCH).await?,
            holds: connection.prepared(write::HOLDS).await?,
            changed_holds: connection.prepared(write::CHANGED_HOLDS).await?,
            changed_targets: connection.prepared(write::CHANGED_TARGETS).await?,
            changed_counters: connection.prepared(write::CHANGED_COUNTERS).await?,
            used: connection.prepared(write::USED).await?,
        })
    }

    /// The first id of a fresh block of operation rows.
    pub(crate) async fn next_rows(&self, connection: &HotClient) -> Result<i64, tokio_postgres::Error> {
        Ok(connection.client().query_one(&self.next_rows, &[]).await?.get(0))
    }
}
