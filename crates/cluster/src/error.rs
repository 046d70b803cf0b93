//! What can go wrong between "start a database" and "it answers", said so that the reader knows what to do next.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a private cluster could not be started.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// No PostgreSQL server of a supported major is installed.
    #[error(
        "no PostgreSQL server programs (major {oldest} to {newest}) were found; Debian and Ubuntu: \
         apt-get install postgresql postgresql-postgis; macOS: brew install postgis; \
         elsewhere name their folder in HOSTOLINK_PG_BINDIR"
    )]
    BinariesMissing { oldest: u32, newest: u32 },

    /// PostgreSQL is there, PostGIS is not.
    #[error(
        "PostgreSQL {major} in {bin_dir} has no PostGIS; Debian and Ubuntu: \
         apt-get install postgresql-{major}-postgis-3; macOS: brew install postgis"
    )]
    PostgisMissing { major: u32, bin_dir: PathBuf },

    /// The data was made by a major of PostgreSQL that is no longer installed.
    #[error(
        "{cluster_dir} was made by PostgreSQL {found}, which is not installed any more (installed: {installed}); \
         install PostgreSQL {found} with its PostGIS again, save the data with its pg_dump, \
         then choose an empty folder with --data-dir or HOSTOLINK_DATA_DIR"
    )]
    OtherMajor { cluster_dir: PathBuf, found: u32, installed: String },

    /// Another living program holds the folder's lock.
    #[error("another hostolink{holder} uses {data_dir}; stop it, or choose another folder with --data-dir")]
    FolderInUse { data_dir: PathBuf, holder: String },

    /// PostgreSQL refuses to run as root, and the account it runs as instead cannot enter the folder.
    #[error(
        "PostgreSQL does not run as root, and the account \"{account}\" that it runs as cannot enter {data_dir}; \
         set HOSTOLINK_DATA_DIR (or --data-dir) to a folder such as /var/lib/hostolink"
    )]
    FolderUnreachable { data_dir: PathBuf, account: String },

    /// The path cannot be written into PostgreSQL's own files.
    #[error("{data_dir:?} cannot hold a database: its path contains a control character")]
    FolderName { data_dir: PathBuf },

    /// Somebody else made the folder in which the socket has to be.
    #[error("{socket_dir} is needed for the database's socket but belongs to somebody else; remove it")]
    SocketFolderTaken { socket_dir: PathBuf },

    /// Root, and neither `postgres` nor `nobody` exists.
    #[error("PostgreSQL does not run as root and there is no account \"postgres\" or \"nobody\" to run it as")]
    NoAccount,

    /// A setting that is malformed, or that the supervisor keeps for itself.
    #[error("the PostgreSQL setting {name:?} cannot be given here")]
    Setting { name: String },

    /// `initdb`, or the creation of the database in the new cluster, failed.
    #[error("a new database could not be made in {data_dir}: {output}")]
    Initdb { data_dir: PathBuf, output: String },

    /// The server ended, or did not become ready.
    #[error("PostgreSQL did not start in {data_dir}: {reason}")]
    Start { data_dir: PathBuf, reason: String },

    /// A server of an earlier life survives every signal.
    #[error("a PostgreSQL of an earlier run (process {pid}) still uses {data_dir} and does not stop")]
    OrphanStays { data_dir: PathBuf, pid: u32 },

    /// The operating system refused something.
    #[error("{doing} {path}: {source}")]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
}

impl ClusterError {
    /// A stable name for programs and logs; the sentence is for people.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BinariesMissing { .. } => "cluster_binaries_missing",
            Self::PostgisMissing { .. } => "cluster_postgis_missing",
            Self::OtherMajor { .. } => "cluster_other_major",
            Self::FolderInUse { .. } => "cluster_folder_in_use",
            Self::FolderUnreachable { .. } => "cluster_folder_unreachable",
            Self::FolderName { .. } => "cluster_folder_name",
            Self::SocketFolderTaken { .. } => "cluster_socket_folder_taken",
            Self::NoAccount => "cluster_no_account",
            Self::Setting { .. } => "cluster_setting",
            Self::Initdb { .. } => "cluster_initdb",
            Self::Start { .. } => "cluster_start",
            Self::OrphanStays { .. } => "cluster_orphan_stays",
            Self::Io { .. } => "cluster_io",
        }
    }

    /// For `map_err`: what was being done, and to which path.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, path: path.to_path_buf(), source }
    }
}
