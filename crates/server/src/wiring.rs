//! Makes the houses and gives each what it may reach. What a house gets here is all that it can touch.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use identity::{Identity, Mode};
use jobs::Worker;
use kernel::db::Sizes;
use kernel::http::Lexicon;
use kernel::{Clock, Db, Keys, Random};
use providers::mail::Mailer;
use providers::sms::{Route, Router as SmsRouter};

use crate::config::{self, Config, Overrides};
use crate::delivery::{self, Delivery};
use crate::http::health::Readiness;
use crate::messages;

/// A server, ready to be put behind a listener.
#[derive(Clone, Debug)]
pub struct App {
    /// The configuration it was made from.
    pub config: Arc<Config>,
    /// The pools.
    pub db: Db,
    /// The present.
    pub clock: Clock,
    /// Chance.
    pub random: Random,
    /// Derived keys.
    pub keys: Keys,
    /// Every sentence.
    pub lexicon: Arc<Lexicon>,
    /// What `/readyz` tells.
    pub readiness: Readiness,
    /// Who someone is.
    pub identity: Identity,
}

/// What a server is made from beside its configuration.
#[derive(Debug)]
pub struct Parts {
    /// The database.
    pub database_url: String,
    /// The keys.
    pub keys: Keys,
    /// The present.
    pub clock: Clock,
    /// Chance.
    pub random: Random,
}

impl App {
    /// Makes the houses. Nothing is asked of the database yet.
    pub fn new(config: Config, parts: Parts) -> anyhow::Result<Self> {
        let Parts { database_url, keys, clock, random } = parts;
        let db = Db::connect(&database_url, Sizes { write: config.pool_size, ..Sizes::default() })?;
        let identity = Identity::new(identity::Deps {
            db: db.clone(),
            clock: clock.clone(),
            random: random.clone(),
            keys: keys.clone(),
            config: identity_config(&config),
            erasers: Vec::new(),
            export_parts: Vec::new(),
        })?;
        let lexicon = messages::lexicon()?;
        Ok(Self { config: Arc::new(config), db, clock, random, keys, lexicon, readiness: Readiness::default(), identity })
    }

    /// For commands that need the houses but serve nobody: what depends on the secret is not used by them.
    pub fn offline(database_url: &str) -> anyhow::Result<Self> {
        let config = Config::read(Mode::Production, &Overrides::default(), &|key| match key {
            "DATABASE_URL" => Some(database_url.to_owned()),
            "HOSTOLINK_SECRET" => Some("0".repeat(64)),
            "HOSTOLINK_COUNTRIES" => config::variable(key),
            _ => None,
        });
        let config = config.map_err(|faults| anyhow::anyhow!("{faults:?}"))?;
        let keys = Keys::new([0; 32], None);
        Self::new(config, Parts { database_url: database_url.to_owned(), keys, clock: Clock::system(), random: Random::system() })
    }

    /// Reads what the houses need before the first answer.
    pub async fn start(&self) -> anyhow::Result<()> {
        self.readiness.set_loaded();
        Ok(())
    }

    /// What does the durable work of all houses.
    pub fn worker(&self, mail: Option<Mailer>, sms: Option<SmsRouter>) -> Worker {
        let delivery = Arc::new(Delivery::new(self.lexicon.clone(), self.keys.clone(), mail, sms));
        Worker::new(self.db.write.clone(), self.clock.clone()).handle(delivery::KIND, delivery::POLICY, move |job| {
            let delivery = delivery.clone();
            async move { delivery.send(job).await }
        })
    }
}

fn identity_config(config: &Config) -> identity::Config {
    identity::Config { countries: config.countries.clone(), limits: config.limits, ..identity::Config::new(config.mode) }
}

/// The ways of mail and SMS: what the environment configures, and in development a mailbox for the rest.
pub fn ways_out(config: &Config) -> anyhow::Result<(Option<Mailer>, Option<SmsRouter>)> {
    let mail = match config::variable("HOSTOLINK_SMTP_URL") {
        Some(_) => Some(Mailer::from_vars(&config::variable)?),
        None => development(config, || Ok(Mailer::folder(&mailbox(&config.data_dir))?))?,
    };
    let sms = match config::variable("HOSTOLINK_SMS_ROUTES") {
        Some(_) => Some(SmsRouter::from_vars(&config::variable)?),
        None => development(config, || {
            let route = Route::folder(&mailbox(&config.data_dir)).context("the mailbox cannot be written")?;
            Ok(SmsRouter::new(vec![(route, Vec::new())])?)
        })?,
    };
    Ok((mail, sms))
}

fn development<T>(config: &Config, make: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<Option<T>> {
    if config.mode == Mode::Development { make().map(Some) } else { Ok(None) }
}

/// Where development mode leaves mails and SMS.
pub fn mailbox(data_dir: &Path) -> PathBuf {
    data_dir.join("mailbox")
}
