use std::time::Duration;

use serde_json::json;

use crate::testing::{operators::Wave, world};

#[tokio::test]
async fn without_a_connector_nothing_is_promised() {
    let world = world().await;
    let awa = world.member("0707070701").await;
    let order = json!({"provider": "wave", "amount": 5000, "account": "0707070701"});
    assert_eq!(awa.pay("k", "/api/deposits", order.clone()).await.code(503), "wallet.provider_unavailable");
    assert_eq!(awa.client.post("/api/deposits", order).await.code(400), "request.idempotency_key_missing");
}

#[tokio::test]
async fn a_deposit_is_credited_when_the_operator_says_so() {
    let wave = Wave::start(Some(Duration::from_millis(50))).await;
    let world = &wave.world;
    let awa = world.locked_member("0707070701").await;
    let order = json!({"provider": "wave", "amount": 5000, "account": "07 07 07 07 01"});
    let answer = awa.pay("k", "/api/deposits", order.clone()).await.data(202);
    let (transaction, action) = (&answer["transaction"], &answer["nextAction"]);
    assert_eq!(
        (&transaction["type"], &transaction["status"], &transaction["direction"]),
        (&"deposit".into(), &"pending".into(), &"in".into())
    );
    assert_eq!(transaction["counterparty"], json!({"displayName": "Wave", "maskedIdentifier": "+225 07 ** ** ** 01"}));
    assert_eq!(transaction["balanceAfter"], serde_json::Value::Null);
    assert_eq!((&action["type"], action["url"].as_str().unwrap().starts_with("http")), (&"open_url".into(), true));
    let id = transaction["id"].as_str().unwrap();
    let again = awa.pay("k", "/api/deposits", order).await;
    assert_eq!((again.status.as_u16(), again.headers["idempotency-replayed"].to_str().unwrap()), (202, "true"));
    assert_eq!(again.body["data"]["transaction"]["id"], id);

    let settled = wave.settled(&awa, id).await;
    assert_eq!(
        (&settled["id"], &settled["status"], &settled["balanceAfter"]),
        (&id.into(), &"succeeded".into(), &5000.into())
    );
    assert_eq!(awa.balance().await, 5000);
    let loaded = awa.client.get("/api/wallet").await.data(200)["limits"]["loadedThisMonth"].clone();
    assert_eq!(loaded, 5000);
    let list = awa.client.get("/api/transactions").await.data(200)["items"].clone();
    assert_eq!(
        (list.as_array().unwrap().len(), &list[0]["id"]),
        (1, &id.into()),
        "the settlement is not shown beside it"
    );
    // Every further look changes nothing.
    wave.work().await;
    assert_eq!(awa.balance().await, 5000);
    world.audit().await;
}

#[tokio::test]
async fn a_webhook_makes_us_ask_and_its_repeat_does_not() {
    let wave = Wave::start(None).await;
    let awa = wave.world.locked_member("0707070701").await;
    let order = json!({"provider": "wave", "amount": 700, "account": "0707070701"});
    let id = awa.pay("k", "/api/deposits", order).await.data(202)["transaction"]["id"].as_str().unwrap().to_owned();
    wave.work().await;
    assert_eq!(awa.balance().await, 0, "nobody approved yet");
    wave.approve(&id).await;
    // The webhook comes by itself; the job behind it reads the state.
    wave.received(1).await;
    wave.work().await;
    assert_eq!(awa.balance().await, 700);
    let known: i64 =
        sqlx::query_scalar("SELECT count(*) FROM rappel_recu").fetch_one(&wave.world.test.db.write).await.unwrap();
    assert_eq!(known, 1);
    wave.world.audit().await;
}

#[tokio::test]
async fn what_the_operator_refuses_or_lets_lapse_is_told() {
    let wave = Wave::start(None).await;
    let awa = wave.world.locked_member("0707070701").await;
    let order = |amount: i64| json!({"provider": "wave", "amount": amount, "account": "0707070701"});
    let id =
        awa.pay("k", "/api/deposits", order(700)).await.data(202)["transaction"]["id"].as_str().unwrap().to_owned();
    wave.order("expire", &id).await;
    wave.work_later().await;
    let told = awa.client.get(&format!("/api/deposits/{id}")).await.data(200);
    assert_eq!((&told["transaction"]["status"], &told["nextAction"]), (&"expired".into(), &serde_json::Value::Null));
    assert_eq!(awa.balance().await, 0);
    let loaded = awa.client.get("/api/wallet").await.data(200)["limits"]["loadedThisMonth"].clone();
    assert_eq!(loaded, 0, "what did not come is not counted");
    wave.world.audit().await;
}

#[tokio::test]
async fn limits_of_the_tier_hold_before_anything_leaves() {
    let wave = Wave::start(None).await;
    let awa = wave.world.locked_member("0707070701").await;
    let order = |amount: i64| json!({"provider": "wave", "amount": amount, "account": "0707070701"});
    assert_eq!(awa.pay("big", "/api/deposits", order(200_001)).await.code(422), "wallet.period_limit");
    let again = awa.pay("big", "/api/deposits", order(200_001)).await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.code(422), "wallet.period_limit");
    assert_eq!(awa.pay("small", "/api/deposits", order(99)).await.code(422), "wallet.provider_bounds");
    let sent: i64 = sqlx::query_scalar("SELECT count(*) FROM echange_operateur")
        .fetch_one(&wave.world.test.db.write)
        .await
        .unwrap();
    assert_eq!(sent, 0);
    for (body, status) in [
        (json!({"provider": "wave", "amount": 700, "account": "0707"}), 400),
        (json!({"provider": "wave", "amount": 700, "account": "awa@example.ci"}), 400),
        (json!({"provider": "paypal", "amount": 700, "account": "0707070701"}), 400),
        (json!({"provider": "wave", "amount": 700, "account": "0707070701", "fee": 0}), 400),
        (json!({"provider": "bank", "amount": 7000, "account": "CI93CI0080111301134291200589"}), 503),
    ] {
        assert_eq!(awa.pay("k", "/api/deposits", body.clone()).await.status.as_u16(), status, "{body}");
    }
    let stranger = wave.world.member("0505050502").await;
    let id =
        awa.pay("k", "/api/deposits", order(700)).await.data(202)["transaction"]["id"].as_str().unwrap().to_owned();
    assert_eq!(stranger.client.get(&format!("/api/deposits/{id}")).await.code(404), "request.not_found");
    assert_eq!(stranger.client.get(&format!("/api/transactions/{id}")).await.code(404), "request.not_found");
    let code = awa.client.post(&format!("/api/deposits/{id}/code"), json!({"code": "4821"})).await;
    assert_eq!(code.code(409), "wallet.no_code_expected");
}

#[tokio::test]
async fn an_operator_that_did_nothing_is_asked_again_and_one_that_did_is_not() {
    let wave = Wave::start(None).await;
    let awa = wave.world.locked_member("0707070701").await;
    let order = |amount: i64| json!({"provider": "wave", "amount": amount, "account": "0707070701"});
    // Nothing was done, but we cannot know: the operator is asked first, then the order leaves again.
    wave.fault(json!({"provider": "wave", "call": "collect", "kind": "reset"})).await;
    let lost = awa.pay("lost", "/api/deposits", order(700)).await.data(202);
    assert_eq!((&lost["transaction"]["status"], &lost["nextAction"]), (&"pending".into(), &serde_json::Value::Null));
    let id = lost["transaction"]["id"].as_str().unwrap();
    wave.work_later().await;
    let told = awa.client.get(&format!("/api/deposits/{id}")).await.data(200);
    assert_eq!(told["nextAction"]["type"], "open_url");
    wave.approve(id).await;
    assert_eq!(wave.settled(&awa, id).await["status"], "succeeded");
    // It was done and the answer was lost: found by our reference, not asked for twice.
    wave.fault(json!({"provider": "wave", "call": "collect", "kind": "status_503_after_execution"})).await;
    let unsure = awa.pay("unsure", "/api/deposits", order(300)).await.data(202);
    let id = unsure["transaction"]["id"].as_str().unwrap();
    wave.approve(id).await;
    assert_eq!(wave.settled(&awa, id).await["status"], "succeeded");
    let state = wave.state().await;
    assert_eq!(state["operations"].as_array().unwrap().len(), 2, "one operation each at the operator");
    assert_eq!(awa.balance().await, 1000);
    wave.world.audit().await;
}

#[tokio::test]
async fn forged_and_altered_webhooks_move_nothing() {
    let wave = Wave::start(None).await;
    let awa = wave.world.locked_member("0707070701").await;
    let order = json!({"provider": "wave", "amount": 700, "account": "0707070701"});
    let id = awa.pay("k", "/api/deposits", order).await.data(202)["transaction"]["id"].as_str().unwrap().to_owned();
    let unsigned = wave
        .world
        .anybody
        .post("/api/webhooks/wave", json!({"id": "EV_1", "type": "checkout.session.completed"}))
        .await;
    assert_eq!(unsigned.code(401), "wallet.webhook_refused");
    let unknown = wave.world.anybody.post("/api/webhooks/nobody", json!({})).await;
    assert_eq!(unknown.code(404), "request.not_found");
    // Well signed and a lie: the operator is asked and says that nobody paid.
    let reference = wave.reference(&id).await;
    wave.control("forge", json!({"provider": "wave", "reference": reference, "alteredAmount": true})).await;
    wave.received(1).await;
    wave.work().await;
    assert_eq!(awa.balance().await, 0);
    wave.world.audit().await;
}

#[tokio::test]
async fn the_clear_number_is_nowhere_in_the_tables() {
    let wave = Wave::start(None).await;
    let awa = wave.world.locked_member("0707070701").await;
    let order = json!({"provider": "wave", "amount": 700, "account": "0101020304"});
    awa.pay("k", "/api/deposits", order).await.data(202);
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT i::text FROM instruction_operateur i UNION ALL SELECT e::text FROM echange_operateur e
         UNION ALL SELECT t::text FROM travail t",
    )
    .fetch_all(&wave.world.test.db.write)
    .await
    .unwrap();
    assert!(rows.len() >= 3);
    assert!(rows.iter().all(|row| !row.contains("0101020304")), "{rows:?}");
}
