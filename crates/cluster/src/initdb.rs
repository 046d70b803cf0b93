//! Making a new cluster, so that a half-made one is never used: everything happens in `pg.new`, which is renamed last.

use crate::{
    ClusterError, Options,
    binaries::Binaries,
    folder::Folder,
    os::{self, Signal},
    processes, settings,
};
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::Write,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The database user, and the name of the database that a new cluster has.
pub(crate) const USER: &str = "hostolink";
pub(crate) const DATABASE: &str = "hostolink";

// Whoever reaches the socket has passed the rights of its folder.
const ACCESS: &str = "# Written by hostolink: only its own Unix socket, whose folder is 0700.\n\
                      local all all trust\n\
                      local replication all trust\n";

/// Makes the cluster of this major and gives its folder.
pub(crate) fn create(folder: &Folder, binaries: &Binaries, options: &Options) -> Result<PathBuf, ClusterError> {
    let draft = folder.root.join("pg.new");
    discard(&draft)?;
    // Made by us and given away: the account needs no right to write in the data folder itself.
    DirBuilder::new().mode(0o700).create(&draft).map_err(ClusterError::io("cannot make", &draft))?;
    folder.give(&draft)?;

    let maker = Maker { folder, binaries, draft: &draft };
    maker.run(maker.initdb().args(locale_arguments(binaries.major)).args([
        "--username",
        USER,
        "--auth-local=trust",
        "--auth-host=reject",
        "--encoding=UTF8",
        "--data-checksums",
        "--no-sync",
        "--no-instructions",
    ]))?;
    maker.configure(options)?;
    maker.create_database()?;
    if options.fsync {
        maker.run(maker.initdb().arg("--sync-only"))?;
    }

    let cluster_dir = folder.root.join(format!("pg{}", binaries.major));
    fs::rename(&draft, &cluster_dir).map_err(ClusterError::io("cannot name the new cluster", &cluster_dir))?;
    if options.fsync {
        let sync = File::open(&folder.root).and_then(|root| root.sync_all());
        sync.map_err(ClusterError::io("cannot write to the disk", &folder.root))?;
    }
    Ok(cluster_dir)
}

/// Throws away what an initdb that was killed left, after its last process has noticed.
fn discard(draft: &Path) -> Result<(), ClusterError> {
    processes::outlast_leftovers(draft)
        .map_err(|pid| ClusterError::OrphanStays { data_dir: draft.to_path_buf(), pid })?;
    match fs::remove_dir_all(draft) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(ClusterError::io("cannot remove the half-made cluster", draft)(error))
        }
        _ => Ok(()),
    }
}

/// C.UTF-8 sorts alike on every machine, which a system's French does not. macOS has no such locale of its own; from
/// 17 on PostgreSQL brings it. Untried there.
fn locale_arguments(major: u32) -> &'static [&'static str] {
    match (cfg!(target_os = "macos"), major) {
        (false, _) => &["--locale=C.UTF-8"],
        (true, 17..) => &["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"],
        (true, _) => &["--locale=C"],
    }
}

struct Maker<'a> {
    folder: &'a Folder,
    binaries: &'a Binaries,
    draft: &'a Path,
}

impl Maker<'_> {
    fn initdb(&self) -> Command {
        let mut command = self.binaries.command("initdb", self.folder.account.as_ref());
        command.arg("--pgdata").arg(self.draft);
        command
    }

    fn configure(&self, options: &Options) -> Result<(), ClusterError> {
        let access = self.draft.join("pg_hba.conf");
        fs::write(&access, ACCESS).map_err(ClusterError::io("cannot write", &access))?;
        let main = self.draft.join("postgresql.conf");
        OpenOptions::new()
            .append(true)
            .open(&main)
            .and_then(|mut file| writeln!(file, "\ninclude = '{}'", settings::FILE))
            .map_err(ClusterError::io("cannot write", &main))?;
        settings::write(self.draft, options, self.folder, self.binaries)
    }

    /// A single-user server needs neither a socket nor a client program.
    fn create_database(&self) -> Result<(), ClusterError> {
        let mut command = self.binaries.command("postgres", self.folder.account.as_ref());
        command.arg("--single").arg("-D").arg(self.draft);
        // Without the first an error would leave the exit code at 0; without the second it would not be shown.
        command.args(["-c", "exit_on_error=on", "-c", "log_min_messages=error", "postgres"]);
        command.stdin(Stdio::piped());
        self.run_with_input(&mut command, format!("CREATE DATABASE {DATABASE}\n").as_bytes())
    }

    fn run(&self, command: &mut Command) -> Result<(), ClusterError> {
        self.run_with_input(command, b"")
    }

    /// We wait for it here, so it may die with this thread.
    fn run_with_input(&self, command: &mut Command, input: &[u8]) -> Result<(), ClusterError> {
        os::die_with_parent(command, Signal::Kill);
        let program = PathBuf::from(command.get_program());
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(ClusterError::io("cannot run", &program))?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that has ended already closed its side; its exit code says why.
            let _ = stdin.write_all(input);
        }
        let output = child.wait_with_output().map_err(ClusterError::io("cannot wait for", &program))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        let data_dir = self.folder.root.clone();
        Err(ClusterError::Initdb { data_dir, output: format!("{} ({}): {said}", program.display(), output.status) })
    }
}
