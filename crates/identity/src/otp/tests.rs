mod breakers;
mod citizens;
mod proofs;

use chrono::TimeDelta;
use kernel::Keys;
use kernel::keys::Purpose as Key;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::tests::{House, at_once, text, with_status, wrong};
use crate::{Limits, Mode, testing};

#[tokio::test]
async fn a_code_goes_to_its_channel_and_is_kept_by_its_hash_only() {
    let house = House::new().await;
    house.register("testemail@gmail.com").await;
    let before = house.clock.now();
    let sent = house.client.post("/api/generate-otp", json!({"identifier": "testemail@gmail.com"})).await.data(201);
    let code = text(&sent["otp"]);
    assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
    assert_eq!((&sent["channel"], &sent["destination"]), (&json!("email"), &json!("t*******l@gmail.com")));
    assert_eq!(sent["resendAfter"], 30);
    let expires: chrono::DateTime<chrono::Utc> = text(&sent["expiresAt"]).parse().unwrap();
    let lives = expires - before;
    assert!(lives >= TimeDelta::seconds(299) && lives <= TimeDelta::seconds(305), "{lives}");

    let (stored, salt): (String, Vec<u8>) =
        sqlx::query_as("SELECT otp_code, sel FROM otp WHERE is_valid").fetch_one(house.pool()).await.unwrap();
    assert_eq!((stored.len(), salt.len()), (64, 16));
    assert!(!stored.contains(&code));

    let (id, payload, secret): (Uuid, Value, Vec<u8>) =
        sqlx::query_as("SELECT id, charge, secret FROM travail WHERE nature = 'message.send'")
            .fetch_one(house.pool())
            .await
            .unwrap();
    let expected =
        json!({"channel": "email", "to": "testemail@gmail.com", "template": "otp_verify", "lang": "fr", "ref": id});
    assert_eq!(payload, expected);
    let opened = Keys::new([7; 32], None).open(Key::Outbox, id.as_bytes(), &secret).unwrap();
    assert_eq!(opened.as_slice(), code.as_bytes());
}

#[tokio::test]
async fn numbers_get_sms_and_channels_have_to_fit() {
    let house = House::new().await;
    house.register("0708091011").await;
    let ask = |channel: &str| json!({"identifier": "0708091011", "channel": channel});
    for channel in ["email", "whatsapp", ""] {
        let answer = house.client.post("/api/generate-otp", ask(channel)).await;
        assert_eq!(answer.body["errors"][0]["field"], "channel", "{channel}");
        answer.code(400);
    }
    let purpose = json!({"identifier": "0708091011", "purpose": "transfer"});
    house.client.post("/api/generate-otp", purpose).await.code(400);
    let sent = house.client.post("/api/generate-otp", ask("sms")).await.data(201);
    assert_eq!((&sent["channel"], &sent["destination"]), (&json!("sms"), &json!("+225 07 ** ** ** 11")));
    let unknown = json!({"identifier": "nobody@gmail.com"});
    assert_eq!(house.client.post("/api/generate-otp", unknown).await.code(404), "identity.unknown_identifier");
    assert_eq!(house.messages().await, 1);
}

#[tokio::test]
async fn production_tells_no_code() {
    let house = House::with(|config| config.mode = Mode::Production).await;
    house.register("0708091011").await;
    for (path, body) in [
        ("/api/generate-otp", json!({"identifier": "0708091011"})),
        ("/otp", json!({"type": "create", "phoneNumber": "0708091011"})),
    ] {
        let answer = house.client.post(path, body).await;
        assert!(answer.body["data"].get("otp").is_none(), "{}", answer.body);
        answer.data(201);
    }
}

#[tokio::test]
async fn a_hundred_requests_at_once_send_one_message() {
    let house = House::new().await;
    house.register("0708091011").await;
    let answers = at_once(100, |_| {
        let client = house.client.clone();
        async move { client.post("/api/generate-otp", json!({"identifier": "0708091011"})).await }
    })
    .await;
    assert_eq!((with_status(&answers, 201), with_status(&answers, 429)), (1, 99));
    assert_eq!(house.messages().await, 1);
    let refused = answers.iter().find(|answer| answer.status.as_u16() == 429).unwrap();
    let after: i64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((25..=30).contains(&after), "{after}");
}

#[tokio::test]
async fn a_hundred_right_codes_at_once_prove_once() {
    let house = House::new().await;
    house.register("0708091011").await;
    let code = house.code("0708091011", "login").await;
    let answers = at_once(100, |_| {
        let (client, code) = (house.client.clone(), code.clone());
        let body = json!({"identifier": "0708091011", "purpose": "login", "otpCode": code});
        async move { client.post("/api/verify-otp", body).await }
    })
    .await;
    assert_eq!((with_status(&answers, 200), with_status(&answers, 410)), (1, 99));
    assert_eq!(house.count("SELECT count(*) FROM session").await, 1);
    assert_eq!(house.count("SELECT count(*) FROM ticket_parcours WHERE nature = 'preuve'").await, 1);
}

#[tokio::test]
async fn of_a_hundred_wrong_codes_at_once_five_are_compared() {
    let house = House::new().await;
    house.register("0708091011").await;
    let code = house.code("0708091011", "verify").await;
    let bad = wrong(&code);
    let answers = at_once(100, |_| {
        let (client, bad) = (house.client.clone(), bad.clone());
        async move { client.post("/api/verify-otp", json!({"identifier": "0708091011", "otpCode": bad})).await }
    })
    .await;
    assert_eq!((with_status(&answers, 401), with_status(&answers, 410)), (5, 95));
    let mut left: Vec<u64> = answers.iter().filter_map(|answer| answer.body["attemptsLeft"].as_u64()).collect();
    left.sort_unstable();
    assert_eq!(left, [0, 1, 2, 3, 4]);
    assert_eq!(house.verify("0708091011", "verify", &code).await.code(410), "identity.otp_gone", "exhausted");
    assert_eq!(house.count("SELECT count(*) FROM evenement_securite WHERE nature = 'code_faux'").await, 5);
}

#[tokio::test]
async fn a_code_is_good_for_its_purpose_its_destination_and_five_minutes() {
    let house = House::new().await;
    house.register("0708091011").await;
    house.register("awa@example.ci").await;
    let code = house.code("0708091011", "verify").await;
    for purpose in ["login", "reset", "citizen"] {
        assert_eq!(house.verify("0708091011", purpose, &code).await.code(410), "identity.otp_gone", "{purpose}");
    }
    house.verify("awa@example.ci", "verify", &code).await.code(410);
    house.verify("nobody@example.ci", "verify", &code).await.code(404);
    // A wrong one counts, a mistake of typing does not.
    for typed in ["12345a", "", "1", "１２３４５６", &"9".repeat(4000)] {
        let answer = house.verify("0708091011", "verify", typed).await;
        assert_eq!(answer.body["errors"][0]["code"], "code_invalid", "{typed:.20}");
        answer.code(400);
    }
    assert_eq!(house.verify("0708091011", "verify", &wrong(&code)).await.body["attemptsLeft"], 4);
    house.wait(TimeDelta::seconds(301));
    assert_eq!(house.verify("0708091011", "verify", &code).await.code(410), "identity.otp_gone");

    let newer = house.code("0708091011", "verify").await;
    if newer != code {
        house.verify("0708091011", "verify", &code).await.code(401);
    }
    house.verify("0708091011", "verify", &format!(" {newer} ")).await.data(200);
    assert_eq!(house.verify("0708091011", "verify", &newer).await.code(410), "identity.otp_gone", "used");
}

#[tokio::test]
async fn the_old_name_of_verify_otp_works_with_its_old_field() {
    let house = House::new().await;
    house.register("testemail@gmail.com").await;
    let code = house.code("testemail@gmail.com", "verify").await;
    let body = json!({"identifier": "testemail@gmail.com", "code": wrong(&code)});
    assert_eq!(house.client.post("/api/verify-code", body).await.code(401), "identity.otp_wrong");
    let malformed = json!({"identifier": "testemail@gmail.com", "code": "abc"});
    assert_eq!(house.client.post("/api/verify-code", malformed).await.body["errors"][0]["field"], "code");
    let body = json!({"identifier": "testemail@gmail.com", "code": code});
    assert_eq!(house.client.post("/api/verify-code", body).await.data(200)["verified"], true);
}

#[tokio::test]
async fn a_code_of_a_replaced_secret_is_still_good() {
    let house = House::new().await;
    house.register("0708091011").await;
    let code = house.code("0708091011", "verify").await;
    let mut deps = testing::deps(&house.db.db, &house.clock);
    deps.keys = Keys::new([8; 32], Some([7; 32]));
    let rotated = crate::Identity::new(deps).unwrap();
    let client = testkit::Client::new(testing::router(&rotated));
    let body = json!({"identifier": "0708091011", "otpCode": code});
    client.post("/api/verify-otp", body).await.data(200);
}

#[tokio::test]
async fn limits_that_are_off_leave_the_tries_of_a_code() {
    let house = House::with(|config| config.limits = Limits::Off).await;
    house.register("0708091011").await;
    for _ in 0..8 {
        house.code("0708091011", "verify").await;
    }
    let sent = house.client.post("/api/generate-otp", json!({"identifier": "0708091011"})).await.data(201);
    assert_eq!(sent["resendAfter"], 0);
    let bad = wrong(&text(&sent["otp"]));
    for left in [4, 3, 2, 1, 0] {
        assert_eq!(house.verify("0708091011", "verify", &bad).await.body["attemptsLeft"], left);
    }
    house.verify("0708091011", "verify", &bad).await.code(410);
    assert_eq!(house.count("SELECT count(*) FROM otp WHERE is_valid").await, 1, "one live code");
}

#[tokio::test]
async fn without_limits_a_hundred_requests_at_once_all_send_and_one_code_is_good() {
    let house = House::with(|config| config.limits = Limits::Off).await;
    house.register("0708091011").await;
    for (path, body, status) in [
        ("/api/generate-otp", json!({"identifier": "0708091011"}), 201),
        ("/otp", json!({"type": "create", "phoneNumber": "0708091011"}), 201),
        ("/otp", json!({"type": "resend", "phoneNumber": "0708091011"}), 200),
    ] {
        let times = if body["type"] == "create" { 1 } else { 100 };
        let answers = at_once(times, |_| {
            let (client, body) = (house.client.clone(), body.clone());
            async move { client.post(path, body).await }
        });
        assert_eq!(with_status(&answers.await, status), times, "{body}");
    }
    assert_eq!(house.messages().await, 201);
    assert_eq!(house.count("SELECT count(*) FROM otp WHERE is_valid").await, 2, "one live code a purpose");
}
