use chrono::TimeDelta;
use serde_json::json;

use crate::tests::{House, at_once, text, with_status};
use crate::{Mode, testing};

#[tokio::test]
async fn check_user_knows_every_spelling_and_says_what_comes_next() {
    let house = House::new().await;
    house.register("07 08 09 10 11").await;
    for spelling in ["0708091011", "+225 0708091011", "002250708091011", "07-08-09-10-11"] {
        let known = house.client.post("/api/check-user", json!({"identifier": spelling})).await.data(200);
        let expected = json!({"exists": true, "hasPassword": false, "verified": false, "identifierType": "phone",
                              "nextStep": "define-password"});
        assert_eq!(known, expected, "{spelling}");
    }
    house.wait(TimeDelta::minutes(15));
    assert_eq!(house.next_step("0708091011").await, "verify-otp", "the minutes after the registration are over");

    testing::sign_up_unverified(&house.identity, "awa@example.ci").await;
    let known = house.client.post("/api/check-user", json!({"identifier": "AWA@Example.CI"})).await.data(200);
    let expected = json!({"exists": true, "hasPassword": true, "verified": false, "identifierType": "email",
                          "nextStep": "verify-otp"});
    assert_eq!(known, expected);
    sqlx::query("UPDATE utilisateur SET adopte_le = now() WHERE email = 'awa@example.ci'")
        .execute(house.pool())
        .await
        .unwrap();
    assert_eq!(house.next_step("awa@example.ci").await, "verify-pin", "people of the first backend sign in as before");
    sqlx::query("UPDATE utilisateur SET telephone = '+2250102030405', telephone_verifie_le = now() WHERE email = 'awa@example.ci'")
        .execute(house.pool())
        .await
        .unwrap();
    assert_eq!(
        house.next_step("awa@example.ci").await,
        "verify-otp",
        "the other one is proved: this one proves nothing"
    );
    assert_eq!(house.next_step("0102030405").await, "verify-pin");
}

#[tokio::test]
async fn what_is_no_identifier_names_the_field_and_the_reason() {
    let house = House::new().await;
    let cases = [
        ("07O8091011", "identifier_invalid"),
        ("07080910", "identifier_eight_digits"),
        ("+33612345678", "identifier_not_served"),
        ("", "identifier_empty"),
        ("аwa@example.ci", "identifier_look_alike"),
    ];
    for path in ["check-user", "register-user", "generate-otp"] {
        for (identifier, reason) in cases {
            let answer = house.client.post(&format!("/api/{path}"), json!({"identifier": identifier})).await;
            assert_eq!(answer.body["errors"][0]["field"], "identifier", "{path} {identifier}");
            assert_eq!(answer.body["errors"][0]["code"], reason, "{path} {identifier}");
            assert_eq!(answer.code(400), "request.invalid");
        }
    }
    for body in [json!({}), json!({"identifier": 5}), json!({"identifier": null}), json!([])] {
        house.client.post("/api/check-user", body).await.code(400);
    }
    assert_eq!(house.count("SELECT count(*) FROM utilisateur").await, 0);
}

#[tokio::test]
async fn many_reads_at_once_each_get_their_own_answer() {
    let house = House::new().await;
    for number in 0..20 {
        house.register(&format!("personne{number}@example.ci")).await;
    }
    let answers =
        at_once(60, |number| {
            let client = house.client.clone();
            async move {
                client.post("/api/check-user", json!({"identifier": format!("personne{number}@example.ci")})).await
            }
        })
        .await;
    for (number, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer.data(200)["exists"], json!(number < 20), "{number}");
    }
}

#[tokio::test]
async fn a_person_is_registered_once() {
    let house = House::new().await;
    let answers = at_once(20, |number| {
        let client = house.client.clone();
        let spelling = if number % 2 == 0 { "0708091011" } else { "+225 07 08 09 10 11" };
        async move { client.post("/api/register-user", json!({"identifier": spelling})).await }
    })
    .await;
    assert_eq!((with_status(&answers, 201), with_status(&answers, 409)), (1, 19));
    assert_eq!(
        house.count("SELECT count(*) FROM utilisateur WHERE telephone = '+2250708091011' AND pays = 'CI'").await,
        1
    );

    let english = house.client.with("accept-language", "en");
    let user =
        english.post("/api/register-user", json!({"identifier": "awa@example.ci"})).await.data(201)["user"].clone();
    assert_eq!(
        (&user["email"], &user["phoneNumber"], &user["country"]),
        (&json!("awa@example.ci"), &json!(null), &json!(null))
    );
    assert_eq!((&user["emailVerified"], &user["roles"]), (&json!(false), &json!([])));
    assert_eq!(
        house.count("SELECT count(*) FROM utilisateur WHERE email = 'awa@example.ci' AND langue = 'en'").await,
        1
    );
}

#[tokio::test]
async fn a_password_is_refused_by_field_before_anything_is_hashed() {
    let house = House::new().await;
    house.register("testemail@gmail.com").await;
    let ask = async |body: serde_json::Value| {
        let answer = house.client.post("/api/define-password", body).await;
        let error = answer.body["errors"][0].clone();
        assert_eq!(answer.code(400), "request.invalid");
        (text(&error["field"]), text(&error["code"]))
    };
    let with = |password: &str| json!({"identifier": "testemail@gmail.com", "password": password});
    let refused = |code: &str| ("password".to_owned(), code.to_owned());
    assert_eq!(ask(with("court1")).await, refused("password_too_short"));
    assert_eq!(ask(with(&"xY3%".repeat(2000))).await, refused("password_too_long"));
    assert_eq!(ask(with("Password123!")).await, refused("password_too_common"));
    assert_eq!(ask(with("moiTestEmail77")).await, refused("password_contains_identifier"));
    let twice = json!({"identifier": "testemail@gmail.com", "password": "MonMotDePasse123", "confirmPassword": "MonMotDePasse124"});
    assert_eq!(ask(twice).await, ("confirmPassword".to_owned(), "password_mismatch".to_owned()));
    assert_eq!(house.count("SELECT count(*) FROM utilisateur WHERE mdp IS NOT NULL").await, 0);
    let unknown = json!({"identifier": "nobody@gmail.com", "password": "MonMotDePasse123"});
    assert_eq!(house.client.post("/api/define-password", unknown).await.code(404), "identity.unknown_identifier");
}

#[tokio::test]
async fn the_first_password_is_defined_once() {
    let house = House::new().await;
    house.register("awa@example.ci").await;
    let body =
        json!({"identifier": "awa@example.ci", "password": testing::PASSWORD, "confirmPassword": testing::PASSWORD});
    let answers = at_once(10, |_| {
        let (client, body) = (house.client.clone(), body.clone());
        async move { client.post("/api/define-password", body).await }
    })
    .await;
    assert_eq!((with_status(&answers, 200), with_status(&answers, 409)), (1, 9));
    assert_eq!(house.count("SELECT count(*) FROM session").await, 1);
    assert_eq!(
        house.count("SELECT count(*) FROM utilisateur WHERE mdp LIKE '$argon2id$v=19$m=19456,t=2,p=1$%'").await,
        1
    );

    let first = answers.into_iter().find(|answer| answer.status.as_u16() == 200).unwrap();
    let cookie = text(&json!(first.headers["set-cookie"].to_str().unwrap()));
    assert!(
        cookie.starts_with("hostolink_flow=hft_")
            && cookie.ends_with("; HttpOnly; SameSite=Strict; Path=/; Max-Age=900"),
        "{cookie}"
    );
    let data = first.data(200);
    assert_eq!((&data["expiresIn"], &data["user"]["email"]), (&json!(900), &json!("awa@example.ci")));
    assert!(data["user"].get("idUser").is_none() && data["user"].get("id_user").is_none());
}

#[tokio::test]
async fn production_sends_its_cookie_over_tls_only() {
    let house = House::with(|config| config.mode = Mode::Production).await;
    house.register("awa@example.ci").await;
    let body = json!({"identifier": "awa@example.ci", "password": testing::PASSWORD});
    let answer = house.client.post("/api/define-password", body).await;
    assert!(answer.headers["set-cookie"].to_str().unwrap().ends_with("; Secure"));
}

#[tokio::test]
async fn after_fifteen_minutes_a_proof_is_needed() {
    let house = House::new().await;
    let ticket = house.register("awa@example.ci").await;
    let other = house.register("yao@example.ci").await;
    let with = |ticket: Option<&str>| {
        let mut body = json!({"identifier": "awa@example.ci", "password": testing::PASSWORD});
        if let Some(ticket) = ticket {
            body["flowTicket"] = json!(ticket);
        }
        body
    };
    for ticket in [other.as_str(), "hft_pas_un_ticket", "", &"x".repeat(5000)] {
        assert_eq!(
            house.client.post("/api/define-password", with(Some(ticket))).await.code(403),
            "identity.ticket_invalid"
        );
    }
    house.wait(TimeDelta::minutes(15));
    assert_eq!(house.client.post("/api/define-password", with(None)).await.code(403), "identity.proof_required");
    assert_eq!(
        house.client.post("/api/define-password", with(Some(&ticket))).await.code(403),
        "identity.ticket_invalid"
    );

    let code = house.code("awa@example.ci", "verify").await;
    let proof = text(&house.verify("awa@example.ci", "verify", &code).await.data(200)["flowTicket"]);
    house.wait(TimeDelta::minutes(9));
    house.client.post("/api/define-password", with(Some(&proof))).await.data(200);
}

#[tokio::test]
async fn a_reset_takes_its_own_proof_and_ends_every_other_session() {
    let house = House::new().await;
    let awa = testing::sign_up(&house.identity, "awa@example.ci").await;
    sqlx::query("UPDATE utilisateur SET telephone = '+2250708091011', telephone_verifie_le = now() WHERE id_user = $1")
        .bind(awa.id_user)
        .execute(house.pool())
        .await
        .unwrap();
    let reset = |ticket: &str| json!({"identifier": "awa@example.ci", "flowTicket": ticket, "password": "ToutNouveau789", "confirmPassword": "ToutNouveau789"});
    testing::after_cooldowns(&house.clock);
    let code = house.code("awa@example.ci", "verify").await;
    let other = text(&house.verify("awa@example.ci", "verify", &code).await.data(200)["flowTicket"]);
    assert_eq!(house.client.post("/api/reset-password", reset(&other)).await.code(403), "identity.ticket_invalid");

    let code = house.code("awa@example.ci", "reset").await;
    let proved = house.verify("awa@example.ci", "reset", &code).await.data(200);
    assert_eq!(proved["nextStep"], "reset-password");
    let ticket = text(&proved["flowTicket"]);
    let mismatch = json!({"identifier": "awa@example.ci", "flowTicket": ticket, "password": "ToutNouveau789", "confirmPassword": "x"});
    house.client.post("/api/reset-password", mismatch).await.code(400);
    let of_other = json!({"identifier": "0708091011", "flowTicket": ticket, "password": "ToutNouveau789", "confirmPassword": "ToutNouveau789"});
    assert_eq!(house.client.post("/api/reset-password", of_other).await.code(403), "identity.ticket_invalid");

    let before = house.messages().await;
    let answers = at_once(5, |_| {
        let (client, body) = (house.client.clone(), reset(&ticket));
        async move { client.post("/api/reset-password", body).await }
    })
    .await;
    assert_eq!((with_status(&answers, 200), with_status(&answers, 403)), (1, 4), "a proof serves once");
    assert_eq!(house.messages().await - before, 2, "a notice on each proved channel");

    let old = house.client.bearer(&awa.tokens.access_token);
    assert_eq!(old.get("/api/me").await.code(401), "identity.token_invalid");
    let new = answers.into_iter().find(|answer| answer.status.as_u16() == 200).unwrap().data(200);
    let account = house.identity.authenticate(new["accessToken"].as_str().unwrap()).await.unwrap();
    let blocked = account.outgoing_blocked_until.unwrap() - house.clock.now();
    assert!(blocked > TimeDelta::hours(23) && blocked <= TimeDelta::hours(24), "{blocked}");

    let sign_in = async |password: &str| {
        house
            .client
            .post("/api/verify-pin", json!({"identifier": "awa@example.ci", "password": password}))
            .await
            .status
            .as_u16()
    };
    assert_eq!(sign_in(testing::PASSWORD).await, 401);
    assert_eq!(sign_in("ToutNouveau789").await, 200);
}

#[tokio::test]
async fn a_proof_of_reset_lives_ten_minutes() {
    let house = House::new().await;
    testing::sign_up(&house.identity, "awa@example.ci").await;
    let code = house.code("awa@example.ci", "reset").await;
    let ticket = text(&house.verify("awa@example.ci", "reset", &code).await.data(200)["flowTicket"]);
    house.wait(TimeDelta::minutes(10));
    let body = json!({"identifier": "awa@example.ci", "flowTicket": ticket, "password": "ToutNouveau789", "confirmPassword": "ToutNouveau789"});
    assert_eq!(house.client.post("/api/reset-password", body).await.code(403), "identity.ticket_invalid");
}
