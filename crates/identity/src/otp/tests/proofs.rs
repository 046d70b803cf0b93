//! What a right code does to an account.

use serde_json::json;

use crate::testing;
use crate::tests::{House, text};

#[tokio::test]
async fn a_login_code_signs_in() {
    let house = House::new().await;
    testing::sign_up(&house.identity, "awa@example.ci").await;
    let code = house.code("awa@example.ci", "login").await;
    let data = house.verify("awa@example.ci", "login", &code).await.data(200);
    assert_eq!(data["nextStep"], "dashboard");
    assert_eq!((&data["expiresIn"], &data["user"]["emailVerified"]), (&json!(900), &json!(true)));
    let own = house.client.bearer(data["accessToken"].as_str().unwrap());
    own.get("/api/me").await.data(200);
    assert!(text(&data["refreshToken"]).starts_with("hsr_"));
}

#[tokio::test]
async fn other_purposes_give_no_tokens() {
    let house = House::new().await;
    testing::sign_up(&house.identity, "0708091011").await;
    for (purpose, next) in [("verify", "verify-pin"), ("reset", "reset-password"), ("citizen", "verify-pin")] {
        let code = house.code("0708091011", purpose).await;
        let data = house.verify("0708091011", purpose, &code).await.data(200);
        assert_eq!(data["nextStep"], next, "{purpose}");
        assert!(data.get("accessToken").is_none() && data.get("user").is_none(), "{data}");
    }
}

#[tokio::test]
async fn every_purpose_takes_an_unproved_account_over() {
    for purpose in ["verify", "login", "reset", "citizen"] {
        let house = House::new().await;
        let before = testing::sign_up_unverified(&house.identity, "0708091011").await;
        let code = house.code("0708091011", purpose).await;
        let data = house.verify("0708091011", purpose, &code).await.data(200);
        assert_eq!(data["nextStep"], "define-password", "{purpose}");
        let old = house.client.bearer(&before.tokens.access_token);
        assert_eq!(old.get("/api/me").await.code(401), "identity.token_invalid", "{purpose}");
        assert_eq!(house.count("SELECT count(*) FROM utilisateur WHERE mdp IS NOT NULL").await, 0);
        assert_eq!(house.count("SELECT count(*) FROM evenement_securite WHERE nature = 'compte_repris'").await, 1);
        let body =
            json!({"identifier": "0708091011", "password": "EncoreUnAutre456", "flowTicket": data["flowTicket"]});
        house.client.post("/api/define-password", body).await.data(200);
    }
}

#[tokio::test]
async fn a_takeover_leaves_no_pin_no_name_and_no_other_code() {
    let house = House::new().await;
    let before = testing::sign_up_unverified(&house.identity, "0708091011").await;
    let own = house.client.bearer(&before.tokens.access_token);
    own.put("/api/me/pin", json!({"pin": testing::PIN, "password": testing::PASSWORD})).await.data(200);
    own.patch("/api/me", json!({"lastName": "Quelqu'un d'autre"})).await.data(200);
    let other = house.code("0708091011", "reset").await;
    let code = house.code("0708091011", "verify").await;
    house.verify("0708091011", "verify", &code).await.data(200);
    assert_eq!(house.count("SELECT count(*) FROM code_secret").await, 0);
    assert_eq!(house.count("SELECT count(*) FROM utilisateur WHERE nom IS NOT NULL").await, 0);
    house.verify("0708091011", "reset", &other).await.code(410);
}

#[tokio::test]
async fn an_account_of_the_first_backend_keeps_its_money_a_day_after_a_takeover() {
    let house = House::new().await;
    sqlx::query(
        "INSERT INTO utilisateur (email, telephone, mdp, adopte_le)
         VALUES ('vieux@example.ci', '+2250708091011', '$2b$04$illisible', now())",
    )
    .execute(house.pool())
    .await
    .unwrap();
    let code = house.code("0708091011", "verify").await;
    let before = house.messages().await;
    assert_eq!(house.verify("0708091011", "verify", &code).await.data(200)["nextStep"], "define-password");
    assert_eq!(house.messages().await - before, 1, "the other identifier is told");
    let blocked =
        "SELECT count(*) FROM utilisateur WHERE mdp IS NULL AND sorties_bloquees_jusqu > now() + interval '23 hours'";
    assert_eq!(house.count(blocked).await, 1);
    // From now on the address proves nothing, and whoever holds it gains nothing by a code.
    let code = house.code("vieux@example.ci", "login").await;
    assert_eq!(house.verify("vieux@example.ci", "login", &code).await.code(403), "identity.proof_required");
    assert_eq!(house.count("SELECT count(*) FROM session").await, 0);
    assert_eq!(house.count("SELECT count(*) FROM utilisateur WHERE email_verifie_le IS NOT NULL").await, 0);
    assert_eq!(house.verify("vieux@example.ci", "login", &code).await.code(410), "identity.otp_gone", "it was used");
}

#[tokio::test]
async fn the_second_identifier_is_proved_by_who_is_signed_in() {
    let house = House::new().await;
    let awa = testing::sign_up(&house.identity, "awa@example.ci").await;
    sqlx::query("UPDATE utilisateur SET telephone = '+2250708091011' WHERE id_user = $1")
        .bind(awa.id_user)
        .execute(house.pool())
        .await
        .unwrap();
    let code = house.code("0708091011", "verify").await;
    let body = json!({"identifier": "0708091011", "otpCode": code});
    let own = house.client.bearer(&awa.tokens.access_token);
    assert_eq!(own.post("/api/verify-otp", body).await.data(200)["nextStep"], "dashboard");
    let known = house.client.post("/api/check-user", json!({"identifier": "0708091011"})).await.data(200);
    assert_eq!((&known["verified"], &known["nextStep"]), (&json!(true), &json!("verify-pin")));
}

#[tokio::test]
async fn a_suspended_account_is_refused_only_after_a_right_code() {
    let house = House::new().await;
    testing::sign_up(&house.identity, "awa@example.ci").await;
    sqlx::query("UPDATE utilisateur SET statut = 'suspendu'").execute(house.pool()).await.unwrap();
    let code = house.code("awa@example.ci", "login").await;
    house.verify("awa@example.ci", "login", &crate::tests::wrong(&code)).await.code(401);
    assert_eq!(house.verify("awa@example.ci", "login", &code).await.code(403), "identity.suspended");
    assert_eq!(house.verify("awa@example.ci", "login", &code).await.code(410), "identity.otp_gone", "it was used");
}

#[tokio::test]
async fn a_proof_voids_the_tickets_before_it() {
    let house = House::new().await;
    testing::sign_up(&house.identity, "awa@example.ci").await;
    let code = house.code("awa@example.ci", "reset").await;
    let first = text(&house.verify("awa@example.ci", "reset", &code).await.data(200)["flowTicket"]);
    let code = house.code("awa@example.ci", "reset").await;
    house.verify("awa@example.ci", "reset", &code).await.data(200);
    let body = json!({"identifier": "awa@example.ci", "flowTicket": first, "password": "ToutNouveau789", "confirmPassword": "ToutNouveau789"});
    assert_eq!(house.client.post("/api/reset-password", body).await.code(403), "identity.ticket_invalid");
}
