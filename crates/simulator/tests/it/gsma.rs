//! GSMA Mobile Money API 1.2.

use crate::harness::{Merchant, Simulator, start};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};

const CORRELATION: &str = "0c2f8a1e-6a35-4a0f-8d52-0d7b5e6f9a11";

fn auth(request: RequestBuilder) -> RequestBuilder {
    request.header("X-API-Key", "gsma-simulator-key").basic_auth("gsma-simulator", Some("gsma-simulator-password"))
}

fn send(sim: &Simulator, kind: &str, amount: &str, correlation: &str) -> RequestBuilder {
    let body = json!({"amount": amount, "currency": "XOF", "debitParty": [{"key": "msisdn", "value": "+2250504030201"}],
        "creditParty": [{"key": "msisdn", "value": "+2250504030201"}], "requestingOrganisationTransactionReference": "HSTL-1"});
    auth(sim.post(&format!("/gsma/1.2/mm/transactions/type/{kind}"))).header("X-CorrelationID", correlation).json(&body)
}

async fn ends(sim: &Simulator, request: &Value) -> Value {
    let path = format!("/gsma/1.2/mm/requeststates/{}", request["serverCorrelationId"].as_str().unwrap());
    sim.until("an end", || auth(sim.get(&path)), |r| r["status"] != "pending").await
}

#[tokio::test]
async fn a_payment_and_the_way_back_to_a_lost_answer() {
    let merchant = Merchant::start().await;
    let sim = start().await;
    let accepted = send(&sim, "merchantpay", "1500", CORRELATION)
        .header("X-Callback-URL", merchant.url("gsma"))
        .send()
        .await
        .unwrap();
    assert_eq!(accepted.status(), StatusCode::ACCEPTED);
    let request: Value = accepted.json().await.unwrap();
    assert_eq!((&request["status"], &request["notificationMethod"]), (&json!("pending"), &json!("callback")));
    let again = send(&sim, "merchantpay", "1500", CORRELATION).send().await.unwrap();
    assert_eq!(again.json::<Value>().await.unwrap()["errorCode"], "DuplicateRequest");
    let done = ends(&sim, &request).await;
    let found: Value =
        auth(sim.get(&format!("/gsma/1.2/mm/responses/{CORRELATION}"))).send().await.unwrap().json().await.unwrap();
    assert_eq!(found["link"], format!("/transactions/{}", done["objectReference"].as_str().unwrap()));
    let path = format!("/gsma/1.2/mm{}", found["link"].as_str().unwrap());
    let transaction: Value = auth(sim.get(&path)).send().await.unwrap().json().await.unwrap();
    assert_eq!((&transaction["transactionStatus"], &transaction["amount"]), (&json!("completed"), &json!("1500")));
    let told = merchant.wait(1).await.remove(0);
    assert_eq!((told.method.as_str(), told.json()), ("PUT", transaction));
    assert_eq!(
        auth(sim.post(&format!("{path}/reversals"))).json(&json!({})).send().await.unwrap().status(),
        StatusCode::ACCEPTED
    );
    assert_eq!(sim.book("gsma").await["collected"], 0);
}

#[tokio::test]
async fn amounts_and_keys_choose() {
    let sim = start().await;
    let poor: Value = send(&sim, "disbursement", "1501", CORRELATION).send().await.unwrap().json().await.unwrap();
    assert_eq!(ends(&sim, &poor).await["error"]["errorCode"], "InsufficientFunds");
    let bare = sim.get("/gsma/1.2/mm/accounts/organisationid/HOSTOLINK/balance").send().await.unwrap();
    assert_eq!(bare.status(), StatusCode::UNAUTHORIZED);
    let wrong = send(&sim, "disbursement", "15.5", "1c2f8a1e-6a35-4a0f-8d52-0d7b5e6f9a11").send().await.unwrap();
    assert_eq!(wrong.json::<Value>().await.unwrap()["errorCode"], "FormatError");
    let zeros: Value = send(&sim, "disbursement", "1500.00", "2c2f8a1e-6a35-4a0f-8d52-0d7b5e6f9a11")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(ends(&sim, &zeros).await["status"], "completed");
    let statement =
        auth(sim.get("/gsma/1.2/mm/accounts/organisationid/HOSTOLINK/transactions?limit=10")).send().await.unwrap();
    assert_eq!(statement.headers()["x-records-returned-count"], "1");
    assert_eq!(sim.book("gsma").await["paidOut"], 1_500);
}
