use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::testing::{Member, World, world};

async fn held(amount: i64) -> (World, Member, Member, String) {
    let world = world().await;
    let (guest, hotel) = (world.rich("0707070701", 50_000).await, world.member("0505050502").await);
    let order = json!({"to": "0505050502", "amount": amount, "note": "Caution", "expiresIn": 600});
    let hold = guest.pay("h", "/api/holds", order.clone()).await.data(201)["hold"].clone();
    assert_eq!(
        (&hold["status"], &hold["remaining"], &hold["direction"]),
        (&"open".into(), &amount.into(), &"out".into())
    );
    assert_eq!(guest.pay("h", "/api/holds", order).await.headers["idempotency-replayed"], "true");
    (world, guest, hotel, hold["id"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn the_payee_takes_parts_and_lets_go_the_rest() {
    let (world, guest, hotel, id) = held(20_000).await;
    assert_eq!((guest.balance().await, guest.available().await, hotel.balance().await), (50_000, 30_000, 0));
    let captures = format!("/api/holds/{id}/captures");
    assert_eq!(guest.pay("c", &captures, json!({})).await.code(404), "request.not_found");
    let part = hotel.pay("c1", &captures, json!({"amount": 5000})).await.data(201)["hold"].clone();
    assert_eq!(
        (&part["captured"], &part["remaining"], &part["status"]),
        (&5000.into(), &15_000.into(), &"open".into())
    );
    assert_eq!(hotel.pay("c1", &captures, json!({"amount": 5000})).await.headers["idempotency-replayed"], "true");
    assert_eq!(hotel.pay("c2", &captures, json!({"amount": 15_001})).await.code(422), "wallet.capture_exceeds");
    assert_eq!(guest.client.post(&format!("/api/holds/{id}/release"), json!({})).await.code(404), "request.not_found");
    let gone = hotel.client.post(&format!("/api/holds/{id}/release"), json!({})).await.data(200)["hold"].clone();
    assert_eq!(
        (&gone["released"], &gone["remaining"], &gone["status"]),
        (&15_000.into(), &0.into(), &"captured".into())
    );
    assert_eq!(hotel.pay("c3", &captures, json!({})).await.code(422), "wallet.not_pending");
    assert_eq!((guest.balance().await, guest.available().await, hotel.balance().await), (45_000, 45_000, 5000));
    world.audit().await;
}

#[tokio::test]
async fn a_hundred_captures_at_once_take_it_once() {
    let (world, _guest, hotel, id) = held(1000).await;
    let path = format!("/api/holds/{id}/captures");
    let answers = join_all((0..100).map(|n| {
        let (hotel, path) = (&hotel, &path);
        async move { hotel.pay(&format!("c{n}"), path, json!({"amount": 1000})).await }
    }))
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    assert_eq!(hotel.balance().await, 1000);
    world.audit().await;
}

#[tokio::test]
async fn a_hold_goes_back_on_its_date_and_strangers_see_none() {
    let (world, guest, hotel, id) = held(20_000).await;
    let stranger = world.member("0101010103").await;
    assert_eq!(stranger.client.get(&format!("/api/holds/{id}")).await.code(404), "request.not_found");
    world.clock.shift(TimeDelta::seconds(601));
    world.wallet.ledger.expire().await.unwrap();
    assert_eq!(guest.available().await, 50_000);
    let over = hotel.client.get(&format!("/api/holds/{id}")).await.data(200)["hold"].clone();
    assert_eq!((&over["status"], &over["captured"], &over["direction"]), (&"expired".into(), &0.into(), &"in".into()));
    assert_eq!(over["counterparty"]["maskedIdentifier"], "+225 07 ** ** ** 01");
    let far = json!({"to": "0505050502", "amount": 10, "expiresIn": 31 * 24 * 3600});
    assert_eq!(guest.pay("far", "/api/holds", far).await.status, 403, "the unlock is over");
    assert_eq!(over["note"], Value::from("Caution"));
    world.audit().await;
}
