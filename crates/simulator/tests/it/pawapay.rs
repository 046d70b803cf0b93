//! pawaPay v2.

use crate::harness::{Merchant, Received, Simulator, start, start_for};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::pkcs8::DecodePublicKey as _;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha512};
use simulator::Provider;

const TOKEN: &str = "pawapay-simulator-token";

fn id(n: u32) -> String {
    format!("f4401bd2-1568-4140-bf2d-{n:012}")
}

fn deposit(n: u32, phone: &str) -> Value {
    json!({"depositId": id(n), "amount": "1500", "currency": "XOF", "clientReferenceId": format!("D-{n}"), "customerMessage": "Hostolink",
        "payer": {"type": "MMO", "accountDetails": {"phoneNumber": phone, "provider": "MTN_MOMO_CIV"}}, "metadata": [{"orderId": "ORD-1"}]})
}

fn payout(n: u32, phone: &str) -> Value {
    json!({"payoutId": id(n), "amount": "5000", "currency": "XOF",
        "recipient": {"type": "MMO", "accountDetails": {"phoneNumber": phone, "provider": "ORANGE_CIV"}}})
}

async fn send(sim: &Simulator, what: &str, body: &Value) -> (StatusCode, Value) {
    let answer = sim.post(&format!("/pawapay/v2/{what}")).bearer_auth(TOKEN).json(body).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

async fn ends(sim: &Simulator, what: &str, n: u32) -> Value {
    let path = format!("/pawapay/v2/{what}/{}", id(n));
    let ended = |o: &Value| ["COMPLETED", "FAILED"].contains(&o["data"]["status"].as_str().unwrap_or(""));
    sim.until("an end", || sim.get(&path).bearer_auth(TOKEN), ended).await["data"].clone()
}

/// Verifies as a merchant would: digest of the bytes, then the signature over what the header lists.
async fn verify(sim: &Simulator, merchant: &Merchant, callback: &Received) -> bool {
    let keys: Value = sim.get("/pawapay/v2/public-key/http").send().await.unwrap().json().await.unwrap();
    let input = callback.header("signature-input").strip_prefix("sig-pp=").unwrap();
    let key_id = input.split("keyid=\"").nth(1).unwrap().split('"').next().unwrap();
    let pem = keys.as_array().unwrap().iter().find(|k| k["id"] == key_id).unwrap()["key"].as_str().unwrap();
    let digest = format!("sha-512=:{}:", STANDARD.encode(Sha512::digest(&callback.body)));
    assert_eq!(callback.header("content-digest"), digest);
    let authority = merchant.url("").replace("http://", "").replace("/hooks/", "");
    let base = format!(
        "\"@method\": POST\n\"@authority\": {authority}\n\"@path\": {}\n\"signature-date\": {}\n\"content-digest\": {digest}\n\"content-type\": application/json\n\"@signature-params\": {input}",
        callback.path,
        callback.header("signature-date")
    );
    let signature = callback.header("signature").trim_start_matches("sig-pp=:").trim_end_matches(':');
    let signature = Signature::from_der(&STANDARD.decode(signature).unwrap()).expect("DER, as pawaPay really sends it");
    VerifyingKey::from_public_key_pem(pem).unwrap().verify(base.as_bytes(), &signature).is_ok()
}

#[tokio::test]
async fn deposits_payouts_and_refunds_are_made_once() {
    let merchant = Merchant::start().await;
    let sim = start_for(&merchant, &[Provider::Pawapay]).await;
    let missing: Value = sim
        .get(&format!("/pawapay/v2/deposits/{}", id(1)))
        .bearer_auth(TOKEN)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(missing, json!({"status": "NOT_FOUND"}));
    let (status, accepted) = send(&sim, "deposits", &deposit(1, "2250503456789")).await;
    assert_eq!(
        (status, &accepted["status"], &accepted["nextStep"]),
        (StatusCode::OK, &json!("ACCEPTED"), &json!("FINAL_STATUS"))
    );
    assert_eq!(send(&sim, "deposits", &deposit(1, "2250503456789")).await.1["status"], "DUPLICATE_IGNORED");
    let done = ends(&sim, "deposits", 1).await;
    assert_eq!((&done["status"], &done["metadata"]["orderId"]), (&json!("COMPLETED"), &json!("ORD-1")));
    send(&sim, "payouts", &payout(2, "2250703456789")).await;
    assert_eq!(ends(&sim, "payouts", 2).await["status"], "COMPLETED");
    let refund = |n| json!({"refundId": id(n), "depositId": id(1), "amount": "1500", "currency": "XOF"});
    send(&sim, "refunds", &refund(3)).await;
    assert_eq!(ends(&sim, "refunds", 3).await["status"], "COMPLETED");
    assert_eq!(send(&sim, "refunds", &refund(4)).await.1["status"], "REJECTED");
    let book = sim.book("pawapay").await;
    assert_eq!((&book["collected"], &book["paidOut"], &book["balanced"]), (&json!(1_500), &json!(6_500), &json!(true)));
    for callback in merchant.wait(3).await {
        assert!(verify(&sim, &merchant, &callback).await);
    }
}

#[tokio::test]
async fn keys_rotate_and_thieves_do_not_pass() {
    let merchant = Merchant::start().await;
    let sim = start_for(&merchant, &[Provider::Pawapay]).await;
    send(&sim, "deposits", &deposit(1, "2250503456789")).await;
    let old = merchant.wait(1).await.remove(0);
    sim.control("rotate", json!({})).await;
    send(&sim, "deposits", &deposit(2, "2250503456789")).await;
    let new = merchant.wait(2).await.remove(1);
    assert_ne!(
        old.header("signature-input").split("keyid").nth(1).unwrap().get(..25),
        new.header("signature-input").split("keyid").nth(1).unwrap().get(..25)
    );
    assert!(verify(&sim, &merchant, &old).await && verify(&sim, &merchant, &new).await);
    sim.control("forge", json!({"provider": "pawapay", "reference": "D-2"})).await;
    let forged = merchant.wait(3).await.remove(2);
    assert!(!verify(&sim, &merchant, &forged).await);
}

#[tokio::test]
async fn numbers_and_fields_choose() {
    let sim = start().await;
    for (n, (last, code)) in
        (1..).zip([("029", "PAYER_NOT_FOUND"), ("039", "PAYMENT_NOT_APPROVED"), ("069", "UNSPECIFIED_FAILURE")])
    {
        send(&sim, "deposits", &deposit(n, &format!("2250503456{last}"))).await;
        assert_eq!(ends(&sim, "deposits", n).await["failureReason"]["failureCode"], code);
    }
    send(&sim, "payouts", &payout(9, "2250703456089")).await;
    assert_eq!(ends(&sim, "payouts", 9).await["failureReason"]["failureCode"], "RECIPIENT_NOT_FOUND");
    send(&sim, "payouts", &payout(10, "2250703456139")).await;
    let path = format!("/pawapay/v2/payouts/{}", id(10));
    let queued: Value = sim.get(&path).bearer_auth(TOKEN).send().await.unwrap().json().await.unwrap();
    assert_eq!(queued["data"]["status"], "ENQUEUED");
    send(&sim, &format!("payouts/fail-enqueued/{}", id(10)), &json!({})).await;
    assert_eq!(ends(&sim, "payouts", 10).await["status"], "FAILED");

    let mut wrong = deposit(20, "2250503456789");
    wrong["amount"] = json!("15.50");
    let (status, rejected) = send(&sim, "deposits", &wrong).await;
    assert_eq!(
        (status, &rejected["status"], &rejected["failureReason"]["failureCode"]),
        (StatusCode::OK, &json!("REJECTED"), &json!("INVALID_AMOUNT"))
    );
    wrong["amount"] = json!("1500");
    wrong["preAuthorisationCode"] = json!("1234");
    assert_eq!(send(&sim, "deposits", &wrong).await.1["failureReason"]["failureCode"], "UNSUPPORTED_PARAMETER");
    wrong["payer"]["accountDetails"]["provider"] = json!("ORANGE_CIV");
    assert_eq!(send(&sim, "deposits", &wrong).await.1["status"], "ACCEPTED", "a rejected id may be used again");
    wrong["depositId"] = json!(id(21));
    wrong["preAuthorisationCode"] = json!(null);
    assert_eq!(send(&sim, "deposits", &wrong).await.0, StatusCode::BAD_REQUEST);
    let bare = sim.post("/pawapay/v2/deposits").json(&wrong).send().await.unwrap();
    assert_eq!(bare.status(), StatusCode::UNAUTHORIZED);
}
