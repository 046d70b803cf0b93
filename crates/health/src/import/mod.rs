//! `hostolink import health FILE --source …`: read, check, plan, and only then write.
//!
//! The plan is the whole truth of a run: a dry run prints it, a run carries it out in transactions of a thousand rows. A run
//! that was interrupted is simply started again, since what is written already is then unchanged; the same file a second
//! time makes an empty plan, and an empty plan writes nothing.

mod areas;
mod duty;
mod matching;
mod pbf;
mod plan;
mod publish;
mod read;
mod record;
mod report;
mod store;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::data as test_data;

use std::path::{Path, PathBuf};

use kernel::{Clock, Db, Random};

pub use report::{FieldChange, Note, Report, Severity};

use crate::units::Units;
use read::Table;
use record::Columns;

/// Who says what the file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// The Ministry's list of facilities.
    Ministry,
    /// OpenStreetMap: an extract of healthsites.io, GeoJSON or PBF. One source, known by `node/…` and `way/…`.
    Osm,
    /// WHO/KEMRI.
    Who,
    /// A compiled list of hospitals with numbers.
    Hospitals,
    /// An operator's own file.
    Custom,
}

impl Source {
    /// As it is stored and as people type it.
    pub fn code(self) -> &'static str {
        match self {
            Self::Ministry => "ministry",
            Self::Osm => "osm",
            Self::Who => "who",
            Self::Hospitals => "hospitals",
            Self::Custom => "custom",
        }
    }

    pub(crate) fn of_code(code: &str) -> Option<Self> {
        [Self::Ministry, Self::Osm, Self::Who, Self::Hospitals, Self::Custom]
            .into_iter()
            .find(|source| source.code() == code)
    }

    /// What has to be said or asked before values of this source are shown.
    pub fn licence(self) -> &'static str {
        match self {
            Self::Ministry => "not stated (Ministry of Health)",
            Self::Osm => "ODbL 1.0, © OpenStreetMap contributors",
            Self::Who => "CC BY 4.0 (Maina et al. 2019, WHO/KEMRI)",
            Self::Hospitals => "facts",
            Self::Custom => "the operator's own",
        }
    }
}

/// What a file holds, by the word behind `--source`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Facilities.
    Facilities(Source),
    /// Pharmacies on duty, by area and week.
    Duty,
    /// Polygons: sub-prefectures with departments and regions (COD-AB), communes, or health districts.
    Areas(AreaKind),
    /// Towns and villages with points.
    Towns,
    /// Names of localities without points.
    Localities,
    /// Emergency numbers of the nation.
    Numbers,
}

pub use areas::AreaKind;

impl std::str::FromStr for Content {
    type Err = ImportError;

    fn from_str(word: &str) -> Result<Self, ImportError> {
        Ok(match word {
            "msp" | "ministry" => Self::Facilities(Source::Ministry),
            "osm" | "healthsites" | "pbf" => Self::Facilities(Source::Osm),
            "who" | "kemri" => Self::Facilities(Source::Who),
            "hospitals" => Self::Facilities(Source::Hospitals),
            "csv" | "custom" => Self::Facilities(Source::Custom),
            "garde" | "duty" => Self::Duty,
            "boundaries" => Self::Areas(AreaKind::Boundaries),
            "communes" => Self::Areas(AreaKind::Communes),
            "districts" => Self::Areas(AreaKind::HealthDistricts),
            "towns" | "geonames" => Self::Towns,
            "localities" | "localites" | "artci" => Self::Localities,
            "numbers" => Self::Numbers,
            _ => return Err(ImportError::UnknownSource(word.to_owned())),
        })
    }
}

/// One run.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// The file.
    pub file: PathBuf,
    /// What it holds.
    pub content: Content,
    /// Only the report.
    pub dry_run: bool,
    /// Places outside of Côte d'Ivoire are kept.
    pub anywhere: bool,
    /// The operator's own column names: (logical field, column).
    pub columns: Vec<(String, String)>,
}

impl ImportOptions {
    /// The usual run.
    pub fn new(file: impl Into<PathBuf>, content: Content) -> Self {
        Self { file: file.into(), content, dry_run: false, anywhere: false, columns: Vec::new() }
    }
}

/// How far a run is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    /// Rows written or known to be unchanged.
    pub done: usize,
    /// Rows that are good.
    pub total: usize,
    /// Rows refused.
    pub refused: usize,
}

/// Why a run does not take place at all.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// No such file, not the format that it seems to be.
    #[error("the file cannot be read: {0}")]
    Unreadable(String),
    /// More than the bounds of [`read`].
    #[error("the file is too large")]
    TooLarge,
    /// No header with the columns that are needed.
    #[error("the file holds no table that can be used")]
    NoTable,
    /// A needed column is not there.
    #[error("the file has no column for {0}")]
    NoColumn(&'static str),
    /// Not a word of [`Content`].
    #[error(
        "unknown source {0:?}: msp, osm, healthsites, who, hospitals, csv, garde, boundaries, communes, districts, towns, localities, numbers"
    )]
    UnknownSource(String),
    /// The database, or we.
    #[error(transparent)]
    Failure(#[from] kernel::Failure),
}

impl From<sqlx::Error> for ImportError {
    #[track_caller]
    fn from(error: sqlx::Error) -> Self {
        Self::Failure(kernel::Failure::from(error))
    }
}

/// What a run needs of the world.
#[derive(Clone, Debug)]
pub struct World {
    /// Where it writes.
    pub db: Db,
    /// Time.
    pub clock: Clock,
    /// Chance, for ids.
    pub random: Random,
}

/// Runs an import or, dry, tells what it would do.
pub async fn run(
    world: &World,
    options: &ImportOptions,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Report, ImportError> {
    let path = options.file.clone();
    let table = tokio::task::spawn_blocking(move || read::file(&path)).await.map_err(kernel::Failure::internal)??;
    let name = file_name(&options.file);
    content(world, options, &name, table, progress).await
}

/// The same for what the program carries in itself.
pub(crate) async fn run_bytes(world: &World, options: &ImportOptions, bytes: &[u8]) -> Result<Report, ImportError> {
    content(world, options, &file_name(&options.file), read::bytes_of(bytes)?, &|_| {}).await
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

async fn content(
    world: &World,
    options: &ImportOptions,
    name: &str,
    table: Table,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Report, ImportError> {
    let started = std::time::Instant::now();
    let mut report = match options.content {
        Content::Facilities(source) => facilities(world, options, source, name, table, progress).await?,
        Content::Duty => duty::import(world, options, table).await?,
        Content::Areas(kind) => areas::polygons(world, options, kind, table).await?,
        Content::Towns | Content::Localities => areas::localities(world, options, table).await?,
        Content::Numbers => areas::numbers(world, options, table).await?,
    };
    report.seconds = started.elapsed().as_secs_f64();
    report.dry_run = options.dry_run;
    Ok(report)
}

async fn facilities(
    world: &World,
    options: &ImportOptions,
    source: Source,
    name: &str,
    table: Table,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Report, ImportError> {
    let units = Units::load(&world.db.write).await?;
    let (columns, chosen) = (Columns::find(&table.header, &options.columns), options.anywhere);
    for needed in ["lat", "lng"] {
        if !columns.has(needed) {
            return Err(ImportError::NoColumn(needed));
        }
    }
    let mut notes = table.notes;
    let mut reads = Vec::with_capacity(table.rows.len());
    let total_rows = table.rows.len();
    for (line, row) in &table.rows {
        match record::read(source, &columns, *line, row, &|place| chosen || units.holds(place), &mut notes) {
            Ok(read) => reads.push(read),
            Err(note) => notes.push(note),
        }
    }
    let known = store::known(&world.db.write, source).await?;
    let mut plan = plan::decide(source, reads, known, table.truncated, &mut notes);
    let neighbours = store::neighbours(&world.db.write, source, plan.has_new()).await?;
    plan::link(&mut plan, &neighbours);
    let words = store::words(&world.db.write, &plan.touched()).await?;
    plan::publish(&mut plan, source, words);
    let report = plan.report(total_rows, notes);
    if !options.dry_run && !plan.is_empty() {
        store::apply(world, source, name, &plan, &units, &report, progress).await?;
    }
    Ok(report)
}
