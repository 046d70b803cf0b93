use serde_json::json;

use crate::testing::world;

#[tokio::test]
async fn a_quote_names_the_payee_and_the_price() {
    let world = world().await;
    let awa = world.member("0707070701").await;
    world.member("0505050502").await;
    let quote = awa
        .client
        .post("/api/quotes", json!({"operation": "transfer", "amount": 1500, "to": "0505050502"}))
        .await
        .data(200);
    assert_eq!((&quote["amount"], &quote["fee"], &quote["total"]), (&1500.into(), &0.into(), &1500.into()));
    assert_eq!(quote["payee"]["maskedIdentifier"], "+225 05 ** ** ** 02");
    let ask = |body| awa.client.post("/api/quotes", body);
    assert_eq!(
        ask(json!({"operation": "transfer", "amount": 1, "to": "0101010199"})).await.code(404),
        "wallet.payee_unknown"
    );
    assert_eq!(
        ask(json!({"operation": "transfer", "amount": 1, "to": "0707070701"})).await.code(422),
        "wallet.same_account"
    );
    assert_eq!(ask(json!({"operation": "transfer", "amount": 1})).await.code(400), "request.invalid");
    assert_eq!(ask(json!({"operation": "gift", "amount": 1})).await.code(400), "request.invalid");
    assert_eq!(
        ask(json!({"operation": "deposit", "amount": 99, "provider": "wave"})).await.code(422),
        "wallet.provider_bounds"
    );
    let deposit = ask(json!({"operation": "deposit", "amount": 5000, "provider": "wave"})).await.data(200);
    assert_eq!((&deposit["total"], &deposit["payee"]), (&5000.into(), &serde_json::Value::Null));
}

#[tokio::test]
async fn the_quoted_fee_is_the_one_that_is_taken() {
    let world = world().await;
    let (awa, koffi) = (world.rich("0707070701", 10_000).await, world.member("0505050502").await);
    sqlx::raw_sql(
        "INSERT INTO bareme (nature, minimum, maximum, taxe_pb) VALUES ('transfert', 10, 500, 1800);
         INSERT INTO bareme_tranche SELECT id, 0, 0, 100 FROM bareme WHERE nature = 'transfert'",
    )
    .execute(&world.test.db.write)
    .await
    .unwrap();
    let quote = awa
        .client
        .post("/api/quotes", json!({"operation": "transfer", "amount": 5000, "to": "0505050502"}))
        .await
        .data(200);
    assert_eq!((&quote["fee"], &quote["total"]), (&59.into(), &5059.into()), "1 % is 50, and 18 % of it is 9");
    let sent = awa.send("k", "0505050502", 5000).await.data(201)["transaction"].clone();
    assert_eq!((&sent["fee"], &sent["balanceAfter"]), (&59.into(), &4941.into()));
    let seen = koffi.client.get(&format!("/api/transactions/{}", sent["id"].as_str().unwrap())).await.data(200);
    assert_eq!((&seen["transaction"]["fee"], &seen["transaction"]["balanceAfter"]), (&0.into(), &5000.into()));
    world.audit().await;
}
