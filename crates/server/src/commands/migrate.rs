use std::process::ExitCode;

use clap::Args;

use super::{DataDir, once, say};
use crate::database::{self, Database};

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    data_dir: DataDir,
    /// Dit ce qui serait fait, sans rien changer
    #[arg(long)]
    dry_run: bool,
}

/// Brings the database up to date; running it twice changes nothing.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let database = Database::locate(&arguments.data_dir.overrides())?;
    let done = once(async {
        if arguments.dry_run {
            return database::dry_run(&database.url).await;
        }
        database::migrate(&database.url).await.map(|report| format!("{report}the database is up to date"))
    });
    database.stop();
    say(done?.trim_end());
    Ok(ExitCode::SUCCESS)
}
