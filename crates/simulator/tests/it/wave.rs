//! Wave Business.

use crate::harness::{Merchant, Simulator, start, start_for, start_with};
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use sha2::Sha256;
use simulator::{Credentials, Options, Provider, WaveKeys};

const KEY: &str = "wave_ci_test_simulator";

fn session_body(amount: &str, reference: &str) -> Value {
    json!({"amount": amount, "currency": "XOF", "client_reference": reference,
        "success_url": "https://app.example/ok", "error_url": "https://app.example/ko"})
}

fn payout_body(amount: &str, reference: &str) -> Value {
    json!({"currency": "XOF", "receive_amount": amount, "mobile": "+2250708091011", "client_reference": reference})
}

async fn open(sim: &Simulator, body: &Value) -> Value {
    let answer = sim.post("/wave/v1/checkout/sessions").bearer_auth(KEY).json(body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    answer.json().await.unwrap()
}

fn read(sim: &Simulator, session: &Value) -> RequestBuilder {
    sim.get(&format!("/wave/v1/checkout/sessions/{}", session["id"].as_str().unwrap())).bearer_auth(KEY)
}

fn payout(sim: &Simulator, key: &str, body: &Value) -> RequestBuilder {
    sim.post("/wave/v1/payout").bearer_auth(KEY).header("idempotency-key", key).json(body)
}

/// The status and the code of an answer that is an error.
async fn refused(request: RequestBuilder) -> (u16, String) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap();
    (status, body["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_session_is_paid_and_the_books_follow() {
    let merchant = Merchant::start().await;
    let sim = start_for(&merchant, &[Provider::Wave]).await;
    let session = open(&sim, &session_body("1500", "DEP-1")).await;
    assert_eq!((&session["checkout_status"], &session["payment_status"]), (&json!("open"), &json!("processing")));
    assert!(session["wave_launch_url"].as_str().unwrap().ends_with(session["id"].as_str().unwrap()));

    let done = sim.until("payment", || read(&sim, &session), |s| s["checkout_status"] == "complete").await;
    assert_eq!(done["payment_status"], "succeeded");
    let transaction = done["transaction_id"].as_str().unwrap();

    let by_transaction = sim.get(&format!("/wave/v1/checkout/sessions?transaction_id={transaction}"));
    let by_transaction: Value = by_transaction.bearer_auth(KEY).send().await.unwrap().json().await.unwrap();
    assert_eq!(by_transaction["id"], session["id"]);
    let found = sim.get("/wave/v1/checkout/sessions/search?client_reference=DEP-1").bearer_auth(KEY);
    let found: Value = found.send().await.unwrap().json().await.unwrap();
    assert_eq!(found["result"][0]["id"], session["id"]);

    let book = sim.book("wave").await;
    assert_eq!(book["float"].as_i64().unwrap() - book["floatOpening"].as_i64().unwrap(), 1_500);
    assert_eq!(book["balanced"], true);

    let event = merchant.wait(1).await.remove(0);
    let body = event.json();
    assert_eq!((&body["type"], &body["data"]), (&json!("checkout.session.completed"), &done));
    let header = event.header("wave-signature");
    let (time, signature) = header.split_once(",v1=").unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(b"wave_ci_WHS_simulator").unwrap();
    mac.update(time.strip_prefix("t=").unwrap().as_bytes());
    mac.update(&event.body);
    assert_eq!(signature, hex::encode(mac.finalize().into_bytes()));
}

#[tokio::test]
async fn the_key_is_checked_and_the_fields_too() {
    let sim = start().await;
    let path = "/wave/v1/checkout/sessions";
    let body = session_body("1500", "X");
    assert_eq!(refused(sim.post(path).json(&body)).await, (401, "missing-auth-header".into()));
    assert_eq!(
        refused(sim.post(path).header("authorization", "Basic eA==").json(&body)).await,
        (401, "invalid-auth".into())
    );
    assert_eq!(refused(sim.post(path).bearer_auth("other").json(&body)).await, (401, "no-matching-api-key".into()));
    for (field, value) in
        [("amount", json!("15.00")), ("amount", json!(1500)), ("amount", json!("0")), ("success_url", json!("ftp://x"))]
    {
        let mut wrong = body.clone();
        wrong[field] = value;
        let answer = refused(sim.post(path).bearer_auth(KEY).json(&wrong)).await;
        assert_eq!(answer, (400, "request-validation-error".into()), "{wrong}");
    }
    assert_eq!(refused(sim.post(path).bearer_auth(KEY).body("{")).await, (400, "request-not-json".into()));
    assert_eq!(refused(payout(&sim, "", &payout_body("500", "P"))).await, (400, "request-validation-error".into()));
    let unknown = sim.get("/wave/v1/checkout/sessions/cos-none").bearer_auth(KEY);
    assert_eq!(refused(unknown).await, (404, "checkout-session-not-found".into()));
}

#[tokio::test]
async fn a_key_that_demands_signatures_gets_them() {
    let wave = WaveKeys { request_signing_secret: Some("wave_ci_AKS_x".to_owned()), ..WaveKeys::default() };
    let sim =
        start_with(Options { credentials: Credentials { wave, ..Credentials::default() }, ..Options::default() }).await;
    let bare = sim.get("/wave/v1/balance").bearer_auth(KEY);
    assert_eq!(refused(bare).await, (401, "invalid-auth".into()));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs().to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(b"wave_ci_AKS_x").unwrap();
    mac.update(now.as_bytes());
    let header = format!("t={now},v1={}", hex::encode(mac.finalize().into_bytes()));
    let signed = sim.get("/wave/v1/balance").bearer_auth(KEY).header("wave-signature", header).send().await.unwrap();
    assert_eq!(signed.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_payout_is_made_once_whatever_is_repeated() {
    let sim = start().await;
    let body = payout_body("5000", "WDR-1");
    let calls = (0..8).map(|_| payout(&sim, "key-1", &body).send());
    let mut answers = Vec::new();
    for call in calls.map(tokio::spawn).collect::<Vec<_>>() {
        answers.push(call.await.unwrap().unwrap().json::<Value>().await.unwrap());
    }
    assert_eq!((&answers[0]["status"], &answers[0]["fee"]), (&json!("succeeded"), &json!("50")));
    assert!(answers.iter().all(|a| a == &answers[0]));
    assert_eq!(
        refused(payout(&sim, "key-1", &payout_body("6000", "WDR-1"))).await,
        (409, "idempotency-mismatch".into())
    );
    // Two keys with one body are two payouts.
    assert_eq!(payout(&sim, "key-2", &body).send().await.unwrap().status(), StatusCode::OK);
    let found = sim.get("/wave/v1/payouts/search?client_reference=WDR-1").bearer_auth(KEY).send().await.unwrap();
    assert_eq!(found.json::<Value>().await.unwrap()["result"].as_array().unwrap().len(), 2);
    let book = sim.book("wave").await;
    assert_eq!((&book["paidOut"], &book["fees"], &book["balanced"]), (&json!(10_000), &json!(100), &json!(true)));
}

#[tokio::test]
async fn amounts_choose_what_goes_wrong() {
    let sim = start().await;
    for (amount, code) in [("5001", "insufficient-funds"), ("5002", "recipient-limit-exceeded")] {
        let body = payout_body(amount, amount);
        assert_eq!(refused(payout(&sim, amount, &body)).await, (422, code.into()));
        assert_eq!(refused(payout(&sim, amount, &body)).await, (422, code.into()), "the same again");
    }
    let body = payout_body("5003", "lost");
    assert_eq!(refused(payout(&sim, "lost", &body)).await.0, 503);
    let again: Value = payout(&sim, "lost", &body).send().await.unwrap().json().await.unwrap();
    assert_eq!(again["status"], "succeeded", "it had been executed");
    let stays: Value = payout(&sim, "stay", &payout_body("5004", "stay")).send().await.unwrap().json().await.unwrap();
    assert_eq!(stays["status"], "processing");
    let approved = sim.control("approve", json!({"provider": "wave", "reference": "stay"})).await;
    assert_eq!(approved.json::<Value>().await.unwrap()["state"], "succeeded");
    assert_eq!(sim.book("wave").await["paidOut"], 5_003 + 5_004);

    let session = open(&sim, &session_body("2001", "poor")).await;
    let failed = sim.until("failure", || read(&sim, &session), |s| !s["last_payment_error"].is_null()).await;
    assert_eq!((&failed["checkout_status"], &failed["payment_status"]), (&json!("open"), &json!("cancelled")));
    assert_eq!(failed["last_payment_error"]["code"], "insufficient-funds");
}

#[tokio::test]
async fn money_comes_back_once() {
    let sim = start().await;
    let paid: Value = payout(&sim, "k", &payout_body("5000", "R")).send().await.unwrap().json().await.unwrap();
    let reverse = format!("/wave/v1/payout/{}/reverse", paid["id"].as_str().unwrap());
    for _ in 0..2 {
        assert_eq!(sim.post(&reverse).bearer_auth(KEY).send().await.unwrap().status(), StatusCode::OK);
    }
    let old: Value = payout(&sim, "old", &payout_body("7000", "R2")).send().await.unwrap().json().await.unwrap();
    sim.control("clock", json!({"advanceMs": 3 * 24 * 3_600 * 1_000 + 1_000})).await;
    let late = sim.post(&format!("/wave/v1/payout/{}/reverse", old["id"].as_str().unwrap())).bearer_auth(KEY);
    assert_eq!(refused(late).await, (422, "payout-reversal-time-limit-exceeded".into()));

    let session = open(&sim, &session_body("1500", "D")).await;
    let refund = format!("/wave/v1/checkout/sessions/{}/refund", session["id"].as_str().unwrap());
    assert_eq!(refused(sim.post(&refund).bearer_auth(KEY)).await, (400, "checkout-refund-failed".into()));
    sim.until("payment", || read(&sim, &session), |s| s["checkout_status"] == "complete").await;
    for _ in 0..2 {
        assert_eq!(sim.post(&refund).bearer_auth(KEY).send().await.unwrap().status(), StatusCode::OK);
    }
    let book = sim.book("wave").await;
    assert_eq!((&book["collected"], &book["paidOut"], &book["balanced"]), (&json!(0), &json!(7_000), &json!(true)));
}

#[tokio::test]
async fn sessions_expire_and_the_last_second_still_counts() {
    let sim = start_with(Options { auto_approve_after: None, ..Options::default() }).await;
    let session = open(&sim, &session_body("1500", "E")).await;
    let expire = format!("/wave/v1/checkout/sessions/{}/expire", session["id"].as_str().unwrap());
    assert_eq!(sim.post(&expire).bearer_auth(KEY).send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(sim.post(&expire).bearer_auth(KEY).send().await.unwrap().status(), StatusCode::CONFLICT);
    let old = open(&sim, &session_body("1600", "F")).await;
    sim.control("clock", json!({"advanceMs": 31 * 60 * 1_000})).await;
    sim.until("expiry", || read(&sim, &old), |s| s["checkout_status"] == "expired").await;
    sim.control("approve", json!({"provider": "wave", "reference": "F"})).await;
    let late: Value = read(&sim, &old).send().await.unwrap().json().await.unwrap();
    assert_eq!((&late["checkout_status"], &late["payment_status"]), (&json!("complete"), &json!("succeeded")));
}

#[tokio::test]
async fn the_statement_and_the_balance_agree() {
    let sim = start().await;
    for n in 0..3 {
        let body = payout_body("1000", &format!("S{n}"));
        assert_eq!(payout(&sim, &n.to_string(), &body).send().await.unwrap().status(), StatusCode::OK);
    }
    let first: Value =
        sim.get("/wave/v1/transactions?first=2").bearer_auth(KEY).send().await.unwrap().json().await.unwrap();
    assert_eq!(first["page_info"]["has_next_page"], true);
    let after = first["page_info"]["end_cursor"].as_str().unwrap();
    let rest = sim.get(&format!("/wave/v1/transactions?after={after}")).bearer_auth(KEY);
    let rest: Value = rest.send().await.unwrap().json().await.unwrap();
    assert_eq!((first["items"].as_array().unwrap().len(), rest["items"].as_array().unwrap().len()), (2, 1));
    let last = &rest["items"][0];
    assert_eq!(
        (&last["transaction_type"], &last["amount"], &last["fee"]),
        (&json!("api_payout"), &json!("-1000"), &json!("10"))
    );
    let balance: Value = sim.get("/wave/v1/balance").bearer_auth(KEY).send().await.unwrap().json().await.unwrap();
    assert_eq!(balance["amount"], last["balance"]);
}

#[tokio::test]
async fn a_batch_is_paid_and_a_recipient_is_checked() {
    let sim = start().await;
    let batch = json!({"payouts": [payout_body("500", "B1"), payout_body("502", "B2")]});
    let send = || sim.post("/wave/v1/payout-batch").bearer_auth(KEY).header("idempotency-key", "b").json(&batch).send();
    let made: Value = send().await.unwrap().json().await.unwrap();
    assert_eq!(send().await.unwrap().json::<Value>().await.unwrap(), made);
    let path = format!("/wave/v1/payout-batch/{}", made["id"].as_str().unwrap());
    let done = sim.until("batch", || sim.get(&path).bearer_auth(KEY), |b| b["status"] == "complete").await;
    assert_eq!((&done["payouts"][0]["status"], &done["payouts"][1]["status"]), (&json!("succeeded"), &json!("failed")));
    assert_eq!(done["payouts"][1]["payout_error"]["error_code"], "recipient-limit-exceeded");
    let who = json!({"mobile": "+2250708091011", "amount": "500", "currency": "XOF", "name": "Personne Inconnue"});
    let check = sim.post("/wave/v1/verify_recipient/").bearer_auth(KEY).json(&who).send().await.unwrap();
    assert_eq!(
        check.json::<Value>().await.unwrap(),
        json!({"within_limits": true, "name_match": "NO_MATCH", "national_id_match": null})
    );
}

#[tokio::test]
async fn a_person_pays_on_the_page() {
    let merchant = Merchant::start().await;
    let sim = start_for(&merchant, &[Provider::Wave]).await;
    sim.control("auto_approve", json!({"afterMs": null})).await;
    let mut body = session_body("1500", "<script>");
    body["restrict_payer_mobile"] = json!("+2250700000009");
    let session = open(&sim, &body).await;
    let page = session["wave_launch_url"].as_str().unwrap();
    let act = |form: Value| sim.client.post(page).form(&form).send();
    let html = sim.client.get(page).send().await.unwrap().text().await.unwrap();
    assert!(html.contains("1500 F CFA") && html.contains("Payer") && html.contains("Refuser"));
    let wrong = act(json!({"action": "pay", "mobile": "+2250700000001"})).await.unwrap();
    assert_eq!(wrong.headers()["location"], "https://app.example/ko");
    let failed: Value = read(&sim, &session).send().await.unwrap().json().await.unwrap();
    assert_eq!(failed["last_payment_error"]["code"], "payer-mobile-mismatch");
    let right = act(json!({"action": "pay", "mobile": "+2250700000009"})).await.unwrap();
    assert_eq!(right.headers()["location"], "https://app.example/ok");
    let foreign = sim.client.post(page).header("origin", "https://evil.example").form(&[("action", "pay")]).send();
    assert_eq!(foreign.await.unwrap().status(), StatusCode::FORBIDDEN);
    let events = merchant.wait(2).await;
    let kinds: Vec<_> = events.iter().map(|e| e.json()["type"].as_str().unwrap().to_owned()).collect();
    assert!(kinds.contains(&"checkout.session.payment_failed".to_owned()), "{kinds:?}");
    let state = sim.get("/").send().await.unwrap().text().await.unwrap();
    assert!(state.contains("&lt;script&gt;") && !state.contains("<script>"));
}

#[tokio::test]
async fn somebody_scans_our_code() {
    let merchant = Merchant::start().await;
    let sim = start_for(&merchant, &[Provider::Wave]).await;
    sim.control("receive", json!({"provider": "wave", "amount": 700, "sender": "+2250700000002"})).await;
    let event = merchant.wait(1).await.remove(0).json();
    assert_eq!((&event["type"], &event["data"]["amount"]), (&json!("merchant.payment_received"), &json!("700")));
}
