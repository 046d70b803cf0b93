//! Djamo Business.

use crate::harness::{Merchant, Simulator, start, start_for};
use base64::Engine as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use sha2::Sha256;
use simulator::Provider;

fn auth(request: RequestBuilder) -> RequestBuilder {
    request.bearer_auth("at_simulator").header("X-Company-Id", "5d1d3c52-6a4e-4f0e-9a42-0d7a4c1b9e10")
}

async fn charge(sim: &Simulator, reference: &str) -> (StatusCode, Value) {
    let body = json!({"amount": 1500, "externalId": reference, "description": "Depot", "onCompletedRedirectionUrl": "https://a.example/ok", "onCanceledRedirectionUrl": "https://a.example/ko"});
    let answer = auth(sim.post("/djamo/v1/charges")).json(&body).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

async fn transfer(sim: &Simulator, amount: i64, reference: &str) -> (StatusCode, Value) {
    let body = json!({"amount": amount, "msisdn": "+2250708091011", "reference": reference, "description": "Retrait", "type": "transfer"});
    let answer = auth(sim.post("/djamo/v1/transactions")).json(&body).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

#[tokio::test]
async fn a_charge_is_paid_once() {
    let merchant = Merchant::start().await;
    let sim = start_for(&merchant, &[Provider::Djamo]).await;
    let (status, made) = charge(&sim, "D-1").await;
    assert_eq!((status, &made["status"], &made["due"]), (StatusCode::CREATED, &json!("created"), &json!(1_500)));
    let (status, again) = charge(&sim, "D-1").await;
    assert_eq!(
        (status, &again["statusCode"], &again["error"]),
        (StatusCode::CONFLICT, &json!(409), &json!("Conflict"))
    );
    let path = format!("/djamo/v1/charges/{}", made["id"].as_str().unwrap());
    let paid = sim.until("payment", || auth(sim.get(&path)), |c| c["status"] == "paid").await;
    assert_eq!((&paid["paid"], &paid["due"]), (&json!(1_500), &json!(0)));
    let event = merchant.wait(1).await.remove(0);
    assert_eq!((&event.json()["topic"], &event.json()["data"]), (&json!("charge/events"), &paid));
    assert_eq!(event.header("x-djamo-webhook-topic"), "charge/events");
    let mut mac = Hmac::<Sha256>::new_from_slice(b"djamo_simulator").unwrap();
    mac.update(&event.body);
    let expected = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
    assert_eq!(event.header("x-djamo-hmac-sha256"), expected);
    let refunded: Value = auth(sim.post(&format!("{path}/refund"))).send().await.unwrap().json().await.unwrap();
    assert_eq!(refunded["status"], "refunded");
    assert_eq!(sim.book("djamo").await["collected"], 0);
}

#[tokio::test]
async fn a_charge_is_dropped_after_an_hour() {
    let sim = start().await;
    sim.control("auto_approve", json!({"afterMs": null})).await;
    let (_, made) = charge(&sim, "D-2").await;
    let page = sim.client.get(made["paymentUrl"].as_str().unwrap()).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("1500 F CFA"));
    let path = format!("/djamo/v1/charges/{}", made["id"].as_str().unwrap());
    let seen: Value = auth(sim.get(&path)).send().await.unwrap().json().await.unwrap();
    assert_eq!(seen["status"], "due");
    sim.control("clock", json!({"advanceMs": 3_601_000})).await;
    sim.until("the end", || auth(sim.get(&path)), |c| c["status"] == "dropped").await;
}

#[tokio::test]
async fn transfers_are_bounded_unique_and_told() {
    let merchant = Merchant::start().await;
    let sim = start().await;
    for topic in ["transactions/completed", "transactions/failed"] {
        let body = json!({"topic": topic, "url": merchant.url(topic)});
        assert_eq!(
            auth(sim.post("/djamo/v1/webhooks")).json(&body).send().await.unwrap().status(),
            StatusCode::CREATED
        );
    }
    assert_eq!(transfer(&sim, 4_999, "small").await.0, StatusCode::BAD_REQUEST);
    let (status, made) = transfer(&sim, 15_000, "T-1").await;
    assert_eq!(
        (status, &made["status"], &made["fee"], &made["totalAmount"]),
        (StatusCode::CREATED, &json!("pending"), &json!(150), &json!(15_150))
    );
    assert_eq!(transfer(&sim, 15_000, "T-1").await.0, StatusCode::CONFLICT);
    let by_reference = || auth(sim.get("/djamo/v1/transactions?reference=T-1"));
    sim.until("completion", by_reference, |t| t["status"] == "completed").await;
    transfer(&sim, 5_013, "T-2").await;
    let failed = sim
        .until("failure", || auth(sim.get("/djamo/v1/transactions?reference=T-2")), |t| t["status"] == "failed")
        .await;
    assert!(failed["failureReason"].is_string());
    let paths: std::collections::BTreeSet<String> = merchant.wait(2).await.into_iter().map(|c| c.path).collect();
    assert_eq!(paths.len(), 2);
    let balance: Value = auth(sim.get("/djamo/v1/balance")).send().await.unwrap().json().await.unwrap();
    assert_eq!(balance, json!({"balance": 1_000_000_000 - 15_150, "currency": "XOF"}));
    assert_eq!(sim.get("/djamo/v1/balance").send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
}
