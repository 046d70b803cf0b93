//! What survives a kill: a file of JSON lines, appended to and never changed. Each line is written at once, so that a
//! killed process leaves at most its last line cut short; such a line is skipped when the file is read.

use crate::books::{Book, Movement};
use crate::model::{Operation, Provider};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// One line of the file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Line {
    /// All books at the moment when the file was made; the steps that follow are counted on top of them.
    Books(BTreeMap<Provider, Book>),
    /// An operation as it became, with the movement of money that came with the change, if any.
    Step { operation: Box<Operation>, movement: Option<Movement> },
    /// A movement that the books above hold already.
    Past(Movement),
    /// Whether the merchant still has to be told of an operation.
    Owed { provider: Provider, id: String, owed: bool },
    /// Something else an operator remembers (an API user, a webhook).
    Record { provider: Provider, key: String, value: Option<Value> },
}

/// The open file.
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    /// Lines since the file was made.
    pub(crate) lines: u64,
}

impl Journal {
    /// Reads the lines of a file, or none when it does not exist.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<Line>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let mut lines = Vec::new();
        for (number, text) in BufReader::new(file).split(b'\n').enumerate() {
            match serde_json::from_slice(&text?) {
                Ok(line) => lines.push(line),
                Err(error) => tracing::warn!(line = number + 1, %error, "a line of the simulator's journal is skipped"),
            }
        }
        Ok(lines)
    }

    /// Makes the file anew with these lines: a second file takes its place in one step.
    pub(crate) fn rewrite(path: &Path, lines: impl Iterator<Item = Line>) -> anyhow::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let fresh = path.with_extension("new");
        let mut out = std::io::BufWriter::new(private(&fresh)?);
        for line in lines {
            serde_json::to_writer(&mut out, &line)?;
            out.write_all(b"\n")?;
        }
        out.flush()?;
        std::fs::rename(&fresh, path)?;
        let file = OpenOptions::new().append(true).open(path)?;
        Ok(Self { path: path.to_owned(), file, lines: 0 })
    }

    /// Appends a line.
    pub(crate) fn append(&mut self, line: &Line) {
        let written = serde_json::to_vec(line).map_err(std::io::Error::from).and_then(|mut text| {
            text.push(b'\n');
            self.file.write_all(&text)
        });
        self.lines += 1;
        if let Err(error) = written {
            tracing::error!(%error, "the simulator's journal cannot be written: its books will not survive a restart");
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.path.clone()
    }
}

/// A new file for its owner's eyes: the journal holds the numbers of payers in full. What a killed process left there
/// goes first, since an existing file would keep its permissions.
fn private(path: &Path) -> std::io::Result<File> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn only_its_owner_reads_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("simulator.jsonl");
        for old in [&path, &path.with_extension("new")] {
            std::fs::write(old, "left by an older program\n").unwrap();
            std::fs::set_permissions(old, std::fs::Permissions::from_mode(0o644)).unwrap();
        }
        let record = |key: &str| Line::Record { provider: Provider::Mtn, key: key.to_owned(), value: None };
        let mut journal = Journal::rewrite(&path, std::iter::once(record("first"))).unwrap();
        journal.append(&record("second"));
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(Journal::read(&path).unwrap().len(), 2);
    }
}
