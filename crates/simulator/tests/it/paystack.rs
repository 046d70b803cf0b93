//! Paystack's cards, and Twilio's messages.

use crate::harness::{Merchant, Simulator, start, start_for};
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sha2::Sha512;
use simulator::Provider;

const KEY: &str = "sk_test_paystack_simulator";

async fn post(sim: &Simulator, path: &str, body: &Value) -> (StatusCode, Value) {
    let answer = sim.post(&format!("/paystack/{path}")).bearer_auth(KEY).json(body).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

async fn verify(sim: &Simulator, reference: &str) -> Value {
    let answer = sim.get(&format!("/paystack/transaction/verify/{reference}")).bearer_auth(KEY).send().await.unwrap();
    answer.json::<Value>().await.unwrap()["data"].clone()
}

#[tokio::test]
async fn a_card_is_charged_on_the_page_and_again_by_its_token() {
    let merchant = Merchant::start().await;
    let sim = start_for(&merchant, &[Provider::Paystack]).await;
    sim.control("auto_approve", json!({"afterMs": null})).await;
    let ask = |reference: &str| json!({"email": "awa@example.com", "amount": 150_000, "currency": "XOF", "reference": reference, "callback_url": "https://a.example/back"});
    let (_, made) = post(&sim, "transaction/initialize", &ask("C-1")).await;
    assert_eq!(post(&sim, "transaction/initialize", &ask("C-1")).await.1["code"], "duplicate_reference");
    assert_eq!(verify(&sim, "C-1").await["status"], "abandoned");
    let page = made["data"]["authorization_url"].as_str().unwrap();
    assert!(sim.client.get(page).send().await.unwrap().text().await.unwrap().contains("1500 F CFA"));
    assert_eq!(verify(&sim, "C-1").await["status"], "ongoing");
    let back = sim.client.post(page).form(&[("card", "0")]).send().await.unwrap();
    assert_eq!(back.headers()["location"], "https://a.example/back?trxref=C-1&reference=C-1");
    let paid = verify(&sim, "C-1").await;
    assert_eq!(
        (&paid["status"], &paid["amount"], &paid["authorization"]["last4"]),
        (&json!("success"), &json!(150_000), &json!("4081"))
    );
    let event = merchant.wait(1).await.remove(0);
    assert_eq!((&event.json()["event"], &event.json()["data"]), (&json!("charge.success"), &paid));
    let mut mac = Hmac::<Sha512>::new_from_slice(KEY.as_bytes()).unwrap();
    mac.update(&event.body);
    assert_eq!(event.header("x-paystack-signature"), hex::encode(mac.finalize().into_bytes()));

    let token = &paid["authorization"]["authorization_code"];
    let mut again = json!({"email": "awa@example.com", "amount": 50_000, "authorization_code": token});
    assert_eq!(post(&sim, "transaction/charge_authorization", &again).await.1["data"]["status"], "success");
    again["email"] = json!("other@example.com");
    assert_eq!(post(&sim, "transaction/charge_authorization", &again).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(post(&sim, "refund", &json!({"transaction": "C-1"})).await.1["data"]["status"], "processed");
    assert_eq!(sim.book("paystack").await["collected"], 500);
    post(&sim, "customer/authorization/deactivate", &json!({"authorization_code": token})).await;
    again["email"] = json!("awa@example.com");
    assert_eq!(post(&sim, "transaction/charge_authorization", &again).await.1["code"], "invalid_authorization");
}

#[tokio::test]
async fn cards_are_refused_and_never_sent_here() {
    let sim = start().await;
    sim.control("auto_approve", json!({"afterMs": null})).await;
    let body = json!({"email": "awa@example.com", "amount": 150_000, "reference": "C-2"});
    let (_, made) = post(&sim, "transaction/initialize", &body).await;
    sim.client.post(made["data"]["authorization_url"].as_str().unwrap()).form(&[("card", "1")]).send().await.unwrap();
    let failed = verify(&sim, "C-2").await;
    assert_eq!((&failed["status"], &failed["gateway_response"]), (&json!("failed"), &json!("Insufficient Funds")));
    let with_card = json!({"email": "awa@example.com", "amount": 150_000, "card": {"number": "x"}});
    assert_eq!(post(&sim, "transaction/initialize", &with_card).await.1["code"], "card_refused");
    let odd = json!({"email": "awa@example.com", "amount": 150_050});
    assert_eq!(post(&sim, "transaction/initialize", &odd).await.1["code"], "invalid_amount");
}

#[tokio::test]
async fn twilio_queues_then_delivers() {
    let merchant = Merchant::start().await;
    let sim = start().await;
    let path = "/twilio/2010-04-01/Accounts/ACsimulator/Messages.json";
    let send = |to: &str| {
        let form = [
            ("To", to),
            ("From", "HOSTOLINK"),
            ("Body", "Votre code est 482913."),
            ("StatusCallback", &merchant.url("twilio")),
        ]
        .map(|(n, v)| (n.to_owned(), v.to_owned()));
        sim.post(path).basic_auth("ACsimulator", Some("twilio-simulator-token")).form(&form).send()
    };
    let queued = send("+2250708091011").await.unwrap();
    assert_eq!(queued.status(), StatusCode::CREATED);
    let queued: Value = queued.json().await.unwrap();
    assert_eq!(queued["status"], "queued");
    let receipts = merchant.wait(2).await;
    assert!(String::from_utf8_lossy(&receipts[1].body).contains("MessageStatus=delivered"));
    assert!(!receipts[1].header("x-twilio-signature").is_empty());
    let one = format!("/twilio/2010-04-01/Accounts/ACsimulator/Messages/{}.json", queued["sid"].as_str().unwrap());
    let one = sim.get(&one).basic_auth("ACsimulator", Some("twilio-simulator-token")).send().await.unwrap();
    assert_eq!(one.json::<Value>().await.unwrap()["status"], "delivered");
    let wrong: Value = send("0708091011").await.unwrap().json().await.unwrap();
    assert_eq!(wrong["code"], 21_211);
}
