//! Hub2.

use crate::harness::{Merchant, Simulator, start, start_for};
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use sha2::Sha256;
use simulator::Provider;

fn auth(request: RequestBuilder) -> RequestBuilder {
    request
        .header("ApiKey", "sk_hub2_simulator")
        .header("MerchantId", "hub2-simulator")
        .header("Environment", "sandbox")
}

async fn intent(sim: &Simulator, reference: &str) -> Value {
    let body =
        json!({"customerReference": "USR-77", "purchaseReference": reference, "amount": 1500, "currency": "XOF"});
    let answer = auth(sim.post("/hub2/payment-intents")).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    answer.json().await.unwrap()
}

async fn attempt(sim: &Simulator, intent: &Value, provider: &str, mobile: Value) -> (StatusCode, Value) {
    let body = json!({"token": intent["token"], "paymentMethod": "mobile_money", "country": "CI", "provider": provider, "mobileMoney": mobile});
    let path = format!("/hub2/payment-intents/{}/payments", intent["id"].as_str().unwrap());
    // No key: the token is enough.
    let answer = sim.post(&path).json(&body).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

async fn ends(sim: &Simulator, path: &str) -> Value {
    let ended = |o: &Value| ["successful", "failed"].contains(&o["status"].as_str().unwrap_or(""));
    sim.until("an end", || auth(sim.get(path)), ended).await
}

#[tokio::test]
async fn an_intent_is_paid_in_two_steps() {
    let merchant = Merchant::start().await;
    let sim = start_for(&merchant, &[Provider::Hub2]).await;
    let made = intent(&sim, "DEP-1").await;
    assert_eq!((&made["status"], &made["payments"]), (&json!("payment_required"), &json!([])));
    let (status, attempted) = attempt(&sim, &made, "moov", json!({"msisdn": "0102030405"})).await;
    assert_eq!((status, &attempted["status"]), (StatusCode::CREATED, &json!("processing")));
    assert_eq!(attempt(&sim, &made, "moov", json!({"msisdn": "0102030405"})).await.0, StatusCode::CONFLICT);
    let path = format!("/hub2/payment-intents/{}", made["id"].as_str().unwrap());
    let done = ends(&sim, &path).await;
    assert_eq!((&done["status"], &done["payments"][0]["status"]), (&json!("successful"), &json!("successful")));
    let event = merchant.wait(1).await.remove(0);
    assert_eq!((&event.json()["type"], &event.json()["data"]), (&json!("payment.succeeded"), &done));
    let mut mac = Hmac::<Sha256>::new_from_slice(b"hub2_simulator").unwrap();
    mac.update(&event.body);
    assert_eq!(event.header("hub2-signature"), format!("s1={}", hex::encode(mac.finalize().into_bytes())));
    assert_eq!(sim.book("hub2").await["collected"], 1_500);
}

#[tokio::test]
async fn each_operator_asks_for_what_it_needs() {
    let sim = start().await;
    let orange = intent(&sim, "O").await;
    let (_, waits) = attempt(&sim, &orange, "orange", json!({"msisdn": "0708091001"})).await;
    assert_eq!((&waits["status"], &waits["nextAction"]["type"]), (&json!("action_required"), &json!("otp")));
    attempt(&sim, &orange, "orange", json!({"msisdn": "0708091001", "otp": "1234"})).await;
    assert_eq!(
        ends(&sim, &format!("/hub2/payment-intents/{}", orange["id"].as_str().unwrap())).await["status"],
        "successful"
    );
    sim.control("auto_approve", json!({"afterMs": null})).await;
    let wave = intent(&sim, "W").await;
    let (_, waits) = attempt(&sim, &wave, "wave", json!({"msisdn": "+2250708091001"})).await;
    let page = waits["nextAction"]["data"]["url"].as_str().unwrap();
    sim.client.post(page).form(&[("action", "pay")]).send().await.unwrap();
    assert_eq!(
        ends(&sim, &format!("/hub2/payment-intents/{}", wave["id"].as_str().unwrap())).await["status"],
        "successful"
    );
    let stolen = json!({"id": wave["id"], "token": "guess"});
    assert_eq!(attempt(&sim, &stolen, "moov", json!({"msisdn": "0102030405"})).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn transfers_are_unique_and_told_to_registered_webhooks() {
    let merchant = Merchant::start().await;
    let sim = start().await;
    let webhook: Value = auth(sim.post("/hub2/webhooks"))
        .json(&json!({"url": merchant.url("hub2"), "events": ["transfer.succeeded"]}))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert!(webhook["secret"].is_string());
    let listed: Value = auth(sim.get("/hub2/webhooks")).send().await.unwrap().json().await.unwrap();
    assert_eq!((&listed[0]["id"], listed[0].get("secret")), (&webhook["id"], None));
    let send = |reference: &str, number: &str| {
        let body = json!({"reference": reference, "amount": 5000, "currency": "XOF", "description": "Retrait",
            "destination": {"type": "mobile_money", "country": "CI", "recipientName": "Awa Kone", "msisdn": number, "provider": "moov"}});
        auth(sim.post("/hub2/transfers")).json(&body).send()
    };
    let made: Value = send("T-1", "0102030405").await.unwrap().json().await.unwrap();
    assert_eq!(send("T-1", "0102030405").await.unwrap().status(), StatusCode::CONFLICT);
    assert_eq!(send("T 2", "0102030405").await.unwrap().status(), StatusCode::BAD_REQUEST);
    assert_eq!(
        ends(&sim, &format!("/hub2/transfers/{}/status", made["id"].as_str().unwrap())).await["status"],
        "successful"
    );
    let failing: Value = send("T-3", "0102030410").await.unwrap().json().await.unwrap();
    let failed = ends(&sim, &format!("/hub2/transfers/{}", failing["id"].as_str().unwrap())).await;
    assert_eq!(failed["failureCause"], "insufficient_funds");
    let event = merchant.wait(1).await.remove(0);
    let mut mac = Hmac::<Sha256>::new_from_slice(webhook["secret"].as_str().unwrap().as_bytes()).unwrap();
    mac.update(&event.body);
    assert_eq!(event.header("hub2-signature"), format!("s1={}", hex::encode(mac.finalize().into_bytes())));
    assert_eq!(sim.get("/hub2/balances").send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
}
