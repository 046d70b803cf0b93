//! Everything that the program reads from its environment, in one place. `.env` is read first; a variable that is set
//! already wins. Every key stands in `.env.example` with its unit and default, and a test compares the two.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use identity::{Limits, Mode};
use ipnet::IpNet;
use kernel::Keys;
use kernel::identifier::Countries;

/// The port of the brief's requests.
pub const DEFAULT_PORT: u16 = 3000;
/// Prometheus reads here in production, on the machine itself.
const DEFAULT_METRICS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9464);

/// A key of the environment that cannot be used, and why; never its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault(pub String);

impl Fault {
    fn missing(key: &str) -> Self {
        Self(format!("{key} is missing"))
    }

    fn invalid(key: &str, expected: &str) -> Self {
        Self(format!("{key} is not {expected}"))
    }
}

/// What was asked for on the command line, before the environment is read.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--host`
    pub host: Option<IpAddr>,
    /// `--port`
    pub port: Option<u16>,
    /// `--data-dir`
    pub data_dir: Option<PathBuf>,
}

/// The configuration of a running server.
#[derive(Clone, Debug)]
pub struct Config {
    /// Development or production.
    pub mode: Mode,
    /// Where clients connect.
    pub listen: SocketAddr,
    /// Where Prometheus reads; in development it shares the clients' listener.
    pub metrics: Option<SocketAddr>,
    /// Files of development mode: the private database, secrets, the mailbox.
    pub data_dir: PathBuf,
    /// Another database than the private one.
    pub database_url: Option<String>,
    /// Absent in development: made once and kept in the data folder.
    pub keys: Option<Keys>,
    /// Whose telephone numbers are served.
    pub countries: Countries,
    /// Request limits, cooldowns, budgets.
    pub limits: Limits,
    /// Networks of proxies whose forwarding headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Origins of web pages that may call the interface.
    pub cors_origins: Vec<String>,
    /// How clients reach this server from outside: links in messages and callbacks.
    pub public_url: Option<String>,
    /// Connections of the write pool.
    pub pool_size: u32,
}

/// Reads `.env` of the working folder, if there is one.
pub fn read_dotenv() -> Result<(), Fault> {
    match dotenvy::dotenv() {
        Ok(_) => Ok(()),
        Err(error) if error.not_found() => Ok(()),
        Err(_) => Err(Fault(".env cannot be read: each line is KEY=value".into())),
    }
}

/// A variable of the environment; an empty one counts as absent.
#[expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

impl Config {
    /// Reads everything and names every fault at once.
    pub fn read(
        mode: Mode,
        overrides: &Overrides,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader { lookup, faults: Vec::new() };
        let config = reader.config(mode, overrides);
        if reader.faults.is_empty() { Ok(config) } else { Err(reader.faults) }
    }
}

/// The folder of development mode, made absolute.
pub fn data_dir(overrides: &Overrides) -> anyhow::Result<PathBuf> {
    match overrides.data_dir.clone().or_else(|| variable("HOSTOLINK_DATA_DIR").map(PathBuf::from)) {
        Some(dir) => Ok(std::path::absolute(dir)?),
        None => Ok(cluster::default_data_dir()?),
    }
}

struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn config(&mut self, mode: Mode, overrides: &Overrides) -> Config {
        let production = mode == Mode::Production;
        let host = overrides.host.or_else(|| self.parsed("HOSTOLINK_HOST", "an IP address"));
        let port = overrides.port.or_else(|| self.parsed("HOSTOLINK_PORT", "a port number")).unwrap_or(DEFAULT_PORT);
        let database_url = (self.lookup)("DATABASE_URL");
        if production && database_url.is_none() {
            self.faults.push(Fault::missing("DATABASE_URL"));
        }
        let metrics = self.parsed("HOSTOLINK_METRICS_ADDR", "an address such as 127.0.0.1:9464");
        Config {
            mode,
            listen: SocketAddr::new(host.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)), port),
            metrics: production.then(|| metrics.unwrap_or(DEFAULT_METRICS)),
            data_dir: overrides.data_dir.clone().unwrap_or_else(|| Path::new("data").to_owned()),
            database_url,
            keys: self.keys(production),
            countries: self.countries(),
            limits: self.limits(production),
            trusted_proxies: self.list("HOSTOLINK_TRUSTED_PROXIES", "a list of networks such as 10.0.0.0/8"),
            cors_origins: self.list("HOSTOLINK_CORS_ORIGINS", "a list of origins"),
            public_url: (self.lookup)("HOSTOLINK_PUBLIC_URL").map(|url| url.trim_end_matches('/').to_owned()),
            pool_size: self.parsed("HOSTOLINK_DB_POOL", "a number of connections").unwrap_or(12),
        }
    }

    fn keys(&mut self, required: bool) -> Option<Keys> {
        let current = self.secret("HOSTOLINK_SECRET");
        if required && current.is_none() && (self.lookup)("HOSTOLINK_SECRET").is_none() {
            self.faults.push(Fault::missing("HOSTOLINK_SECRET"));
        }
        let previous = self.secret("HOSTOLINK_PREVIOUS_SECRET");
        current.map(|current| Keys::new(current, previous))
    }

    fn secret(&mut self, key: &str) -> Option<[u8; 32]> {
        let text = (self.lookup)(key)?;
        let secret = Keys::parse_secret(&text);
        if secret.is_none() {
            self.faults.push(Fault::invalid(key, "32 bytes in hexadecimal or base64 (openssl rand -hex 32)"));
        }
        secret
    }

    fn countries(&mut self) -> Countries {
        let Some(list) = (self.lookup)("HOSTOLINK_COUNTRIES") else { return Countries::default() };
        Countries::parse(&list).unwrap_or_else(|_| {
            self.faults.push(Fault::invalid("HOSTOLINK_COUNTRIES", "a list of known countries such as CI,SN"));
            Countries::default()
        })
    }

    /// Production has no way to switch limits off: asking for it is a fault, not a wish that is ignored.
    fn limits(&mut self, production: bool) -> Limits {
        match (self.lookup)("HOSTOLINK_RATE_LIMITS").as_deref() {
            None | Some("on") => Limits::On,
            Some("off") if !production => Limits::Off,
            Some("off") => {
                self.faults.push(Fault("HOSTOLINK_RATE_LIMITS=off is for development mode only".into()));
                Limits::On
            }
            Some(_) => {
                self.faults.push(Fault::invalid("HOSTOLINK_RATE_LIMITS", "on or off"));
                Limits::On
            }
        }
    }

    fn parsed<T: std::str::FromStr>(&mut self, key: &str, expected: &str) -> Option<T> {
        let text = (self.lookup)(key)?;
        let value = text.parse().ok();
        if value.is_none() {
            self.faults.push(Fault::invalid(key, expected));
        }
        value
    }

    fn list<T: std::str::FromStr>(&mut self, key: &str, expected: &str) -> Vec<T> {
        let Some(text) = (self.lookup)(key) else { return Vec::new() };
        let parts: Result<Vec<T>, ()> = text.split(',').map(|part| part.trim().parse().map_err(|_| ())).collect();
        parts.unwrap_or_else(|()| {
            self.faults.push(Fault::invalid(key, expected));
            Vec::new()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn read(mode: Mode, pairs: &[(&str, &str)]) -> Result<Config, Vec<String>> {
        let map: HashMap<String, String> = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Config::read(mode, &Overrides::default(), &|key| map.get(key).cloned())
            .map_err(|faults| faults.into_iter().map(|fault| fault.0).collect())
    }

    #[test]
    fn production_names_each_missing_key() {
        assert_eq!(
            read(Mode::Production, &[]).unwrap_err(),
            ["DATABASE_URL is missing", "HOSTOLINK_SECRET is missing"]
        );
        let short = read(Mode::Production, &[("DATABASE_URL", "postgresql://x"), ("HOSTOLINK_SECRET", "court")]);
        assert_eq!(short.unwrap_err().len(), 1);
    }

    #[test]
    fn nothing_of_development_can_be_switched_on_in_production() {
        let secret = "ab".repeat(32);
        let good = [("DATABASE_URL", "postgresql://x"), ("HOSTOLINK_SECRET", secret.as_str())];
        assert!(read(Mode::Production, &good).is_ok());
        let loose = [good[0], good[1], ("HOSTOLINK_RATE_LIMITS", "off")];
        assert_eq!(
            read(Mode::Production, &loose).unwrap_err(),
            ["HOSTOLINK_RATE_LIMITS=off is for development mode only"]
        );
        assert_eq!(read(Mode::Development, &[("HOSTOLINK_RATE_LIMITS", "off")]).unwrap().limits, Limits::Off);
    }

    #[test]
    fn all_faults_come_at_once_and_without_values() {
        let faults = read(
            Mode::Development,
            &[("HOSTOLINK_PORT", "x1"), ("HOSTOLINK_TRUSTED_PROXIES", "dix"), ("HOSTOLINK_COUNTRIES", "QQ")],
        )
        .unwrap_err();
        assert_eq!(faults.len(), 3);
        assert!(faults.iter().all(|fault| !fault.contains("x1") && !fault.contains("dix")));
    }
}
