//! Statements of operators against our books, line by line. What fits is ticked; what differs goes to the provider's
//! suspense account and to a work list, so that the float in the books is always what the operator really holds.

mod api;
mod camt;
mod csv;
mod model;
mod store;

use chrono::NaiveDate;
use kernel::Francs;
use providers::mobile_money::Outcome;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::WalletError;
use crate::alert::{self, Alert, AlertKind};
use crate::house::Wallet;
use crate::ledger::{Action, Command, Fingerprint, Kind, Movement, Party, Tariff, Verdict};
use crate::provider::ProviderCode;

pub(crate) use api::routes;
use model::Finding;
pub use model::{Format, Line, ReadError, Statement};

/// The largest file, in bytes.
const MAX_FILE: usize = 64 * 1024 * 1024;
/// Pages that are asked of one day's list.
const MAX_PAGES: usize = 1_000;

/// Why a statement is not imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// No provider of this name.
    #[error("unknown provider: orange_money, mtn_momo, moov_money, wave, djamo, bank or card")]
    UnknownProvider,
    /// The file is not what it should be.
    #[error(transparent)]
    Unreadable(#[from] ReadError),
    /// This provider tells its books by no route that is configured.
    #[error("this provider has no list that could be asked")]
    NoList,
    /// It did not answer.
    #[error("the provider's list cannot be read: {0}")]
    ListFailed(String),
    /// The wallet refused.
    #[error("{0}")]
    Wallet(#[from] WalletError),
}

/// What an import found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Lines of the statement.
    pub lines: usize,
    /// Lines that no statement before it held.
    pub new: usize,
    /// Lines that fit.
    pub matched: usize,
    /// Lines whose order has not ended here yet: looked at again with the next statement.
    pub waiting: usize,
    /// New rows of the work list.
    pub differences: usize,
    /// What the operator charged, in francs.
    pub fees: i64,
}

/// Imports a file: CSV or camt.053. `progress` hears how many lines are done, of how many.
pub async fn import(
    wallet: &Wallet,
    provider: &str,
    file: &[u8],
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Report, ImportError> {
    let provider = ProviderCode::from_code(provider).ok_or(ImportError::UnknownProvider)?;
    if file.len() > MAX_FILE {
        return Err(ReadError::TooLarge.into());
    }
    let statement = model::read(file)?;
    take(wallet, provider, &statement, &kernel::keys::sha256(file), progress).await
}

/// Imports a day of the provider's own list.
pub async fn import_day(
    wallet: &Wallet,
    provider: &str,
    day: NaiveDate,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Report, ImportError> {
    let provider = ProviderCode::from_code(provider).ok_or(ImportError::UnknownProvider)?;
    let list = wallet.ways(provider).find_map(|way| way.statement.clone()).ok_or(ImportError::NoList)?;
    let (mut lines, mut cursor) = (Vec::new(), None::<String>);
    for _ in 0..MAX_PAGES {
        let page = match list.page(day, cursor.as_deref()).await.outcome {
            Outcome::Known(page) => page,
            Outcome::NotExecuted { code } | Outcome::Unknown { code } => return Err(ImportError::ListFailed(code)),
        };
        lines.extend(page.lines.iter().filter_map(model::of_list));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let text: Vec<String> = lines.iter().map(|line| format!("{}|{}|{}", line.id, line.label, line.amount)).collect();
    let digest = kernel::keys::sha256(text.join("\n").as_bytes());
    let statement = Statement { format: Format::Api, from: Some(day), to: Some(day), closing: None, lines };
    take(wallet, provider, &statement, &digest, progress).await
}

async fn take(
    wallet: &Wallet,
    provider: ProviderCode,
    statement: &Statement,
    digest: &[u8; 32],
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Report, ImportError> {
    let code = provider.code();
    let mut connection = wallet.db.write.acquire().await.map_err(WalletError::from)?;
    let id = kernel::new_id(&wallet.clock, &wallet.random);
    let now = wallet.clock.now();
    let id = store::statement(&mut connection, id, code, statement, digest, now).await.map_err(WalletError::from)?;
    let mut report = Report { lines: statement.lines.len(), ..Report::default() };
    for line in &statement.lines {
        report.new += usize::from(store::line(&mut connection, id, code, line).await.map_err(WalletError::from)?);
    }
    // What waited since an earlier statement is looked at again.
    let open = store::unread(&mut connection, code).await.map_err(WalletError::from)?;
    for (done, line) in open.iter().enumerate() {
        one(wallet, &mut connection, code, line, &mut report).await?;
        progress(done + 1, open.len());
    }
    if let (Some(from), Some(to)) = (statement.from, statement.to) {
        let missing =
            store::missing(&mut connection, code, route_of(provider), from, to).await.map_err(WalletError::from)?;
        for order in missing {
            let ours = if order.sens == "depot" { order.montant } else { -order.montant };
            let finding = Difference { kind: "absent_du_releve", line: None, order: Some(order.id), francs: -ours };
            differ(wallet, &mut connection, code, &finding, &mut report).await?;
        }
    }
    if report.differences > 0 {
        let detail = format!("{} écart(s) sur le relevé de {code}", report.differences);
        let raised =
            Alert { kind: AlertKind::StatementDifference, subject: code.to_owned(), detail, instruction: None };
        alert::raise(wallet, raised).await.map_err(WalletError::from)?;
    }
    Ok(report)
}

/// Whose statements a provider's are: its own route's. What went by an aggregator stands on the aggregator's.
fn route_of(provider: ProviderCode) -> &'static str {
    match provider {
        ProviderCode::OrangeMoney => "orange_webpay",
        ProviderCode::MtnMomo => "mtn_momo",
        ProviderCode::MoovMoney => "moov",
        ProviderCode::Wave => "wave",
        ProviderCode::Djamo => "djamo",
        ProviderCode::Bank => "pi_spi",
        ProviderCode::Card => "paystack",
    }
}

/// Judges one line and writes what follows from it. Every step may be done again after a crash: keys of the ledger and
/// unique rows make each happen once, and the line is ticked last.
async fn one(
    wallet: &Wallet,
    connection: &mut PgConnection,
    code: &str,
    line: &store::Kept,
    report: &mut Report,
) -> Result<(), WalletError> {
    let order = store::order_of(connection, code, line.reference.as_deref(), &line.identifiant).await?;
    let twice = match &order {
        Some(order) => store::ticked(connection, order.id, line.id).await?,
        None => false,
    };
    let finding = model::judge(line.montant, order.as_ref(), twice);
    let order_id = order.as_ref().map(|order| order.id);
    if finding == Finding::Waiting {
        report.waiting += 1;
        return Ok(());
    }
    if line.frais > 0 {
        charge(wallet, code, line.id, line.frais).await?;
        report.fees += line.frais;
    }
    match finding {
        Finding::Fits => {
            report.matched += 1;
            Ok(store::tick(connection, line.id, "rapprochee", order_id).await?)
        }
        Finding::Differs { kind, francs } => {
            let difference = Difference { kind, line: Some(line.id), order: order_id, francs };
            differ(wallet, connection, code, &difference, report).await?;
            Ok(store::tick(connection, line.id, "ecart", order_id).await?)
        }
        Finding::Waiting => Ok(()),
    }
}

/// Something for the work list.
struct Difference {
    kind: &'static str,
    line: Option<i64>,
    order: Option<Uuid>,
    /// What the operator has more than the books know; negative: less.
    francs: i64,
}

async fn differ(
    wallet: &Wallet,
    connection: &mut PgConnection,
    code: &str,
    found: &Difference,
    report: &mut Report,
) -> Result<(), WalletError> {
    let subject = match (found.line, found.order) {
        (Some(line), _) => format!("ligne:{line}"),
        (None, Some(order)) => format!("ordre:{order}"),
        (None, None) => return Ok(()),
    };
    let (float, suspense) = (Party::system(format!("flottant:{code}")), Party::system(format!("suspens:{code}")));
    let (from, to) = if found.francs > 0 { (float, suspense) } else { (suspense, float) };
    let operation = adjust(wallet, format!("ecart:{subject}"), from, to, found.francs.abs()).await?;
    let id = kernel::new_id(&wallet.clock, &wallet.random);
    let new = store::difference(
        connection,
        id,
        code,
        found.kind,
        found.line,
        found.order,
        found.francs,
        operation,
        wallet.clock.now(),
    )
    .await?;
    report.differences += usize::from(new);
    Ok(())
}

/// What an operator charges leaves our money there.
async fn charge(wallet: &Wallet, code: &str, line: i64, francs: i64) -> Result<(), WalletError> {
    let (from, to) = (Party::system(format!("charge:{code}")), Party::system(format!("flottant:{code}")));
    adjust(wallet, format!("charge:ligne:{line}"), from, to, francs).await.map(drop)
}

async fn adjust(
    wallet: &Wallet,
    key: String,
    from: Party,
    to: Party,
    francs: i64,
) -> Result<Option<Uuid>, WalletError> {
    let Some(amount) = Francs::new(francs) else { return Ok(None) };
    let fingerprint = Fingerprint::of(&[key.as_bytes(), &francs.to_be_bytes()]);
    let movement = Movement { kind: Kind::Adjustment, from, to, amount, tariff: Tariff::Free };
    let command = Command::new(Party::system("systeme"), key, fingerprint, Action::Move(movement));
    let (receipt, _) = Verdict::accepted(wallet.ledger.post(command).await?)?;
    Ok(Some(receipt.id))
}

/// How a person closes a row of the work list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Decision {
    /// The operator put it right: the suspense is undone.
    Undo,
    /// It is ours to bear, or to keep: from or to what the operator charged us.
    Charge,
    /// It is the customer's: credited to the wallet of the order, or of nobody: refused.
    Credit,
}

async fn close(
    wallet: &Wallet,
    id: Uuid,
    by: Uuid,
    decision: Decision,
    reason: &str,
) -> Result<store::Difference, WalletError> {
    if reason.trim().is_empty() || reason.chars().count() > 280 {
        return Err(WalletError::Field("reason", "required"));
    }
    let mut connection = wallet.db.write.acquire().await?;
    let row = store::one_difference(&mut connection, id)
        .await?
        .filter(|row| row.etat == "ouvert")
        .ok_or(WalletError::NotFound)?;
    let suspense = Party::system(format!("suspens:{}", row.operateur));
    let other = match decision {
        Decision::Undo => Party::system(format!("flottant:{}", row.operateur)),
        Decision::Charge => Party::system(format!("charge:{}", row.operateur)),
        Decision::Credit if row.montant > 0 => {
            let owner = store::owner(&mut connection, row.id_instruction).await?;
            Party::User(owner.ok_or(WalletError::Conflict("wallet.difference_of_nobody"))?)
        }
        Decision::Credit => return Err(WalletError::Conflict("wallet.difference_of_nobody")),
    };
    let (from, to) = if row.montant > 0 { (suspense, other) } else { (other, suspense) };
    // The key holds no decision: two people who decide at once cannot both move it.
    adjust(wallet, format!("cloture:{id}"), from, to, row.montant.abs()).await?;
    store::close(&mut connection, id, by, reason.trim(), wallet.clock.now()).await?.ok_or(WalletError::NotFound)
}

#[cfg(test)]
mod tests;
