//! Finding the PostgreSQL that the system's package manager installed.

use crate::{ClusterError, os::Account};
use std::{
    env,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The majors that are supported; each is tried from the newest down.
const OLDEST_MAJOR: u32 = 15;
const NEWEST_MAJOR: u32 = 18;

/// One installed PostgreSQL server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Binaries {
    pub(crate) bin_dir: PathBuf,
    pub(crate) major: u32,
    pub(crate) has_postgis: bool,
    pub(crate) has_statement_statistics: bool,
}

impl Binaries {
    /// A command for one of its programs, as `account` when one is given.
    ///
    /// The environment is emptied: PGPORT, PGDATA, LC_ALL and their kind would change what the server does, and what
    /// this program was given in secret is none of the server's business.
    pub(crate) fn command(&self, program: &str, account: Option<&Account>) -> Command {
        let mut command = Command::new(self.bin_dir.join(program));
        command.env_clear().env("PATH", &self.bin_dir).env("LC_ALL", "C").env("TZ", "UTC");
        command.current_dir("/").stdin(Stdio::null());
        if let Some(account) = account {
            command.uid(account.uid).gid(account.gid); // std empties the list of further groups as well
        }
        command
    }
}

/// The server to use: of the major that made the data where there is data, else the newest one that has PostGIS.
pub(crate) fn choose(existing: Option<(u32, PathBuf)>) -> Result<Binaries, ClusterError> {
    choose_from(installed(), existing)
}

fn choose_from(found: Vec<Binaries>, existing: Option<(u32, PathBuf)>) -> Result<Binaries, ClusterError> {
    if found.is_empty() {
        return Err(ClusterError::BinariesMissing { oldest: OLDEST_MAJOR, newest: NEWEST_MAJOR });
    }
    let wanted = |binaries: &&Binaries| existing.as_ref().is_none_or(|(major, _)| binaries.major == *major);
    let fitting: Vec<&Binaries> = found.iter().filter(wanted).collect();
    match (fitting.iter().find(|binaries| binaries.has_postgis), fitting.first(), existing) {
        (Some(binaries), _, _) => Ok((*binaries).clone()),
        (None, Some(bare), _) => Err(ClusterError::PostgisMissing { major: bare.major, bin_dir: bare.bin_dir.clone() }),
        (None, None, Some((major, cluster_dir))) => {
            Err(ClusterError::OtherMajor { cluster_dir, found: major, installed: majors_of(&found) })
        }
        (None, None, None) => Err(ClusterError::BinariesMissing { oldest: OLDEST_MAJOR, newest: NEWEST_MAJOR }),
    }
}

fn majors_of(found: &[Binaries]) -> String {
    let mut majors: Vec<String> = found.iter().map(|binaries| binaries.major.to_string()).collect();
    majors.dedup();
    majors.join(", ")
}

/// Every supported server on this machine, newest first within its kind of place.
fn installed() -> Vec<Binaries> {
    candidate_folders().into_iter().filter_map(inspect).collect()
}

/// Where packages put the server programs. `HOSTOLINK_PG_BINDIR` names the only place to look at.
fn candidate_folders() -> Vec<PathBuf> {
    if let Some(named) = env::var_os("HOSTOLINK_PG_BINDIR") {
        return vec![named.into()];
    }
    let mut folders: Vec<PathBuf> = (OLDEST_MAJOR..=NEWEST_MAJOR)
        .rev()
        .flat_map(|major| {
            [
                format!("/usr/lib/postgresql/{major}/bin"),          // Debian, Ubuntu
                format!("/usr/pgsql-{major}/bin"),                   // Red Hat, from the PostgreSQL project
                format!("/opt/homebrew/opt/postgresql@{major}/bin"), // macOS, Apple processors
                format!("/usr/local/opt/postgresql@{major}/bin"),    // macOS, Intel processors
            ]
        })
        .map(PathBuf::from)
        .collect();
    folders.extend(env::var_os("PATH").iter().flat_map(env::split_paths));
    folders
}

fn inspect(bin_dir: PathBuf) -> Option<Binaries> {
    let complete = ["initdb", "postgres"].iter().all(|program| bin_dir.join(program).is_file());
    if !complete {
        return None;
    }
    let major = major_in(&answer(&bin_dir, "postgres", "--version")?)?;
    if !(OLDEST_MAJOR..=NEWEST_MAJOR).contains(&major) {
        return None;
    }
    let (share_dir, library_dir) = folders_beside(&bin_dir, major);
    let has = |name: &str| library_dir.as_deref().is_some_and(|folder| has_library(folder, name));
    Some(Binaries {
        has_postgis: share_dir.is_some_and(|folder| folder.join("extension/postgis.control").is_file()),
        has_statement_statistics: has("pg_stat_statements"),
        bin_dir,
        major,
    })
}

/// Where the extensions' descriptions and libraries are. Debian's layout is known, which spares two processes at each
/// start; elsewhere `pg_config` is asked.
fn folders_beside(bin_dir: &Path, major: u32) -> (Option<PathBuf>, Option<PathBuf>) {
    if bin_dir.starts_with("/usr/lib/postgresql") {
        let share_dir = PathBuf::from(format!("/usr/share/postgresql/{major}"));
        return (Some(share_dir), bin_dir.parent().map(|home| home.join("lib")));
    }
    let ask = |question| answer(bin_dir, "pg_config", question).map(|text| PathBuf::from(text.trim()));
    (ask("--sharedir"), ask("--pkglibdir"))
}

fn has_library(folder: &Path, name: &str) -> bool {
    ["so", "dylib"].iter().any(|kind| folder.join(name).with_extension(kind).is_file())
}

fn answer(bin_dir: &Path, program: &str, question: &str) -> Option<String> {
    let output = Command::new(bin_dir.join(program)).arg(question).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// "postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)" is 15; "18beta1" is 18.
fn major_in(version: &str) -> Option<u32> {
    let number = version.split_whitespace().find(|word| word.starts_with(|first: char| first.is_ascii_digit()))?;
    number.split(|sign: char| !sign.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(major: u32, has_postgis: bool) -> Binaries {
        let bin_dir = PathBuf::from(format!("/usr/lib/postgresql/{major}/bin"));
        Binaries { bin_dir, major, has_postgis, has_statement_statistics: true }
    }

    #[test]
    fn versions_are_read() {
        assert_eq!(major_in("postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)"), Some(15));
        assert_eq!(major_in("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major_in("something else"), None);
    }

    #[test]
    fn the_newest_with_postgis_is_taken() {
        let found = vec![server(18, false), server(17, true), server(15, true)];
        assert_eq!(choose_from(found, None).map(|binaries| binaries.major).ok(), Some(17));
    }

    #[test]
    fn data_is_served_by_the_major_that_made_it() {
        let found = vec![server(17, true), server(15, true)];
        let chosen = choose_from(found, Some((15, PathBuf::from("/d/pg15"))));
        assert_eq!(chosen.map(|binaries| binaries.major).ok(), Some(15));
    }

    #[test]
    fn what_is_missing_is_named_with_the_line_that_installs_it() {
        let nothing = choose_from(Vec::new(), None).unwrap_err();
        assert_eq!(nothing.code(), "cluster_binaries_missing");
        assert!(nothing.to_string().contains("apt-get install postgresql postgresql-postgis"));
        assert!(nothing.to_string().contains("brew install postgis"));

        let bare = choose_from(vec![server(16, false)], None).unwrap_err();
        assert!(bare.to_string().contains("apt-get install postgresql-16-postgis-3"), "{bare}");

        let other = choose_from(vec![server(17, true)], Some((15, PathBuf::from("/d/pg15")))).unwrap_err();
        assert_eq!(other.code(), "cluster_other_major");
        assert!(other.to_string().contains("PostgreSQL 15"), "{other}");
    }
}
