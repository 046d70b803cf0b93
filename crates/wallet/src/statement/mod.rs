//! What happened to an account in a period, from balance to balance: for people as PDF, for spreadsheets as CSV.

mod api;
mod model;

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, Utc};
use identity::session::Account;
use kernel::http::Lang;

use crate::WalletError;
use crate::house::Wallet;
use crate::ledger::Entry;
use crate::people::Counterparty;

pub(crate) use api::routes;

/// The longest period, in days.
const MAX_DAYS: i64 = 366;
/// Lines of one statement; whoever has more asks for a shorter period.
const MAX_LINES: usize = 20_000;
/// Entries that are read at once.
const READ_AT_ONCE: i64 = 1000;

/// Days of a statement, the last one included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Period {
    pub(crate) from: NaiveDate,
    pub(crate) to: NaiveDate,
}

impl Period {
    /// The month of `today` until today, unless days are given.
    pub(crate) fn of(from: Option<NaiveDate>, to: Option<NaiveDate>, today: NaiveDate) -> Result<Self, WalletError> {
        let to = to.unwrap_or(today);
        let from = from.unwrap_or_else(|| to.with_day(1).unwrap_or(to));
        if from > to {
            return Err(WalletError::Field("from", "invalid"));
        }
        if (to - from).num_days() >= MAX_DAYS {
            return Err(WalletError::Field("to", "out_of_range"));
        }
        Ok(Self { from, to })
    }

    /// The last instant before it, and its own last one.
    fn instants(self) -> Result<(DateTime<Utc>, DateTime<Utc>), WalletError> {
        let midnight = |day: NaiveDate| day.and_hms_opt(0, 0, 0).map(|at| at.and_utc());
        let start = midnight(self.from).ok_or(WalletError::Field("from", "invalid"))?;
        let after =
            self.to.checked_add_days(Days::new(1)).and_then(midnight).ok_or(WalletError::Field("to", "invalid"))?;
        // PostgreSQL's resolution: nothing stands between.
        Ok((start - TimeDelta::microseconds(1), after - TimeDelta::microseconds(1)))
    }
}

/// A line: the entry, and what may be shown of the other side.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) entry: Entry,
    pub(crate) other: Counterparty,
}

/// An account from balance to balance, oldest line first.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) period: Period,
    pub(crate) owner: Counterparty,
    pub(crate) opening: i64,
    pub(crate) closing: i64,
    pub(crate) lines: Vec<Line>,
}

/// How it is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Csv,
    Pdf,
}

/// The statement as a file.
pub(crate) async fn print(
    wallet: &Wallet,
    account: &Account,
    period: Period,
    format: Format,
    lang: Lang,
) -> Result<Vec<u8>, WalletError> {
    let statement = drawn_up(wallet, account, period).await?;
    match format {
        Format::Csv => Ok(model::csv(&statement)?),
        Format::Pdf => Ok(model::pdf(&wallet.lexicon, lang, &statement, wallet.clock.now())),
    }
}

async fn drawn_up(wallet: &Wallet, account: &Account, period: Period) -> Result<Statement, WalletError> {
    let (before, end) = period.instants()?;
    let mut connection = wallet.db.write.acquire().await?;
    let own = wallet.own_account(&mut connection, account.id_user).await?.id_compte;
    let owner = wallet.person(&mut connection, account.id_user).await?;
    let (first, last) = (wallet.ledger.version_at(own, before).await?, wallet.ledger.version_at(own, end).await?);
    let mut entries: Vec<Entry> = Vec::new();
    let mut below = Some(last + 1);
    while let Some(version) = below.filter(|version| *version > first + 1) {
        let page = wallet.ledger.entries(own, first, Some(version), READ_AT_ONCE).await?;
        entries.extend(page.items);
        if entries.len() > MAX_LINES {
            return Err(WalletError::Rule("wallet.statement_too_long"));
        }
        below = page.next;
    }
    entries.reverse();
    let opening = wallet.ledger.balance_at(own, before).await?;
    let closing = entries.last().map_or(opening, |entry| entry.balance);
    let others: Vec<i32> = entries.iter().filter_map(|entry| other(entry).user).collect();
    let people = wallet.people(&mut connection, &others).await?;
    let lines = entries
        .into_iter()
        .map(|entry| {
            let side = other(&entry);
            let system = || crate::people::system(side.code.as_deref());
            let other = side.user.map_or_else(system, |user| people.get(&user).cloned().unwrap_or_else(system));
            Line { entry, other }
        })
        .collect();
    Ok(Statement { period, owner, opening, closing, lines })
}

/// Money that left went to the payee, money that came is the payer's.
fn other(entry: &Entry) -> &crate::ledger::Side {
    if entry.amount < 0 { &entry.operation.to } else { &entry.operation.from }
}

#[cfg(test)]
mod tests;
