use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use kernel::{Clock, Failure};
use sqlx::PgPool;
use sqlx::postgres::PgListener;

use crate::{Job, store};

/// Without a notice the queue is looked at this often.
const POLL: Duration = Duration::from_secs(1);
/// Jobs of one kind that are in work at once, in one process.
const AT_ONCE: usize = 8;
/// Ended jobs stay readable this long, in days.
const KEPT_DAYS: i64 = 7;
/// How many of them are forgotten in one statement.
const FORGET_AT_ONCE: i64 = 1000;
/// How often that is done.
const FORGET_EVERY: Duration = Duration::from_secs(600);
/// The first wait after a failure, in seconds; it doubles with each.
const FIRST_BACKOFF_S: i64 = 2;
/// The longest wait, in seconds.
const MAX_BACKOFF_S: i64 = 900;

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// For good.
    Done,
    /// To be tried again, after the policy's back-off. The reason is for operators: no secrets.
    Retry(String),
    /// Never to be tried again.
    GiveUp(String),
}

/// Bounds of one kind of job.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Tries in all, the first one included.
    pub max_tries: i16,
    /// How long a worker may hold a job; after that another takes it.
    pub lease: Duration,
}

/// What does the jobs of one kind.
pub type Handler = Arc<dyn Fn(Job) -> BoxFuture<'static, Outcome> + Send + Sync>;

/// Takes jobs and hands them to their handlers until it is told to stop.
pub struct Worker {
    pool: PgPool,
    clock: Clock,
    handlers: BTreeMap<&'static str, (Policy, Handler)>,
}

impl Worker {
    /// A worker without handlers.
    pub fn new(pool: PgPool, clock: Clock) -> Self {
        Self { pool, clock, handlers: BTreeMap::new() }
    }

    /// Gives the jobs of a kind to a handler.
    #[must_use]
    pub fn handle<F, Fut>(mut self, kind: &'static str, policy: Policy, run: F) -> Self
    where
        F: Fn(Job) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Outcome> + Send + 'static,
    {
        self.handlers.insert(kind, (policy, Arc::new(move |job| Box::pin(run(job)))));
        self
    }

    /// Works until `stop` resolves; jobs that are in work are finished first.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let mut notices = None;
        let mut forgotten = tokio::time::Instant::now();
        loop {
            let worked = self.round().await;
            if forgotten.elapsed() > FORGET_EVERY {
                forgotten = tokio::time::Instant::now();
                self.forget().await;
            }
            // A full round means that more may be waiting: look again at once.
            let pause = if worked { Duration::ZERO } else { POLL };
            tokio::select! {
                () = &mut stop => return,
                () = woken(&mut notices, &self.pool, pause) => {}
            }
        }
    }

    /// Does everything that is due now and tells whether there was anything.
    pub async fn round(&self) -> bool {
        let mut worked = false;
        for (kind, (policy, handler)) in &self.handlers {
            match self.take(kind, policy).await {
                Ok(jobs) => {
                    worked |= !jobs.is_empty();
                    let runs = jobs.into_iter().map(|job| self.one(kind, *policy, handler, job));
                    futures_util::stream::iter(runs).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
                }
                Err(failure) => tracing::warn!(kind, %failure, "jobs cannot be taken"),
            }
        }
        worked
    }

    async fn take(&self, kind: &str, policy: &Policy) -> Result<Vec<Job>, Failure> {
        let mut connection = self.pool.acquire().await?;
        let lease = TimeDelta::from_std(policy.lease).unwrap_or(TimeDelta::seconds(60));
        Ok(store::take(&mut connection, kind, self.clock.now(), lease, AT_ONCE as i64).await?)
    }

    async fn one(&self, kind: &'static str, policy: Policy, handler: &Handler, job: Job) {
        let (id, tries) = (job.id, job.tries);
        let outcome = if job.expires_at.is_some_and(|at| at <= self.clock.now()) {
            Outcome::GiveUp("expired".into())
        } else if tries > policy.max_tries {
            Outcome::GiveUp("too many tries".into())
        } else {
            tokio::time::timeout(policy.lease, handler(job)).await.unwrap_or(Outcome::Retry("lease ran out".into()))
        };
        let outcome = match outcome {
            Outcome::Retry(reason) if tries >= policy.max_tries => Outcome::GiveUp(reason),
            other => other,
        };
        if let Err(failure) = self.record(id, tries, &outcome).await {
            // The lease runs out and the job is done again: at least once.
            tracing::warn!(kind, %id, %failure, "the end of a job was not recorded");
        }
        let label = match &outcome {
            Outcome::Done => "done",
            Outcome::Retry(_) => "retry",
            Outcome::GiveUp(reason) => {
                tracing::warn!(kind, %id, reason, "job given up");
                "given_up"
            }
        };
        metrics::counter!("hostolink_jobs_total", "kind" => kind, "outcome" => label).increment(1);
    }

    async fn record(&self, id: uuid::Uuid, tries: i16, outcome: &Outcome) -> Result<(), Failure> {
        let mut connection = self.pool.acquire().await?;
        let now = self.clock.now();
        match outcome {
            Outcome::Done => store::done(&mut connection, id, now).await?,
            Outcome::Retry(reason) => store::later(&mut connection, id, now + backoff(tries), reason).await?,
            Outcome::GiveUp(reason) => store::give_up(&mut connection, id, now, reason).await?,
        }
        Ok(())
    }

    async fn forget(&self) {
        let Ok(mut connection) = self.pool.acquire().await else { return };
        let before = self.clock.now() - TimeDelta::days(KEPT_DAYS);
        if let Err(error) = store::forget(&mut connection, before, FORGET_AT_ONCE).await {
            tracing::warn!(%error, "ended jobs stay");
        }
    }
}

fn backoff(tries: i16) -> TimeDelta {
    let doublings = u32::try_from(tries.clamp(1, 10) - 1).unwrap_or(0);
    TimeDelta::seconds((FIRST_BACKOFF_S << doublings).min(MAX_BACKOFF_S))
}

/// Waits for a notice or for the pause to end. A listener that is lost is made anew; until then polling carries on.
async fn woken(notices: &mut Option<PgListener>, pool: &PgPool, pause: Duration) {
    if pause.is_zero() {
        return;
    }
    if notices.is_none() {
        *notices = listener(pool).await.ok();
    }
    match notices {
        Some(listener) => {
            if let Ok(Err(_)) = tokio::time::timeout(pause, listener.recv()).await {
                *notices = None;
            }
        }
        None => tokio::time::sleep(pause).await,
    }
}

async fn listener(pool: &PgPool) -> sqlx::Result<PgListener> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(store::CHANNEL).await?;
    Ok(listener)
}
