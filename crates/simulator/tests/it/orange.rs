//! Orange: OAuth, Web Payment, SMS.

use crate::harness::{Merchant, Simulator, start, start_for};
use reqwest::StatusCode;
use serde_json::{Value, json};
use simulator::Provider;

async fn token(sim: &Simulator) -> String {
    let request = sim.post("/orange/oauth/v3/token").basic_auth("simulator-client", Some("simulator-secret"));
    let answer: Value =
        request.form(&[("grant_type", "client_credentials")]).send().await.unwrap().json().await.unwrap();
    assert_eq!((&answer["token_type"], &answer["expires_in"]), (&json!("Bearer"), &json!(3_600)));
    answer["access_token"].as_str().unwrap().to_owned()
}

async fn order(sim: &Simulator, token: &str, merchant: &Merchant, id: &str) -> (StatusCode, Value) {
    let body = json!({"merchant_key": "simulator-merchant", "currency": "XOF", "order_id": id, "amount": 1500,
        "return_url": "https://a.example/ok", "cancel_url": "https://a.example/ko", "notif_url": merchant.url("orange"),
        "lang": "fr", "reference": "Hostolink"});
    let request = sim.post("/orange/orange-money-webpay/ci/v1/webpayment").bearer_auth(token).json(&body);
    let answer = request.send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

fn status(sim: &Simulator, token: &str, made: &Value, id: &str, amount: i64) -> reqwest::RequestBuilder {
    let body = json!({"order_id": id, "amount": amount, "pay_token": made["pay_token"]});
    sim.post("/orange/orange-money-webpay/ci/v1/transactionstatus").bearer_auth(token).json(&body)
}

#[tokio::test]
async fn a_payment_by_code() {
    let merchant = Merchant::start().await;
    let sim = start().await;
    sim.control("auto_approve", json!({"afterMs": null})).await;
    let token = token(&sim).await;
    let (created, made) = order(&sim, &token, &merchant, "O-1").await;
    assert_eq!((created, &made["status"]), (StatusCode::CREATED, &json!(201)));
    let (reused, why) = order(&sim, &token, &merchant, "O-1").await;
    assert_eq!((reused, &why["code"]), (StatusCode::BAD_REQUEST, &json!(1_204)));
    let first = status(&sim, &token, &made, "O-1", 1_500).send().await.unwrap();
    assert_eq!(first.status(), StatusCode::CREATED);
    assert_eq!(first.json::<Value>().await.unwrap()["status"], "INITIATED");
    assert_eq!(status(&sim, &token, &made, "O-1", 1_501).send().await.unwrap().status(), StatusCode::NOT_FOUND);
    let page = made["payment_url"].as_str().unwrap();
    let typed = sim.client.post(page).form(&[("action", "pay"), ("msisdn", "2250708091011"), ("otp", "1234")]);
    assert_eq!(typed.send().await.unwrap().headers()["location"], "https://a.example/ok");
    let seen: Value = status(&sim, &token, &made, "O-1", 1_500).send().await.unwrap().json().await.unwrap();
    assert_eq!(seen["status"], "PENDING");
    let done = sim.until("success", || status(&sim, &token, &made, "O-1", 1_500), |s| s["status"] == "SUCCESS").await;
    let told = merchant.wait(1).await.remove(0).json();
    assert_eq!(told, json!({"status": "SUCCESS", "notif_token": made["notif_token"], "txnid": done["txnid"]}));
    assert_eq!(sim.book("orange").await["collected"], 1_500);
}

#[tokio::test]
async fn a_wrong_code_fails_and_no_code_expires() {
    let merchant = Merchant::start().await;
    let sim = start().await;
    sim.control("auto_approve", json!({"afterMs": null})).await;
    let token = token(&sim).await;
    let (_, made) = order(&sim, &token, &merchant, "F").await;
    let page = made["payment_url"].as_str().unwrap();
    sim.client
        .post(page)
        .form(&[("action", "pay"), ("msisdn", "2250708091011"), ("otp", "0000")])
        .send()
        .await
        .unwrap();
    sim.until("failure", || status(&sim, &token, &made, "F", 1_500), |s| s["status"] == "FAILED").await;
    let (_, made) = order(&sim, &token, &merchant, "E").await;
    sim.control("clock", json!({"advanceMs": 601_000})).await;
    sim.until("expiry", || status(&sim, &token, &made, "E", 1_500), |s| s["status"] == "EXPIRED").await;
    sim.control("clock", json!({"advanceMs": 3_600_000})).await;
    let late: Value = status(&sim, &token, &made, "E", 1_500).send().await.unwrap().json().await.unwrap();
    assert_eq!(late["code"], 42);
}

#[tokio::test]
async fn fifty_tokens_a_minute() {
    let sim = start().await;
    let mut refused = 0;
    for _ in 0..120 {
        let request = sim.post("/orange/oauth/v3/token").basic_auth("simulator-client", Some("simulator-secret"));
        let answer = request.form(&[("grant_type", "client_credentials")]).send().await.unwrap();
        refused += u32::from(answer.status() == StatusCode::TOO_MANY_REQUESTS);
    }
    // A minute may end in the middle: two minutes let a hundred through.
    assert!((20..=70).contains(&refused), "{refused}");
}

#[tokio::test]
async fn a_message_is_accepted_then_delivered_or_not() {
    let merchant = Merchant::start().await;
    let sim = start_for(&merchant, &[Provider::Orange]).await;
    let token = token(&sim).await;
    let send = |number: &str| {
        let body = json!({"outboundSMSMessageRequest": {"address": format!("tel:{number}"), "senderAddress": "tel:+2250000",
            "senderName": "HOSTOLINK", "outboundSMSTextMessage": {"message": "Votre code est 482913."}}});
        sim.post("/orange/smsmessaging/v1/outbound/tel%3A%2B2250000/requests").bearer_auth(&token).json(&body).send()
    };
    let sent = send("+2250708091011").await.unwrap();
    assert_eq!(sent.status(), StatusCode::CREATED);
    let echo: Value = sent.json().await.unwrap();
    let id = echo["outboundSMSMessageRequest"]["resourceURL"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let receipt = merchant.wait(1).await.remove(0).json();
    assert_eq!(receipt["deliveryInfoNotification"]["callbackData"], json!(id));
    assert_eq!(receipt["deliveryInfoNotification"]["deliveryInfo"]["deliveryStatus"], "DeliveredToTerminal");
    let broke = send("+2250708091093").await.unwrap();
    assert_eq!(broke.status(), StatusCode::FORBIDDEN);
    assert_eq!(broke.json::<Value>().await.unwrap()["requestError"]["policyException"]["messageId"], "POL0050");
    let kept: Value = sim.get("/_control/messages").send().await.unwrap().json().await.unwrap();
    assert_eq!(
        (&kept["messages"][0]["to"], &kept["messages"][0]["text"]),
        (&json!("+2250708091011"), &json!("Votre code est 482913."))
    );
}
