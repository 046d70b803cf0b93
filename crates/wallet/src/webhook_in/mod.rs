//! What operators send by themselves. Who wrote it is checked; it is stored once an event; the answer is given at once;
//! then the operator is asked. Nothing that stands in a webhook moves money.

mod api;
mod model;
mod store;

use kernel::keys::Purpose;
use providers::mobile_money::{Delivery, Notice, Rejected, Trust};
use uuid::Uuid;

use crate::WalletError;
use crate::alert::{self, Alert, AlertKind};
use crate::house::Wallet;
use crate::instruction;

pub(crate) use api::routes;

/// Events of one webhook that are read; the rest is found by looking at the operator anyway.
const MAX_EVENTS: usize = 100;
/// Letters of the secret in a callback's address.
const SECRET_LENGTH: usize = 32;

/// The secret part of our address for a route: whoever knows it was told it by us.
pub(crate) fn secret(wallet: &Wallet, route: &str) -> Option<String> {
    let mac = wallet.keys.mac(Purpose::Token, wallet.keys.current(), &[b"webhook", route.as_bytes()])?;
    hex::encode(mac).get(..SECRET_LENGTH).map(str::to_owned)
}

/// Takes one webhook. Every repeat is answered like the first.
pub(crate) async fn take(
    wallet: &Wallet,
    route: &str,
    addressed: bool,
    delivery: Delivery<'_>,
) -> Result<(), WalletError> {
    let Some((route, webhook)) = wallet.webhook(route) else { return Err(WalletError::NotFound) };
    let now = wallet.clock.now();
    let notices = match webhook.verify(&delivery, now.timestamp()).await {
        Ok(notices) => notices,
        Err(rejected) => return Err(refused(wallet, route, rejected).await?),
    };
    // An unsigned one has to come to the address that only its operator was told.
    if !addressed && notices.iter().any(|notice| notice.trust == Trust::Unsigned) {
        return Err(refused(wallet, route, Rejected::MissingSignature).await?);
    }
    for notice in notices.iter().take(MAX_EVENTS) {
        keep(wallet, route, notice, delivery.body).await?;
    }
    Ok(())
}

/// Stores an event and, when it is about an order of ours, makes a worker ask the operator; both or neither.
async fn keep(wallet: &Wallet, route: &str, notice: &Notice, body: &[u8]) -> Result<(), WalletError> {
    let now = wallet.clock.now();
    let mut transaction = wallet.db.write.begin().await?;
    let id = kernel::new_id(&wallet.clock, &wallet.random);
    let signed = notice.trust == Trust::Signed;
    if !store::insert(&mut transaction, id, route, &notice.event_id, body, signed, now).await? {
        drop(transaction);
        return raise(wallet, AlertKind::WebhookReplayed, route.to_owned(), "un rappel déjà reçu revient", None).await;
    }
    let providers = wallet.providers_of(route);
    let found =
        instruction::found(&mut transaction, notice.reference.as_deref(), notice.provider_id.as_deref(), &providers)
            .await?;
    let filed = match found {
        Some(row) => {
            if signed && notice.reference.as_deref() == Some(row.reference.as_str()) {
                instruction::learned(wallet, &mut transaction, &row, notice.provider_id.as_deref()).await?;
            }
            instruction::noticed(wallet, &mut transaction, row.id).await?;
            let differs = model::names_another_amount(body, row.montant);
            if differs { Filed::OtherAmount(row.id) } else { Filed::Followed }
        }
        None => Filed::Unknown,
    };
    let outcome = filed.stored();
    store::handled(&mut transaction, id, outcome, now).await?;
    transaction.commit().await?;
    match filed {
        Filed::Followed => {}
        Filed::Unknown => {
            raise(wallet, AlertKind::WebhookUnknown, route.to_owned(), "un rappel ne concerne rien de connu", None)
                .await?;
        }
        Filed::OtherAmount(order) => {
            let detail = "un rappel annonce un autre montant que l'ordre";
            raise(wallet, AlertKind::WebhookAmount, order.to_string(), detail, Some(order)).await?;
        }
    }
    metrics::counter!("hostolink_webhooks_received_total", "route" => route.to_owned(), "outcome" => outcome)
        .increment(1);
    Ok(())
}

/// What became of an event.
enum Filed {
    /// The operator is asked.
    Followed,
    /// The operator is asked, and staff is told: it names another amount.
    OtherAmount(Uuid),
    /// It is about nothing that we know.
    Unknown,
}

impl Filed {
    /// `rappel_recu.issue`
    fn stored(&self) -> &'static str {
        match self {
            Filed::Followed => "suivie",
            Filed::OtherAmount(_) => "autre_montant",
            Filed::Unknown => "inconnue",
        }
    }
}

/// Counts, tells staff, and answers 401 without a word of why.
async fn refused(wallet: &Wallet, route: &'static str, rejected: Rejected) -> Result<WalletError, WalletError> {
    metrics::counter!("hostolink_webhooks_refused_total", "route" => route).increment(1);
    raise(wallet, AlertKind::WebhookForged, route.to_owned(), &rejected.to_string(), None).await?;
    Ok(WalletError::WebhookRefused)
}

async fn raise(
    wallet: &Wallet,
    kind: AlertKind,
    subject: String,
    detail: &str,
    instruction: Option<Uuid>,
) -> Result<(), WalletError> {
    Ok(alert::raise(wallet, Alert { kind, subject, detail: detail.to_owned(), instruction }).await?)
}

impl crate::house::Core {
    /// Whose operations a route is about.
    fn providers_of(&self, route: &str) -> Vec<&'static str> {
        self.connectors
            .iter()
            .filter(|connector| connector.route == route)
            .map(|connector| connector.provider.code())
            .collect()
    }
}

#[cfg(test)]
mod tests;
