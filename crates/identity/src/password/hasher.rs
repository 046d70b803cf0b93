use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use kernel::{Failure, Random};
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::phc::{Bench, Verdict};
use crate::IdentityError;

/// How much work may wait, in hashes a thread.
const QUEUE_PER_THREAD: usize = 32;
/// Who waited longer for the work to begin is told to come back: the client has given up, or will.
const MAX_WAIT: Duration = Duration::from_secs(2);

type Job = Box<dyn FnOnce(&mut Bench) + Send>;

/// How much lower than the rest of the program the threads stand (0 to 19): requests that hash nothing go first.
const NICENESS: i32 = 10;

/// Threads that do nothing but hash, one core fewer than there are and with a lower priority, so that a flood of
/// sign-ins leaves the rest of the program its processor and its memory. Work that does not fit in the queue is refused
/// at once.
#[derive(Clone, Debug)]
pub(crate) struct Hasher {
    queue: SyncSender<Job>,
}

impl Hasher {
    /// Starts the threads; they end with the last copy of this value.
    pub(crate) fn start(random: &Random) -> Result<Self, Failure> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self::with_threads(random, cores.saturating_sub(1).max(1))
    }

    pub(super) fn with_threads(random: &Random, threads: usize) -> Result<Self, Failure> {
        let (queue, jobs) = sync_channel(threads * QUEUE_PER_THREAD);
        let jobs = Arc::new(Mutex::new(jobs));
        for number in 0..threads {
            let (jobs, bench) = (jobs.clone(), Bench::new(random.clone()));
            let builder = thread::Builder::new().name(format!("hasher-{number}"));
            builder.spawn(move || work(&jobs, bench)).map_err(Failure::internal)?;
        }
        Ok(Self { queue })
    }

    /// A PHC string of this secret.
    pub(crate) async fn hash(&self, secret: Zeroizing<Vec<u8>>) -> Result<String, IdentityError> {
        Ok(self.run(move |bench| bench.hash(&secret)).await??)
    }

    /// Compares a secret with what is stored; `None` takes the same time and is always wrong.
    pub(crate) async fn verify(
        &self,
        secret: Zeroizing<Vec<u8>>,
        stored: Option<String>,
    ) -> Result<Verdict, IdentityError> {
        Ok(self.run(move |bench| bench.verify(&secret, stored.as_deref())).await??)
    }

    /// The place in the queue belongs to the work, not to who asked: a client that leaves does not make room for another.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Bench) -> T + Send + 'static,
    ) -> Result<T, IdentityError> {
        let (reply, answer) = oneshot::channel();
        let asked = Instant::now();
        let job: Job = Box::new(move |bench| {
            // Dropping the reply says "busy".
            if asked.elapsed() < MAX_WAIT && !reply.is_closed() {
                let _ = reply.send(work(bench));
            }
        });
        let busy = || {
            metrics::counter!("hostolink_hashes_refused_total").increment(1);
            IdentityError::Busy
        };
        self.queue.try_send(job).map_err(|_| busy())?;
        answer.await.map_err(|_| busy())
    }
}

fn work(jobs: &Mutex<Receiver<Job>>, mut bench: Bench) {
    step_back();
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        // A panic must not cost the pool a thread; who asked is told "busy".
        if catch_unwind(AssertUnwindSafe(|| job(&mut bench))).is_err() {
            tracing::error!("a hashing job panicked");
        }
    }
}

/// Lowers the priority of this thread: on Linux it is the thread's own, elsewhere it would be the whole program's. Where
/// it is refused the thread hashes all the same.
fn step_back() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(NICENESS);
}
