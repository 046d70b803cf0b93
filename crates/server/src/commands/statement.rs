//! `hostolink import statement`: an operator's statement against the books.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use chrono::NaiveDate;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use kernel::Clock;
use wallet::reconciliation::{self, Report};

use super::{DataDir, say, serving};
use crate::database::Database;
use crate::wiring::App;
use crate::{config, operators};

#[derive(Debug, Args)]
pub(super) struct StatementArguments {
    /// Relevé : CSV de l'opérateur, ou camt.053 d'une banque
    #[arg(required_unless_present = "day")]
    file: Option<PathBuf>,
    /// orange_money, mtn_momo, moov_money, wave, djamo, bank ou card
    #[arg(long)]
    operator: String,
    /// Demande ce jour-là à la liste de l'opérateur lui-même (Wave), avec les clés de l'environnement
    #[arg(long, value_name = "AAAA-MM-JJ", conflicts_with = "file")]
    day: Option<NaiveDate>,
    #[command(flatten)]
    data_dir: DataDir,
}

/// Compares line by line; the same statement again changes nothing, and an interrupted import is simply started again.
pub(super) fn run(arguments: &StatementArguments) -> anyhow::Result<ExitCode> {
    let database = Database::locate(&arguments.data_dir.overrides())?;
    let bar = ProgressBar::new(0)
        .with_style(ProgressStyle::with_template("{bar:40} {pos}/{len} · {per_sec} · encore {eta}")?);
    let shown = |done: usize, all: usize| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    };
    let done = serving::runtime()?.block_on(async {
        let connectors = operators::configured(&Clock::system(), &config::variable)?;
        let app = App::offline_with(&database.url, connectors)?;
        match (&arguments.file, arguments.day) {
            (Some(file), _) => {
                let bytes = tokio::fs::read(file).await.with_context(|| file.display().to_string())?;
                Ok(reconciliation::import(&app.wallet, &arguments.operator, &bytes, &shown).await?)
            }
            (None, Some(day)) => Ok(reconciliation::import_day(&app.wallet, &arguments.operator, day, &shown).await?),
            (None, None) => bail!("a file or --day is needed"),
        }
    });
    bar.finish_and_clear();
    database.stop();
    say(&summary(&done?));
    Ok(ExitCode::SUCCESS)
}

fn summary(report: &Report) -> String {
    format!(
        "{} lignes, dont {} nouvelles : {} rapprochées, {} en attente d'un ordre en cours, {} écarts à traiter, {} F de frais",
        report.lines, report.new, report.matched, report.waiting, report.differences, report.fees
    )
}
