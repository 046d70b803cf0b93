//! The operators' HTTP interfaces, played faithfully, for development and tests.
//!
//! One process plays all operators, each under its own path prefix (`/wave` stands for `https://api.wave.com`). It keeps
//! its own books, signs its callbacks as the operators do, and takes orders for faults under `/_control`. See the README.

#![allow(
    clippy::result_large_err,
    reason = "a refusal is the answer itself, made once a call: boxing it gains nothing"
)]

mod books;
mod callbacks;
mod cinetpay;
mod control;
mod credentials;
mod desk;
mod djamo;
mod faults;
mod gsma;
mod hub2;
mod journal;
mod model;
mod moov;
mod mtn;
mod orange;
mod page;
mod pawapay;
mod pay_page;
mod paystack;
mod people;
mod pispi;
mod server;
mod twilio;
mod wave;
mod wire;
mod world;

pub use credentials::{
    CinetpayKeys, Credentials, DjamoKeys, GsmaKeys, Hub2Keys, MoovKeys, MtnKeys, MtnProductKeys, OrangeKeys,
    PawapayKeys, PaystackKeys, PispiKeys, TwilioKeys, WaveKeys,
};
pub use model::Provider;

use callbacks::Callback;
use model::{Operation, OperationKey, Outcome, Refusal};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use world::{Settings, World};

/// How often the operators look at what is due.
const TICK: Duration = Duration::from_millis(50);

/// Where each operator sends its webhooks, for those whose address is registered beforehand (the others take it from the
/// request). May be set later: `POST /_control/callbacks`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Callbacks(pub BTreeMap<Provider, String>);

/// How the simulator is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Where webhooks go.
    pub callbacks: Callbacks,
    /// When customers agree by themselves; never when `None`.
    pub auto_approve_after: Option<Duration>,
    /// Where the books are journalled, so that a killed simulator finds them again.
    pub state_file: Option<PathBuf>,
    /// The keys that the operators know.
    pub credentials: Credentials,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            callbacks: Callbacks::default(),
            auto_approve_after: Some(Duration::from_millis(700)),
            state_file: None,
            credentials: Credentials::default(),
        }
    }
}

/// Plays the operators until `shutdown`. The address goes to `ready` once calls are answered.
///
/// # Errors
/// When it cannot listen, or the state file cannot be read or written.
pub async fn serve(
    options: Options,
    ready: oneshot::Sender<SocketAddr>,
    shutdown: impl Future<Output = ()> + Send,
) -> anyhow::Result<()> {
    let listener = TcpListener::bind(options.listen).await?;
    let address = listener.local_addr()?;
    let settings = Arc::new(Settings::new(options.credentials, format!("http://{address}"))?);
    let world = World::open(settings, options.callbacks, options.auto_approve_after, options.state_file.as_deref())?;
    let (outbox, queue) = mpsc::channel(callbacks::MAX_WAITING);
    let (roots, asked) = mpsc::channel(Provider::ALL.len());
    let app = Arc::new(App { world: Mutex::new(world), outbox, roots, ip: address.ip() });
    let router = control::routes().merge(page::routes()).merge(desk::routes()).with_state(Arc::clone(&app));
    let owed = callbacks::owed(&app.world());
    app.send(owed);
    // Nobody waits for the address any more: the caller gave up, and `shutdown` will tell.
    let _ = ready.send(address);
    tokio::select! {
        () = server::accept(listener, None, Arc::clone(&app), router.clone()) => {}
        () = server::accept_roots(asked, Arc::clone(&app), router) => {}
        () = callbacks::dispatch(Arc::clone(&app), queue) => {}
        () = act(app) => {}
        () = shutdown => {}
    }
    Ok(())
}

/// What every handler shares.
struct App {
    world: Mutex<World>,
    outbox: mpsc::Sender<Callback>,
    /// Listeners of the operators that are also served at the root of an address of their own.
    roots: mpsc::Sender<(Provider, TcpListener)>,
    ip: IpAddr,
}

impl App {
    fn world(&self) -> MutexGuard<'_, World> {
        // A panic elsewhere leaves the world as its last finished step made it.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends an operation and queues the callbacks of its new state.
    fn settle(&self, key: &OperationKey, outcome: Outcome) -> Result<Operation, Refusal> {
        self.settle_by(key, outcome, false)
    }

    fn settle_by(&self, key: &OperationKey, outcome: Outcome, force: bool) -> Result<Operation, Refusal> {
        let (op, produced) = {
            let mut world = self.world();
            let op = world.settle(key, outcome, force)?;
            let produced = callbacks::of_change(&mut world, &op);
            (op, produced)
        };
        self.send(produced);
        Ok(op)
    }

    /// Queues the callbacks that an operation's present state deserves, when it came to be without being settled.
    fn announce(&self, op: &Operation) {
        let produced = callbacks::of_change(&mut self.world(), op);
        self.send(produced);
    }

    fn send(&self, produced: Vec<Callback>) {
        for callback in produced {
            if self.outbox.try_send(callback).is_err() {
                tracing::warn!("the queue of callbacks is full: one is dropped");
            }
        }
    }
}

/// Lets the operators act by themselves when a moment has come.
async fn act(app: Arc<App>) {
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        tick.tick().await;
        let due = app.world().due();
        for key in due {
            let outcome = app.world().due_outcome(&key);
            if let Some(outcome) = outcome {
                let settled = app.settle(&key, outcome);
                tracing::debug!(provider = key.0.name(), refused = settled.is_err(), "an operation came to its moment");
            }
        }
    }
}
