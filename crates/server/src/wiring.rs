//! Makes the houses and gives each what it may reach. What a house gets here is all that it can touch.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use announcements::Announcements;
use anyhow::Context;
use health::Health;
use identity::{Identity, Mode};
use jobs::Worker;
use kernel::db::Sizes;
use kernel::http::Lexicon;
use kernel::{Clock, Db, Keys, Random};
use notifications::Notifications;
use providers::mail::Mailer;
use providers::sms::{Route, Router as SmsRouter};
use wallet::ledger::{Ledger, LedgerConfig};
use wallet::{Connector, Wallet};

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
    /// The books.
    pub ledger: Ledger,
    /// Money.
    pub wallet: Wallet,
    /// The health map.
    pub health: Health,
    /// The inbox.
    pub notifications: Notifications,
    /// What staff announces.
    pub announcements: Announcements,
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
    /// The ways to the operators.
    pub connectors: Vec<Connector>,
}

impl App {
    /// Makes the houses. Nothing is asked of the database yet.
    pub fn new(config: Config, parts: Parts) -> anyhow::Result<Self> {
        let Parts { database_url, keys, clock, random, connectors } = parts;
        let db = Db::connect(&database_url, Sizes { write: config.pool_size, ..Sizes::default() })?;
        let identity = Identity::new(identity::Deps {
            db: db.clone(),
            clock: clock.clone(),
            random: random.clone(),
            keys: keys.clone(),
            config: identity_config(&config),
            erasers: vec![Arc::new(wallet::Erasure)],
            export_parts: vec![Arc::new(wallet::Export)],
        })?;
        let lexicon = messages::lexicon()?;
        let ledger = Ledger::start(&db, &clock, &random, LedgerConfig::default());
        let wallet = Wallet::new(wallet::Deps {
            db: db.clone(),
            clock: clock.clone(),
            random: random.clone(),
            keys: keys.clone(),
            identity: identity.clone(),
            ledger: ledger.clone(),
            connectors,
            lexicon: lexicon.clone(),
            config: wallet_config(&config),
        });
        let health = Health::unread(health::Deps {
            db: db.clone(),
            clock: clock.clone(),
            random: random.clone(),
            config: health::Config::default(),
        });
        let notifications = Notifications::new(db.clone(), clock.clone());
        let announcements = Announcements::new(db.clone(), clock.clone());
        let readiness = Readiness::default();
        let config = Arc::new(config);
        Ok(Self {
            config,
            db,
            clock,
            random,
            keys,
            lexicon,
            readiness,
            identity,
            ledger,
            wallet,
            health,
            notifications,
            announcements,
        })
    }

    /// For commands that need the houses but serve nobody: what depends on the secret is not used by them.
    pub fn offline(database_url: &str) -> anyhow::Result<Self> {
        Self::offline_with(database_url, Vec::new())
    }

    /// The same, with ways to operators.
    pub fn offline_with(database_url: &str, connectors: Vec<Connector>) -> anyhow::Result<Self> {
        let config = Config::read(Mode::Production, &Overrides::default(), &|key| match key {
            "DATABASE_URL" => Some(database_url.to_owned()),
            "HOSTOLINK_SECRET" => Some("0".repeat(64)),
            "HOSTOLINK_COUNTRIES" => config::variable(key),
            _ => None,
        });
        let config = config.map_err(|faults| anyhow::anyhow!("{faults:?}"))?;
        let keys = Keys::new([0; 32], None);
        Self::new(
            config,
            Parts {
                database_url: database_url.to_owned(),
                keys,
                clock: Clock::system(),
                random: Random::system(),
                connectors,
            },
        )
    }

    /// Reads what the houses need before the first answer.
    pub async fn start(&self) -> anyhow::Result<()> {
        self.health.start().await;
        self.readiness.set_loaded();
        Ok(())
    }

    /// What does the durable work of all houses.
    pub fn worker(&self, mail: Option<Mailer>, sms: Option<SmsRouter>) -> Worker {
        let delivery = Arc::new(Delivery::new(self.lexicon.clone(), self.keys.clone(), mail, sms));
        let worker = Worker::new(self.db.write.clone(), self.clock.clone()).handle(
            delivery::KIND,
            delivery::POLICY,
            move |job| {
                let delivery = delivery.clone();
                async move { delivery.send(job).await }
            },
        );
        wallet::jobs(&self.wallet, worker)
    }
}

fn identity_config(config: &Config) -> identity::Config {
    identity::Config {
        countries: config.countries.clone(),
        limits: config.limits,
        ..identity::Config::new(config.mode)
    }
}

fn wallet_config(config: &Config) -> wallet::Config {
    let host =
        if config.listen.ip().is_unspecified() { "localhost".to_owned() } else { config.listen.ip().to_string() };
    let base = config.public_url.clone().unwrap_or_else(|| format!("http://{host}:{}", config.listen.port()));
    wallet::Config {
        countries: config.countries.clone(),
        public_url: format!("{base}/api"),
        private_webhooks: config.mode == Mode::Development,
    }
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
