use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use clap::Args;
use serde::{Deserialize, Serialize};
use simulator::{Callbacks, Credentials};
use tokio::io::AsyncReadExt;
use tokio::sync::oneshot;

use super::{DataDir, say};
use crate::config;

/// The longest order of the parent, in bytes.
const MAX_ORDER: u64 = 64 * 1024;

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    data_dir: DataDir,
    /// Port d'écoute ; 0 laisse le système choisir
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Lit ses clés sur l'entrée standard et s'arrête quand elle se ferme : lancé par `hostolink dev`
    #[arg(long, hide = true)]
    child: bool,
}

/// What the parent hands over: never on a command line, where every user of the machine could read it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) credentials: Credentials,
    pub(super) callbacks: Callbacks,
}

/// Plays the operators until it is told to stop, or until its parent is gone.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let dir = config::data_dir(&arguments.data_dir.overrides())?;
    std::fs::create_dir_all(&dir)?;
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?.block_on(async {
        let mut input = tokio::io::stdin();
        let order = if arguments.child { order(&mut input).await? } else { Order::default() };
        let options = simulator::Options {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port)),
            callbacks: order.callbacks,
            credentials: order.credentials,
            state_file: Some(dir.join("simulator.jsonl")),
            ..simulator::Options::default()
        };
        let (ready, address) = oneshot::channel::<SocketAddr>();
        let told = tokio::spawn(async move {
            if let Ok(address) = address.await {
                say(&address.to_string());
            }
        });
        let child = arguments.child;
        let end = async move {
            if child {
                // The pipe closes with the parent, however it died.
                let mut rest = [0; 64];
                while input.read(&mut rest).await.is_ok_and(|read| read > 0) {}
            } else {
                super::serving::asked_to_stop().await;
            }
        };
        simulator::serve(options, ready, end).await?;
        told.abort();
        anyhow::Ok(())
    })?;
    // Standard input is read on a thread that cannot be interrupted: do not wait for it.
    std::process::exit(0)
}

/// One line of JSON.
async fn order(input: &mut tokio::io::Stdin) -> anyhow::Result<Order> {
    let (mut line, mut byte) = (Vec::new(), [0]);
    while line.len() as u64 <= MAX_ORDER && input.read(&mut byte).await? == 1 && byte != *b"\n" {
        line.push(byte[0]);
    }
    Ok(serde_json::from_slice(&line)?)
}
