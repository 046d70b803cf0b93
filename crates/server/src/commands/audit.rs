use std::process::ExitCode;

use kernel::db::Sizes;
use kernel::{Clock, Db};
use wallet::ledger::audit;

use super::{DataDir, once, say};
use crate::database::Database;

/// Computes the books again from their operations; any difference is named and the exit code is not zero.
pub(super) fn run(arguments: &DataDir) -> anyhow::Result<ExitCode> {
    let database = Database::locate(&arguments.overrides())?;
    let checked = once(async {
        let db = Db::connect(&database.url, Sizes { write: 1, read: 1, hot: 1 })?;
        audit::audit(&db, &Clock::system()).await.map_err(anyhow::Error::from)
    });
    database.stop();
    let report = checked?;
    let (accounts, operations, entries, batches) = (report.accounts, report.operations, report.entries, report.batches);
    say(&format!("{accounts} accounts, {operations} operations, {entries} entries, {batches} batches"));
    if report.clean() {
        say("the books are right");
        return Ok(ExitCode::SUCCESS);
    }
    for finding in &report.findings {
        say(&format!("- {}: {} ({})", finding.check, finding.count, finding.examples.join("; ")));
    }
    Ok(ExitCode::FAILURE)
}
