//! Identifiers that are added, replaced, released and taken over.

use kernel::Clock;
use serde_json::{Value, json};
use testkit::Client;

use super::with_purse;
use crate::testing::{self, PASSWORD};
use crate::tests::{House, at_once, text, with_status, wrong};

async fn ask(client: &Client, identifier: &str) -> Value {
    client.post("/api/me/identifiers", json!({"identifier": identifier})).await.data(201)
}

fn proving(identifier: &str, code: &Value) -> Value {
    json!({"identifier": identifier, "otpCode": code})
}

const PROVE: &str = "/api/me/identifiers/verify";

#[tokio::test]
async fn another_number_takes_a_code_on_it_and_a_notice_on_the_old_one() {
    let house = House::new().await;
    let awa = house.member("0707070707").await;
    let client = house.client.bearer(&awa.access);
    let sent = ask(&client, "05 05 05 05 05").await;
    assert_eq!((&sent["channel"], &sent["destination"]), (&json!("sms"), &json!("+225 05 ** ** ** 05")));
    let answer = client.post(PROVE, proving("0505050505", &json!(wrong(&text(&sent["otp"]))))).await;
    assert_eq!(answer.body["attemptsLeft"], 4);
    assert_eq!(answer.code(401), "identity.otp_wrong");
    assert_eq!(client.get("/api/me").await.data(200)["user"]["phoneNumber"], "+2250707070707", "not yet");

    let user = client.post(PROVE, proving("0505050505", &sent["otp"])).await.data(200)["user"].clone();
    assert_eq!((&user["phoneNumber"], &user["phoneVerified"]), (&json!("+2250505050505"), &json!(true)));
    assert_eq!(client.post(PROVE, proving("0505050505", &sent["otp"])).await.code(410), "identity.otp_gone");
    let notices = "SELECT count(*) FROM travail WHERE charge->>'template' = 'notice_identifier_changed' AND charge->>'to' = '+2250707070707'";
    assert_eq!(house.count(notices).await, 1);
    assert_eq!(house.next_step("0707070707").await, "register-user", "the old number is free");
    assert_eq!(house.next_step("0505050505").await, "verify-pin");
}

#[tokio::test]
async fn an_address_is_added_beside_the_number() {
    let house = House::new().await;
    let awa = house.member("0707070707").await;
    let client = house.client.bearer(&awa.access);
    let sent = ask(&client, "awa@example.ci").await;
    let user = client.post(PROVE, proving("awa@example.ci", &sent["otp"])).await.data(200)["user"].clone();
    assert_eq!(
        (&user["email"], &user["emailVerified"], &user["phoneVerified"]),
        (&json!("awa@example.ci"), &json!(true), &json!(true))
    );
    let signed_in = house.client.post("/api/verify-pin", json!({"identifier": "awa@example.ci", "password": PASSWORD}));
    assert_eq!(signed_in.await.data(200)["user"]["phoneNumber"], "+2250707070707");
    assert_eq!(
        client.post("/api/me/identifiers", json!({"identifier": "awa@example.ci"})).await.code(409),
        "identity.identifier_taken"
    );
}

#[tokio::test]
async fn what_belongs_to_another_account_is_not_given() {
    let house = House::new().await;
    let awa = house.member("awa@example.ci").await;
    let yao = house.member("yao@example.ci").await;
    let client = house.client.bearer(&awa.access);
    let taken = client.post("/api/me/identifiers", json!({"identifier": "yao@example.ci"})).await;
    assert_eq!(taken.code(409), "identity.identifier_taken");
    let sent = ask(&client, "0707070707").await;
    let of_yao = house.client.bearer(&yao.access);
    assert_eq!(of_yao.post(PROVE, proving("0707070707", &sent["otp"])).await.status, 410, "the code is of one account");
    testing::sign_up(&house.identity, "0707070707").await;
    assert_eq!(client.post(PROVE, proving("0707070707", &sent["otp"])).await.code(409), "identity.identifier_taken");
    assert_eq!(client.post(PROVE, proving("0707070707", &json!("x"))).await.status, 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_who_want_a_number_one_gets_it() {
    let house = House::new().await;
    let mut wishes = Vec::new();
    for name in ["awa", "yao", "ali", "eva"] {
        let member = house.member(&format!("{name}@example.ci")).await;
        let client = house.client.bearer(&member.access);
        let sent = ask(&client, "0707070707").await;
        wishes.push((client, sent["otp"].clone()));
    }
    let answers = at_once(wishes.len(), |number| {
        let (client, code) = wishes[number].clone();
        async move { client.post(PROVE, proving("0707070707", &code)).await }
    });
    let answers = answers.await;
    assert_eq!((with_status(&answers, 200), with_status(&answers, 409)), (1, 3));
}

/// Somebody registers the number of another, and proves an address of his own.
#[tokio::test]
async fn a_squatted_number_is_free_once_the_squatter_proves_something_else() {
    let house = House::new().await;
    let squatter = testing::sign_up_unverified(&house.identity, "0707070707").await;
    let client = house.client.bearer(&squatter.tokens.access_token);
    let sent = ask(&client, "squatter@example.ci").await;
    let user = client.post(PROVE, proving("squatter@example.ci", &sent["otp"])).await.data(200)["user"].clone();
    assert_eq!((&user["phoneNumber"], &user["emailVerified"]), (&Value::Null, &json!(true)));
    let told = "SELECT count(*) FROM travail WHERE charge->>'template' = 'notice_identifier_released'
                   AND charge->>'to' = 'squatter@example.ci'";
    assert_eq!(house.count(told).await, 1);
    assert_eq!(house.count("SELECT count(*) FROM evenement_securite WHERE nature = 'identifiant_libere'").await, 1);

    assert_eq!(house.next_step("0707070707").await, "register-user");
    let owner = testing::sign_up(&house.identity, "0707070707").await;
    assert_ne!(owner.id_user, squatter.id_user);
    for (identifier, id) in [("0707070707", owner.id_user), ("squatter@example.ci", squatter.id_user)] {
        let signed_in = house.client.post("/api/verify-pin", json!({"identifier": identifier, "password": PASSWORD}));
        let sql = "SELECT id_user FROM utilisateur WHERE public_id = $1::uuid";
        let public_id = text(&signed_in.await.data(200)["user"]["id"]);
        let signed: i32 = sqlx::query_scalar(sql).bind(public_id).fetch_one(house.pool()).await.unwrap();
        assert_eq!(signed, id, "{identifier}");
    }
}

#[tokio::test]
async fn what_was_proved_or_came_from_the_first_backend_stays_beside_a_proof() {
    let house = House::new().await;
    let old = testing::sign_up_unverified(&house.identity, "0707070707").await;
    house.execute("UPDATE utilisateur SET adopte_le = now()").await;
    let new = testing::sign_up(&house.identity, "0505050505").await;
    for (someone, address, verified) in [(old, "old@example.ci", false), (new, "new@example.ci", true)] {
        let client = house.client.bearer(&someone.tokens.access_token);
        let sent = ask(&client, address).await;
        let user = client.post(PROVE, proving(address, &sent["otp"])).await.data(200)["user"].clone();
        assert!(user["phoneNumber"].is_string(), "{address}");
        assert_eq!((&user["phoneVerified"], &user["emailVerified"]), (&json!(verified), &json!(true)));
    }
    assert_eq!(house.count("SELECT count(*) FROM evenement_securite WHERE nature = 'identifiant_libere'").await, 0);
}

#[tokio::test]
async fn a_proof_takes_a_number_from_an_account_that_only_typed_it() {
    for money in [false, true] {
        let (db, clock) = (testkit::db().await, Clock::movable());
        let (identity, awa, _) = with_purse(&db, &clock, money).await;
        let squatter = testing::sign_up_unverified(&identity, "0707070707").await;
        let stranger = awa.bearer(&squatter.tokens.access_token);
        let code = ask(&stranger, "another@example.ci").await["otp"].clone();

        let sent = ask(&awa, "0707070707").await;
        let bad = json!(wrong(&text(&sent["otp"])));
        awa.post(PROVE, proving("0707070707", &bad)).await.code(401);
        assert_eq!(stranger.get("/api/me").await.status, 200, "not yet");
        let user = awa.post(PROVE, proving("0707070707", &sent["otp"])).await.data(200)["user"].clone();
        assert_eq!((&user["phoneNumber"], &user["phoneVerified"]), (&json!("+2250707070707"), &json!(true)));
        assert_eq!(user["email"], "awa@example.ci");

        assert_eq!(stranger.get("/api/me").await.code(401), "identity.token_invalid");
        assert_eq!(
            stranger.post(PROVE, proving("another@example.ci", &code)).await.code(401),
            "identity.token_invalid"
        );
        let left: (String, Option<String>, Option<String>, Option<String>) =
            sqlx::query_as("SELECT statut, telephone, mdp, photo_profile FROM utilisateur WHERE id_user = $1")
                .bind(squatter.id_user)
                .fetch_one(&db.db.write)
                .await
                .unwrap();
        let status = if money { "actif" } else { "supprime" };
        assert_eq!(left, (status.to_owned(), None, None, None), "with money: {money}");
    }
}

#[tokio::test]
async fn the_first_backend_s_and_suspended_people_s_numbers_are_not_taken() {
    for (change, freed) in [
        ("UPDATE utilisateur SET adopte_le = now() WHERE telephone = '+2250707070707'", 409),
        ("UPDATE utilisateur SET statut = 'suspendu' WHERE telephone = '+2250707070707'", 409),
        ("UPDATE utilisateur SET nom = 'Koffi' WHERE telephone = '+2250707070707'", 200),
    ] {
        let house = House::new().await;
        let awa = house.member("awa@example.ci").await;
        let client = house.client.bearer(&awa.access);
        let sent = ask(&client, "0707070707").await;
        testing::sign_up_unverified(&house.identity, "0707070707").await;
        house.execute(change).await;
        assert_eq!(client.post(PROVE, proving("0707070707", &sent["otp"])).await.status, freed, "{change}");
        let asked = client.post("/api/me/identifiers", json!({"identifier": "0707070707"})).await;
        assert_eq!(asked.code(409), "identity.identifier_taken", "{change}");
    }
}

/// Written by an older release: a proved address beside a number that was only typed.
#[tokio::test]
async fn a_number_beside_a_proof_goes_and_its_account_stays() {
    let house = House::new().await;
    let yao = house.member("yao@example.ci").await;
    house.execute("UPDATE utilisateur SET telephone = '+2250707070707' WHERE email = 'yao@example.ci'").await;
    let awa = house.member("awa@example.ci").await;
    let client = house.client.bearer(&awa.access);
    let sent = ask(&client, "0707070707").await;
    client.post(PROVE, proving("0707070707", &sent["otp"])).await.data(200);
    let user = house.client.bearer(&yao.access).get("/api/me").await.data(200)["user"].clone();
    assert_eq!((&user["email"], &user["phoneNumber"]), (&json!("yao@example.ci"), &Value::Null));
    let told = "SELECT count(*) FROM travail WHERE charge->>'template' = 'notice_identifier_released'
                   AND charge->>'to' = 'yao@example.ci'";
    assert_eq!(house.count(told).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_who_take_from_each_other_one_is_left() {
    let house = House::new().await;
    for round in 0..5 {
        let own = [format!("07070707{round}0"), format!("eva{round}@example.ci")];
        let mut wishes = Vec::new();
        for (mine, theirs) in [(0, 1), (1, 0)] {
            let someone = testing::sign_up_unverified(&house.identity, &own[mine]).await;
            wishes.push((house.client.bearer(&someone.tokens.access_token), own[theirs].clone(), Value::Null));
        }
        for (client, theirs, code) in &mut wishes {
            *code = ask(client, theirs).await["otp"].clone();
        }
        let answers = at_once(2, |number| {
            let (client, theirs, code) = wishes[number].clone();
            async move { client.post(PROVE, proving(&theirs, &code)).await }
        });
        let answers = answers.await;
        assert_eq!((with_status(&answers, 200), with_status(&answers, 401)), (1, 1), "round {round}");
    }
}
