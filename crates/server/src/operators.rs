//! The ways to the operators that this installation has: by keys of the environment, or to the simulated operators of
//! development mode. What has no keys is not offered.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use kernel::Clock;
use providers::mobile_money::wave::{Wave, WaveConfig};
use providers::vars::{Faults, Lookup};
use providers::UnixSeconds;
use simulator::Credentials;
use wallet::{Connector, ProviderCode};

/// Each operator's first key: it is configured when this one is there.
const WAVE: &str = "HOSTOLINK_WAVE_API_KEY";

/// What the environment configures; every fault of what it half configures is named.
pub fn configured(clock: &Clock, lookup: Lookup<'_>) -> anyhow::Result<Vec<Connector>> {
    let mut connectors = Vec::new();
    if lookup(WAVE).is_some() {
        connectors.push(wave(config(WaveConfig::from_vars(lookup))?, clock)?);
    }
    Ok(connectors)
}

/// The same connectors, towards the simulator.
pub fn simulated(clock: &Clock, keys: &Credentials, simulator: SocketAddr) -> anyhow::Result<Vec<Connector>> {
    let lookup = |key: &str| {
        Some(match key {
            "HOSTOLINK_WAVE_BASE_URL" => format!("http://{simulator}/wave"),
            WAVE => keys.wave.api_key.clone(),
            "HOSTOLINK_WAVE_WEBHOOK_SECRETS" => keys.wave.webhook_secrets.join(","),
            _ => return None,
        })
    };
    configured(clock, &lookup)
}

fn config<T>(read: Result<T, Faults>) -> anyhow::Result<T> {
    read.map_err(|faults| anyhow::anyhow!("{faults}"))
}

fn wave(config: WaveConfig, clock: &Clock) -> anyhow::Result<Connector> {
    let wave = Arc::new(Wave::new(config, now(clock)).context("Wave")?);
    Ok(Connector { provider: ProviderCode::Wave, route: "wave", collect: Some(wave.clone()), payout: Some(wave.clone()), webhook: Some(wave) })
}

fn now(clock: &Clock) -> UnixSeconds {
    let clock = clock.clone();
    Arc::new(move || clock.now().timestamp())
}
