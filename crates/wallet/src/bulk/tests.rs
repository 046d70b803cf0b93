use serde_json::{Value, json};

use crate::testing::world;

fn items(amounts: &[(&str, i64)]) -> Value {
    amounts.iter().map(|(to, amount)| json!({"to": to, "amount": amount})).collect()
}

#[tokio::test]
async fn each_for_itself_or_all_or_nothing() {
    let world = world().await;
    let (firm, awa, koffi) =
        (world.rich("0707070701", 10_000).await, world.member("0505050502").await, world.member("0101010103").await);
    let some =
        items(&[("0505050502", 3000), ("0101010199", 100), ("0101010103", 20_000), ("0101010103", 500), ("x", 1)]);
    let body = json!({"items": some, "mode": "each"});
    let done = firm.pay("k1", "/api/transfers/bulk", body.clone()).await.data(201);
    assert_eq!(
        (&done["status"], &done["succeeded"], &done["failed"], &done["paid"]),
        (&"partial".into(), &2.into(), &3.into(), &3500.into())
    );
    let codes: Vec<&Value> = done["items"].as_array().unwrap().iter().map(|item| &item["code"]).collect();
    assert_eq!(
        codes,
        [
            &Value::Null,
            &"wallet.payee_unknown".into(),
            &"wallet.insufficient_funds".into(),
            &Value::Null,
            &"identifier_invalid".into()
        ]
    );
    assert_eq!(done["items"][0]["transaction"]["balanceAfter"], 7000);
    let again = firm.pay("k1", "/api/transfers/bulk", body).await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.data(201), done);

    let all = json!({"items": items(&[("0505050502", 3000), ("0101010103", 20_000)]), "mode": "all_or_nothing"});
    let none = firm.pay("k2", "/api/transfers/bulk", all).await.data(201);
    assert_eq!((&none["status"], &none["succeeded"]), (&"failed".into(), &0.into()));
    assert_eq!(none["items"][0]["code"], "wallet.linked_refused");
    assert_eq!(none["items"][1]["code"], "wallet.insufficient_funds");
    let unknown = json!({"items": items(&[("0505050502", 30), ("0101010199", 20)]), "mode": "all_or_nothing"});
    assert_eq!(
        firm.pay("k3", "/api/transfers/bulk", unknown).await.data(201)["items"][0]["code"],
        "wallet.linked_refused"
    );
    let fine = json!({"items": items(&[("0505050502", 30), ("0101010103", 20)]), "mode": "all_or_nothing"});
    assert_eq!(firm.pay("k4", "/api/transfers/bulk", fine).await.data(201)["status"], "succeeded");
    assert_eq!((firm.balance().await, awa.balance().await, koffi.balance().await), (6450, 3030, 520));
    world.audit().await;
}

#[tokio::test]
async fn a_thousand_is_the_most() {
    let world = world().await;
    let (firm, awa) = (world.rich("0707070701", 10_000).await, world.member("0505050502").await);
    let many = |count: usize| json!({"items": items(&vec![("0505050502", 1); count])});
    assert_eq!(firm.pay("k", "/api/transfers/bulk", many(1001)).await.code(400), "request.invalid");
    assert_eq!(firm.pay("k", "/api/transfers/bulk", many(0)).await.code(400), "request.invalid");
    let done = firm.pay("k", "/api/transfers/bulk", many(1000)).await.data(201);
    assert_eq!((&done["succeeded"], done["items"].as_array().unwrap().len()), (&1000.into(), 1000));
    assert_eq!(awa.balance().await, 1000);
    world.audit().await;
}

#[tokio::test]
async fn keys_and_pins_count_here_too() {
    let world = world().await;
    let (firm, _) = (world.rich("0707070701", 10_000).await, world.member("0505050502").await);
    firm.send("used", "0505050502", 5).await.data(201);
    let body = json!({"items": items(&[("0505050502", 30)])});
    assert_eq!(firm.pay("used", "/api/transfers/bulk", body.clone()).await.code(422), "wallet.idempotency_key_reused");
    firm.pay("k", "/api/transfers/bulk", body.clone()).await.data(201);
    let other = json!({"items": items(&[("0505050502", 31)])});
    assert_eq!(firm.pay("k", "/api/transfers/bulk", other).await.code(422), "wallet.idempotency_key_reused");
    world.clock.shift(chrono::TimeDelta::minutes(6));
    assert_eq!(firm.pay("new", "/api/transfers/bulk", body.clone()).await.code(403), "wallet.pin_required");
    assert_eq!(firm.pay("k", "/api/transfers/bulk", body).await.headers["idempotency-replayed"], "true");
    world.audit().await;
}
