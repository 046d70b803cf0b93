use std::process::ExitCode;

use identity::Mode;
use kernel::Clock;

use super::{DataDir, once, say};
use crate::config::{self, Config};
use crate::database::{self, Database};
use crate::operators;
use crate::wiring::ways_out;

/// Every fault of configuration, database and providers at once. Production is checked when `DATABASE_URL` and
/// `HOSTOLINK_SECRET` say that it is meant, development otherwise.
pub(super) fn run(arguments: &DataDir) -> anyhow::Result<ExitCode> {
    let overrides = arguments.overrides();
    let production = overrides.data_dir.is_none() && config::variable("DATABASE_URL").is_some();
    let mode = if production { Mode::Production } else { Mode::Development };
    let mut faults: Vec<String> = Vec::new();
    match Config::read(mode, &overrides, &config::variable) {
        Ok(config) => {
            faults.extend(check_ways_out(&config));
            let operators = operators::configured(&Clock::system(), &config::variable);
            faults.extend(operators.err().map(|error| format!("operators: {error:#}")));
        }
        Err(found) => faults.extend(found.into_iter().map(|fault| fault.0)),
    }
    faults.extend(check_database(&overrides));
    if faults.is_empty() {
        say("everything is in order");
        return Ok(ExitCode::SUCCESS);
    }
    for fault in &faults {
        say(&format!("- {fault}"));
    }
    Ok(ExitCode::FAILURE)
}

fn check_ways_out(config: &Config) -> Vec<String> {
    match ways_out(config) {
        Err(error) => vec![format!("messages: {error:#}")],
        Ok((mail, sms)) => {
            let missing = |absent: bool, key: &str, what: &str| {
                absent.then(|| format!("{key} is missing: no {what} can be sent"))
            };
            [
                missing(mail.is_none(), "HOSTOLINK_SMTP_URL", "mail"),
                missing(sms.is_none(), "HOSTOLINK_SMS_ROUTES", "SMS"),
            ]
            .into_iter()
            .flatten()
            .collect()
        }
    }
}

fn check_database(overrides: &config::Overrides) -> Vec<String> {
    let database = match Database::locate(overrides) {
        Ok(database) => database,
        Err(error) => return vec![format!("database: {error:#}")],
    };
    let found = once(async {
        let mut connection = database::connect(&database.url).await?;
        let mut faults = Vec::new();
        let version: i32 =
            sqlx::query_scalar("SELECT current_setting('server_version_num')::int").fetch_one(&mut connection).await?;
        if version < 150_000 {
            faults.push(format!("database: PostgreSQL {} is older than 15", version / 10_000));
        }
        let postgis: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'postgis')")
                .fetch_one(&mut connection)
                .await?;
        if !postgis {
            faults.push("database: the extension postgis is not installed on the server".to_owned());
        }
        let fsync: String = sqlx::query_scalar("SELECT current_setting('fsync')").fetch_one(&mut connection).await?;
        if fsync != "on" {
            faults.push("database: fsync is off, a power cut would lose money".to_owned());
        }
        let pending = database::pending(&mut connection).await?;
        if !pending.is_empty() {
            faults.push(format!("database: {} migration(s) wait (hostolink migrate)", pending.len()));
        }
        anyhow::Ok(faults)
    });
    database.stop();
    found.unwrap_or_else(|error| vec![format!("database: {error:#}")])
}
