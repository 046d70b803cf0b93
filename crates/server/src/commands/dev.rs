use std::net::IpAddr;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use identity::Mode;
use kernel::{Clock, Keys, Random};
use tokio::sync::watch;

use super::{DataDir, say, serving};
use crate::config::{self, Config, Overrides};
use crate::database::{self, Database, Sharing};
use crate::development::{Secrets, Simulated, reachable};
use crate::operators;
use crate::seed;
use crate::wiring::{App, Parts, mailbox};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Port d'écoute (3000)
    #[arg(long)]
    port: Option<u16>,
    /// Adresse d'écoute (127.0.0.1) : une autre ouvre le mode développement au réseau
    #[arg(long)]
    host: Option<IpAddr>,
    #[command(flatten)]
    data_dir: DataDir,
}

/// Everything on one machine, with nothing to configure.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let data_dir = config::data_dir(&arguments.data_dir.overrides())?;
    let overrides = Overrides { host: arguments.host, port: arguments.port, data_dir: Some(data_dir.clone()) };
    let config = match Config::read(Mode::Development, &overrides, &config::variable) {
        Ok(config) => config,
        Err(faults) => {
            bail!("cannot start: {}", faults.iter().map(|fault| fault.0.as_str()).collect::<Vec<_>>().join("; "))
        }
    };
    std::fs::create_dir_all(&data_dir).with_context(|| format!("cannot make {}", data_dir.display()))?;
    let secrets = Secrets::of(&data_dir, &Random::system())?;
    let runtime = serving::runtime()?;
    // A signal that comes while things start ends them in order too.
    let (stop, stopping) = watch::channel(false);
    runtime.spawn(async move {
        serving::asked_to_stop().await;
        let _ = stop.send(true);
    });
    // The port first: whether it is free is known at once, the rest takes a second.
    let listener = runtime.block_on(serving::listen(config.listen))?;
    let database = match &config.database_url {
        Some(url) => Database::external(url.clone()),
        None => Database::private(&data_dir, Sharing::Refused)?,
    };
    let ended = runtime.block_on(develop(config, &secrets, &database, listener, stopping));
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    database.stop();
    ended?;
    Ok(ExitCode::SUCCESS)
}

async fn develop(
    config: Config,
    secrets: &Secrets,
    database: &Database,
    listener: tokio::net::TcpListener,
    stop: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    refuse_production(&database.url).await?;
    database::migrate(&database.url).await?;
    let address = listener.local_addr()?;
    let data_dir = config.data_dir.clone();
    let keys = match &config.keys {
        Some(keys) => keys.clone(),
        None => Keys::new(secrets.program()?, None),
    };
    let simulated = Simulated::start(&data_dir, secrets, address).await?;
    let (clock, simulator) = (Clock::system(), simulated.address());
    let connectors = operators::simulated(&clock, &secrets.operators, simulator, reachable(address))?;
    let app = App::new(
        config,
        Parts { database_url: database.url.clone(), keys, clock, random: Random::system(), connectors },
    )?;
    seed::facilities(&app).await?;
    app.start().await?;
    simulated.watch(app.readiness.clone(), stop.clone());
    say(&banner(address, &data_dir, &database.url, simulator));
    serving::serve(&app, listener, stop).await
}

/// A database that people's money is in is not for trying things out.
async fn refuse_production(url: &str) -> anyhow::Result<()> {
    let mut connection = database::connect(url).await?;
    if database::is_production(&mut connection).await? {
        bail!("this database belongs to production (`hostolink serve` ran on it): development mode refuses it");
    }
    Ok(())
}

fn banner(address: std::net::SocketAddr, data_dir: &Path, url: &str, simulator: std::net::SocketAddr) -> String {
    let port = address.port();
    let host = if address.ip().is_loopback() { "localhost".to_owned() } else { address.ip().to_string() };
    format!(
        "Hostolink (développement)\n\
         \x20 API            http://{host}:{port}/api\n\
         \x20 Documentation  http://{host}:{port}/api/docs\n\
         \x20 Postman        docs/api/hostolink.postman_collection.json + hostolink.postman_environment.json\n\
         \x20 Opérateurs     http://{simulator}/ (simulés)\n\
         \x20 Mails et SMS   {}\n\
         \x20 Base           psql '{url}'\n\
         \x20 Les codes OTP reviennent dans les réponses (champ otp). Ctrl-C arrête tout.",
        mailbox(data_dir).display()
    )
}
