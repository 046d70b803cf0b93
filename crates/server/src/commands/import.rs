use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};
use health::import::{self, Content, ImportOptions, Progress, Report, Severity, World};
use indicatif::{ProgressBar, ProgressStyle};
use kernel::db::Sizes;
use kernel::{Clock, Db, Random};

use super::statement::{self, StatementArguments};
use super::{DataDir, once, say};
use crate::database::Database;

/// Lines of the report that are shown; `--report` keeps all.
const SHOWN: usize = 40;

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Établissements de santé, limites, localités, gardes ou numéros
    Health(HealthArguments),
    /// Relevé d'un opérateur ou d'une banque, comparé ligne à ligne aux livres
    Statement(StatementArguments),
}

#[derive(Debug, Args)]
struct HealthArguments {
    /// CSV (aussi .gz), Excel (.xls, .xlsx), GeoJSON ou OSM PBF
    file: PathBuf,
    /// Ce que contient le fichier : msp, osm, healthsites, who, hospitals, csv, garde, boundaries, communes, districts, towns, localities, numbers
    #[arg(long)]
    source: String,
    /// Dit champ par champ ce qui serait fait, sans rien changer
    #[arg(long)]
    dry_run: bool,
    /// Garde aussi ce qui est hors de Côte d'Ivoire
    #[arg(long)]
    anywhere: bool,
    /// Une colonne d'un autre nom : `champ=colonne`, autant de fois qu'il faut (name=Dénomination)
    #[arg(long = "column", value_name = "CHAMP=COLONNE")]
    columns: Vec<String>,
    /// Écrit le rapport entier, en JSON
    #[arg(long, value_name = "FICHIER")]
    report: Option<PathBuf>,
    #[command(flatten)]
    data_dir: DataDir,
}

/// Imports a file, or tells what an import would do. Interrupted, it is simply started again.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    match &arguments.what {
        What::Health(arguments) => health(arguments),
        What::Statement(arguments) => statement::run(arguments),
    }
}

fn health(arguments: &HealthArguments) -> anyhow::Result<ExitCode> {
    let options = ImportOptions {
        dry_run: arguments.dry_run,
        anywhere: arguments.anywhere,
        columns: arguments.columns.iter().map(|pair| column(pair)).collect::<anyhow::Result<_>>()?,
        ..ImportOptions::new(&arguments.file, arguments.source.parse::<Content>()?)
    };
    let database = Database::locate(&arguments.data_dir.overrides())?;
    let bar = ProgressBar::new(0)
        .with_style(ProgressStyle::with_template("{bar:40} {pos}/{len} · {per_sec} · encore {eta} · {msg}")?);
    let shown = |progress: Progress| {
        bar.set_length(progress.total as u64);
        bar.set_position(progress.done as u64);
        bar.set_message(format!("{} refus", progress.refused));
    };
    let done = once(async {
        let db = Db::connect(&database.url, Sizes { write: 2, read: 1, hot: 1 })?;
        let world = World { db, clock: Clock::system(), random: Random::system() };
        import::run(&world, &options, &shown).await.map_err(anyhow::Error::from)
    });
    bar.finish_and_clear();
    database.stop();
    let report = done?;
    if let Some(path) = &arguments.report {
        std::fs::write(path, serde_json::to_vec_pretty(&report)?).with_context(|| path.display().to_string())?;
    }
    say(&summary(&report));
    Ok(ExitCode::SUCCESS)
}

fn column(pair: &str) -> anyhow::Result<(String, String)> {
    let (field, column) = pair.split_once('=').with_context(|| format!("--column {pair} : CHAMP=COLONNE"))?;
    Ok((field.to_owned(), column.to_owned()))
}

fn summary(report: &Report) -> String {
    let mut out = format!(
        "{}{} lignes en {:.1} s : {} créées, {} reconnues, {} modifiées (dont {} déplacées), {} inchangées, {} disparues, {} doublons à revoir, {} refusées",
        if report.dry_run { "À blanc, rien n'est écrit. " } else { "" },
        report.rows,
        report.seconds,
        report.created,
        report.linked,
        report.changed,
        report.moved,
        report.unchanged,
        report.vanished,
        report.to_review,
        report.refused
    );
    for change in report.changes.iter().take(SHOWN) {
        out.push_str(&format!(
            "\n~ ligne {} {} : {} {} → {}",
            change.line, change.name, change.field, change.before, change.after
        ));
    }
    // Refusals first: they are what somebody has to look at.
    let notes = |severity| report.notes.iter().filter(move |note| note.severity == severity);
    for note in notes(Severity::Refusal).chain(notes(Severity::Remark)).take(SHOWN) {
        let mark = if note.severity == Severity::Refusal { "✗" } else { "·" };
        out.push_str(&format!("\n{mark} ligne {} {} {}", note.line, note.code, note.detail));
    }
    for (code, count) in &report.reasons {
        out.push_str(&format!("\n{count} × {code}"));
    }
    out
}
