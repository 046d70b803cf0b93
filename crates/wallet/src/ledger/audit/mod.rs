//! The checker: it believes nothing that is stored beside the operations, computes it again and compares. It reads one
//! snapshot, so it may run while payments do.

mod chain;
mod checks;

use chrono::{DateTime, Utc};
use kernel::{Clock, Db, Failure};
use tokio_postgres::Client;

/// What the checker found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditReport {
    /// When it looked.
    pub at: DateTime<Utc>,
    /// What is wrong; empty when the books are right.
    pub findings: Vec<Finding>,
    /// Accounts that were checked.
    pub accounts: i64,
    /// Operations that were checked.
    pub operations: i64,
    /// Entries that were checked.
    pub entries: i64,
    /// Batches whose root was computed again.
    pub batches: i64,
    /// The last seal, in hexadecimal: who keeps it elsewhere can prove that nothing before it was changed.
    pub seal: Option<String>,
}

impl AuditReport {
    /// The books are right.
    pub fn clean(&self) -> bool {
        self.findings.is_empty()
    }
}

/// One check that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which: `sum_zero`, `balances`, `versions`, …
    pub check: &'static str,
    /// How many rows.
    pub count: i64,
    /// A few of them, by ids and amounts only.
    pub examples: Vec<String>,
}

/// Examples of a finding.
const EXAMPLES: usize = 5;
/// Ten million entries take minutes; a statement that takes longer than this is given up.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = '60min'; SET LOCAL work_mem = '64MB'";

/// Checks everything.
pub async fn audit(db: &Db, clock: &Clock) -> Result<AuditReport, Failure> {
    let connection = db.hot.dedicated().await?;
    let client = connection.client();
    client.batch_execute(BEGIN).await?;
    let mut findings = Vec::new();
    for (check, sql) in checks::ALL {
        findings.extend(look(client, check, sql).await?);
    }
    let (batches, broken) = chain::batches(client).await?;
    findings.extend(broken);
    let (seal, broken) = chain::seals(client).await?;
    findings.extend(broken);
    let counts = client
        .query_one(
            "SELECT (SELECT count(*) FROM compte), (SELECT count(*) FROM transaction), (SELECT count(*) FROM ecriture)",
            &[],
        )
        .await?;
    client.batch_execute("COMMIT").await?;
    Ok(AuditReport {
        at: clock.now(),
        findings,
        accounts: counts.get(0),
        operations: counts.get(1),
        entries: counts.get(2),
        batches,
        seal,
    })
}

async fn look(client: &Client, check: &'static str, sql: &str) -> Result<Option<Finding>, Failure> {
    let sql = format!("SELECT count(*), coalesce((array_agg(q.quoi))[1:{EXAMPLES}], '{{}}') FROM ({sql}) q (quoi)");
    let row = client.query_one(sql.as_str(), &[]).await?;
    let count: i64 = row.get(0);
    Ok((count > 0).then(|| Finding { check, count, examples: row.get(1) }))
}

/// Collects what a streaming check finds.
struct Found {
    check: &'static str,
    count: i64,
    examples: Vec<String>,
}

impl Found {
    fn new(check: &'static str) -> Self {
        Self { check, count: 0, examples: Vec::new() }
    }

    fn add(&mut self, what: impl FnOnce() -> String) {
        self.count += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(what());
        }
    }

    fn finding(self) -> Option<Finding> {
        (self.count > 0).then_some(Finding { check: self.check, count: self.count, examples: self.examples })
    }
}
