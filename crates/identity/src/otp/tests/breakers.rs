//! Cooldowns, budgets and breakers.

use chrono::TimeDelta;
use serde_json::json;

use crate::tests::{House, wrong};
use crate::{Config, Mode};

fn production(config: &mut Config) {
    config.mode = Mode::Production;
}

async fn generate(house: &House, identifier: &str) -> testkit::Answer {
    house.client.post("/api/generate-otp", json!({"identifier": identifier})).await
}

fn retry_after(answer: &testkit::Answer) -> i64 {
    assert_eq!(answer.status.as_u16(), 429, "{}", answer.body);
    answer.headers["retry-after"].to_str().unwrap().parse().unwrap()
}

/// Away from midnight UTC, where the windows of a day meet.
fn to_noon(house: &House) {
    use chrono::Timelike;
    let now = i64::from(house.clock.now().num_seconds_from_midnight());
    // The full hour, too: what follows has to stay within one window of an hour.
    house.wait(TimeDelta::seconds(36 * 3600 - now));
}

#[tokio::test]
async fn cooldowns_grow_and_a_destination_gets_five_a_day() {
    let house = House::new().await;
    to_noon(&house);
    house.register("0708091011").await;
    for cooldown in [30, 60, 120, 300] {
        assert_eq!(generate(&house, "0708091011").await.data(201)["resendAfter"], cooldown);
        assert!(retry_after(&generate(&house, "0708091011").await) <= cooldown);
        house.wait(TimeDelta::seconds(cooldown - 5));
        assert!(retry_after(&generate(&house, "0708091011").await) <= 5);
        house.wait(TimeDelta::seconds(5));
    }
    assert_eq!(generate(&house, "0708091011").await.data(201)["resendAfter"], 300);
    house.wait(TimeDelta::seconds(301));
    let refused = generate(&house, "0708091011").await;
    assert!(retry_after(&refused) > 3600, "the sixth waits for tomorrow");
    assert_eq!(refused.code(429), "identity.too_many");
    assert_eq!(house.messages().await, 5);
    // Another purpose is another cooldown, not another budget.
    let other = json!({"identifier": "0708091011", "purpose": "reset"});
    house.client.post("/api/generate-otp", other).await.code(429);

    house.wait(TimeDelta::days(1));
    generate(&house, "0708091011").await.data(201);
}

#[tokio::test]
async fn who_answers_with_the_code_may_ask_for_the_next_one() {
    let house = House::new().await;
    to_noon(&house);
    house.register("0708091011").await;
    for _ in 0..8 {
        let code = house.code("0708091011", "verify").await;
        house.verify("0708091011", "verify", &code).await.data(200);
    }
    assert_eq!(house.messages().await, 8);
}

#[tokio::test]
async fn a_network_sends_sixty_an_hour_and_others_go_on() {
    let house = House::with(production).await;
    sqlx::query("INSERT INTO utilisateur (email) SELECT 'p' || n || '@example.ci' FROM generate_series(1, 62) n")
        .execute(house.pool())
        .await
        .unwrap();
    for number in 1..=60 {
        generate(&house, &format!("p{number}@example.ci")).await.data(201);
    }
    assert_eq!(generate(&house, "p61@example.ci").await.code(429), "identity.too_many");
    let elsewhere = house.from_network("198.51.100.7");
    elsewhere.post("/api/generate-otp", json!({"identifier": "p62@example.ci"})).await.data(201);
    house.wait(TimeDelta::hours(1));
    generate(&house, "p61@example.ci").await.data(201);
}

#[tokio::test]
async fn all_together_have_an_hourly_cap() {
    let house = House::with(|config| {
        production(config);
        config.sends_per_hour = 2;
    })
    .await;
    for name in ["a1", "b2", "c3"] {
        house.register(&format!("{name}@example.ci")).await;
    }
    generate(&house, "a1@example.ci").await.data(201);
    generate(&house, "b2@example.ci").await.data(201);
    generate(&house, "c3@example.ci").await.code(429);
    assert_eq!(house.messages().await, 2, "a refusal leaves nothing behind");
    assert_eq!(house.count("SELECT count(*) FROM otp").await, 2);
}

#[tokio::test]
async fn a_block_of_numbers_that_proves_nothing_is_closed_for_a_day() {
    let house = House::with(production).await;
    sqlx::query("INSERT INTO utilisateur (telephone) SELECT '+22507080910' || n FROM generate_series(10, 60) n")
        .execute(house.pool())
        .await
        .unwrap();
    house.register("0709000001").await;
    // Twenty may be sent; the next one finds that nothing came of them.
    for number in 10..30 {
        generate(&house, &format!("07080910{number}")).await.data(201);
    }
    let refused = generate(&house, "0708091030").await;
    assert_eq!(retry_after(&refused), 86_400);
    house.wait(TimeDelta::hours(2));
    assert!(retry_after(&generate(&house, "0708091031").await) > 70_000, "closed whatever the hour");
    generate(&house, "0709000001").await.data(201);
    house.wait(TimeDelta::hours(22));
    generate(&house, "0708091031").await.data(201);
}

#[tokio::test]
async fn a_block_of_numbers_that_proves_stays_open() {
    let house = House::with(production).await;
    sqlx::query("INSERT INTO utilisateur (telephone) SELECT '+22507080910' || n FROM generate_series(10, 40) n")
        .execute(house.pool())
        .await
        .unwrap();
    for number in 10..=40 {
        generate(&house, &format!("07080910{number}")).await.data(201);
        if number % 4 == 0 {
            let code = house.sent_code().await;
            house.verify(&format!("07080910{number}"), "verify", &code).await.data(200);
        }
    }
}

#[tokio::test]
async fn an_account_bears_twenty_wrong_codes_an_hour() {
    let house = House::new().await;
    to_noon(&house);
    house.register("0708091011").await;
    house.wait(TimeDelta::seconds(1));
    for _ in 0..4 {
        let code = house.code("0708091011", "verify").await;
        for _ in 0..5 {
            house.verify("0708091011", "verify", &wrong(&code)).await.code(401);
        }
        house.wait(TimeDelta::seconds(301));
    }
    let code = house.code("0708091011", "verify").await;
    let refused = house.verify("0708091011", "verify", &code).await;
    assert_eq!(refused.code(429), "identity.too_many", "even the right one");
    house.wait(TimeDelta::hours(1));
    house.wait(TimeDelta::days(1));
    let code = house.code("0708091011", "verify").await;
    house.verify("0708091011", "verify", &code).await.data(200);
}

#[tokio::test]
async fn a_network_bears_thirty_wrong_codes_in_five_minutes() {
    let house = House::with(production).await;
    sqlx::query("INSERT INTO utilisateur (email) SELECT 'p' || n || '@example.ci' FROM generate_series(1, 7) n")
        .execute(house.pool())
        .await
        .unwrap();
    for number in 1..=7 {
        generate(&house, &format!("p{number}@example.ci")).await.data(201);
    }
    // Nobody knows the codes here: one guess in a million is right.
    let mut refused = 0;
    for number in 1..=7 {
        for _ in 0..5 {
            let answer = house.verify(&format!("p{number}@example.ci"), "verify", "000000").await;
            refused += u32::from(answer.status.as_u16() == 429);
        }
    }
    assert_eq!(refused, 5);
    let elsewhere = house.from_network("198.51.100.7");
    let body = json!({"identifier": "p7@example.ci", "otpCode": "000000"});
    elsewhere.post("/api/verify-otp", body).await.code(401);
}
