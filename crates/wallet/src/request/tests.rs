use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::testing::{Member, World, world};

async fn asked() -> (World, Member, Member, String) {
    let world = world().await;
    let (payer, asker) = (world.rich("0707070701", 5000).await, world.member("0505050502").await);
    let id = ask(&asker, json!({"from": "0707070701", "amount": 800, "note": "Cadeau"})).await;
    (world, payer, asker, id)
}

async fn ask(asker: &Member, body: Value) -> String {
    let made = asker.client.post("/api/payment-requests", body).await.data(201);
    made["paymentRequest"]["id"].as_str().unwrap().to_owned()
}

async fn status(member: &Member, id: &str) -> Value {
    member.client.get(&format!("/api/payment-requests/{id}")).await.data(200)["paymentRequest"]["status"].clone()
}

#[tokio::test]
async fn a_request_is_seen_by_both_and_paid_once() {
    let (world, payer, asker, id) = asked().await;
    let seen = payer.client.get("/api/payment-requests?direction=received").await.data(200)["items"][0].clone();
    assert_eq!(
        (&seen["id"], &seen["direction"], &seen["amount"]),
        (&id.clone().into(), &"received".into(), &800.into())
    );
    assert_eq!(
        (&seen["status"], &seen["counterparty"]["maskedIdentifier"]),
        (&"pending".into(), &"+225 05 ** ** ** 02".into())
    );
    assert_eq!(payer.client.get("/api/payment-requests?direction=sent").await.data(200)["items"], json!([]));
    let path = format!("/api/payment-requests/{id}/pay");
    assert_eq!(asker.pay("k", &path, json!({})).await.code(404), "request.not_found");
    let answers = join_all((0..30).map(|n| {
        let (payer, path) = (&payer, &path);
        async move { payer.pay(&format!("k{n}"), path, json!({})).await }
    }))
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    assert!(answers.iter().filter(|a| a.status != 201).all(|a| a.body["code"] == "wallet.request_paid"));
    let seen = asker.client.get(&format!("/api/payment-requests/{id}")).await.data(200)["paymentRequest"].clone();
    assert_eq!((&seen["status"], seen["transactionId"].is_string()), (&"paid".into(), true));
    assert_eq!(
        payer.client.post(&format!("/api/payment-requests/{id}/decline"), json!({})).await.code(409),
        "wallet.request_paid"
    );
    assert_eq!((payer.balance().await, asker.balance().await), (4200, 800));
    world.audit().await;
}

#[tokio::test]
async fn declined_withdrawn_and_expired_requests_are_not_paid() {
    let (world, payer, asker, id) = asked().await;
    let second = ask(&asker, json!({"from": "0707070701", "amount": 10})).await;
    let third = ask(&asker, json!({"from": "0707070701", "amount": 10, "expiresIn": 3600})).await;
    let post = |member: &Member, path: String| {
        let client = member.client.clone();
        async move { client.post(&path, json!({})).await }
    };
    assert_eq!(post(&asker, format!("/api/payment-requests/{id}/decline")).await.code(404), "request.not_found");
    post(&payer, format!("/api/payment-requests/{id}/decline")).await.data(200);
    post(&asker, format!("/api/payment-requests/{second}/cancel")).await.data(200);
    assert_eq!((status(&asker, &id).await, status(&payer, &second).await), ("declined".into(), "cancelled".into()));
    for closed in [&id, &second] {
        let refused = payer.pay(&format!("k{closed}"), &format!("/api/payment-requests/{closed}/pay"), json!({})).await;
        assert_eq!(refused.code(422), "wallet.request_closed");
    }
    sqlx::query("UPDATE demande_paiement SET expire_le = $2 WHERE id = $1::uuid")
        .bind(&third)
        .bind(world.clock.now() - TimeDelta::seconds(1))
        .execute(&world.test.db.write)
        .await
        .unwrap();
    assert_eq!(status(&payer, &third).await, "expired");
    assert_eq!(
        payer.pay("late", &format!("/api/payment-requests/{third}/pay"), json!({})).await.code(422),
        "wallet.request_expired"
    );
    assert_eq!(asker.balance().await, 0);
}

#[tokio::test]
async fn asking_has_bounds() {
    let (world, _payer, asker, id) = asked().await;
    let order = |amount: i64| json!({"from": "0707070701", "amount": amount});
    for _ in 0..4 {
        ask(&asker, order(10)).await;
    }
    let post = |body: Value| asker.client.post("/api/payment-requests", body);
    assert_eq!(post(order(10)).await.code(422), "wallet.too_many_requests");
    assert_eq!(post(json!({"from": "0505050502", "amount": 10})).await.code(422), "wallet.same_account");
    assert_eq!(post(json!({"from": "0101010199", "amount": 10})).await.code(404), "wallet.payee_unknown");
    assert_eq!(post(json!({"from": "0707070701", "amount": 10, "expiresIn": 5})).await.code(400), "request.invalid");
    let stranger = world.member("0101010103").await;
    assert_eq!(stranger.client.get(&format!("/api/payment-requests/{id}")).await.code(404), "request.not_found");
    let first = asker.client.get("/api/payment-requests?limit=3").await.data(200);
    let next = first["nextCursor"].as_str().unwrap();
    let second = asker.client.get(&format!("/api/payment-requests?limit=3&cursor={next}")).await.data(200);
    assert_eq!((first["items"].as_array().unwrap().len(), second["items"].as_array().unwrap().len()), (3, 2));
    assert_eq!(second["items"][1]["id"], id);
}
