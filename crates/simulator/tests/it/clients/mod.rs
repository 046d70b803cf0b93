//! Client libraries that others wrote, unchanged, against the simulator: what "faithful" means. Where they are not
//! installed (`scripts/setup tests` installs them), each test says so and does nothing.

use crate::harness::{Merchant, Simulator, start, start_for};
use serde_json::{Value, json};
use simulator::Provider;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// How long a client may take in all.
const WITHIN: Duration = Duration::from_secs(60);

fn tools() -> PathBuf {
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools");
    std::env::var_os("HOSTOLINK_TOOLS").map_or(installed, PathBuf::from)
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/clients").join(name)
}

/// Whether a command that proves the installation succeeds; else a loud word.
async fn installed(mut probe: Command, what: &str) -> bool {
    let found = probe.stdin(Stdio::null()).stderr(Stdio::null()).status().await.is_ok_and(|status| status.success());
    if !found {
        eprintln!("SKIPPED: {what} is not installed in {} (scripts/setup tests installs it)", tools().display());
    }
    found
}

fn python() -> Command {
    Command::new(tools().join("venv/bin/python"))
}

fn node() -> Command {
    let mut node = Command::new("node");
    node.env("NODE_PATH", tools().join("node_modules"));
    node
}

async fn run(mut client: Command, name: &str, arguments: &[&str]) {
    let running = client.arg(script(name)).args(arguments).kill_on_drop(true).output();
    let output = tokio::time::timeout(WITHIN, running).await.expect("the client ends in time").expect("it starts");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {told}");
}

async fn python_has(module: &str) -> bool {
    let mut probe = python();
    probe.args(["-c", &format!("import {module}")]);
    installed(probe, &format!("the Python module {module}")).await
}

/// The books after a client: every operation executed at most once, nothing lost.
async fn in_order(sim: &Simulator, provider: &str, collected: i64, paid_out: i64) {
    let book = sim.book(provider).await;
    assert_eq!((&book["collected"], &book["paidOut"]), (&json!(collected), &json!(paid_out)));
    assert_eq!((&book["balanced"], book["operations"].get("executedTwice")), (&json!(true), None));
}

#[tokio::test]
async fn mtn_momo_from_npm() {
    let mut probe = node();
    probe.args(["-e", "require('mtn-momo')"]);
    if !installed(probe, "the Node module mtn-momo").await {
        return;
    }
    let sim = start().await;
    run(node(), "momo_client.js", &[&format!("{}/mtn", sim.url)]).await;
    in_order(&sim, "mtn", 50, 50).await;
}

#[tokio::test]
async fn momo_openapi_from_pypi() {
    if !python_has("momo_openapi").await {
        return;
    }
    let sim = start().await;
    run(python(), "momo_client.py", &[&format!("{}/mtn", sim.url)]).await;
    in_order(&sim, "mtn", 1_500, 700).await;
}

#[tokio::test]
async fn cinetpay_python_from_pypi() {
    if !python_has("cinetpay").await {
        return;
    }
    let sim = start().await;
    run(python(), "cinetpay_client.py", &[&format!("{}/cinetpay", sim.url)]).await;
    in_order(&sim, "cinetpay", 1_500, 5_000).await;
}

/// This client knows a host only, so Wave is served at the root of an address of its own.
#[tokio::test]
async fn wave_business_api_from_pypi() {
    if !python_has("wave_business_api").await {
        return;
    }
    let merchant = Merchant::start().await;
    let sim = start_for(&merchant, &[Provider::Wave]).await;
    sim.control("receive", json!({"provider": "wave", "amount": 100, "sender": "+2250700000001"})).await;
    let session = json!({"amount": "100", "currency": "XOF", "success_url": "https://a.example", "error_url": "https://a.example"});
    sim.post("/wave/v1/checkout/sessions").bearer_auth("wave_ci_test_simulator").json(&session).send().await.unwrap();
    let told = merchant.wait(2).await;
    let completed = told.iter().find(|c| c.json()["type"] == "checkout.session.completed");
    let Some(event) = completed else { panic!("no session was completed: {told:?}") };
    let root: Value = sim.control("root", json!({"provider": "wave"})).await.json().await.unwrap();
    let again: Value = sim.control("root", json!({"provider": "wave"})).await.json().await.unwrap();
    assert_eq!(root, again, "one address for each operator");
    let (url, body) = (root["url"].as_str().unwrap(), String::from_utf8(event.body.to_vec()).unwrap());
    run(python(), "wave_client.py", &[url, event.header("wave-signature"), &body]).await;
    in_order(&sim, "wave", 1_700, 700).await;
}
