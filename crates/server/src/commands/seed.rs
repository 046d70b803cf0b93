use std::process::ExitCode;

use anyhow::bail;

use super::{DataDir, say};
use crate::database::{self, Database};
use crate::seed;
use crate::wiring::App;

/// Fills a database of development; production's is refused.
pub(super) fn run(arguments: &DataDir) -> anyhow::Result<ExitCode> {
    let database = Database::locate(&arguments.overrides())?;
    let seeded = super::serving::runtime()?.block_on(async {
        if database::is_production(&mut database::connect(&database.url).await?).await? {
            bail!("this database belongs to production: it is not filled with invented people");
        }
        database::migrate(&database.url).await?;
        seed::run(&App::offline(&database.url)?).await
    });
    database.stop();
    say(&format!("{}\nmot de passe : {}", seeded?.join("\n"), seed::PASSWORD));
    Ok(ExitCode::SUCCESS)
}
