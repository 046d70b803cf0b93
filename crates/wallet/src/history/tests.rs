use crate::testing::world;

#[tokio::test]
async fn pages_follow_each_other_without_a_gap() {
    let world = world().await;
    let (awa, koffi) = (world.rich("0707070701", 50_000).await, world.member("0505050502").await);
    for n in 0..7 {
        awa.send(&format!("k{n}"), "0505050502", 100 + n).await.data(201);
        // What comes in between pages must not shift them.
        if n % 3 == 0 {
            koffi.send(&format!("b{n}"), "0707070701", 10).await.data(201);
        }
    }
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = awa.client.get(&format!("/api/transactions?limit=3{cursor}")).await.data(200);
        seen.extend(page["items"].as_array().unwrap().clone());
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
        koffi.send(&format!("c{}", seen.len()), "0707070701", 1).await.data(201);
    }
    let amounts: Vec<i64> = seen.iter().map(|item| item["amount"].as_i64().unwrap()).collect();
    assert_eq!(amounts, [10, 106, 105, 104, 10, 103, 102, 101, 10, 100, 50_000]);
    // Each balance follows from the one before.
    for pair in seen.windows(2) {
        let change = pair[0]["amount"].as_i64().unwrap() * if pair[0]["direction"] == "in" { 1 } else { -1 };
        assert_eq!(pair[0]["balanceAfter"].as_i64().unwrap(), pair[1]["balanceAfter"].as_i64().unwrap() + change);
    }
    assert_eq!(seen[10]["type"], "opening");
    assert_eq!(seen[10]["counterparty"]["displayName"], "Hostolink");
}

#[tokio::test]
async fn filters_choose_and_wrong_ones_are_refused() {
    let world = world().await;
    let (awa, koffi) = (world.rich("0707070701", 50_000).await, world.member("0505050502").await);
    awa.send("a", "0505050502", 100).await.data(201);
    koffi.send("b", "0707070701", 30).await.data(201);
    awa.send("refused", "0505050502", 900_000).await.code(422);
    let count = |query: &'static str| {
        let client = awa.client.clone();
        async move { client.get(&format!("/api/transactions?{query}")).await.data(200)["items"].as_array().unwrap().len() }
    };
    assert_eq!(count("").await, 3, "a refusal is no part of the history");
    assert_eq!(count("direction=in").await, 2);
    assert_eq!(count("direction=out").await, 1);
    assert_eq!(count("type=transfer&direction=in").await, 1);
    assert_eq!(count("type=deposit").await, 0);
    assert_eq!(count("status=succeeded").await, 3);
    assert_eq!(count("status=pending").await, 0);
    assert_eq!(count("from=2020-01-01T00:00:00Z&to=2021-01-01T00:00:00Z").await, 0);
    for wrong in
        ["limit=0", "limit=101", "limit=x", "cursor=abc", "type=gift", "direction=up", "status=ok", "from=hier"]
    {
        assert_eq!(awa.client.get(&format!("/api/transactions?{wrong}")).await.code(400), "request.invalid", "{wrong}");
    }
}

#[tokio::test]
async fn strangers_see_nothing() {
    let world = world().await;
    let (awa, _) = (world.rich("0707070701", 50_000).await, world.member("0505050502").await);
    let stranger = world.member("0101010103").await;
    let id = awa.send("a", "0505050502", 100).await.data(201)["transaction"]["id"].as_str().unwrap().to_owned();
    assert_eq!(stranger.client.get(&format!("/api/transactions/{id}")).await.code(404), "request.not_found");
    assert_eq!(stranger.client.get("/api/transactions").await.data(200)["items"].as_array().unwrap().len(), 0);
    assert_eq!(awa.client.get("/api/transactions/pas-un-id").await.code(404), "request.not_found");
    assert_eq!(world.anybody.get(&format!("/api/transactions/{id}")).await.code(401), "identity.token_missing");
}
