//! The development mailbox: a folder that receives messages as files, so that a developer (or a test) reads what a person
//! would have received.

use std::{
    fs, io,
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Messages kept; the oldest leave first.
const MAX_MESSAGES: usize = 1000;
/// Characters of the message's own id kept in a file name.
const MAX_ID_CHARS: usize = 64;

/// A folder of messages, one file each, named `<sequence>-<id>.<extension>`: sorting by name is sorting by age.
#[derive(Debug, Clone)]
pub(crate) struct Mailbox {
    folder: Arc<Path>,
    extension: &'static str,
    next: Arc<AtomicU64>,
}

impl Mailbox {
    /// Opens (and makes, readable by its owner only) the folder.
    pub(crate) fn open(folder: &Path, extension: &'static str) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let last = messages(folder, extension)?.iter().filter_map(|path| sequence(path)).max().unwrap_or(0);
        Ok(Self { folder: folder.into(), extension, next: Arc::new(AtomicU64::new(last + 1)) })
    }

    /// Stores one message and gives the name of its file. The file appears complete or not at all.
    pub(crate) async fn put(&self, id: &str, content: Vec<u8>) -> io::Result<String> {
        let sequence = self.next.fetch_add(1, Ordering::Relaxed);
        let name = format!("{sequence:010}-{}.{}", file_safe(id), self.extension);
        let (folder, extension, file) = (Arc::clone(&self.folder), self.extension, name.clone());
        tokio::task::spawn_blocking(move || write(&folder, extension, &file, &content))
            .await
            .map_err(io::Error::other)??;
        Ok(name)
    }
}

fn write(folder: &Path, extension: &str, name: &str, content: &[u8]) -> io::Result<()> {
    let unfinished = folder.join(format!(".{name}.part"));
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(content)?;
    fs::rename(&unfinished, folder.join(name))?;
    forget_oldest(folder, extension)
}

fn forget_oldest(folder: &Path, extension: &str) -> io::Result<()> {
    let mut kept = messages(folder, extension)?;
    if kept.len() <= MAX_MESSAGES {
        return Ok(());
    }
    kept.sort();
    for path in &kept[..kept.len() - MAX_MESSAGES] {
        match fs::remove_file(path) {
            // Another writer of the same folder was faster.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other?,
        }
    }
    Ok(())
}

fn messages(folder: &Path, extension: &str) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == extension) {
            found.push(path);
        }
    }
    Ok(found)
}

fn sequence(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.split('-').next()?.parse().ok()
}

fn file_safe(id: &str) -> String {
    let safe = |letter: char| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' };
    id.chars().take(MAX_ID_CHARS).map(safe).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[tokio::test]
    async fn keeps_the_newest_messages_only_and_goes_on_counting_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        for sequence in 1..=MAX_MESSAGES {
            fs::write(folder.path().join(format!("{sequence:010}-old.eml")), "old").unwrap();
        }
        let mailbox = Mailbox::open(folder.path(), "eml").unwrap();
        let name = mailbox.put("../../etc/passwd", b"new".to_vec()).await.unwrap();

        assert_eq!(name, "0000001001-______etc_passwd.eml");
        let kept = messages(folder.path(), "eml").unwrap();
        assert_eq!(kept.len(), MAX_MESSAGES);
        assert!(!folder.path().join("0000000001-old.eml").exists());
        let mode = fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
