use crate::testing::world;

#[tokio::test]
async fn what_is_not_connected_is_listed_and_not_available() {
    let world = world().await;
    let awa = world.member("0707070701").await;
    let items = awa.client.get("/api/providers").await.data(200)["items"].as_array().unwrap().clone();
    let codes: Vec<&str> = items.iter().map(|item| item["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["wave", "orange_money", "mtn_momo", "moov_money", "djamo", "bank", "card"]);
    assert!(items.iter().all(|item| item["available"] == false && item["deposit"]["minimum"].as_i64().unwrap() > 0));
    assert_eq!((&items[0]["accountFormat"], &items[5]["accountFormat"]), (&"phone".into(), &"iban".into()));
}
