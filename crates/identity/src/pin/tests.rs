use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use testkit::{Answer, Client};

use crate::IdentityError;
use crate::members::Member;
use crate::testing::PASSWORD;
use crate::tests::{House, at_once, text, with_status};

const PIN: &str = "270391";
const OTHER: &str = "481516";

async fn define(client: &Client, body: Value) -> Answer {
    client.put("/api/me/pin", body).await
}

async fn unlock(client: &Client, pin: &str) -> Answer {
    client.post("/api/me/unlock", json!({"pin": pin})).await
}

/// Somebody with [`PIN`], and a client that has their token.
async fn with_pin(house: &House, identifier: &str) -> (Member, Client) {
    let member = house.member(identifier).await;
    let client = house.client.bearer(&member.access);
    define(&client, json!({"pin": PIN, "password": PASSWORD})).await.data(200);
    (member, client)
}

/// A ticket for a proof by code.
async fn proof(house: &House, identifier: &str, purpose: &str) -> String {
    crate::testing::after_cooldowns(&house.clock);
    let code = house.code(identifier, purpose).await;
    text(&house.verify(identifier, purpose, &code).await.data(200)["flowTicket"])
}

async fn blocked_until(house: &House, member: &Member) -> Option<DateTime<Utc>> {
    sqlx::query_scalar("SELECT sorties_bloquees_jusqu FROM utilisateur WHERE id_user = $1")
        .bind(member.id_user)
        .fetch_one(house.pool())
        .await
        .unwrap()
}

#[tokio::test]
async fn the_first_pin_takes_the_password() {
    let house = House::new().await;
    let awa = house.member("0707070742").await;
    let client = house.client.bearer(&awa.access);
    assert_eq!(unlock(&client, PIN).await.code(403), "identity.pin_not_set");
    assert_eq!(define(&client, json!({"pin": PIN})).await.body["errors"][0]["field"], "password");
    assert_eq!(define(&client, json!({"pin": PIN, "password": "faux"})).await.code(403), "identity.password_wrong");
    for (weak, code) in
        [("123456", "pin_weak"), ("070742", "pin_weak"), ("12345", "pin_format"), ("12345a", "pin_format")]
    {
        let answer = define(&client, json!({"pin": weak, "password": PASSWORD})).await;
        assert_eq!(answer.body["errors"][0]["code"], code);
        assert_eq!(answer.status, 400);
    }
    define(&client, json!({"pin": PIN, "password": PASSWORD})).await.data(200);
    assert_eq!(blocked_until(&house, &awa).await, None);
    let stored: String = sqlx::query_scalar("SELECT empreinte FROM code_secret").fetch_one(house.pool()).await.unwrap();
    assert!(stored.starts_with("$argon2id$"));
    assert_eq!(define(&house.client, json!({"pin": PIN, "password": PASSWORD})).await.status, 401, "nobody");
}

#[tokio::test]
async fn the_pin_opens_one_session_for_five_minutes() {
    let house = House::new().await;
    let (_, client) = with_pin(&house, "awa@example.ci").await;
    let other = house.client.post("/api/verify-pin", json!({"identifier": "awa@example.ci", "password": PASSWORD}));
    let other = text(&other.await.data(200)["accessToken"]);
    let before = house.clock.now();
    let until: DateTime<Utc> = text(&unlock(&client, PIN).await.data(200)["unlockedUntil"]).parse().unwrap();
    assert!((until - before - TimeDelta::minutes(5)).num_seconds().abs() <= 2);

    let opened = "SELECT count(*) FROM session WHERE deverrouille_jusqu IS NOT NULL";
    assert_eq!(house.count(opened).await, 1);
    assert!(!house.identity.authenticate(&other).await.unwrap().unlocked(house.clock.now()), "another session");
    define(&client, json!({"pin": OTHER, "currentPin": PIN})).await.data(200);
    assert_eq!(house.count(opened).await, 0, "a new PIN closes them all");
}

#[tokio::test]
async fn an_unlocked_session_closes_by_itself() {
    let house = House::new().await;
    let (member, client) = with_pin(&house, "awa@example.ci").await;
    unlock(&client, PIN).await.data(200);
    let account = house.identity.authenticate(&member.access).await.unwrap();
    assert!(account.unlocked(house.clock.now()));
    house.wait(TimeDelta::minutes(5) + TimeDelta::seconds(1));
    assert!(!account.unlocked(house.clock.now()));
}

#[tokio::test]
async fn five_wrong_ones_lock_it_and_time_does_not_open_it() {
    let house = House::new().await;
    let (awa, client) = with_pin(&house, "awa@example.ci").await;
    for left in (0..5).rev() {
        let answer = unlock(&client, OTHER).await;
        assert_eq!(answer.body["triesLeft"], left);
        assert_eq!(answer.code(403), "identity.pin_wrong");
    }
    assert_eq!(unlock(&client, PIN).await.code(423), "identity.pin_locked");
    assert_eq!(define(&client, json!({"pin": OTHER, "currentPin": PIN})).await.status, 423);
    house.wait(TimeDelta::days(20));
    let pair = house.client.post("/api/auth/refresh", json!({"refreshToken": awa.refresh})).await.data(200);
    let client = house.client.bearer(&text(&pair["accessToken"]));
    assert_eq!(unlock(&client, PIN).await.status, 423);
    assert_eq!(house.count("SELECT count(*) FROM evenement_securite WHERE nature = 'pin_verrouille'").await, 1);
}

#[tokio::test]
async fn the_right_one_forgives_those_before_and_a_mistake_of_typing_costs_nothing() {
    let house = House::new().await;
    let (_, client) = with_pin(&house, "awa@example.ci").await;
    for _ in 0..3 {
        for _ in 0..4 {
            assert_eq!(unlock(&client, OTHER).await.status, 403);
        }
        assert_eq!(unlock(&client, "2703").await.status, 400);
        unlock(&client, PIN).await.data(200);
    }
    let answer = client.post("/api/me/unlock", json!({"pin": 270391})).await;
    assert_eq!(answer.body["errors"][0]["code"], "invalid_type");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_hundred_parallel_guesses_five_are_evaluated() {
    let house = House::new().await;
    let (_, client) = with_pin(&house, "awa@example.ci").await;
    let answers = at_once(100, |_| {
        let client = client.clone();
        async move { unlock(&client, OTHER).await }
    });
    let answers = answers.await;
    assert_eq!(with_status(&answers, 403), 5);
    // A slow machine may tell the last in the row to come back instead.
    assert_eq!(with_status(&answers, 423) + with_status(&answers, 503), 95);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn payments_at_the_same_moment_do_not_lock_the_right_pin() {
    let house = House::new().await;
    let (_, client) = with_pin(&house, "awa@example.ci").await;
    let answers = at_once(10, |_| {
        let client = client.clone();
        async move { unlock(&client, PIN).await }
    });
    assert_eq!(with_status(&answers.await, 200), 10);
}

#[tokio::test]
async fn a_payment_may_bring_the_pin_itself() {
    let house = House::new().await;
    let (member, _) = with_pin(&house, "awa@example.ci").await;
    let account = house.identity.authenticate(&member.access).await.unwrap();
    house.identity.confirm_pin(&account, PIN).await.unwrap();
    for left in (0..5).rev() {
        let refused = house.identity.confirm_pin(&account, OTHER).await;
        assert!(matches!(refused, Err(IdentityError::PinWrong { tries_left }) if tries_left == left));
    }
    assert!(matches!(house.identity.confirm_pin(&account, PIN).await, Err(IdentityError::PinLocked)));
    assert!(matches!(house.identity.confirm_pin(&account, "12").await, Err(IdentityError::Field("pin", "pin_format"))));
}

#[tokio::test]
async fn a_change_takes_the_present_one() {
    let house = House::new().await;
    let (awa, client) = with_pin(&house, "awa@example.ci").await;
    let answer = define(&client, json!({"pin": OTHER, "password": PASSWORD})).await;
    assert_eq!(answer.body["errors"][0]["field"], "currentPin", "the password alone does not replace it");
    let answer = define(&client, json!({"pin": OTHER, "password": PASSWORD, "currentPin": "902817"})).await;
    assert_eq!(answer.body["triesLeft"], 4);
    assert_eq!(answer.code(403), "identity.pin_wrong");
    let answer = define(&client, json!({"pin": OTHER, "password": "faux", "currentPin": PIN})).await;
    assert_eq!(answer.code(403), "identity.password_wrong", "what was sent has to be right");
    define(&client, json!({"pin": OTHER, "password": PASSWORD, "currentPin": PIN})).await.data(200);
    assert_eq!(unlock(&client, PIN).await.status, 403);
    unlock(&client, OTHER).await.data(200);
    assert_eq!(blocked_until(&house, &awa).await, None);
}

#[tokio::test]
async fn a_locked_one_takes_password_and_proof_and_a_day() {
    let house = House::new().await;
    let (awa, client) = with_pin(&house, "awa@example.ci").await;
    for _ in 0..5 {
        unlock(&client, OTHER).await;
    }
    let ticket = proof(&house, "awa@example.ci", "verify").await;
    let messages = house.messages().await;
    let wish = |password: &str, ticket: &str| json!({"pin": "902817", "password": password, "flowTicket": ticket});
    assert_eq!(define(&client, wish(PASSWORD, "hft_x")).await.code(403), "identity.ticket_invalid");
    assert_eq!(define(&client, wish("faux", &ticket)).await.code(403), "identity.password_wrong");
    assert_eq!(define(&client, json!({"pin": "902817", "flowTicket": ticket})).await.status, 400);
    define(&client, wish(PASSWORD, &ticket)).await.data(200);

    unlock(&client, "902817").await.data(200);
    let blocked = blocked_until(&house, &awa).await.unwrap() - house.clock.now();
    assert!((TimeDelta::hours(24) - blocked).num_seconds().abs() <= 5);
    assert!(house.identity.authenticate(&awa.access).await.unwrap().outgoing_blocked(house.clock.now()));
    assert_eq!(house.messages().await, messages + 1, "the owner is told");
    assert_eq!(define(&client, wish(PASSWORD, &ticket)).await.code(403), "identity.ticket_invalid", "once");
}

#[tokio::test]
async fn only_a_proof_of_ones_own_replaces_a_forgotten_pin() {
    let house = House::new().await;
    let (_, client) = with_pin(&house, "awa@example.ci").await;
    house.member("yao@example.ci").await;
    let wish = |ticket: String| json!({"pin": OTHER, "password": PASSWORD, "flowTicket": ticket});
    let of_yao = proof(&house, "yao@example.ci", "verify").await;
    assert_eq!(define(&client, wish(of_yao)).await.code(403), "identity.ticket_invalid");
    let registration = house.register("new@example.ci").await;
    assert_eq!(define(&client, wish(registration)).await.code(403), "identity.ticket_invalid");
    let expired = proof(&house, "awa@example.ci", "verify").await;
    // The access token lives longer than the ticket.
    house.wait(TimeDelta::minutes(10) + TimeDelta::seconds(1));
    let pair = house.client.post("/api/verify-pin", json!({"identifier": "awa@example.ci", "password": PASSWORD}));
    let client = house.client.bearer(&text(&pair.await.data(200)["accessToken"]));
    assert_eq!(define(&client, wish(expired)).await.code(403), "identity.ticket_invalid");
    let fresh = proof(&house, "awa@example.ci", "login").await;
    define(&client, wish(fresh)).await.data(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_first_pins_one_is_kept() {
    let house = House::new().await;
    let awa = house.member("awa@example.ci").await;
    let client = house.client.bearer(&awa.access);
    let answers = at_once(4, |number| {
        let client = client.clone();
        async move { define(&client, json!({"pin": format!("90281{number}"), "password": PASSWORD})).await }
    });
    let answers = answers.await;
    assert_eq!((with_status(&answers, 200), with_status(&answers, 400)), (1, 3));
    assert_eq!(house.count("SELECT count(*) FROM code_secret").await, 1);
}
