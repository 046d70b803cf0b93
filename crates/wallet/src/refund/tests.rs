use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::json;

use crate::testing::{Member, World, world};

async fn paid(amount: i64) -> (World, Member, Member, String) {
    let world = world().await;
    let (payer, shop) = (world.rich("0707070701", amount).await, world.member("0505050502").await);
    let id = payer.send("pay", "0505050502", amount).await.data(201)["transaction"]["id"].as_str().unwrap().to_owned();
    (world, payer, shop, format!("/api/transactions/{id}/refunds"))
}

#[tokio::test]
async fn who_received_gives_back_in_parts_and_no_more() {
    let (world, payer, shop, path) = paid(1000).await;
    let part = shop.pay("r1", &path, json!({"amount": 300, "note": "Article manquant"})).await.data(201)["transaction"]
        .clone();
    assert_eq!((&part["type"], &part["direction"], &part["amount"]), (&"refund".into(), &"out".into(), &300.into()));
    assert_eq!(
        (&part["counterparty"]["maskedIdentifier"], &part["note"]),
        (&"+225 07 ** ** ** 01".into(), &"Article manquant".into())
    );
    assert_eq!(
        shop.pay("r1", &path, json!({"amount": 300, "note": "Article manquant"})).await.headers["idempotency-replayed"],
        "true"
    );
    assert_eq!(shop.pay("r2", &path, json!({"amount": 701})).await.code(422), "wallet.refund_exceeds");
    let rest = shop.client.with("idempotency-key", "r3");
    let request = axum::http::Request::post(&path)
        .header("idempotency-key", "r3")
        .header("authorization", format!("Bearer {}", shop.someone.tokens.access_token))
        .body(axum::body::Body::empty())
        .unwrap();
    assert_eq!(rest.request(request).await.data(201)["transaction"]["amount"], 700, "no body: all that is left");
    assert_eq!(shop.pay("r4", &path, json!({})).await.code(422), "wallet.refund_exceeds");
    assert_eq!((payer.balance().await, shop.balance().await), (1000, 0));
    world.audit().await;
}

#[tokio::test]
async fn only_who_received_it_and_only_once_it_was_paid() {
    let (world, payer, shop, path) = paid(1000).await;
    assert_eq!(payer.pay("r", &path, json!({})).await.code(404), "request.not_found");
    let stranger = world.rich("0101010103", 5000).await;
    assert_eq!(stranger.pay("r", &path, json!({})).await.code(404), "request.not_found");
    let nothing = format!("/api/transactions/{}/refunds", uuid::Uuid::nil());
    assert_eq!(shop.pay("r", &nothing, json!({})).await.code(404), "request.not_found");
    let id = shop.pay("r", &path, json!({})).await.data(201)["transaction"]["id"].as_str().unwrap().to_owned();
    let again = format!("/api/transactions/{id}/refunds");
    assert_eq!(payer.pay("rr", &again, json!({})).await.code(422), "wallet.not_refundable", "a refund is final");
    world.clock.shift(TimeDelta::minutes(6));
    assert_eq!(shop.pay("late", &path, json!({})).await.code(403), "wallet.pin_required");
}

#[tokio::test]
async fn refunds_at_once_never_give_back_more_than_was_paid() {
    let (world, payer, shop, path) = paid(100).await;
    world.give(&shop, 1000).await;
    let answers = join_all((0..40).map(|n| {
        let (shop, path) = (&shop, &path);
        async move { shop.pay(&format!("r{n}"), path, json!({"amount": 60})).await }
    }))
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    assert!(answers.iter().filter(|a| a.status != 201).all(|a| a.body["code"] == "wallet.refund_exceeds"));
    assert_eq!(payer.balance().await, 60);
    world.audit().await;
}
