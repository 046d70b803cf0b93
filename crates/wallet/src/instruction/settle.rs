//! What an operator's word means for the money.

use providers::mobile_money::{Blame, Observed, OperationState};

use super::model::{Sealed, Side};
use super::order;
use super::store::{self, Row};
use crate::WalletError;
use crate::alert::{self, Alert, AlertKind};
use crate::house::Wallet;
use crate::ledger::{Action, Command, Fingerprint, Kind, Movement, Outcome, Party, Refusal, Tariff, Verdict};
use kernel::{Failure, Francs};

const CURRENCY: &str = kernel::money::CURRENCY;

/// Compares the operator's story with ours, then lets the ledger do what it means.
pub(super) async fn apply(wallet: &Wallet, row: &Row, sealed: &Sealed, observed: &Observed) -> Result<(), WalletError> {
    let side = Side::from_stored(&row.sens)?;
    let handle = order::handle(sealed, || Err(Failure::internal("an order that was sent has no handle")))?;
    if let Some(difference) = observed.disagreement(&handle, &sealed.at.party(), CURRENCY) {
        return review(wallet, row, &format!("{difference:?}").to_lowercase()).await;
    }
    let mut connection = wallet.db.write.acquire().await?;
    store::told(&mut connection, row.id, observed.transaction_id.as_deref(), observed.fee_francs).await?;
    drop(connection);
    match &observed.state {
        OperationState::Pending => Ok(()),
        OperationState::Succeeded => succeeded(wallet, row, side).await,
        OperationState::Failed { code, blame } => {
            if *blame == Blame::Float {
                alert::raise(wallet, empty_float(row)).await?;
            }
            ended(wallet, row, "echoue", Outcome::Failed, code).await
        }
        OperationState::Expired => ended(wallet, row, "expire", Outcome::Lapsed, "expired").await,
    }
}

fn empty_float(row: &Row) -> Alert {
    let route = row.route.clone().unwrap_or_default();
    Alert {
        kind: AlertKind::FloatEmpty,
        detail: format!("{} par {route}", row.operateur),
        subject: row.operateur.clone(),
        instruction: Some(row.id),
    }
}

async fn succeeded(wallet: &Wallet, row: &Row, side: Side) -> Result<(), WalletError> {
    if row.etat == "echoue" {
        return review(wallet, row, "succeeded_after_failure").await;
    }
    let settle = Action::Settle { operation: row.id, amount: None, last: true };
    match wallet.ledger.post(by_us(row, "reglement", settle)).await? {
        Verdict::Done { .. } => finish(wallet, row, "reussi", None).await,
        // Released by its date before the operator said yes. What came in is credited all the same.
        Verdict::Refused { reason: Refusal::NotPending, .. } if side == Side::Deposit => late(wallet, row).await,
        Verdict::Refused { reason, .. } => review(wallet, row, reason.stored()).await,
        Verdict::KeyReused | Verdict::NotAuthorised(_) => review(wallet, row, "verdict").await,
    }
}

/// A deposit that arrived after its operation was given up is an operation of its own.
async fn late(wallet: &Wallet, row: &Row) -> Result<(), WalletError> {
    let amount = Francs::new(row.montant).ok_or_else(|| Failure::internal("an instruction of no amount"))?;
    let movement = Movement {
        kind: Kind::Deposit,
        from: Party::system(format!("flottant:{}", row.operateur)),
        to: Party::User(row.id_user),
        amount,
        tariff: Tariff::Free,
    };
    match wallet.ledger.post(by_us(row, "tardif", Action::Move(movement))).await? {
        Verdict::Done { .. } => finish(wallet, row, "reussi", Some("late")).await,
        Verdict::Refused { reason, .. } => review(wallet, row, reason.stored()).await,
        Verdict::KeyReused | Verdict::NotAuthorised(_) => review(wallet, row, "verdict").await,
    }
}

async fn ended(wallet: &Wallet, row: &Row, state: &str, outcome: Outcome, code: &str) -> Result<(), WalletError> {
    if matches!(row.etat.as_str(), "echoue" | "expire" | "reussi") {
        return Ok(());
    }
    let cancel = Action::Cancel { operation: row.id, outcome };
    match wallet.ledger.post(by_us(row, "liberation", cancel)).await? {
        Verdict::Done { .. } | Verdict::Refused { reason: Refusal::NotPending, .. } => {
            finish(wallet, row, state, Some(code)).await
        }
        Verdict::Refused { reason, .. } => review(wallet, row, reason.stored()).await,
        Verdict::KeyReused | Verdict::NotAuthorised(_) => review(wallet, row, "verdict").await,
    }
}

/// The ledger gave the order up before it left.
pub(super) async fn too_late(wallet: &Wallet, row: &Row) -> Result<(), WalletError> {
    if row.etat != "cree" {
        return Ok(());
    }
    finish(wallet, row, "expire", Some("never_sent")).await
}

/// Another story than ours: no money moves before a person has looked.
pub(super) async fn review(wallet: &Wallet, row: &Row, code: &str) -> Result<(), WalletError> {
    tracing::error!(instruction = %row.id, provider = row.operateur, code, "an operator tells another story: a person has to look");
    let raised = Alert {
        kind: AlertKind::OtherStory,
        subject: row.id.to_string(),
        detail: format!("{} : {code}", row.operateur),
        instruction: Some(row.id),
    };
    alert::raise(wallet, raised).await?;
    metrics::counter!("hostolink_instructions_to_review_total", "provider" => row.operateur.clone()).increment(1);
    finish(wallet, row, "a_revoir", Some(code)).await
}

async fn finish(wallet: &Wallet, row: &Row, state: &str, code: Option<&str>) -> Result<(), WalletError> {
    let mut connection = wallet.db.write.acquire().await?;
    store::finish(&mut connection, row.id, state, code, wallet.clock.now()).await?;
    metrics::counter!("hostolink_instructions_ended_total", "provider" => row.operateur.clone(), "state" => state.to_owned()).increment(1);
    Ok(())
}

/// The system's own command about an order: its key makes it happen once.
fn by_us(row: &Row, verb: &str, action: Action) -> Command {
    let fingerprint = Fingerprint::of(&[verb.as_bytes(), row.id.as_bytes()]);
    Command::new(Party::system("systeme"), format!("{verb}:{}", row.id), fingerprint, action)
}
