use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};
use testkit::{Answer, Client};

use crate::testing::PASSWORD;
use crate::tests::{House, at_once};

async fn refresh(client: &Client, token: &str) -> Answer {
    client.post("/api/auth/refresh", json!({"refreshToken": token})).await
}

/// The tokens of a pair.
fn pair(data: &Value) -> (String, String) {
    let text = |name: &str| data[name].as_str().unwrap().to_owned();
    (text("accessToken"), text("refreshToken"))
}

async fn whether_in(house: &House, access: &str) -> u16 {
    house.client.bearer(access).get("/api/me").await.status.as_u16()
}

#[tokio::test]
async fn a_session_lives_from_sign_in_to_sign_out() {
    let house = House::new().await;
    let awa = house.member("awa@example.ci").await;
    let signed_in = house.client.post("/api/verify-pin", json!({"identifier": "awa@example.ci", "password": PASSWORD}));
    let data = signed_in.await.data(200);
    assert_eq!(data["expiresIn"], 900);
    assert_eq!(data["user"]["id"], json!(awa.public_id));
    let (access, token) = pair(&data);
    assert!(access.starts_with("hsa_") && token.starts_with("hsr_"));

    let (access, token) = pair(&refresh(&house.client, &token).await.data(200));
    let me = house.client.bearer(&access).get("/api/me").await.data(200);
    assert_eq!(me["user"]["email"], "awa@example.ci");

    house.client.bearer(&access).post("/api/auth/logout", json!({})).await.data(200);
    assert_eq!(house.client.bearer(&access).get("/api/me").await.code(401), "identity.token_invalid");
    assert_eq!(refresh(&house.client, &token).await.code(401), "identity.token_invalid");
    assert_eq!(whether_in(&house, &awa.access).await, 200, "the other session stays");
}

#[tokio::test]
async fn what_is_no_token_is_told_apart() {
    let house = House::new().await;
    let answer = house.client.get("/api/me").await;
    assert_eq!(answer.headers["www-authenticate"], "Bearer");
    assert_eq!(answer.code(401), "identity.token_missing");
    assert_eq!(
        house.client.with("authorization", "Basic YTpi").get("/api/me").await.code(401),
        "identity.token_missing"
    );
    let torn = format!("hsa_{}", "a".repeat(49));
    for wrong in ["hsa_", "x", "Bearer", torn.as_str(), &"a".repeat(5000)] {
        let answer = house.client.bearer(wrong).get("/api/me").await;
        assert_eq!(answer.headers["www-authenticate"], "Bearer error=\"invalid_token\"");
        assert_eq!(answer.code(401), "identity.token_invalid", "{wrong}");
    }
    let awa = house.member("awa@example.ci").await;
    assert_eq!(whether_in(&house, &awa.refresh).await, 401, "a refresh token opens nothing");
    assert_eq!(refresh(&house.client, &awa.access).await.code(401), "identity.token_invalid");
}

#[tokio::test]
async fn tokens_end_with_their_time() {
    let house = House::new().await;
    let awa = house.member("awa@example.ci").await;
    house.wait(TimeDelta::minutes(15) + TimeDelta::seconds(1));
    assert_eq!(house.client.bearer(&awa.access).get("/api/me").await.code(401), "identity.token_expired");
    let mut token = pair(&refresh(&house.client, &awa.refresh).await.data(200)).1;
    // Used every 29 days it lives on, until 180 days are over.
    for _ in 0..6 {
        house.wait(TimeDelta::days(29));
        token = pair(&refresh(&house.client, &token).await.data(200)).1;
    }
    house.wait(TimeDelta::days(7));
    assert_eq!(refresh(&house.client, &token).await.code(401), "identity.token_invalid");

    let idle = house.member("idle@example.ci").await;
    house.wait(TimeDelta::days(30) + TimeDelta::seconds(1));
    assert_eq!(refresh(&house.client, &idle.refresh).await.code(401), "identity.token_invalid");
}

#[tokio::test]
async fn one_lost_answer_is_forgiven_and_not_a_second() {
    let house = House::new().await;
    let first = house.member("awa@example.ci").await.refresh;
    let lost = pair(&refresh(&house.client, &first).await.data(200));
    let again = pair(&refresh(&house.client, &first).await.data(200));
    assert_eq!(whether_in(&house, &lost.0).await, 401, "the lost pair is replaced");
    assert_eq!(refresh(&house.client, &first).await.code(401), "identity.token_invalid");
    assert_eq!(whether_in(&house, &again.0).await, 401, "the second replay ends the session");
    assert_eq!(refresh(&house.client, &again.1).await.status, 401);
    assert_eq!(house.count("SELECT count(*) FROM evenement_securite WHERE nature = 'jeton_rejoue'").await, 1);
    assert_eq!(house.count("SELECT count(*) FROM session WHERE revoque_motif = 'jeton_rejoue'").await, 1);
}

#[tokio::test]
async fn the_next_answer_may_be_lost_as_well() {
    let house = House::new().await;
    let mut token = house.member("awa@example.ci").await.refresh;
    for round in 0..3 {
        refresh(&house.client, &token).await.data(200);
        let (access, next) = pair(&refresh(&house.client, &token).await.data(200));
        assert_eq!(whether_in(&house, &access).await, 200, "round {round}");
        token = next;
    }
}

#[tokio::test]
async fn a_token_whose_successor_was_used_is_stolen() {
    let house = House::new().await;
    let first = house.member("awa@example.ci").await.refresh;
    let (access, next) = pair(&refresh(&house.client, &first).await.data(200));
    assert_eq!(whether_in(&house, &access).await, 200);
    let told = "SELECT count(*) FROM travail WHERE charge->>'template' = 'notice_session_ended' AND charge->>'to' = 'awa@example.ci'";
    assert_eq!(house.count(told).await, 0);
    assert_eq!(refresh(&house.client, &first).await.status, 401);
    assert_eq!(whether_in(&house, &access).await, 401);
    assert_eq!(refresh(&house.client, &next).await.status, 401);
    assert_eq!(refresh(&house.client, &first).await.status, 401);
    assert_eq!(house.count(told).await, 1, "the owner hears of it, once");
}

#[tokio::test]
async fn a_stolen_session_is_told_on_every_proved_channel_and_on_no_other() {
    let house = House::new().await;
    let awa = house.member("awa@example.ci").await;
    let first = house.member("yao@example.ci").await.refresh;
    house
        .execute(
            "UPDATE utilisateur SET telephone = '+2250708091011', telephone_verifie_le = now() WHERE email = 'awa@example.ci'",
        )
        .await;
    house.execute("UPDATE utilisateur SET telephone = '+2250505050505' WHERE email = 'yao@example.ci'").await;
    for first in [awa.refresh, first] {
        let (access, _) = pair(&refresh(&house.client, &first).await.data(200));
        assert_eq!(whether_in(&house, &access).await, 200);
        assert_eq!(refresh(&house.client, &first).await.status, 401);
    }
    let told: Vec<String> = sqlx::query_scalar(
        "SELECT charge->>'to' FROM travail WHERE charge->>'template' = 'notice_session_ended' ORDER BY 1",
    )
    .fetch_all(house.pool())
    .await
    .unwrap();
    assert_eq!(told, ["+2250708091011", "awa@example.ci", "yao@example.ci"]);
}

#[tokio::test]
async fn an_ancestor_of_any_age_and_a_lost_pair_in_other_hands_end_the_session() {
    let house = House::new().await;
    let first = house.member("awa@example.ci").await.refresh;
    let second = pair(&refresh(&house.client, &first).await.data(200)).1;
    let third = pair(&refresh(&house.client, &second).await.data(200));
    assert_eq!(refresh(&house.client, &first).await.status, 401);
    assert_eq!(whether_in(&house, &third.0).await, 401, "the thief hurried ahead, and lost it all the same");

    let first = house.member("yao@example.ci").await.refresh;
    let stolen = pair(&refresh(&house.client, &first).await.data(200)).1;
    let mine = pair(&refresh(&house.client, &first).await.data(200));
    assert_eq!(refresh(&house.client, &stolen).await.status, 401);
    assert_eq!(whether_in(&house, &mine.0).await, 401, "somebody had the pair that seemed lost");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_hundred_parallel_refreshes_one_wins_and_none_does_harm() {
    let house = House::new().await;
    let token = house.member("awa@example.ci").await.refresh;
    let answers = at_once(100, |_| {
        let (client, token) = (house.client.clone(), token.clone());
        async move { refresh(&client, &token).await }
    });
    let answers = answers.await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!(won.len(), 1);
    for answer in lost {
        assert_eq!(answer.code(409), "identity.refresh_raced");
    }
    let (access, _) = pair(&won.into_iter().next().unwrap().data(200));
    assert_eq!(whether_in(&house, &access).await, 200);
    assert_eq!(house.count("SELECT count(*) FROM session WHERE revoque_le IS NULL AND generation = 2").await, 1);
}

#[tokio::test]
async fn many_tokens_at_once_get_each_their_own_account() {
    let house = House::new().await;
    let mut people = Vec::new();
    for number in 0..5 {
        people.push(house.member(&format!("p{number}@example.ci")).await);
    }
    let asked = (0..100).map(|turn| {
        let (identity, person) = (&house.identity, &people[turn % 5]);
        async move { identity.authenticate(&person.access).await.unwrap().id_user == person.id_user }
    });
    assert!(join_all(asked).await.into_iter().all(|right| right));
}

#[tokio::test]
async fn one_sees_and_ends_ones_own_sessions_only() {
    let house = House::new().await;
    let awa = house.member("awa@example.ci").await;
    let yao = house.member("yao@example.ci").await;
    let body = json!({"identifier": "awa@example.ci", "password": PASSWORD});
    let phone = house.from_network("196.47.128.10").with("user-agent", "Hostolink/1.0 (Android 15)");
    let second = pair(&phone.post("/api/verify-pin", body).await.data(200));

    let page = house.client.bearer(&awa.access).get("/api/me/sessions?limit=1").await.data(200);
    assert_eq!(page["items"][0]["device"], "Hostolink/1.0 (Android 15)");
    assert_eq!(page["items"][0]["network"], "196.47.128.10");
    assert_eq!(page["items"][0]["current"], false);
    let path = format!("/api/me/sessions?limit=1&cursor={}", page["nextCursor"].as_str().unwrap());
    let rest = house.client.bearer(&awa.access).get(&path).await.data(200);
    assert_eq!((&rest["items"][0]["current"], &rest["nextCursor"]), (&json!(true), &Value::Null));

    let path = format!("/api/me/sessions/{}", page["items"][0]["id"].as_str().unwrap());
    assert_eq!(house.client.bearer(&yao.access).delete(&path, None).await.status, 404);
    assert_eq!(whether_in(&house, &second.0).await, 200);
    house.client.bearer(&awa.access).delete(&path, None).await.data(200);
    assert_eq!(whether_in(&house, &second.0).await, 401);
    assert_eq!(house.client.bearer(&awa.access).delete(&path, None).await.status, 404, "it is over already");
    assert_eq!(house.client.bearer(&awa.access).get("/api/me/sessions?limit=0").await.status, 400);
}

#[tokio::test]
async fn an_account_keeps_its_newest_sessions() {
    let house = House::new().await;
    let awa = house.member("awa@example.ci").await;
    let origin = super::Origin { network: "0.0.0.0".into(), device: String::new() };
    for _ in 0..super::MAX_SESSIONS {
        house.wait(TimeDelta::seconds(1));
        let mut transaction = house.identity.db.write.begin().await.unwrap();
        super::open(&mut transaction, &house.identity, awa.id_user, &origin).await.unwrap();
        transaction.commit().await.unwrap();
    }
    assert_eq!(house.count("SELECT count(*) FROM session").await, super::MAX_SESSIONS);
    assert_eq!(whether_in(&house, &awa.access).await, 401, "the oldest is gone");
}

#[tokio::test]
async fn a_suspended_account_is_told_so_and_a_deleted_one_is_not() {
    let house = House::new().await;
    let awa = house.member("awa@example.ci").await;
    assert_eq!(whether_in(&house, &awa.access).await, 200);
    house.execute("UPDATE utilisateur SET statut = 'suspendu'").await;
    assert_eq!(house.client.bearer(&awa.access).get("/api/me").await.code(403), "identity.suspended");
    assert_eq!(refresh(&house.client, &awa.refresh).await.code(403), "identity.suspended");
    house.execute("UPDATE utilisateur SET statut = 'actif'").await;
    assert_eq!(refresh(&house.client, &awa.refresh).await.status, 200, "the refused refresh took nothing");
    house.execute("UPDATE utilisateur SET statut = 'supprime'").await;
    assert_eq!(whether_in(&house, &awa.access).await, 401);
}

#[tokio::test]
async fn ended_sessions_are_swept_with_their_old_tokens() {
    let house = House::new().await;
    let awa = house.member("awa@example.ci").await;
    let (access, _) = pair(&refresh(&house.client, &awa.refresh).await.data(200));
    house.client.bearer(&access).post("/api/auth/logout", json!({})).await.data(200);
    assert_eq!(house.identity.sweep_sessions(100).await.unwrap(), 0, "its owner may still ask");
    house.wait(TimeDelta::days(31));
    assert_eq!(house.identity.sweep_sessions(100).await.unwrap(), 1);
    assert_eq!(house.count("SELECT count(*) FROM jeton_ancien").await, 0);
}

#[tokio::test]
async fn replaced_tokens_are_forgotten_when_they_would_have_ended() {
    let house = House::new().await;
    let mut token = house.member("awa@example.ci").await.refresh;
    for _ in 0..4 {
        token = pair(&refresh(&house.client, &token).await.data(200)).1;
        house.wait(TimeDelta::days(14));
    }
    assert_eq!(house.identity.sweep_sessions(1).await.unwrap(), 1, "no more than asked");
    assert_eq!(house.identity.sweep_sessions(100).await.unwrap(), 1);
    assert_eq!(house.count("SELECT count(*) FROM jeton_ancien").await, 2);
    refresh(&house.client, &token).await.data(200);
}

#[tokio::test]
async fn the_log_of_events_cannot_be_rewritten() {
    let house = House::new().await;
    house.member("awa@example.ci").await;
    for sql in
        ["UPDATE evenement_securite SET nature = 'x'", "DELETE FROM evenement_securite", "TRUNCATE evenement_securite"]
    {
        assert!(sqlx::query(sql).execute(house.pool()).await.is_err(), "{sql}");
    }
}
