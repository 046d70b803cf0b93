use std::fmt;

/// What a database of the first backend holds that a person has to know or decide. Identifiers are masked: the report
/// is read in terminals and pasted into tickets.
#[derive(Clone, Debug, Default)]
pub struct Report {
    blocks: Vec<String>,
    notes: Vec<String>,
}

/// Lines of each kind that are shown.
const MAX_LINES: usize = 100;

impl Report {
    /// Has to be solved before anything is changed.
    pub fn block(&mut self, line: impl Into<String>) {
        self.blocks.push(line.into());
    }

    /// Is taken care of, and worth knowing.
    pub fn note(&mut self, line: impl Into<String>) {
        self.notes.push(line.into());
    }

    /// Whether a person has to decide something first.
    pub fn blocks(&self) -> bool {
        !self.blocks.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (title, lines) in [("to be decided first", &self.blocks), ("taken care of", &self.notes)] {
            if lines.is_empty() {
                continue;
            }
            writeln!(formatter, "{title} ({}):", lines.len())?;
            for line in lines.iter().take(MAX_LINES) {
                writeln!(formatter, "  - {line}")?;
            }
            if lines.len() > MAX_LINES {
                writeln!(formatter, "  … and {} more", lines.len() - MAX_LINES)?;
            }
        }
        Ok(())
    }
}
