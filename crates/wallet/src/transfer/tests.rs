use chrono::TimeDelta;
use futures_util::future::join_all;
use identity::testing::PIN;
use serde_json::json;

use crate::testing::world;

#[tokio::test]
async fn money_goes_from_one_to_the_other_under_one_id() {
    let world = world().await;
    let (awa, koffi) = (world.rich("0707070701", 50_000).await, world.member("0505050502").await);
    koffi.client.get("/api/wallet").await.data(200);
    let sent =
        awa.pay("k1", "/api/transfers", json!({"to": "05 05 05 05 02", "amount": 1500, "note": " Loyer "})).await;
    assert!(!sent.headers.contains_key("idempotency-replayed"));
    let sent = sent.data(201)["transaction"].clone();
    assert_eq!(sent["type"], "transfer");
    assert_eq!((&sent["status"], &sent["direction"]), (&"succeeded".into(), &"out".into()));
    assert_eq!((&sent["amount"], &sent["fee"], &sent["currency"]), (&1500.into(), &0.into(), &"XOF".into()));
    assert_eq!((&sent["note"], &sent["balanceAfter"]), (&"Loyer".into(), &48_500.into()));
    assert_eq!(sent["counterparty"]["maskedIdentifier"], "+225 05 ** ** ** 02");
    assert!(sent["settledAt"].as_str().unwrap().ends_with('Z'));
    let id = sent["id"].as_str().unwrap();
    assert_eq!(uuid::Uuid::parse_str(id).unwrap().get_version_num(), 7);

    let received = koffi.client.get(&format!("/api/transactions/{id}")).await.data(200)["transaction"].clone();
    assert_eq!((&received["id"], &received["direction"]), (&sent["id"], &"in".into()));
    assert_eq!((&received["balanceAfter"], &received["note"]), (&1500.into(), &"Loyer".into()));
    assert_eq!((awa.balance().await, koffi.balance().await), (48_500, 1500));
    world.audit().await;
}

#[tokio::test]
async fn the_same_key_pays_once_and_says_so() {
    let world = world().await;
    let (awa, koffi) = (world.rich("0707070701", 5_000).await, world.member("0505050502").await);
    let first = awa.send("k", "0505050502", 700).await.data(201);
    // Another spelling of the same JSON is the same request, with a PIN or without.
    let again = awa.pay("k", "/api/transfers", json!({"amount": 700, "pin": "000000", "to": "0505050502"})).await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.data(201), first);
    assert_eq!(awa.send("k", "0505050502", 701).await.code(422), "wallet.idempotency_key_reused");
    assert_eq!(koffi.balance().await, 700);
    // The key is its owner's: somebody else's same key is another one.
    assert_eq!(koffi.send("k", "0707070701", 100).await.data(201)["transaction"]["amount"], 100);
    world.audit().await;
}

#[tokio::test]
async fn a_known_key_is_answered_before_any_pin() {
    let world = world().await;
    let (awa, _) = (world.rich("0707070701", 5_000).await, world.member("0505050502").await);
    let first = awa.send("k", "0505050502", 700).await.data(201);
    world.clock.shift(TimeDelta::minutes(6));
    let again = awa.send("k", "0505050502", 700).await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.data(201), first);
    assert_eq!(awa.send("k2", "0505050502", 700).await.code(403), "wallet.pin_required");
    // Refusals that are not the ledger's leave the key free.
    let paid = awa.pay("k2", "/api/transfers", json!({"to": "0505050502", "amount": 700, "pin": PIN})).await;
    assert_eq!(paid.data(201)["transaction"]["balanceAfter"], 3600);
}

#[tokio::test]
async fn a_wrong_pin_counts_and_locks() {
    let world = world().await;
    let (awa, _) = (world.rich("0707070701", 5_000).await, world.member("0505050502").await);
    world.clock.shift(TimeDelta::minutes(6));
    for left in (0..5).rev() {
        let body = json!({"to": "0505050502", "amount": 100, "pin": "918273"});
        let wrong = awa.pay("k", "/api/transfers", body).await;
        assert_eq!(wrong.body["triesLeft"], left);
        assert_eq!(wrong.code(403), "identity.pin_wrong");
    }
    let body = json!({"to": "0505050502", "amount": 100, "pin": PIN});
    assert_eq!(awa.pay("k", "/api/transfers", body).await.code(423), "identity.pin_locked");
    assert_eq!(awa.balance().await, 5_000);
}

#[tokio::test]
async fn who_proved_nothing_moves_nothing() {
    let world = world().await;
    let ghost = identity::testing::sign_up_unverified(&world.identity, "0101010103").await;
    let ghost = world.signed_in(ghost);
    world.member("0505050502").await;
    assert_eq!(ghost.send("k", "0505050502", 100).await.code(403), "wallet.not_verified");
    let no_pin = world.locked_member("0101010104").await;
    assert_eq!(no_pin.send("k", "0505050502", 100).await.code(403), "wallet.pin_required");
    assert_eq!(
        world.anybody.with("idempotency-key", "k").post("/api/transfers", json!({})).await.code(401),
        "identity.token_missing"
    );
}

#[tokio::test]
async fn after_a_reset_nothing_leaves_until_the_block_is_over() {
    let world = world().await;
    let (awa, _) = (world.rich("0707070701", 5_000).await, world.member("0505050502").await);
    let until = world.clock.now() + TimeDelta::hours(24);
    sqlx::query("UPDATE utilisateur SET sorties_bloquees_jusqu = $2 WHERE id_user = $1")
        .bind(awa.someone.id_user)
        .bind(until)
        .execute(&world.test.db.write)
        .await
        .unwrap();
    let refused = awa.send("k", "0505050502", 100).await;
    assert_eq!(refused.body["until"], kernel::Timestamp(until).text());
    assert_eq!(refused.code(403), "wallet.outgoing_blocked");
}

#[tokio::test]
async fn refusals_of_the_ledger_stay_with_their_key() {
    let world = world().await;
    let (awa, koffi) = (world.rich("0707070701", 1_000).await, world.rich("0505050502", 199_500).await);
    assert_eq!(awa.send("poor", "0505050502", 1_001).await.code(422), "wallet.insufficient_funds");
    world.give(&awa, 10_000).await;
    let again = awa.send("poor", "0505050502", 1_001).await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.code(422), "wallet.insufficient_funds");
    assert_eq!(awa.send("self", "0707070701", 10).await.code(422), "wallet.same_account");
    assert_eq!(awa.send("full", "0505050502", 501).await.code(422), "wallet.balance_ceiling");
    assert_eq!(awa.send("fits", "0505050502", 500).await.data(201)["transaction"]["status"], "succeeded");
    assert_eq!(koffi.balance().await, 200_000);
    world.audit().await;
}

#[tokio::test]
async fn bodies_and_keys_that_do_not_fit_are_refused() {
    let world = world().await;
    let awa = world.rich("0707070701", 1_000).await;
    world.member("0505050502").await;
    for (body, field, code) in [
        (json!({"to": "0505050502", "amount": 1.5}), "amount", "invalid_type"),
        (json!({"to": "0505050502", "amount": "100"}), "amount", "invalid_type"),
        (json!({"to": "0505050502", "amount": 0}), "amount", "invalid"),
        (json!({"to": "0505050502", "amount": -100}), "amount", "invalid"),
        (json!({"to": "0505050502", "amount": 9_223_372_036_854_775_807_i64}), "amount", "invalid"),
        (json!({"to": "0505050502"}), "amount", "required"),
        (json!({"to": "0505050502", "amount": 100, "currency": "EUR"}), "currency", "unknown"),
        (json!({"to": "05O5050502", "amount": 100}), "to", "identifier_invalid"),
        (json!({"to": "05050502", "amount": 100}), "to", "identifier_eight_digits"),
        (json!({"to": "0505050502", "amount": 100, "note": "é".repeat(281)}), "note", "too_long"),
    ] {
        let refused = awa.pay("k", "/api/transfers", body).await;
        assert_eq!(
            (&refused.body["errors"][0]["field"], &refused.body["errors"][0]["code"]),
            (&field.into(), &code.into())
        );
        assert_eq!(refused.code(400), "request.invalid");
    }
    let body = json!({"to": "0505050502", "amount": 100});
    assert_eq!(awa.client.post("/api/transfers", body.clone()).await.code(400), "request.idempotency_key_missing");
    assert_eq!(
        awa.pay(&"k".repeat(256), "/api/transfers", body.clone()).await.code(400),
        "request.idempotency_key_invalid"
    );
    assert_eq!(
        awa.pay("k", "/api/transfers", json!({"to": "0101010109", "amount": 100})).await.code(404),
        "wallet.payee_unknown"
    );
    assert_eq!(awa.pay(&"k".repeat(255), "/api/transfers", body).await.data(201)["transaction"]["amount"], 100);
}

#[tokio::test]
async fn an_unproved_second_identifier_catches_no_money() {
    let world = world().await;
    let awa = world.rich("0707070701", 1_000).await;
    let thief = world.member("thief@example.ci").await;
    sqlx::query("UPDATE utilisateur SET telephone = '+2250101010155' WHERE id_user = $1")
        .bind(thief.someone.id_user)
        .execute(&world.test.db.write)
        .await
        .unwrap();
    assert_eq!(awa.send("k", "0101010155", 100).await.code(404), "wallet.payee_unknown");
    assert_eq!(
        awa.send("k", "thief@example.ci", 100).await.data(201)["transaction"]["counterparty"]["maskedIdentifier"],
        "t***f@example.ci"
    );
    // Somebody who proved nothing yet can be paid: nobody else can have the number.
    identity::testing::sign_up_unverified(&world.identity, "0101010166").await;
    assert_eq!(awa.send("k3", "0101010166", 100).await.data(201)["transaction"]["amount"], 100);
}

#[tokio::test]
async fn a_hundred_at_once_with_one_key_pay_once() {
    let world = world().await;
    let (awa, koffi) = (world.rich("0707070701", 100_000).await, world.member("0505050502").await);
    let answers = join_all((0..100).map(|_| awa.send("same", "0505050502", 100))).await;
    let ids: std::collections::BTreeSet<String> =
        answers.iter().map(|answer| answer.body["data"]["transaction"]["id"].to_string()).collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    assert!(answers.iter().all(|answer| answer.status == 201));
    assert_eq!(answers.iter().filter(|answer| !answer.headers.contains_key("idempotency-replayed")).count(), 1);
    assert_eq!(koffi.balance().await, 100);

    let different = join_all((0..100).map(|n| awa.send("different", "0505050502", 1 + n))).await;
    assert_eq!(different.iter().filter(|answer| answer.status == 201).count(), 1);
    assert!(different.iter().all(|answer| matches!(answer.status.as_u16(), 201 | 422)));
    world.audit().await;
}

#[tokio::test]
async fn a_hundred_at_once_never_overdraw() {
    let world = world().await;
    let (awa, koffi) = (world.rich("0707070701", 1_000).await, world.member("0505050502").await);
    let answers = join_all((0..100).map(|n| {
        let awa = &awa;
        async move { awa.send(&format!("k{n}"), "0505050502", 100).await }
    }))
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 10);
    assert_eq!((awa.balance().await, koffi.balance().await), (0, 1_000));
    world.audit().await;
}
