//! Moov's SOAP.

use crate::harness::{Simulator, start, start_with};
use simulator::{Credentials, MoovKeys, Options};
use std::time::Duration;

/// The token of section "known answers": key, user and password of the keys below.
const TOKEN: &str = "8C7gvROPN8C1rAHV/G6edA==";

async fn moov() -> Simulator {
    let moov = MoovKeys {
        username: "demo".to_owned(),
        password: "secret".to_owned(),
        aes_key: "0123456789ABCDEF0123456789ABCDEF".to_owned(),
    };
    let credentials = Credentials { moov, ..Credentials::default() };
    start_with(Options { credentials, auto_approve_after: Some(Duration::from_millis(50)), ..Options::default() }).await
}

async fn call(sim: &Simulator, operation: &str, inner: &str) -> String {
    let envelope = format!(
        r#"<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:api="http://api.merchant.tlc.com/"><soapenv:Header/><soapenv:Body><api:{operation}>{inner}</api:{operation}></soapenv:Body></soapenv:Envelope>"#
    );
    let request = sim.post("/moov/com.tlc.merchant.api/UssdPush").header("content-type", "text/xml").body(envelope);
    request.send().await.unwrap().text().await.unwrap()
}

fn field<'a>(xml: &'a str, name: &str) -> &'a str {
    xml.split(&format!("<{name}>")).nth(1).and_then(|rest| rest.split("</").next()).unwrap_or("")
}

async fn push(sim: &Simulator, number: &str, reference: &str) -> String {
    let inner = format!(
        "<token>{TOKEN}</token><msisdn>{number}</msisdn><message>Depot</message><amount>1500</amount><externaldata1>{reference}</externaldata1><externaldata2></externaldata2><fee>0</fee>"
    );
    call(sim, "PushWithPending", &inner).await
}

async fn ends(sim: &Simulator, id: &str) -> String {
    for _ in 0..100 {
        let answer = call(
            sim,
            "getTransactionStatus",
            &format!("<token>{TOKEN}</token><request><transid>{id}</transid></request>"),
        )
        .await;
        if field(&answer, "status") != "100" {
            return field(&answer, "status").to_owned();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{id} stays pending");
}

async fn transfer(sim: &Simulator, number: &str) -> String {
    let inner = format!(
        "<token>{TOKEN}</token><request><destination>{number}</destination><amount>5000</amount><referenceid>W-1</referenceid><walletid>0</walletid><extendeddata></extendeddata></request>"
    );
    call(sim, "transferFlooz", &inner).await
}

#[tokio::test]
async fn a_push_is_pending_then_paid_or_not() {
    let sim = moov().await;
    let accepted = push(&sim, "2250102030405", "D-1").await;
    assert_eq!(
        (field(&accepted, "status"), field(&accepted, "description"), field(&accepted, "transid")),
        ("100", "PENDING", "D-1")
    );
    assert!(accepted.contains("<ns2:PushWithPendingResponse"));
    assert_eq!(ends(&sim, "D-1").await, "0");
    assert_eq!(ends(&sim, field(&accepted, "referenceid")).await, "0", "by either id");
    push(&sim, "2250102030410", "D-2").await;
    assert_eq!(ends(&sim, "D-2").await, "10");
    push(&sim, "2250102030492", "D-3").await;
    assert_eq!(ends(&sim, "D-3").await, "92");
    assert_eq!(field(&push(&sim, "2250102030499", "D-4").await, "status"), "99");
    assert_eq!(ends(&sim, "D-4").await, "0", "it went on all the same");
    assert_eq!(ends(&sim, "nothing").await, "94");
    assert_eq!(sim.book("moov").await["collected"], 3_000);
}

#[tokio::test]
async fn a_transfer_repeated_pays_twice() {
    let sim = moov().await;
    let first = transfer(&sim, "2250102030405").await;
    assert_eq!((field(&first, "status"), field(&first, "referenceid")), ("0", "W-1"));
    assert_eq!(field(&first, "senderbalanceafter"), (1_000_000_000 - 5_000).to_string());
    transfer(&sim, "2250102030405").await;
    assert_eq!(sim.book("moov").await["paidOut"], 10_000);
    assert_eq!(field(&transfer(&sim, "2250102030499").await, "status"), "99");
    assert_eq!(sim.book("moov").await["paidOut"], 15_000, "paid, whatever it said");
    sim.fault(serde_json::json!({"provider": "moov", "operation": "payout", "kind": "status_500"})).await;
    assert_eq!(field(&push(&sim, "2250102030405", "P").await, "status"), "100", "a push is no payout");
    assert!(transfer(&sim, "2250102030405").await.contains("internal error"));
    assert_eq!(sim.book("moov").await["paidOut"], 15_000);
}

#[tokio::test]
async fn the_token_is_checked() {
    let sim = start().await;
    assert_eq!(field(&push(&sim, "2250102030405", "X").await, "status"), "98");
    let broken = sim.post("/moov/com.tlc.merchant.api/UssdPush").body("<a>").send().await.unwrap();
    assert!(broken.text().await.unwrap().contains("soap:Fault"));
}
