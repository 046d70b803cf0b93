use chrono::TimeDelta;
use serde_json::json;
use testkit::{Answer, Client};

use crate::testing::PASSWORD;
use crate::tests::{House, at_once, with_status};
use crate::{Limits, Mode};

const OWNER: &str = "196.47.128.10";
const ATTACKER: &str = "203.0.113.9";

async fn sign_in(client: &Client, identifier: &str, password: &str) -> Answer {
    client.post("/api/verify-pin", json!({"identifier": identifier, "password": password})).await
}

/// Many tries at the same moment.
async fn tries(house: &House, times: usize, identifier: &'static str, password: &'static str) -> Vec<Answer> {
    at_once(times, |_| {
        let client = house.client.clone();
        async move { sign_in(&client, identifier, password).await }
    })
    .await
}

#[tokio::test]
async fn the_password_has_three_names() {
    let house = House::new().await;
    house.member("awa@example.ci").await;
    for name in ["password", "pin", "otpCode"] {
        let data = house
            .client
            .post("/api/verify-pin", json!({"identifier": "AWA@example.ci", name: PASSWORD}))
            .await
            .data(200);
        assert_eq!(data["user"]["email"], "awa@example.ci", "{name}");
    }
    let answer = house.client.post("/api/verify-pin", json!({"identifier": "awa@example.ci"})).await;
    assert_eq!(answer.body["errors"][0]["field"], "password");
    assert_eq!(answer.status, 400);
    assert_eq!(sign_in(&house.client, "07O7070707", PASSWORD).await.status, 400);
}

#[tokio::test]
async fn wrong_is_wrong_whatever_its_length_and_whoever_is_asked() {
    let house = House::new().await;
    house.member("awa@example.ci").await;
    let long = "a".repeat(10_000);
    for wrong in ["", "x", long.as_str(), "MonMotDePasse124"] {
        let known = sign_in(&house.client, "awa@example.ci", wrong).await;
        let unknown = sign_in(&house.client, "nobody@example.ci", wrong).await;
        assert_eq!(known.bytes, unknown.bytes);
        assert_eq!(known.code(401), "identity.wrong_credentials");
        assert_eq!(unknown.status, 401);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_hundred_parallel_guesses_five_are_evaluated() {
    let house = House::new().await;
    house.member("awa@example.ci").await;
    for identifier in ["awa@example.ci", "nobody@example.ci"] {
        let guesses = tries(&house, 100, identifier, "MauvaisMotDePasse").await;
        assert_eq!(with_status(&guesses, 401), 5, "{identifier}");
        // A slow machine may tell the last in the row to come back instead.
        assert_eq!(with_status(&guesses, 429) + with_status(&guesses, 503), 95);
        let waiting = guesses.iter().filter(|answer| answer.status != 401);
        assert!(waiting.into_iter().all(|answer| answer.headers.contains_key("retry-after")));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_devices_that_know_the_password_sign_in_at_once() {
    let house = House::new().await;
    house.member("awa@example.ci").await;
    let answers = tries(&house, 10, "awa@example.ci", PASSWORD).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
}

#[tokio::test]
async fn delays_double_up_to_a_quarter_of_an_hour_and_end_with_the_right_password() {
    let house = House::new().await;
    house.member("awa@example.ci").await;
    // Another network, one that never signed in: the owner's own is known since `member`.
    let client = house.from_network(ATTACKER);
    for _ in 0..5 {
        assert_eq!(sign_in(&client, "awa@example.ci", "faux").await.status, 401);
    }
    for expected in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
        let refused = sign_in(&client, "awa@example.ci", PASSWORD).await;
        let wait: i64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert_eq!(refused.code(429), "identity.too_many", "even the right one");
        assert!((expected - 1..=expected).contains(&wait), "{wait} for {expected}");
        house.wait(TimeDelta::seconds(expected));
        assert_eq!(sign_in(&client, "awa@example.ci", "faux").await.status, 401);
    }
    house.wait(TimeDelta::seconds(900));
    assert_eq!(sign_in(&client, "awa@example.ci", PASSWORD).await.status, 200);
    assert_eq!(sign_in(&client, "awa@example.ci", "faux").await.status, 401);
    assert_eq!(sign_in(&client, "awa@example.ci", PASSWORD).await.status, 200, "it counts from the beginning");
}

#[tokio::test]
async fn a_day_of_peace_forgets_wrong_passwords() {
    let house = House::new().await;
    house.member("awa@example.ci").await;
    for _ in 0..4 {
        sign_in(&house.from_network(ATTACKER), "awa@example.ci", "faux").await;
    }
    house.wait(TimeDelta::hours(25));
    for _ in 0..5 {
        assert_eq!(sign_in(&house.from_network(ATTACKER), "awa@example.ci", "faux").await.status, 401);
    }
    assert_eq!(sign_in(&house.from_network(ATTACKER), "awa@example.ci", "faux").await.status, 429);
}

#[tokio::test]
async fn the_owner_is_not_locked_out_by_others() {
    let house = House::new().await;
    house.member("awa@example.ci").await;
    sign_in(&house.from_network(OWNER), "awa@example.ci", PASSWORD).await.data(200);
    // From many networks, so that none of them is delayed by itself.
    for number in 0..20 {
        let network = format!("203.0.113.{number}");
        assert_eq!(sign_in(&house.from_network(&network), "awa@example.ci", "faux").await.status, 401);
    }
    assert_eq!(
        sign_in(&house.from_network("203.0.113.200"), "awa@example.ci", "faux").await.status,
        429,
        "strangers wait"
    );
    sign_in(&house.from_network(OWNER), "awa@example.ci", PASSWORD).await.data(200);

    // On a new network the owner waits like a stranger; a code opens that network at once.
    let new = house.from_network("41.202.219.5");
    assert_eq!(sign_in(&new, "awa@example.ci", PASSWORD).await.status, 429);
    let sent =
        new.post("/api/generate-otp", json!({"identifier": "awa@example.ci", "purpose": "login"})).await.data(201);
    let code = json!({"identifier": "awa@example.ci", "purpose": "login", "otpCode": sent["otp"]});
    assert!(new.post("/api/verify-otp", code).await.data(200)["accessToken"].is_string());
    sign_in(&new, "awa@example.ci", PASSWORD).await.data(200);
}

#[tokio::test]
async fn a_network_stays_known_for_ninety_days() {
    let house = House::new().await;
    house.member("awa@example.ci").await;
    sign_in(&house.from_network(OWNER), "awa@example.ci", PASSWORD).await.data(200);
    house.wait(TimeDelta::days(91));
    for number in 0..20 {
        sign_in(&house.from_network(&format!("203.0.113.{number}")), "awa@example.ci", "faux").await;
    }
    assert_eq!(sign_in(&house.from_network(OWNER), "awa@example.ci", PASSWORD).await.status, 429);
}

#[tokio::test]
async fn a_network_that_tries_many_accounts_is_slowed_down() {
    let house = House::with(|config| config.mode = Mode::Production).await;
    let client = house.from_network(ATTACKER);
    for number in 0..15 {
        assert_eq!(sign_in(&client, &format!("n{number}@example.ci"), "faux").await.status, 401);
    }
    assert_eq!(sign_in(&client, "last@example.ci", "faux").await.status, 429);
    house.wait(TimeDelta::seconds(10));
    assert_eq!(sign_in(&client, "last@example.ci", "faux").await.status, 401, "one try in ten seconds");

    house.member("here@example.ci").await;
    assert_eq!(sign_in(&client, "here@example.ci", PASSWORD).await.status, 429, "never signed in from here");
    house.wait(TimeDelta::seconds(10));
    assert_eq!(sign_in(&client, "here@example.ci", PASSWORD).await.status, 200);
    assert_eq!(sign_in(&client, "more@example.ci", "faux").await.status, 401);
    assert_eq!(sign_in(&client, "even-more@example.ci", "faux").await.status, 429);
    assert_eq!(sign_in(&client, "here@example.ci", PASSWORD).await.status, 200, "now it did");
}

#[tokio::test]
async fn without_limits_a_network_may_try_any_number_of_accounts() {
    let house = House::with(|config| {
        config.mode = Mode::Production;
        config.limits = Limits::Off;
    })
    .await;
    let client = house.from_network(ATTACKER);
    for number in 0..20 {
        assert_eq!(sign_in(&client, &format!("n{number}@example.ci"), "faux").await.status, 401);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hash_of_the_first_backend_is_replaced_at_the_first_sign_in() {
    let house = House::new().await;
    house.member("awa@example.ci").await;
    let old = bcrypt::hash("secret de 2024", 4).unwrap();
    sqlx::query("UPDATE utilisateur SET mdp = $1").bind(&old).execute(house.pool()).await.unwrap();
    assert_eq!(sign_in(&house.client, "awa@example.ci", "autre chose").await.status, 401);
    let answers = tries(&house, 4, "awa@example.ci", "secret de 2024").await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(house.count("SELECT count(*) FROM utilisateur WHERE mdp LIKE '$argon2id$%'").await, 1);
    assert_eq!(sign_in(&house.client, "awa@example.ci", "secret de 2024").await.status, 200);
}

#[tokio::test]
async fn an_identifier_that_was_not_proved_signs_nobody_in_beside_a_proved_one() {
    let house = House::new().await;
    house.member("awa@example.ci").await;
    house.execute("UPDATE utilisateur SET telephone = '+2250707070707'").await;
    assert_eq!(sign_in(&house.client, "0707070707", PASSWORD).await.code(401), "identity.wrong_credentials");
    assert_eq!(sign_in(&house.client, "awa@example.ci", PASSWORD).await.status, 200);
    house.execute("UPDATE utilisateur SET email_verifie_le = NULL").await;
    assert_eq!(sign_in(&house.client, "0707070707", PASSWORD).await.status, 200, "nothing is proved: either will do");
}

#[tokio::test]
async fn that_an_account_is_suspended_is_told_to_its_owner_only() {
    let house = House::new().await;
    house.member("awa@example.ci").await;
    house.execute("UPDATE utilisateur SET statut = 'suspendu'").await;
    assert_eq!(sign_in(&house.client, "awa@example.ci", "faux").await.status, 401);
    assert_eq!(sign_in(&house.client, "awa@example.ci", PASSWORD).await.code(403), "identity.suspended");
    assert_eq!(house.count("SELECT count(*) FROM session").await, 1, "only the one from before");
}

#[tokio::test]
async fn every_try_is_in_the_log_and_no_secret_is() {
    let house = House::new().await;
    let awa = house.member("awa@example.ci").await;
    sign_in(&house.client, "awa@example.ci", "FauxEtSecret").await;
    sign_in(&house.client, "nobody@example.ci", "FauxEtSecret").await;
    let events: Vec<(i32, String)> =
        sqlx::query_as("SELECT id_user, evenement_securite::text FROM evenement_securite WHERE nature = 'connexion_refusee' ORDER BY 1")
            .fetch_all(house.pool())
            .await
            .unwrap();
    assert_eq!(events.iter().map(|event| event.0).collect::<Vec<_>>(), [0, awa.id_user]);
    assert!(events.iter().all(|event| !event.1.contains("Secret") && !event.1.contains('@')));
    let counters: String = sqlx::query_scalar("SELECT string_agg(e::text, ' ') FROM echec_connexion e")
        .fetch_one(house.pool())
        .await
        .unwrap();
    assert!(!counters.contains("example.ci"));
}

#[tokio::test]
async fn counters_that_say_nothing_are_swept() {
    let house = House::new().await;
    house.member("awa@example.ci").await;
    sign_in(&house.from_network(ATTACKER), "nobody@example.ci", "faux").await;
    house.wait(TimeDelta::hours(25));
    assert_eq!(house.identity.sweep_tries(100).await.unwrap(), 2, "the attacker's and the strangers'");
    assert_eq!(house.count("SELECT count(*) FROM echec_connexion").await, 1, "the owner's network is known for longer");
}
