use std::net::IpAddr;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use identity::Mode;
use kernel::{Clock, Random};
use tokio::sync::watch;

use super::serving;
use crate::config::{self, Config, Overrides};
use crate::database;
use crate::operators;
use crate::wiring::{App, Parts};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Port d'écoute
    #[arg(long)]
    port: Option<u16>,
    /// Adresse d'écoute
    #[arg(long)]
    host: Option<IpAddr>,
}

/// Production: nothing is made up, nothing of development mode exists.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let overrides = Overrides { host: arguments.host, port: arguments.port, data_dir: None };
    let config = match Config::read(Mode::Production, &overrides, &config::variable) {
        Ok(config) => config,
        Err(faults) => {
            bail!("cannot start: {}", faults.iter().map(|fault| fault.0.as_str()).collect::<Vec<_>>().join("; "))
        }
    };
    serving::runtime()?.block_on(async {
        let url = config.database_url.clone().context("DATABASE_URL is missing")?;
        let keys = config.keys.clone().context("HOSTOLINK_SECRET is missing")?;
        let mut connection = database::connect(&url).await?;
        let pending = database::pending(&mut connection).await?;
        if !pending.is_empty() {
            bail!("the database waits for {} migration(s): run `hostolink migrate` first", pending.len());
        }
        database::mark_production(&mut connection).await?;
        drop(connection);
        let listener = serving::listen(config.listen).await?;
        let clock = Clock::system();
        let connectors = operators::configured(&clock, &config::variable)?;
        let app = App::new(config, Parts { database_url: url, keys, clock, random: Random::system(), connectors })?;
        app.start().await?;
        app.readiness.set_simulator(true);
        let (stop, stopping) = watch::channel(false);
        tokio::spawn(async move {
            serving::asked_to_stop().await;
            let _ = stop.send(true);
        });
        tracing::info!(address = %listener.local_addr()?, "serving");
        serving::serve(&app, listener, stopping).await
    })?;
    Ok(ExitCode::SUCCESS)
}
