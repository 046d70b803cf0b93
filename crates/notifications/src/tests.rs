use identity::testing;
use kernel::{Clock, Random};
use serde_json::json;
use testkit::Client;

use super::*;

#[tokio::test]
async fn an_inbox_is_its_owners_and_counts_what_is_new() {
    let (test, clock) = (testkit::db().await, Clock::movable());
    let identity = testing::identity(&test.db, &clock);
    let house = Notifications::new(test.db.clone(), clock.clone());
    let (awa, ali) = (testing::sign_up(&identity, "0707070701").await, testing::sign_up(&identity, "0707070702").await);
    let mut connection = test.db.write.acquire().await.unwrap();
    for title in ["un", "deux", "trois"] {
        let notice = Notice { id_user: awa.id_user, kind: "payment", title, text: "Vous avez reçu de l'argent." };
        notify(&mut connection, &clock, &Random::system(), &notice).await.unwrap();
    }
    let router = routes(house.clone(), &identity).split_for_parts().0;
    let client = Client::new(router);
    let (hers, his) = (client.bearer(&awa.tokens.access_token), client.bearer(&ali.tokens.access_token));

    let page = hers.get("/notifications?limit=2").await.data(200);
    assert_eq!((page["items"][0]["title"].as_str(), page["items"][0]["seen"].as_bool()), (Some("trois"), Some(false)));
    let next = format!("/notifications?limit=2&cursor={}", page["nextCursor"].as_str().unwrap());
    let last = hers.get(&next).await.data(200);
    assert_eq!((last["items"].as_array().unwrap().len(), last["nextCursor"].is_null()), (1, true));
    assert_eq!(his.get("/notifications").await.data(200)["items"], json!([]));

    let second = page["items"][1]["id"].clone();
    assert_eq!(hers.put("/notifications/seen", json!({"upTo": second})).await.data(200)["unseen"], 1);
    assert_eq!(his.put("/notifications/seen", json!({})).await.data(200)["unseen"], 0);
    assert_eq!(house.unseen(awa.id_user).await.unwrap(), 1, "he sees nothing of hers");
    client.get("/notifications").await.code(401);
}
