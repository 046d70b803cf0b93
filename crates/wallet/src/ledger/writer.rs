//! The one place that opens money transactions. It takes what is waiting, locks in one sorted union, decides in order,
//! writes sets, commits once and answers each. It never waits for more when something is there.
//!
//! Several processes may run one each on the same database: the locks order them, the keys are read under the locks.

use std::sync::Arc;
use std::time::Duration;

use chrono::Days;
use kernel::db::HotClient;
use kernel::{Clock, Db, Failure};
use tokio::sync::{Mutex, Notify, OwnedSemaphorePermit, mpsc, oneshot};
use tokio_postgres::error::SqlState;

use super::core::{FeeAccounts, Group, Missing, Order, Plan, Task, fold};
use super::directory;
use super::rules::{Rules, Window};
use super::seal;
use super::store::{self, Statements, Wanted};
use super::verdict::{LedgerError, Verdict};

/// Jobs that are taken at once.
const MAX_JOBS: usize = 512;
/// Commands that share a commit, unless one group alone has more.
const MAX_COMMANDS: usize = 1024;
/// Ids of a block, as the sequence's increment.
const BLOCK: i64 = 4096;
/// Tries after a deadlock, a lock that was not given or a row that had changed.
const CONFLICT_TRIES: u32 = 5;
/// Tries after the connection was lost, 2 ms to 1 s apart: some 6 seconds.
const LOST_TRIES: u32 = 14;
/// How often a batch is read again because the fold needed more than was read.
const READ_TRIES: u32 = 4;

pub(crate) type Answers = Vec<Result<Verdict, LedgerError>>;

/// Groups that are answered together.
pub(crate) struct Job {
    pub(crate) groups: Vec<Group>,
    pub(crate) answer: oneshot::Sender<Answers>,
    /// Room in the queue, one permit a command, given back with the answer.
    pub(crate) room: OwnedSemaphorePermit,
}

struct Waiting {
    groups: usize,
    answer: oneshot::Sender<Answers>,
    _room: OwnedSemaphorePermit,
}

/// Jobs that share a commit.
#[derive(Default)]
struct Batch {
    groups: Vec<Group>,
    waiting: Vec<Waiting>,
}

impl Batch {
    fn commands(&self) -> usize {
        self.groups.iter().map(|group| group.orders.len()).sum()
    }

    fn add(&mut self, job: Job) {
        self.waiting.push(Waiting { groups: job.groups.len(), answer: job.answer, _room: job.room });
        self.groups.extend(job.groups);
    }

    /// Two halves, cut between two jobs.
    fn halve(mut self) -> (Self, Self) {
        let second = self.waiting.split_off(self.waiting.len() / 2);
        let groups: usize = self.waiting.iter().map(|waiting| waiting.groups).sum();
        let second = Self { groups: self.groups.split_off(groups), waiting: second };
        (self, second)
    }

    fn answer(self, verdicts: Vec<Answers>) {
        let mut verdicts = verdicts.into_iter();
        for waiting in self.waiting {
            // Whoever went away is answered by the key when it comes back.
            let _ = waiting.answer.send(verdicts.by_ref().take(waiting.groups).flatten().collect());
        }
    }

    fn fail(self, error: &LedgerError) {
        let failed =
            self.groups.iter().map(|group| group.orders.iter().map(|_| Err(error.clone())).collect()).collect();
        self.answer(failed);
    }
}

/// What went wrong with a whole batch.
enum Broken {
    /// The connection: nobody knows whether the commit happened, if it was sent.
    Lost { commit_sent: bool, error: Failure },
    /// It passes when the batch is tried again.
    Conflict(Failure),
    /// Every batch would fail now: disk full, read-only.
    Unavailable(Failure),
    /// Something in this batch.
    Poisoned(Failure),
}

/// A connection with everything prepared.
struct Line {
    connection: HotClient,
    statements: Statements,
    fees: FeeAccounts,
}

pub(crate) struct Writer {
    db: Db,
    clock: Clock,
    committed: Arc<Notify>,
    line: Option<Line>,
    /// Ids of operations that are ours: the next one and how many are left.
    rows: (i64, i64),
    /// As of the last batch; a guess of what the next one needs to read, never a ground to decide on.
    last_rules: Rules,
}

/// Runs a writer for ever; a bug that panics costs the batch, not the ledger.
pub(crate) async fn run(db: Db, clock: Clock, committed: Arc<Notify>, queue: mpsc::Receiver<Job>) {
    let queue = Arc::new(Mutex::new(queue));
    loop {
        let mut writer = Writer::new(db.clone(), clock.clone(), committed.clone());
        let queue = queue.clone();
        match tokio::spawn(async move { writer.work(&mut *queue.lock().await).await }).await {
            Ok(()) => return,
            Err(error) => tracing::error!(%error, "the ledger's writer stopped; another one takes over"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

impl Writer {
    fn new(db: Db, clock: Clock, committed: Arc<Notify>) -> Self {
        Self { db, clock, committed, line: None, rows: (0, 0), last_rules: Rules::default() }
    }

    async fn work(&mut self, queue: &mut mpsc::Receiver<Job>) {
        let mut taken = Vec::with_capacity(MAX_JOBS);
        while queue.recv_many(&mut taken, MAX_JOBS).await > 0 {
            let mut batch = Batch::default();
            for job in taken.drain(..) {
                let commands: usize = job.groups.iter().map(|group| group.orders.len()).sum();
                if !batch.waiting.is_empty() && batch.commands() + commands > MAX_COMMANDS {
                    self.commit(std::mem::take(&mut batch)).await;
                }
                batch.add(job);
            }
            self.commit(batch).await;
        }
    }

    /// Commits a batch; one that cannot be is halved until the culprit is alone.
    async fn commit(&mut self, batch: Batch) {
        let mut parts = vec![batch];
        while let Some(part) = parts.pop() {
            match self.persist(&part.groups).await {
                Ok(verdicts) => {
                    metrics::histogram!("hostolink_ledger_batch_commands").record(part.commands() as f64);
                    part.answer(verdicts);
                }
                Err(Broken::Poisoned(_) | Broken::Conflict(_)) if part.waiting.len() > 1 => {
                    let (first, second) = part.halve();
                    parts.push(second);
                    parts.push(first);
                }
                Err(Broken::Poisoned(failure)) => {
                    tracing::error!(%failure, "a command cannot be written");
                    part.fail(&LedgerError::Failure(failure));
                }
                Err(Broken::Conflict(failure) | Broken::Unavailable(failure)) => {
                    tracing::warn!(%failure, "a batch was given up");
                    part.fail(&LedgerError::Failure(Failure::unavailable(failure)));
                }
                Err(Broken::Lost { commit_sent, error }) => {
                    tracing::warn!(%error, commit_sent, "the database does not come back");
                    let unknown = if commit_sent {
                        LedgerError::OutcomeUnknown
                    } else {
                        LedgerError::Failure(Failure::unavailable(error))
                    };
                    part.fail(&unknown);
                }
            }
        }
    }

    /// Tries until it is committed. Ids and keys of the orders stay the same over all tries: what an earlier try
    /// committed before its connection was lost is found under its key.
    async fn persist(&mut self, groups: &[Group]) -> Result<Vec<Answers>, Broken> {
        let (mut conflicts, mut losses, mut sent) = (0, 0, false);
        loop {
            let error = match self.attempt(groups).await {
                Ok(verdicts) => return Ok(verdicts),
                Err(error) => error,
            };
            match error {
                Broken::Conflict(_) if conflicts < CONFLICT_TRIES => {
                    conflicts += 1;
                    metrics::counter!("hostolink_ledger_conflicts_total").increment(1);
                    tokio::time::sleep(Duration::from_millis(1 << conflicts)).await;
                }
                Broken::Lost { commit_sent, error } => {
                    sent |= commit_sent;
                    // Before a commit was sent nothing can have happened: clients are told soon and may come back.
                    if losses >= if sent { LOST_TRIES } else { LOST_TRIES / 2 } {
                        return Err(Broken::Lost { commit_sent: sent, error });
                    }
                    losses += 1;
                    metrics::counter!("hostolink_ledger_reconnects_total").increment(1);
                    tokio::time::sleep(Duration::from_millis((1 << losses).min(1000))).await;
                }
                other => return Err(other),
            }
        }
    }

    async fn attempt(&mut self, groups: &[Group]) -> Result<Vec<Answers>, Broken> {
        let line = match self.line.take() {
            Some(line) if !line.connection.client().is_closed() => line,
            _ => self.connect().await.map_err(|error| Broken::Lost { commit_sent: false, error })?,
        };
        let (result, commit_sent) = self.on(&line, groups).await;
        match result {
            Ok(plan) => {
                self.line = Some(line);
                if !plan.operations.is_empty() {
                    self.committed.notify_one();
                }
                Ok(plan.verdicts)
            }
            Err(error) => {
                let broken = classify(error, commit_sent);
                // A connection that rolls back properly is kept; any other is dropped with its transaction.
                if !matches!(broken, Broken::Lost { .. })
                    && line.connection.client().batch_execute("ROLLBACK").await.is_ok()
                {
                    self.line = Some(line);
                }
                Err(broken)
            }
        }
    }

    async fn on(&mut self, line: &Line, groups: &[Group]) -> (Result<Plan, tokio_postgres::Error>, bool) {
        let client = line.connection.client();
        let mut wanted = self.guess(groups, &line.fees);
        let mut tries = 0;
        let (world, plan) = loop {
            let first_row = match self.reserve(line, groups).await {
                Ok(first_row) => first_row,
                Err(error) => return (Err(error), false),
            };
            let loaded =
                store::load(&line.connection, &line.statements, groups, &wanted, &line.fees, self.clock.now()).await;
            let mut world = match loaded {
                Ok(world) => world,
                Err(error) => return (Err(error), false),
            };
            let missing = match fold(&mut world, groups, first_row) {
                Ok(plan) => break (world, plan),
                Err(missing) => missing,
            };
            if let Err(error) = client.batch_execute("ROLLBACK").await {
                return (Err(error), false);
            }
            tries += 1;
            if tries > READ_TRIES * u32::try_from(groups.len()).unwrap_or(u32::MAX) {
                let verdicts = groups.iter().map(|group| vec![Err(too_much(&missing)); group.orders.len()]).collect();
                return (Ok(Plan { verdicts, ..Plan::default() }), false);
            }
            match missing {
                Missing::Account(id) => {
                    wanted.accounts.insert(id);
                }
                Missing::CountersSince(day) => {
                    wanted.counters_since = wanted.counters_since.map_or(Some(day), |known| Some(known.min(day)))
                }
            }
        };
        let root = seal::root(plan.operations.iter().map(|row| row.facts().leaf()).collect());
        self.last_rules = world.rules.clone();
        if let Some(last) = plan.operations.last() {
            self.rows = (last.row + 1, self.rows.1 - (last.row + 1 - self.rows.0));
        }
        let written = store::write(&line.connection, &line.statements, &world, &plan, &root).await;
        (written.map(|()| plan), true)
    }

    /// The id of the first operation: a batch has consecutive ones.
    async fn reserve(&mut self, line: &Line, groups: &[Group]) -> Result<i64, tokio_postgres::Error> {
        let needed: usize = groups.iter().map(|group| group.orders.len()).sum();
        if self.rows.1 < i64::try_from(needed).unwrap_or(BLOCK) {
            self.rows = (line.statements.next_rows(&line.connection).await?, BLOCK);
        }
        Ok(self.rows.0)
    }

    /// Fee accounts and counters that the batch will need if the rules are still those of the last one.
    fn guess(&self, groups: &[Group], fees: &FeeAccounts) -> Wanted {
        let mut wanted = Wanted::default();
        for order in groups.iter().flat_map(|group| &group.orders) {
            let (kind, at) = match &order.task {
                Task::Move(legs) | Task::Open { legs, .. } => (legs.kind, self.clock.now()),
                Task::Settle { target, .. } | Task::Cancel { target, .. } => (target.kind, target.created_at),
                Task::Refund { .. } | Task::Reverse { .. } => continue,
            };
            if self.last_rules.schedules.iter().any(|schedule| schedule.kind == kind) {
                wanted.accounts.extend(fees.by_kind.get(&kind).copied());
                wanted.accounts.insert(fees.tax);
            }
            if !self.last_rules.windows(kind).is_empty() {
                // A week may have begun in the month before.
                let earliest = at.checked_sub_days(Days::new(7)).unwrap_or(at);
                let since = Window::Month.start(earliest);
                wanted.counters_since = Some(wanted.counters_since.map_or(since, |known| known.min(since)));
            }
        }
        wanted
    }

    async fn connect(&self) -> Result<Line, Failure> {
        let connection = self.db.hot.dedicated().await?;
        connection.client().batch_execute(store::SESSION).await?;
        let statements = Statements::prepare(&connection).await?;
        Ok(Line { connection, statements, fees: directory::fee_accounts(&self.db).await? })
    }
}

fn too_much(missing: &Missing) -> LedgerError {
    LedgerError::Failure(Failure::internal(format!("the fold keeps asking: {missing:?}")))
}

/// What the database said decides: a word of its own is certain, silence is not.
fn classify(error: tokio_postgres::Error, commit_sent: bool) -> Broken {
    let Some(code) = error.code().cloned() else { return Broken::Lost { commit_sent, error: error.into() } };
    let failure = Failure::from(error);
    match code.code() {
        "HK002" => Broken::Conflict(failure),
        _ if [
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::LOCK_NOT_AVAILABLE,
            SqlState::UNIQUE_VIOLATION,
        ]
        .contains(&code) =>
        {
            Broken::Conflict(failure)
        }
        text if text.starts_with("57P") || text.starts_with("08") => Broken::Lost { commit_sent, error: failure },
        text if text.starts_with("53") || text.starts_with("58") || text == "25006" || text == "57014" => {
            Broken::Unavailable(failure)
        }
        _ => Broken::Poisoned(failure),
    }
}

/// Commands of a job.
pub(crate) fn single(order: Order) -> Vec<Group> {
    vec![Group { orders: vec![order], linked: false }]
}
