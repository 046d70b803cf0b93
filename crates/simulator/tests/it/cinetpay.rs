//! CinetPay v1.

use crate::harness::{Merchant, Simulator, start};
use reqwest::StatusCode;
use serde_json::{Value, json};

async fn token(sim: &Simulator) -> String {
    let body = json!({"api_key": "sk_test_simulator", "api_password": "simulator-password"});
    let answer: Value = sim.post("/cinetpay/v1/oauth/login").json(&body).send().await.unwrap().json().await.unwrap();
    answer["access_token"].as_str().unwrap().to_owned()
}

fn payment(reference: &str, amount: i64, notify: &str) -> Value {
    json!({"currency": "XOF", "merchant_transaction_id": reference, "amount": amount, "lang": "fr", "designation": "Depot",
        "client_email": "awa@example.com", "client_first_name": "Awa", "client_last_name": "Kone",
        "success_url": "https://a.example/ok", "failed_url": "https://a.example/ko", "notify_url": notify, "channel": "PUSH",
        "direct_pay": true, "payment_method": "MOOV_CI", "client_phone_number": "+2250102030405"})
}

async fn send(sim: &Simulator, token: &str, what: &str, body: &Value) -> (StatusCode, Value) {
    let answer = sim.post(&format!("/cinetpay/v1/{what}")).bearer_auth(token).json(body).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

#[tokio::test]
async fn a_payment_is_made_once_and_told_without_proof() {
    let merchant = Merchant::start().await;
    let sim = start().await;
    let token = token(&sim).await;
    let body = payment("D-1", 1_500, &merchant.url("cinetpay"));
    let (_, made) = send(&sim, &token, "payment", &body).await;
    assert_eq!(
        (&made["code"], &made["details"]["code"], &made["details"]["must_be_redirected"]),
        (&json!(200), &json!(2_002), &json!(false))
    );
    let (_, again) = send(&sim, &token, "payment", &body).await;
    assert_eq!((&again["code"], again["description"].is_string()), (&json!(1_200), true));
    for name in ["payment_token", "transaction_id", "merchant_transaction_id"] {
        let path = format!("/cinetpay/v1/payment/{}", made[name].as_str().unwrap());
        let done = sim.until("success", || sim.get(&path).bearer_auth(&token), |p| p["code"] == 100).await;
        assert_eq!(done["user"]["phone_number"], "+2250102030405");
    }
    let told = merchant.wait(1).await.remove(0).json();
    assert_eq!((&told["notify_token"], told.get("status")), (&made["notify_token"], None));
    assert_eq!(sim.book("cinetpay").await["collected"], 1_500);
}

#[tokio::test]
async fn amounts_codes_and_tokens_choose() {
    let sim = start().await;
    let token = token(&sim).await;
    for (amount, code) in [(1_505, 2_005), (1_506, 2_006), (1_510, 2_010)] {
        let reference = format!("D-{amount}");
        send(&sim, &token, "payment", &payment(&reference, amount, "http://127.0.0.1:9/none")).await;
        let path = format!("/cinetpay/v1/payment/{reference}");
        let end = sim.until("an end", || sim.get(&path).bearer_auth(&token), |p| p["code"] != 2_002).await;
        assert_eq!((&end["code"], end.get("description")), (&json!(code), None), "a state is no error");
    }
    let transfer = json!({"currency": "XOF", "merchant_transaction_id": "T-1", "phone_number": "+2250102030405", "amount": 5_000,
        "payment_method": "MOOV_CI", "reason": "Retrait", "notify_url": "http://127.0.0.1:9/none"});
    let (_, made) = send(&sim, &token, "transfer", &transfer).await;
    assert_eq!((&made["amount"], &made["fee_amount"]), (&json!("5000"), &json!("50")));
    sim.until("success", || sim.get("/cinetpay/v1/transfer/T-1").bearer_auth(&token), |p| p["code"] == 100).await;
    let balance: Value =
        sim.get("/cinetpay/v1/balances").bearer_auth(&token).send().await.unwrap().json().await.unwrap();
    assert_eq!(balance["available_balance"], (1_000_000_000 - 5_050).to_string());
    sim.control("clock", json!({"advanceMs": 86_400_000})).await;
    let (status, late) = send(&sim, &token, "transfer", &transfer).await;
    assert_eq!((status, &late["code"]), (StatusCode::UNAUTHORIZED, &json!(1_003)));
    let wrong =
        sim.post("/cinetpay/v1/oauth/login").json(&json!({"api_key": "x", "api_password": "y"})).send().await.unwrap();
    assert_eq!(wrong.json::<Value>().await.unwrap()["code"], 1_005);
}
