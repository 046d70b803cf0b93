//! What only development mode has: secrets made once, and the simulated operators as a child process.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use kernel::{Keys, Random};
use serde::{Deserialize, Serialize};
use simulator::{
    Callbacks, CinetpayKeys, Credentials, DjamoKeys, GsmaKeys, Hub2Keys, MoovKeys, MtnKeys, MtnProductKeys, OrangeKeys,
    PawapayKeys, PaystackKeys, PispiKeys, TwilioKeys, WaveKeys,
};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::watch;

use crate::http::health::Readiness;
use crate::operators;

/// The simulator tells its address within this time.
const START: Duration = Duration::from_secs(10);
/// Between two starts of a simulator that died.
const RESTART: Duration = Duration::from_secs(1);

/// Kept in `secrets.json` of the data folder, for its owner's eyes only.
#[derive(Serialize, Deserialize)]
pub struct Secrets {
    program: String,
    /// The keys that the simulated operators and our connectors share.
    pub operators: Credentials,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secrets(***)")
    }
}

impl Secrets {
    /// Reads them, or makes them at the first start.
    pub fn of(data_dir: &Path, random: &Random) -> anyhow::Result<Self> {
        let path = data_dir.join("secrets.json");
        match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| format!("{} cannot be read", path.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let secrets = Self { program: hex::encode(random.bytes::<32>()), operators: credentials(random) };
                write_private(&path, &serde_json::to_vec_pretty(&secrets)?)?;
                Ok(secrets)
            }
            Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
        }
    }

    /// The secret that every key is derived from.
    pub fn program(&self) -> anyhow::Result<[u8; 32]> {
        Keys::parse_secret(&self.program).context("secrets.json holds no secret of 32 bytes")
    }
}

/// Keys of the shape that the operators hand out, different on every installation.
fn credentials(random: &Random) -> Credentials {
    let fresh = || hex::encode(random.bytes::<16>());
    let id = || uuid::Builder::from_random_bytes(random.bytes()).into_uuid().to_string();
    let product = || MtnProductKeys { subscription_key: fresh(), api_user: id(), api_key: fresh() };
    Credentials {
        wave: WaveKeys {
            api_key: format!("wave_ci_test_{}", fresh()),
            webhook_secrets: vec![format!("wave_ci_WHS_{}", fresh())],
            ..WaveKeys::default()
        },
        mtn: MtnKeys { collection: product(), disbursement: product(), remittance: product(), callback_host: None },
        orange: OrangeKeys { client_id: fresh(), client_secret: fresh(), merchant_key: fresh() },
        djamo: DjamoKeys { access_token: format!("at_{}", fresh()), company_id: id(), webhook_secret: fresh() },
        pawapay: PawapayKeys { token: fresh(), ..PawapayKeys::default() },
        hub2: Hub2Keys {
            api_key: format!("sk_{}", fresh()),
            merchant_id: fresh(),
            webhook_secret: fresh(),
            previous_webhook_secret: None,
        },
        cinetpay: CinetpayKeys { api_key: format!("sk_test_{}", fresh()), api_password: fresh() },
        pispi: PispiKeys { api_key: fresh(), client_id: fresh(), client_secret: fresh(), webhook_secret: fresh() },
        gsma: GsmaKeys { api_key: fresh(), username: fresh(), password: fresh() },
        // 16 bytes in hexadecimal are the 32 characters that Moov asks for.
        moov: MoovKeys { username: fresh(), password: fresh(), aes_key: fresh() },
        paystack: PaystackKeys { secret_key: format!("sk_test_{}", fresh()) },
        twilio: TwilioKeys { account_sid: format!("AC{}", fresh()), auth_token: fresh() },
    }
}

/// Complete or absent, and readable by its owner only.
fn write_private(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let draft = path.with_extension("new");
    let mut file = std::fs::OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&draft, path)?;
    Ok(())
}

/// Our own address as this machine reaches it, when we listen on every one.
pub fn reachable(ours: SocketAddr) -> SocketAddr {
    if ours.ip().is_unspecified() { SocketAddr::from((Ipv4Addr::LOCALHOST, ours.port())) } else { ours }
}

/// The simulated operators: a child process of this very program, which ends when the pipe to it closes.
#[derive(Debug)]
pub struct Simulated {
    data_dir: PathBuf,
    order: Vec<u8>,
    running: Running,
}

#[derive(Debug)]
struct Running {
    child: Child,
    /// Held open as long as the child shall live.
    _pipe: ChildStdin,
    address: SocketAddr,
}

impl Simulated {
    /// Starts them; their callbacks go to our own address.
    pub async fn start(data_dir: &Path, secrets: &Secrets, ours: SocketAddr) -> anyhow::Result<Self> {
        let url = |route: &str| format!("http://{}/api/webhooks/{route}", reachable(ours));
        let callbacks = operators::callback_paths().map(|(operator, route)| (operator, url(route))).collect();
        let order = serde_json::json!({"credentials": &secrets.operators, "callbacks": Callbacks(callbacks)});
        let mut line = serde_json::to_vec(&order)?;
        line.push(b'\n');
        let running = launch(data_dir, &line, 0).await?;
        Ok(Self { data_dir: data_dir.to_owned(), order: line, running })
    }

    /// Where the operators answer.
    pub fn address(&self) -> SocketAddr {
        self.running.address
    }

    /// Starts them again, at the same address, when they die; readiness follows.
    pub fn watch(mut self, readiness: Readiness, mut stop: watch::Receiver<bool>) {
        readiness.set_simulator(true);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = stop.wait_for(|stopping| *stopping) => return,
                    status = self.running.child.wait() => tracing::warn!(?status, "the simulated operators ended"),
                }
                readiness.set_simulator(false);
                let port = self.running.address.port();
                loop {
                    tokio::time::sleep(RESTART).await;
                    if *stop.borrow() {
                        return;
                    }
                    match launch(&self.data_dir, &self.order, port).await {
                        Ok(running) => break self.running = running,
                        Err(error) => tracing::warn!(%error, "the simulated operators do not start"),
                    }
                }
                readiness.set_simulator(true);
            }
        });
    }
}

async fn launch(data_dir: &Path, order: &[u8], port: u16) -> anyhow::Result<Running> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["simulator", "--child", "--port", &port.to_string(), "--data-dir"])
        .arg(data_dir)
        // Ctrl-C at the terminal is for us: we end the child when we are done with it.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("the simulated operators cannot be started")?;
    let mut pipe = child.stdin.take().context("no pipe to the simulated operators")?;
    pipe.write_all(order).await?;
    let mut lines = BufReader::new(child.stdout.take().context("no pipe from the simulated operators")?).lines();
    let line =
        tokio::time::timeout(START, lines.next_line()).await.context("the simulated operators do not answer")??;
    let address = line.context("the simulated operators ended at once")?.parse()?;
    Ok(Running { child, _pipe: pipe, address })
}
