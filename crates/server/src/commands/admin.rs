use std::process::ExitCode;

use clap::{Args, Subcommand};
use kernel::Identifier;

use super::{DataDir, once, say};
use crate::config;
use crate::database::Database;
use crate::wiring::App;

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Donne un rôle de `role_permission` à la personne de cet identifiant
    Grant {
        /// Adresse e-mail ou numéro de téléphone
        identifier: String,
        /// Nom du rôle : admin, support, moderator, treasury, …
        role: String,
        #[command(flatten)]
        data_dir: DataDir,
    },
}

/// Roles are given at the machine: the first administrator cannot be made by another one.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let Action::Grant { identifier, role, data_dir } = &arguments.action;
    let countries = config::variable("HOSTOLINK_COUNTRIES")
        .and_then(|list| kernel::identifier::Countries::parse(&list).ok())
        .unwrap_or_default();
    let identifier = Identifier::parse(identifier, &countries)
        .map_err(|refused| anyhow::anyhow!("the identifier is not valid: {refused}"))?;
    let database = Database::locate(&data_dir.overrides())?;
    let granted = once(async {
        let app = App::offline(&database.url)?;
        app.identity.admin_grant(identifier.as_str(), role).await.map_err(anyhow::Error::from)
    });
    database.stop();
    let verb = if granted? { "now has" } else { "had already" };
    say(&format!("{} {verb} the role {role}", identifier.masked()));
    Ok(ExitCode::SUCCESS)
}
