//! The ledger. Every franc that moves, moves here: a flow hands over a [`Command`], gets a [`Verdict`], and never opens a
//! money transaction of its own.
//!
//! ```text
//! post ── directory ── queue ── writer: lock + read │ fold │ write + commit ── verdict
//!         (names to rows)               (one trip)   (pure)  (one trip)
//! ```
//!
//! How a flow uses it: [`Ledger::post`] looks at the key first, then at [`Command::authorised`], then decides. A flow
//! therefore needs [`Ledger::replay`] only where it would refuse *before* it has a command: an unknown payee, a wrong PIN.
//! While the answer is awaited the client may go away: the command is decided all the same, and its key tells.

mod accounts;
mod adoption;
pub mod audit;
mod command;
mod core;
mod directory;
mod expiry;
mod history;
mod rules;
mod seal;
mod store;
mod verdict;
mod writer;

#[cfg(test)]
mod sim;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use kernel::db::Gather;
use kernel::{Clock, Db, Failure, Random};
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};

pub use accounts::FreezeError;
pub use audit::{AuditReport, Finding};
pub use command::{
    AccountId, Action, Authorisation, Command, Effect, Fingerprint, Kind, Movement, Outcome, Party, Tariff, Together,
    Unconfirmed,
};
pub use history::{Balance, Entry, Page};
pub use rules::{Bracket, Fee, Limit, Measure, Rules, Schedule, Window};
pub use verdict::{LedgerError, Receipt, Refusal, Side, Status, Verdict};

use self::core::{Group, Known};
use directory::Directory;
use writer::{Answers, Job};

/// How the ledger runs.
#[derive(Clone, Copy, Debug)]
pub struct LedgerConfig {
    /// Commands that may wait; more are refused with 503.
    pub queue: usize,
    /// Nobody waits longer for a verdict.
    pub patience: Duration,
    /// How often expired holds are released.
    pub expiry_every: Duration,
    /// Whether this process seals batches and releases expired holds (all may: one at a time works).
    pub background: bool,
}

impl Default for LedgerConfig {
    fn default() -> Self {
        Self {
            queue: 16_384,
            patience: Duration::from_secs(15),
            expiry_every: Duration::from_secs(10),
            background: true,
        }
    }
}

/// Commands of one call of [`Ledger::post_many`].
pub const MAX_TOGETHER: usize = 1000;

/// The way to the books, cheap to clone.
#[derive(Clone)]
pub struct Ledger {
    db: Db,
    clock: Clock,
    directory: Directory,
    queue: mpsc::Sender<Job>,
    room: Arc<Semaphore>,
    capacity: usize,
    patience: Duration,
    replays: Gather<(AccountId, String), Option<Known>>,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Ledger({} of {} waiting)", self.capacity - self.room.available_permits(), self.capacity)
    }
}

impl Ledger {
    /// Starts the writer and its helpers on the present runtime.
    pub fn start(db: &Db, clock: &Clock, random: &Random, config: LedgerConfig) -> Self {
        let (queue, waiting) = mpsc::channel(config.queue);
        let committed = Arc::new(Notify::new());
        tokio::spawn(writer::run(db.clone(), clock.clone(), committed.clone(), waiting));
        let asked = db.clone();
        let replays = Gather::new(1, 256, move |keys: Vec<(AccountId, String)>| {
            let db = asked.clone();
            async move { store::known_by_key(&*db.hot.client().await?, &keys).await }
        });
        let ledger = Self {
            db: db.clone(),
            clock: clock.clone(),
            directory: Directory::new(db, clock, random),
            queue,
            room: Arc::new(Semaphore::new(config.queue)),
            capacity: config.queue,
            patience: config.patience,
            replays,
        };
        if config.background {
            tokio::spawn(seal::run(db.clone(), clock.clone(), committed));
            tokio::spawn(expiry::run(ledger.clone(), config.expiry_every));
        }
        ledger
    }

    /// The ledger's word on one command.
    pub async fn post(&self, command: Command) -> Result<Verdict, LedgerError> {
        let order = self.directory.resolve(command).await?;
        let mut answers = self.queued(writer::single(order)).await?;
        answers.pop().unwrap_or(Err(LedgerError::OutcomeUnknown))
    }

    /// The ledger's word on up to [`MAX_TOGETHER`] commands, in their order; linked ones are done together or not at all.
    pub async fn post_many(
        &self,
        commands: Vec<Command>,
        together: Together,
    ) -> Result<Vec<Result<Verdict, LedgerError>>, LedgerError> {
        if commands.is_empty() || commands.len() > MAX_TOGETHER {
            return Err(LedgerError::Invalid("a group of a wrong size"));
        }
        // All at once: what is not remembered is looked up together.
        let orders =
            futures_util::future::join_all(commands.into_iter().map(|command| self.directory.resolve(command))).await;
        match together {
            Together::Linked => {
                let orders = orders.into_iter().collect::<Result<Vec<_>, _>>()?;
                self.queued(vec![Group { orders, linked: true }]).await
            }
            Together::Each => {
                let (found, lost): (Vec<_>, Vec<_>) =
                    orders.into_iter().map(|order| order.map_or_else(|e| (None, Some(e)), |o| (Some(o), None))).unzip();
                let groups: Vec<Group> = found.into_iter().flatten().flat_map(writer::single).collect();
                let answers = if groups.is_empty() { Vec::new() } else { self.queued(groups).await? };
                let mut answers = answers.into_iter();
                let merged = lost.into_iter().map(|lost| match lost {
                    Some(error) => Err(error),
                    None => answers.next().unwrap_or(Err(LedgerError::OutcomeUnknown)),
                });
                Ok(merged.collect())
            }
        }
    }

    /// The stored verdict of a key, if the key is known; nothing else is looked at.
    pub async fn replay(
        &self,
        initiator: &Party,
        key: &str,
        fingerprint: Fingerprint,
    ) -> Result<Option<Verdict>, LedgerError> {
        let account = match initiator {
            Party::User(user) => self.directory.existing(*user).await?,
            other => Some(self.directory.account(other).await?),
        };
        let Some(account) = account else { return Ok(None) };
        let known = self.replays.get((account, key.to_owned())).await?;
        Ok(known.map(|known| known.verdict(fingerprint, uuid::Uuid::nil())))
    }

    /// The account of a party; a user's principal account is opened when it is missing.
    pub async fn account_of(&self, party: &Party) -> Result<AccountId, LedgerError> {
        self.directory.account(party).await
    }

    async fn queued(&self, groups: Vec<Group>) -> Result<Answers, LedgerError> {
        let commands: usize = groups.iter().map(|group| group.orders.len()).sum();
        let permits = u32::try_from(commands).map_err(|_| LedgerError::Busy)?;
        let room = self.room.clone().try_acquire_many_owned(permits).map_err(|_| LedgerError::Busy)?;
        let (answer, verdicts) = oneshot::channel();
        self.queue.try_send(Job { groups, answer, room }).map_err(|_| LedgerError::Busy)?;
        match tokio::time::timeout(self.patience, verdicts).await {
            Ok(Ok(answers)) => Ok(answers),
            Ok(Err(_)) | Err(_) => Err(LedgerError::OutcomeUnknown),
        }
    }

    /// All limits and fees, as of now.
    pub async fn rules(&self) -> Result<Rules, Failure> {
        let connection = self.db.hot.client().await?;
        let statement = connection.prepared(store::RULES).await?;
        Ok(store::rules_of(&connection.client().query(&statement, &[]).await?))
    }
}
