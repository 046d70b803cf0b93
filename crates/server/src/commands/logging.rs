//! Logs go to standard error: lines for a person at a terminal, JSON for a machine. `HOSTOLINK_LOG` filters them.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config;

const DEFAULT: &str = "info,sqlx=warn,hyper=warn,tower=warn";

/// Called once, before anything is logged.
pub(super) fn start() {
    let wanted = config::variable("HOSTOLINK_LOG").unwrap_or_else(|| DEFAULT.to_owned());
    let filter = EnvFilter::try_new(&wanted).unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if std::io::stderr().is_terminal() {
        builder.compact().try_init()
    } else {
        builder.json().flatten_event(true).try_init()
    };
    // A second start in one process (tests) keeps the first.
    drop(started);
}
