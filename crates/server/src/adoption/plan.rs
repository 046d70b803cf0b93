//! What taking over will do, found out by reading only: the same plan is reported and carried out.

use super::Report;
use super::history::History;

/// What has to be done around the migrations, and what a person has to know.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub(crate) report: Report,
    /// The migrations never ran here: they are applied in one transaction, all or none.
    pub(crate) first: bool,
    /// The brief's tables that are there.
    pub(super) tables: Vec<String>,
    /// Before the migrations: the old tables get the columns and types of the brief.
    pub(super) before: Vec<String>,
    /// After them, in the same transaction.
    pub(super) after: Vec<String>,
    pub(super) history: Option<History>,
}

impl Plan {
    /// What a person has to know or decide.
    pub fn report(&self) -> &Report {
        &self.report
    }
}
