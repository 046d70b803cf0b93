//! Releases holds whose time ran out, by ordinary commands. A hold that is protected (an order left for the outside and
//! nobody knows what became of it) is never touched.

use std::time::Duration;

use uuid::Uuid;

use super::command::{Action, Command, Fingerprint, Outcome, Party, Together};
use super::{Ledger, LedgerError, Verdict};

/// Holds that are released in one go.
const AT_ONCE: i64 = 500;

const DUE: &str = "SELECT t.public_id FROM retenue r JOIN transaction t ON t.id_transaction = r.id_transaction \
    WHERE r.capture + r.libere < r.montant AND NOT r.protegee AND r.expire_le <= $1 ORDER BY r.expire_le LIMIT $2";

pub(super) async fn run(ledger: Ledger, every: Duration) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match ledger.expire().await {
            Ok(0) => {}
            Ok(released) => tracing::info!(released, "holds expired"),
            Err(error) => tracing::warn!(%error, "expired holds wait"),
        }
    }
}

impl Ledger {
    /// Releases holds that are due; gives how many. Two processes at once do it once: the key is the hold's.
    pub async fn expire(&self) -> Result<usize, LedgerError> {
        let due: Vec<Uuid> =
            sqlx::query_scalar(DUE).bind(self.clock.now()).bind(AT_ONCE).fetch_all(&self.db.write).await?;
        if due.is_empty() {
            return Ok(0);
        }
        let commands = due.iter().map(|hold| {
            let action = Action::Cancel { operation: *hold, outcome: Outcome::Expired };
            let fingerprint = Fingerprint::of(&[b"expiration", hold.as_bytes()]);
            Command::new(Party::system("systeme"), format!("expiration:{hold}"), fingerprint, action)
        });
        let verdicts = self.post_many(commands.collect(), Together::Each).await?;
        let released = verdicts.iter().filter(|verdict| matches!(verdict, Ok(Verdict::Done { replayed: false, .. })));
        Ok(released.count())
    }
}
