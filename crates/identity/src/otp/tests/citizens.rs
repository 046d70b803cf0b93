//! The citizens' document, sentence by sentence.

use axum::body::Body;
use axum::http::Request;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::testing;
use crate::tests::{House, at_once, text, with_status};

const MISSING: &str = "Champs requis manquants";
const UNKNOWN: &str = "Numéro de téléphone introuvable ou non associé à un Citoyen";
const EXISTS: &str = "Un OTP existe déjà pour ce numéro. Utilisez le type 'resend' pour régénérer.";
const NONE: &str = "Aucun OTP n'existe pour ce numéro. Utilisez le type 'create' pour en générer un.";
const TYPE: &str = "Type d'opération invalide. Utilisez 'create' ou 'resend'.";

async fn ask(house: &House, kind: &str, number: &str) -> testkit::Answer {
    house.client.post("/otp", json!({"type": kind, "phoneNumber": number})).await
}

fn refused(answer: &testkit::Answer, message: &str) {
    assert_eq!(answer.status.as_u16(), 400, "{}", answer.body);
    assert_eq!((&answer.body["status"], &answer.body["message"]), (&json!("error"), &json!(message)));
    assert_eq!(answer.body["data"], Value::Null);
}

#[tokio::test]
async fn the_examples_of_the_document() {
    let house = House::new().await;
    house.register("0123456789").await;
    let created = ask(&house, "create", "0123456789").await;
    assert_eq!(created.status.as_u16(), 201);
    assert_eq!(
        (&created.body["status"], &created.body["message"]),
        (&json!("success"), &json!("OTP créé avec succès"))
    );
    let data = created.body["data"].clone();
    assert_eq!(data.as_object().unwrap().keys().collect::<Vec<_>>(), ["phoneNumber", "otp", "expiresAt"]);
    assert_eq!(data["phoneNumber"], "0123456789", "as it was sent");
    let first = text(&data["otp"]);
    assert!(first.len() == 5 && first.bytes().all(|byte| byte.is_ascii_digit()), "{first}");
    assert!(
        text(&data["expiresAt"]).ends_with('Z') && text(&data["expiresAt"]).len() == "2024-11-28T13:45:00.000Z".len()
    );

    let resent = ask(&house, "resend", "0123456789").await;
    assert_eq!(resent.status.as_u16(), 200);
    assert_eq!(resent.body["message"], "OTP régénéré avec succès");
    let second = text(&resent.body["data"]["otp"]);
    if first != second {
        house.verify("0123456789", "citizen", &first).await.code(401);
    }
    house.verify("0123456789", "citizen", &second).await.data(200);
    refused(&ask(&house, "resend", "0123456789").await, NONE);
    refused(&ask(&house, "resend", "9876543210").await, UNKNOWN);
}

#[tokio::test]
async fn both_addresses_answer_the_same_in_every_language() {
    let house = House::new().await;
    house.register("0123456789").await;
    let english = house.client.with("accept-language", "en");
    let body = json!({"type": "create", "phoneNumber": "+225 01 23 45 67 89"});
    let created = english.post("/api/otp", body.clone()).await;
    assert_eq!(created.body["message"], "OTP créé avec succès");
    assert_eq!(created.data(201)["phoneNumber"], "+225 01 23 45 67 89");
    refused(&english.post("/otp", body).await, EXISTS);
}

#[tokio::test]
async fn refusals_come_in_the_documents_order() {
    let house = House::new().await;
    house.register("0123456789").await;
    sqlx::query("INSERT INTO utilisateur (telephone, type_utilisateur) VALUES ('+2250123456780', 'AGENT')")
        .execute(house.pool())
        .await
        .unwrap();
    for body in [
        json!({}),
        json!([]),
        json!("create"),
        json!({"type": "create"}),
        json!({"phoneNumber": "0123456789"}),
        json!({"type": "", "phoneNumber": "0123456789"}),
        json!({"type": "create", "phoneNumber": "  "}),
        json!({"type": "create", "phoneNumber": 123456789}),
        json!({"type": 1, "phoneNumber": "0123456789"}),
        json!({"type": null, "phoneNumber": null}),
    ] {
        refused(&house.client.post("/otp", body).await, MISSING);
    }
    refused(&ask(&house, "delete", "0123456789").await, TYPE);
    refused(&ask(&house, "Create", "rien").await, TYPE);
    for number in ["9876543210", "0123456788", "0123456780", "rien", "awa@example.ci", "01234567", "01 23 45 67 8O"] {
        refused(&ask(&house, "create", number).await, UNKNOWN);
        refused(&ask(&house, "resend", number).await, UNKNOWN);
    }
    refused(&ask(&house, "resend", "0123456789").await, NONE);
    let answer = ask(&house, "create", "0123456780").await;
    assert_eq!(answer.body["code"], "identity.citizen_unknown");
    assert!(answer.body["requestId"].is_string());
    assert_eq!(house.messages().await, 0);
}

#[tokio::test]
async fn no_header_is_asked_for_and_no_json_counts_as_missing() {
    let house = House::new().await;
    house.register("0123456789").await;
    for body in ["", "{", "type=create&phoneNumber=0123456789", "null", "\u{0}"] {
        let request = Request::post("/otp").body(Body::from(body.to_owned())).unwrap();
        refused(&house.client.request(request).await, MISSING);
    }
    let request = Request::post("/otp").body(Body::from(r#"{"type":"create","phoneNumber":"0123456789"}"#)).unwrap();
    house.client.request(request).await.data(201);
}

#[tokio::test]
async fn create_is_refused_while_a_code_is_unexpired_and_unused() {
    let house = House::new().await;
    house.register("0123456789").await;
    let answers = at_once(30, |_| {
        let client = house.client.clone();
        async move { client.post("/otp", json!({"type": "create", "phoneNumber": "0123456789"})).await }
    })
    .await;
    assert_eq!((with_status(&answers, 201), with_status(&answers, 400)), (1, 29));
    assert_eq!(house.messages().await, 1);
    house.wait(TimeDelta::seconds(299));
    refused(&ask(&house, "create", "0123456789").await, EXISTS);
    house.wait(TimeDelta::seconds(2));
    let code = text(&ask(&house, "create", "0123456789").await.data(201)["otp"]);
    house.verify("0123456789", "citizen", &code).await.data(200);
    ask(&house, "create", "0123456789").await.data(201);
}

#[tokio::test]
async fn resend_replaces_a_code_that_is_unused_expired_or_not() {
    let house = House::new().await;
    house.register("0123456789").await;
    ask(&house, "create", "0123456789").await.data(201);
    ask(&house, "resend", "0123456789").await.data(200);
    let limited = ask(&house, "resend", "0123456789").await;
    assert_eq!(limited.body["data"], Value::Null);
    assert!(limited.headers.contains_key("retry-after"));
    assert_eq!(limited.code(429), "identity.too_many");
    house.wait(TimeDelta::seconds(31));
    ask(&house, "resend", "0123456789").await.data(200);
    house.wait(TimeDelta::minutes(6));
    let code = text(&ask(&house, "resend", "0123456789").await.data(200)["otp"]);
    house.verify("0123456789", "citizen", &code).await.data(200);
}

#[tokio::test]
async fn generate_otp_makes_the_same_code_for_citizens_only() {
    let house = House::new().await;
    house.register("0123456789").await;
    house.register("awa@example.ci").await;
    assert_eq!(house.code("0123456789", "citizen").await.len(), 5);
    refused(&ask(&house, "create", "0123456789").await, EXISTS);
    let body = json!({"identifier": "awa@example.ci", "purpose": "citizen"});
    assert_eq!(house.client.post("/api/generate-otp", body).await.body["errors"][0]["field"], "purpose");
}

#[tokio::test]
async fn a_failure_of_the_server_carries_the_documents_message() {
    let house = House::new().await;
    testing::sign_up(&house.identity, "0123456789").await;
    sqlx::query("ALTER TABLE otp RENAME TO otp_ailleurs").execute(house.pool()).await.unwrap();
    let answer = ask(&house, "create", "0123456789").await;
    assert_eq!(answer.status.as_u16(), 500);
    assert_eq!(answer.body["message"], "Erreur serveur lors de la gestion de l'OTP");
    let told = answer.body["data"].as_str().unwrap();
    assert!(told.contains(answer.body["requestId"].as_str().unwrap()), "{told}");
    assert!(!answer.body.to_string().contains("otp_ailleurs"), "the cause stays in the log");
}
