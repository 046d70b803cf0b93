//! What staff has to look at about money: one open alert a subject, counted up when it happens again, closed by a person.
//! Each one is also an error of the log and a counter, so that machines can wake somebody up.

mod api;
mod store;

use chrono::{DateTime, Utc};
use kernel::Failure;
use kernel::http::Page;
use uuid::Uuid;

use crate::WalletError;
use crate::house::{Core, Wallet};

pub(crate) use api::{AlertQuery, Reconcile, routes};
pub(crate) use store::Row;

/// The longest reason of a closing, in characters.
const MAX_REASON: usize = 280;
/// The longest detail that is kept, in characters.
const MAX_DETAIL: usize = 200;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AlertKind {
    /// A webhook that its operator did not sign, or signed too long ago.
    WebhookForged,
    /// A webhook that came before, well signed.
    WebhookReplayed,
    /// A webhook that names another amount than the order.
    WebhookAmount,
    /// A webhook about nothing that we know.
    WebhookUnknown,
    /// An operator tells another story than the order.
    OtherStory,
    /// Nobody heard how an order ended, long after it had to.
    Overdue,
    /// Our money at an operator is nearly used up.
    FloatLow,
    /// An operator refuses because our money there is used up.
    FloatEmpty,
    /// A statement and the books differ.
    StatementDifference,
    /// Customers' money and what we hold for them differ.
    ProofBroken,
}

impl AlertKind {
    const ALL: [(AlertKind, &'static str, &'static str); 10] = [
        (AlertKind::WebhookForged, "rappel_falsifie", "critique"),
        (AlertKind::WebhookReplayed, "rappel_rejoue", "info"),
        (AlertKind::WebhookAmount, "rappel_montant", "critique"),
        (AlertKind::WebhookUnknown, "rappel_inconnu", "avertissement"),
        (AlertKind::OtherStory, "recit_different", "critique"),
        (AlertKind::Overdue, "sans_nouvelle", "avertissement"),
        (AlertKind::FloatLow, "flottant_bas", "avertissement"),
        (AlertKind::FloatEmpty, "flottant_vide", "critique"),
        (AlertKind::StatementDifference, "ecart_releve", "avertissement"),
        (AlertKind::ProofBroken, "preuve_fausse", "critique"),
    ];

    /// `alerte_argent.nature` and `gravite`
    pub(crate) fn stored(self) -> (&'static str, &'static str) {
        Self::ALL.iter().find(|entry| entry.0 == self).map_or(("", "critique"), |entry| (entry.1, entry.2))
    }
}

/// Something to raise. No number, name or secret belongs in it.
#[derive(Clone, Debug)]
pub(crate) struct Alert {
    pub(crate) kind: AlertKind,
    /// What it is about: while an alert of the same kind and subject is open, it is counted up.
    pub(crate) subject: String,
    /// A few words for staff.
    pub(crate) detail: String,
    pub(crate) instruction: Option<Uuid>,
}

/// Raises an alert, or counts the open one up.
pub(crate) async fn raise(core: &Core, alert: Alert) -> Result<(), Failure> {
    let (kind, gravity) = alert.kind.stored();
    if gravity == "info" {
        tracing::warn!(kind, subject = alert.subject, detail = alert.detail, "money: an alert");
    } else {
        tracing::error!(kind, subject = alert.subject, detail = alert.detail, "money: an alert");
    }
    metrics::counter!("hostolink_money_alerts_total", "kind" => kind).increment(1);
    let id = kernel::new_id(&core.clock, &core.random);
    let detail: String = alert.detail.chars().take(MAX_DETAIL).collect();
    let mut connection = core.db.write.acquire().await?;
    Ok(store::raise(&mut connection, id, &Alert { detail, ..alert }, core.clock.now()).await?)
}

/// Open alerts, or closed ones, the newest first.
async fn list(wallet: &Wallet, open: bool, page: &Page<Uuid>) -> Result<(Vec<Row>, Option<String>), WalletError> {
    let mut connection = wallet.db.write.acquire().await?;
    let rows = store::list(&mut connection, open, page.after, page.rows()).await?;
    Ok(page.cut(rows, |row| row.id))
}

/// A person has looked.
async fn close(wallet: &Wallet, id: Uuid, by: Uuid, reason: &str) -> Result<Row, WalletError> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > MAX_REASON {
        return Err(WalletError::Field("reason", "required"));
    }
    let mut connection = wallet.db.write.acquire().await?;
    let now: DateTime<Utc> = wallet.clock.now();
    store::close(&mut connection, id, by, reason, now).await?.ok_or(WalletError::NotFound)
}
