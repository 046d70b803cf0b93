//! Faults on order, restarts, and what they leave of the books.

use crate::harness::{Merchant, PATIENCE, Simulator, start, start_for, start_with};
use reqwest::StatusCode;
use serde_json::{Value, json};
use simulator::{Options, Provider};
use std::time::{Duration, Instant};

const KEY: &str = "wave_ci_test_simulator";

async fn pay(sim: &Simulator, key: &str) -> reqwest::Result<(u16, String)> {
    let body =
        json!({"currency": "XOF", "receive_amount": "5000", "mobile": "+2250708091011", "client_reference": key});
    let request = sim.post("/wave/v1/payout").bearer_auth(KEY).header("idempotency-key", key).json(&body);
    let answer = request.timeout(Duration::from_secs(2)).send().await?;
    Ok((answer.status().as_u16(), answer.text().await?))
}

async fn deposit(sim: &Simulator, reference: &str) -> Value {
    let body = json!({"amount": "1500", "currency": "XOF", "client_reference": reference,
        "success_url": "https://a.example", "error_url": "https://a.example"});
    let answer = sim.post("/wave/v1/checkout/sessions").bearer_auth(KEY).json(&body).send().await.unwrap();
    answer.json().await.unwrap()
}

async fn paid_out(sim: &Simulator) -> i64 {
    sim.book("wave").await["paidOut"].as_i64().unwrap_or(0)
}

#[tokio::test]
async fn faults_before_the_act_move_nothing() {
    let sim = start().await;
    for (kind, status) in [("status_500", 500), ("status_429", 429), ("html_502", 502)] {
        sim.fault(json!({"provider": "wave", "operation": "payout", "kind": kind})).await;
        assert_eq!(pay(&sim, "a").await.unwrap().0, status);
    }
    for order in [json!({"kind": "reset"}), json!({"kind": "timeout_before", "ms": 100})] {
        sim.fault(order).await;
        assert!(pay(&sim, "a").await.is_err());
    }
    assert_eq!(paid_out(&sim).await, 0);
    assert_eq!(pay(&sim, "a").await.unwrap().0, 200, "the order was used up");
    assert_eq!(paid_out(&sim).await, 5_000);
}

#[tokio::test]
async fn faults_after_the_act_lose_the_answer_and_not_the_money() {
    let sim = start().await;
    let orders = [
        json!({"kind": "timeout_after_execution", "ms": 60_000}),
        json!({"kind": "reset_after_execution"}),
        json!({"kind": "half_open", "ms": 60_000}),
        json!({"kind": "status_503_after_execution"}),
    ];
    for (n, order) in orders.into_iter().enumerate() {
        sim.fault(order.clone()).await;
        let key = format!("key-{n}");
        let lost = pay(&sim, &key).await;
        assert!(lost.as_ref().map_or(true, |(status, _)| *status == 503), "{order}: {lost:?}");
        assert_eq!(paid_out(&sim).await, 5_000 * (i64::try_from(n).unwrap() + 1), "{order}");
        assert_eq!(pay(&sim, &key).await.unwrap().0, 200);
    }
    assert_eq!(paid_out(&sim).await, 20_000, "a repeated key pays nothing more");
}

#[tokio::test]
async fn answers_come_late_or_in_unknown_words() {
    let sim = start().await;
    sim.fault(json!({"kind": "slow", "ms": 300})).await;
    let began = Instant::now();
    assert_eq!(pay(&sim, "slow").await.unwrap().0, 200);
    assert!(began.elapsed() >= Duration::from_millis(300));
    sim.fault(json!({"kind": "unknown_status"})).await;
    let (_, body) = pay(&sim, "odd").await.unwrap();
    assert!(!body.contains("succeeded") && body.contains("EN_ORBITE"), "{body}");
}

#[tokio::test]
async fn the_float_is_empty_or_the_operation_stays() {
    let sim = start().await;
    sim.fault(json!({"provider": "wave", "kind": "empty_float"})).await;
    let (status, body) = pay(&sim, "empty").await.unwrap();
    assert_eq!((status, body.contains("insufficient-funds")), (422, true));
    sim.control("float", json!({"provider": "wave", "amount": 5_049})).await;
    assert_eq!(pay(&sim, "one franc short").await.unwrap().0, 422);
    sim.control("float", json!({"provider": "wave", "amount": 5_050})).await;
    sim.fault(json!({"kind": "stay_pending"})).await;
    assert!(pay(&sim, "stays").await.unwrap().1.contains("processing"));
    sim.control("approve", json!({"provider": "wave", "reference": "stays"})).await;
    let book = sim.book("wave").await;
    assert_eq!((&book["float"], &book["balanced"]), (&json!(0), &json!(true)));
}

#[tokio::test]
async fn callbacks_come_twice_late_forged_altered_or_not_at_all() {
    let merchant = Merchant::start().await;
    let sim = start_for(&merchant, &[Provider::Wave]).await;
    let mut seen = 0;
    for (kind, count) in [
        ("duplicate_callback", 3),
        ("forged_callback", 2),
        ("altered_amount_callback", 1),
        ("late_callback", 1),
        ("unknown_operation_callback", 2),
    ] {
        sim.fault(json!({"provider": "wave", "kind": kind, "ms": 200})).await;
        let session = deposit(&sim, kind).await;
        let came = merchant.wait(seen + count).await.split_off(seen);
        seen += count;
        let ids: Vec<Value> = came.iter().map(|c| c.json()["data"]["id"].clone()).collect();
        let events: std::collections::BTreeSet<String> = came.iter().map(|c| c.json()["id"].to_string()).collect();
        let amounts: Vec<Value> = came.iter().map(|c| c.json()["data"]["amount"].clone()).collect();
        match kind {
            "duplicate_callback" => assert_eq!(events.len(), 1),
            "altered_amount_callback" => assert_eq!(amounts, [json!("15000")]),
            "unknown_operation_callback" => assert!(ids.iter().any(|id| *id != session["id"])),
            _ => assert!(ids.iter().all(|id| *id == session["id"])),
        }
    }
    sim.fault(json!({"kind": "no_callback"})).await;
    deposit(&sim, "silent").await;
    let paid = |s: &Value| s["operations"][0]["state"] == "succeeded";
    sim.until("the silent payment", || sim.get("/_control/state?reference=silent"), paid).await;
    deposit(&sim, "heard").await;
    let last = merchant.wait(seen + 1).await.pop().unwrap();
    assert_eq!(last.json()["data"]["client_reference"], "heard");
}

#[tokio::test]
async fn a_callback_is_repeated_until_it_is_accepted() {
    let merchant = Merchant::start().await;
    merchant.refuse(2);
    let sim = start_for(&merchant, &[Provider::Wave]).await;
    deposit(&sim, "again").await;
    let came = merchant.wait(3).await;
    assert!(came.iter().all(|c| c.body == came[0].body), "the same bytes each time");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(merchant.received().len(), 3, "accepted, hence over");
}

#[tokio::test]
async fn a_forged_callback_on_order() {
    let merchant = Merchant::start().await;
    let sim = start_for(&merchant, &[Provider::Wave]).await;
    sim.control("auto_approve", json!({"afterMs": null})).await;
    let session = deposit(&sim, "f").await;
    sim.control("forge", json!({"provider": "wave", "reference": "f"})).await;
    let claim = merchant.wait(1).await.remove(0).json();
    assert_eq!(
        (&claim["type"], &claim["data"]["payment_status"]),
        (&json!("checkout.session.completed"), &json!("succeeded"))
    );
    let path = format!("/wave/v1/checkout/sessions/{}", session["id"].as_str().unwrap());
    let truth: Value = sim.get(&path).bearer_auth(KEY).send().await.unwrap().json().await.unwrap();
    assert_eq!(truth["payment_status"], "processing");
}

#[tokio::test]
async fn a_killed_simulator_finds_its_books_again() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        state_file: Some(folder.path().join("operators.jsonl")),
        auto_approve_after: Some(Duration::from_millis(900)),
        ..Options::default()
    };
    let mut kept = json!(null);
    for round in 0..3 {
        let sim = start_with(options.clone()).await;
        if round > 0 {
            assert_eq!(sim.book("wave").await["fees"], kept["fees"]);
            assert_eq!(sim.book("wave").await["paidOut"], kept["paidOut"]);
            assert_eq!(pay(&sim, "round-0").await.unwrap().0, 200, "the key is still known");
            assert_eq!(sim.book("wave").await["paidOut"], kept["paidOut"]);
        }
        if round == 2 {
            // What was pending when the process died goes on by itself.
            let all_done = |s: &Value| s["operations"].as_array().unwrap().iter().all(|o| o["state"] == "succeeded");
            let state = sim.until("the end", || sim.get("/_control/state"), all_done).await;
            assert_eq!(state["operations"].as_array().unwrap().len(), 4);
            assert!(state["operations"].as_array().unwrap().iter().all(|o| o["executions"] == 1));
            let book = sim.book("wave").await;
            assert_eq!((&book["collected"], &book["balanced"]), (&json!(3_000), &json!(true)));
            break;
        }
        pay(&sim, &format!("round-{round}")).await.unwrap();
        deposit(&sim, &format!("d{round}")).await;
        kept = sim.book("wave").await;
        sim.kill().await;
    }
    // A line cut short by a kill is skipped.
    let path = folder.path().join("operators.jsonl");
    let mut text = std::fs::read_to_string(&path).unwrap();
    text.push_str("{\"step\":{\"opera");
    std::fs::write(&path, text).unwrap();
    let sim = start_with(options).await;
    assert_eq!(sim.book("wave").await["collected"], 3_000);
    sim.control("reset", json!({})).await;
    assert_eq!(sim.state().await["operations"], json!([]));
}

#[tokio::test]
async fn a_callback_that_nobody_took_comes_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let merchant = Merchant::start().await;
    merchant.refuse(1);
    let options = Options {
        state_file: Some(folder.path().join("operators.jsonl")),
        auto_approve_after: Some(Duration::from_millis(50)),
        callbacks: simulator::Callbacks([(Provider::Wave, merchant.url("wave"))].into()),
        ..Options::default()
    };
    let sim = start_with(options.clone()).await;
    let session = deposit(&sim, "owed").await;
    merchant.wait(1).await;
    sim.kill().await;
    let sim = start_with(options.clone()).await;
    let told = merchant.wait(2).await.remove(1).json();
    assert_eq!((&told["type"], &told["data"]["id"]), (&json!("checkout.session.completed"), &session["id"]));
    assert_eq!(told["id"], merchant.received()[0].json()["id"], "the same event, hence the same id");
    let accepted = |s: &Value| s["deliveries"][0]["status"] == 200;
    sim.until("the end of the delivery", || sim.get("/_control/state"), accepted).await;
    sim.kill().await;
    let _sim = start_with(options).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(merchant.received().len(), 2, "told once, owed no more");
}

#[tokio::test]
async fn a_foreign_page_gives_no_orders() {
    let sim = start().await;
    let order = sim.post("/_control/reset").header("origin", "https://evil.example").timeout(PATIENCE).send();
    assert_eq!(order.await.unwrap().status(), StatusCode::FORBIDDEN);
}
