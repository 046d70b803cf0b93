//! One file a subcommand. A command reads its arguments and the environment, does one thing, and says what happened.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::config::{self, Overrides};

mod admin;
mod audit;
mod check;
mod database_url;
mod dev;
pub mod documents;
mod import;
mod logging;
mod migrate;
mod seed;
mod serve;
mod serving;
mod simulator;
mod statement;

/// What `hostolink` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Mode développement : base privée, opérateurs simulés, boîte aux lettres ; les codes reviennent dans les réponses
    Dev(dev::Arguments),
    /// Production : DATABASE_URL et HOSTOLINK_SECRET sont exigés
    Serve(serve::Arguments),
    /// Met la base à jour, et adopte celle de l'ancienne application
    Migrate(migrate::Arguments),
    /// Vérifie configuration, base et prestataires, et nomme toutes les fautes
    Check(DataDir),
    /// Écrit le document OpenAPI sur la sortie standard
    Openapi,
    /// Écrit la collection Postman sur la sortie standard, ou l'environnement
    Postman(documents::PostmanArguments),
    /// Donne l'adresse de la base, sur une ligne que psql accepte
    DatabaseUrl(DataDir),
    /// Remplit une base de développement d'un petit Abidjan vraisemblable
    Seed(DataDir),
    /// Importe un fichier : établissements de santé, gardes, limites
    Import(import::Arguments),
    /// Vérifie les livres : tout est recalculé et comparé ; échoue s'ils sont faux
    Audit(DataDir),
    /// Donne un rôle à quelqu'un
    Admin(admin::Arguments),
    /// Joue les opérateurs (lancé par `dev`)
    Simulator(simulator::Arguments),
}

/// `--data-dir`, on every command that needs the database.
#[derive(Clone, Debug, Default, Args)]
pub struct DataDir {
    /// Dossier du mode développement (base privée, secrets, boîte aux lettres)
    #[arg(long, value_name = "DOSSIER")]
    pub data_dir: Option<PathBuf>,
}

impl DataDir {
    fn overrides(&self) -> Overrides {
        Overrides { data_dir: self.data_dir.clone(), ..Overrides::default() }
    }
}

/// Runs a command to its end.
pub fn run(command: Command) -> anyhow::Result<ExitCode> {
    config::read_dotenv().map_err(|fault| anyhow::anyhow!(fault.0))?;
    logging::start();
    match command {
        Command::Dev(arguments) => dev::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Migrate(arguments) => migrate::run(&arguments),
        Command::Check(data_dir) => check::run(&data_dir),
        Command::Openapi => documents::openapi(),
        Command::Postman(arguments) => documents::postman(&arguments),
        Command::DatabaseUrl(data_dir) => database_url::run(&data_dir),
        Command::Seed(data_dir) => seed::run(&data_dir),
        Command::Import(arguments) => import::run(&arguments),
        Command::Audit(data_dir) => audit::run(&data_dir),
        Command::Admin(arguments) => admin::run(&arguments),
        Command::Simulator(arguments) => simulator::run(&arguments),
    }
}

/// The runtime of short commands.
fn once<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// What a command gives its user on standard output, as opposed to the log.
#[expect(clippy::print_stdout, reason = "the one place where a command speaks to its user")]
fn say(text: &str) {
    println!("{text}");
}
