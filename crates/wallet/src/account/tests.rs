use crate::testing::world;

#[tokio::test]
async fn a_new_member_sees_zeros_and_the_limits_of_the_lowest_tier() {
    let world = world().await;
    let awa = world.member("0707070701").await;
    let shown = awa.client.get("/api/wallet").await.data(200);
    assert_eq!((&shown["balance"], &shown["available"], &shown["currency"]), (&0.into(), &0.into(), &"XOF".into()));
    assert_eq!((&shown["tier"], &shown["limits"]["maxBalance"]), (&0.into(), &200_000.into()));
    assert_eq!(shown["limits"]["monthlyLoading"], 200_000);
    assert_eq!(shown["limits"]["loadedThisMonth"], 0);
    let again = awa.client.get("/api/wallet").await.data(200);
    assert_eq!(shown["accountId"], again["accountId"]);
    assert_eq!(world.anybody.get("/api/wallet").await.code(401), "identity.token_missing");
}
