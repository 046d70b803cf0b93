use chrono::TimeDelta;
use identity::testing;
use kernel::{Clock, Random};
use testkit::Client;

use super::*;

#[tokio::test]
async fn what_is_announced_is_shown_until_it_expires() {
    let (test, clock) = (testkit::db().await, Clock::movable());
    let identity = testing::identity(&test.db, &clock);
    let house = Announcements::new(test.db.clone(), clock.clone());
    house.publish(&Random::system(), "Bienvenue", "Le service ouvre.").await.unwrap();
    house.publish(&Random::system(), "Travaux", "Cette nuit.").await.unwrap();
    let tomorrow = clock.now() + TimeDelta::days(1);
    sqlx::query("UPDATE annonce SET expire_le = $1 WHERE titre = 'Travaux'")
        .bind(tomorrow)
        .execute(&test.db.write)
        .await
        .unwrap();
    let awa = testing::sign_up(&identity, "awa@example.ci").await;
    let client = Client::new(routes(house.clone(), &identity).split_for_parts().0);
    let signed = client.bearer(&awa.tokens.access_token);
    let titles = |data: serde_json::Value| {
        data["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["title"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(titles(signed.get("/announcements").await.data(200)), ["Travaux", "Bienvenue"]);
    clock.shift(TimeDelta::days(2));
    assert_eq!(house.latest(5).await.unwrap().len(), 1);
    client.get("/announcements").await.code(401);
}
