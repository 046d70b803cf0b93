use std::process::ExitCode;

use anyhow::bail;

use super::{DataDir, say};
use crate::{config, database};

/// One line that psql accepts. The database has to be running: a line that leads nowhere would be a trap.
pub(super) fn run(arguments: &DataDir) -> anyhow::Result<ExitCode> {
    let overrides = arguments.overrides();
    if let Some(url) = config::variable("DATABASE_URL").filter(|_| overrides.data_dir.is_none()) {
        say(&url);
        return Ok(ExitCode::SUCCESS);
    }
    let dir = config::data_dir(&overrides)?;
    match cluster::running_url(&database::cluster_dir(&dir), "hostolink") {
        Some(url) => say(&url),
        None => bail!("no `hostolink dev` runs on {}", dir.display()),
    }
    Ok(ExitCode::SUCCESS)
}
