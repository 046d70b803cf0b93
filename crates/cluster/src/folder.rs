//! The data folder: whose it is, who may use it now, and where its socket is.
//!
//! ```text
//! <data_dir>/lock      held (flock) by the one program that uses the folder; its process number is written in it
//!            pg15/     the cluster, named by the major that made it
//!            pg.new/   a cluster that is being made; never used, thrown away by the next start
//!            run/      the socket; moved to a short folder in /tmp when the path does not fit a socket's address
//! ```

use crate::{
    ClusterError,
    os::{self, Account},
};
use std::{
    env,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The port is only a part of the socket's name here: nothing listens on the network.
pub(crate) const PORT: u16 = 5432;

/// The address of a Unix socket holds 108 bytes on Linux and 104 on macOS, with the zero at its end.
const SOCKET_PATH_BYTES: usize = 103;

/// A data folder that this program, and no other, uses.
#[derive(Debug)]
pub(crate) struct Folder {
    /// Absolute, without symbolic links: the server carries it on its command line, and is recognised by it.
    pub(crate) root: PathBuf,
    pub(crate) socket_dir: PathBuf,
    /// Who the server runs as, when it cannot be us because we are root.
    pub(crate) account: Option<Account>,
    /// Dropping it frees the folder.
    _lock: File,
}

impl Folder {
    /// Makes the folder where there is none, takes its lock, and sees to it that the server can enter it.
    pub(crate) fn open(data_dir: &Path) -> Result<Self, ClusterError> {
        if data_dir.as_os_str().as_bytes().iter().any(u8::is_ascii_control) {
            // postmaster.pid holds one path a line: a line feed in one would shift the others.
            return Err(ClusterError::FolderName { data_dir: data_dir.to_path_buf() });
        }
        make_data_dir(data_dir).map_err(ClusterError::io("cannot make the data folder", data_dir))?;
        let root = data_dir.canonicalize().map_err(ClusterError::io("cannot find the data folder", data_dir))?;
        let account = server_account(&root)?;
        if let Some(account) = &account {
            hand_over(&root, account)?;
        }
        let lock = take_lock(&root)?;
        let socket_dir = make_socket_dir(&root, account.as_ref())?;
        let folder = Self { root, socket_dir, account, _lock: lock };
        folder.check_reachable()?;
        Ok(folder)
    }

    /// The cluster that stands in the folder, with its major.
    pub(crate) fn existing_cluster(&self) -> Option<(u32, PathBuf)> {
        existing_cluster(&self.root)
    }

    /// Gives a file or folder that we made to the account that the server runs as.
    pub(crate) fn give(&self, path: &Path) -> Result<(), ClusterError> {
        let Some(account) = &self.account else { return Ok(()) };
        chown(path, Some(account.uid), Some(account.gid)).map_err(ClusterError::io("cannot change the owner of", path))
    }

    fn check_reachable(&self) -> Result<(), ClusterError> {
        let Some(account) = &self.account else { return Ok(()) };
        let run = self.root.join("run");
        if may(account, "-w", &run).map_err(ClusterError::io("cannot check who may enter", &run))? {
            return Ok(());
        }
        Err(ClusterError::FolderUnreachable { data_dir: self.root.clone(), account: account.name.clone() })
    }
}

/// Whether the account may do this with the folder, which may lie under somebody's private home. Only the account
/// itself can tell (rights, lists of rights, mounts), so `test` is asked in its name.
fn may(account: &Account, what: &str, folder: &Path) -> io::Result<bool> {
    let mut command = Command::new("test");
    command.arg(what).arg(folder).current_dir("/").stdin(Stdio::null()).uid(account.uid).gid(account.gid);
    command.status().map(|status| status.success())
}

/// This folder, or, for root, whose server runs as somebody else, one of its own in /var/lib when that account cannot
/// enter it. The name tells two such folders apart.
pub(crate) fn reachable(preferred: &Path) -> PathBuf {
    let Ok(preferred) = std::path::absolute(preferred) else { return preferred.to_path_buf() };
    // What is not there yet will be made, and given away if need be: what matters is the way to it.
    let Some(nearest) = preferred.ancestors().find(|path| path.is_dir()) else { return preferred };
    match server_account(nearest) {
        Ok(Some(account)) if !may(&account, "-x", nearest).unwrap_or(false) => {
            PathBuf::from(format!("/var/lib/hostolink/{:016x}", hash_of(&preferred)))
        }
        _ => preferred,
    }
}

/// The folders above it get the usual rights: the server's account has to pass through them.
fn make_data_dir(data_dir: &Path) -> io::Result<()> {
    if data_dir.is_dir() {
        return Ok(());
    }
    if let Some(parent) = data_dir.parent() {
        fs::create_dir_all(parent)?;
    }
    DirBuilder::new().mode(0o700).create(data_dir)
}

/// The newest cluster under a data folder. Needs no lock: programs beside a running one ask it as well.
pub(crate) fn existing_cluster(root: &Path) -> Option<(u32, PathBuf)> {
    const OLDEST_NAMED: u32 = 10;
    const NEWEST_NAMED: u32 = 99;
    (OLDEST_NAMED..=NEWEST_NAMED)
        .rev()
        .map(|major| (major, root.join(format!("pg{major}"))))
        .find(|(_, cluster_dir)| cluster_dir.join("PG_VERSION").is_file())
}

/// Who runs the server: we, unless we are root, whom PostgreSQL refuses. Then whoever owns the data, or the folder, or
/// called sudo; else the accounts that a system has for it.
fn server_account(root: &Path) -> Result<Option<Account>, ClusterError> {
    if os::effective_uid() != 0 {
        return Ok(None);
    }
    let cluster_dir = existing_cluster(root).map(|(_, cluster_dir)| cluster_dir);
    let owner = [cluster_dir.as_deref(), Some(root)].into_iter().flatten().find_map(owner_other_than_root);
    owner
        .or_else(sudo_caller)
        .or_else(|| ["postgres", "nobody"].into_iter().find_map(os::account))
        .map(Some)
        .ok_or(ClusterError::NoAccount)
}

fn owner_other_than_root(path: &Path) -> Option<Account> {
    let metadata = fs::metadata(path).ok()?;
    (metadata.uid() != 0).then(|| numbered(metadata.uid(), metadata.gid()))
}

fn sudo_caller() -> Option<Account> {
    let number = |name| env::var_os(name)?.to_str()?.parse::<u32>().ok();
    let (uid, gid) = (number("SUDO_UID")?, number("SUDO_GID")?);
    (uid != 0).then(|| numbered(uid, gid))
}

fn numbered(uid: u32, gid: u32) -> Account {
    Account { name: format!("user {uid}"), uid, gid }
}

/// An empty folder, so any that we made, becomes the account's. One with other things in it keeps its owner: only our
/// own folders in it are given away, so that a wrong --data-dir as root cannot take /etc from the system.
fn hand_over(root: &Path, account: &Account) -> Result<(), ClusterError> {
    let is_empty = fs::read_dir(root).map_err(ClusterError::io("cannot read the data folder", root))?.next().is_none();
    if !is_empty {
        return Ok(());
    }
    chown(root, Some(account.uid), Some(account.gid)).map_err(ClusterError::io("cannot change the owner of", root))
}

fn take_lock(root: &Path) -> Result<File, ClusterError> {
    let path = root.join("lock");
    let doing = "cannot lock the data folder with";
    let mut lock = OpenOptions::new()
        .create(true)
        .read(true)
        .write(true)
        .truncate(false)
        .open(&path)
        .map_err(ClusterError::io(doing, &path))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(ClusterError::FolderInUse { data_dir: root.to_path_buf(), holder: holder_in(&mut lock) });
        }
        Err(TryLockError::Error(source)) => return Err(ClusterError::io(doing, &path)(source)),
    }
    lock.set_len(0)
        .and_then(|()| lock.rewind())
        .and_then(|()| writeln!(lock, "{}", std::process::id()))
        .map_err(ClusterError::io("cannot write", &path))?;
    Ok(lock)
}

/// " (process 123)", or nothing when the holder has not written its number yet.
fn holder_in(lock: &mut File) -> String {
    const NUMBER_BYTES: u64 = 20;
    let mut text = String::new();
    match lock.take(NUMBER_BYTES).read_to_string(&mut text).map(|_| text.trim().parse::<u32>()) {
        Ok(Ok(pid)) => format!(" (process {pid})"),
        _ => String::new(),
    }
}

/// The socket's folder is the only guard of the database (whoever reaches the socket is trusted), hence 0700.
fn make_socket_dir(root: &Path, account: Option<&Account>) -> Result<PathBuf, ClusterError> {
    let beside = root.join("run");
    make_private(&beside, account)?;
    if fits_a_socket(&beside) {
        return Ok(beside);
    }
    let uid = account.map_or_else(os::effective_uid, |account| account.uid);
    let short = PathBuf::from(format!("/tmp/hostolink-{uid}-{:016x}", hash_of(root)));
    make_private(&short, account)?;
    Ok(short)
}

fn fits_a_socket(folder: &Path) -> bool {
    let socket = folder.join(format!(".s.PGSQL.{PORT}"));
    // libpq reads a comma, encoded or not, as the beginning of a second host; an address is a text besides.
    let is_one_host = folder.to_str().is_some_and(|text| !text.contains(','));
    is_one_host && socket.as_os_str().len() <= SOCKET_PATH_BYTES
}

/// In /tmp anybody may have made this folder, or a link of this name, before us: both are refused.
fn make_private(folder: &Path, account: Option<&Account>) -> Result<(), ClusterError> {
    let doing = "cannot make the socket's folder";
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let metadata = fs::symlink_metadata(folder).map_err(ClusterError::io(doing, folder))?;
            let owners = [Some(os::effective_uid()), account.map(|account| account.uid)];
            if !metadata.is_dir() || !owners.contains(&Some(metadata.uid())) {
                return Err(ClusterError::SocketFolderTaken { socket_dir: folder.to_path_buf() });
            }
        }
        Err(error) => return Err(ClusterError::io(doing, folder)(error)),
    }
    if let Some(account) = account {
        chown(folder, Some(account.uid), Some(account.gid)).map_err(ClusterError::io(doing, folder))?;
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(ClusterError::io(doing, folder))
}

/// FNV-1a: the same folder has the same name in the next version of this program too.
fn hash_of(path: &Path) -> u64 {
    let bytes = path.as_os_str().as_bytes();
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_path_that_fits_a_socket() {
        let overhead = "/.s.PGSQL.5432".len();
        let fitting = format!("/{}", "a".repeat(SOCKET_PATH_BYTES - overhead - 1));
        assert!(fits_a_socket(Path::new(&fitting)));
        assert!(!fits_a_socket(Path::new(&format!("{fitting}a"))));
        assert!(!fits_a_socket(Path::new("/d/a,b")));
    }

    #[test]
    fn a_folder_that_the_server_cannot_enter_is_moved() {
        let place = tempfile::tempdir().unwrap();
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let wanted = place.path().join("made/later");
        if os::effective_uid() == 0 {
            let chosen = reachable(&wanted);
            assert!(chosen.starts_with("/var/lib/hostolink"), "{}", chosen.display());
            assert_ne!(chosen, reachable(&place.path().join("another")));
            fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
        }
        assert_eq!(reachable(&wanted), wanted);
        assert!(reachable(Path::new("here")).is_absolute());
    }

    #[test]
    fn a_path_with_a_line_feed_is_refused() {
        let error = Folder::open(Path::new("/tmp/a\nb")).unwrap_err();
        assert_eq!(error.code(), "cluster_folder_name");
    }

    #[test]
    fn a_link_in_the_place_of_the_socket_folder_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let link = place.path().join("run");
        std::os::unix::fs::symlink("/tmp", &link).unwrap();
        let error = make_private(&link, None).unwrap_err();
        assert_eq!(error.code(), "cluster_socket_folder_taken");
    }
}
