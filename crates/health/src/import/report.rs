use std::collections::BTreeMap;

use serde::Serialize;

/// More notes than this are counted by reason but not kept one by one.
const MAX_NOTES: usize = 100_000;
/// Likewise of changes.
const MAX_CHANGES: usize = 10_000;

/// Whether a row was lost or repaired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The row is not imported.
    Refusal,
    /// It is, and something about it was repaired or left out.
    Remark,
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// Line of the file, feature or element number; 0 for the whole file.
    pub line: u32,
    /// Lost or repaired.
    pub severity: Severity,
    /// The stable code of the reason.
    pub code: &'static str,
    /// What stood there, where it may be told.
    pub detail: String,
}

impl Note {
    pub(crate) fn refusal(line: u32, code: &'static str, detail: &str) -> Self {
        Self { line, severity: Severity::Refusal, code, detail: detail.to_owned() }
    }

    pub(crate) fn remark(line: u32, code: &'static str, detail: &str) -> Self {
        Self { line, severity: Severity::Remark, code, detail: detail.to_owned() }
    }
}

/// One field of a known facility that the file tells differently.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldChange {
    /// Line of the file.
    pub line: u32,
    /// The facility.
    pub name: String,
    /// The source's field.
    pub field: String,
    /// Before.
    pub before: serde_json::Value,
    /// After.
    pub after: serde_json::Value,
}

/// What a run did, or would do.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Nothing was written.
    pub dry_run: bool,
    /// Rows of the file.
    pub rows: usize,
    /// New facilities (or areas, towns, duty rows).
    pub created: usize,
    /// Known rows that differ.
    pub changed: usize,
    /// New rows that were recognised as a facility of another source.
    pub linked: usize,
    /// Known rows that are the same.
    pub unchanged: usize,
    /// Changed rows whose place moved by more than 500 m.
    pub moved: usize,
    /// Known rows that the file does not hold any more: to verify.
    pub vanished: usize,
    /// Pairs for a moderator's eye.
    pub to_review: usize,
    /// Rows that were not imported.
    pub refused: usize,
    /// Refusals and remarks by reason.
    pub reasons: BTreeMap<&'static str, usize>,
    /// Line by line, up to a hundred thousand.
    pub notes: Vec<Note>,
    /// Field by field, up to ten thousand.
    pub changes: Vec<FieldChange>,
    /// How long it took.
    pub seconds: f64,
}

impl Report {
    pub(crate) fn with_notes(mut self, notes: Vec<Note>) -> Self {
        for note in &notes {
            *self.reasons.entry(note.code).or_default() += 1;
        }
        self.refused = notes.iter().filter(|note| note.severity == Severity::Refusal).count();
        self.notes = notes;
        self.notes.sort_by_key(|note| note.line);
        self.notes.truncate(MAX_NOTES);
        self
    }

    pub(crate) fn with_changes(mut self, mut changes: Vec<FieldChange>) -> Self {
        changes.truncate(MAX_CHANGES);
        self.changes = changes;
        self
    }
}
