use serde_json::json;

use crate::IdentityError;
use crate::tests::House;

#[tokio::test]
async fn a_permission_comes_with_a_role_and_goes_with_it() {
    let house = House::new().await;
    let awa = house.member("awa@example.ci").await;
    let client = house.client.bearer(&awa.access);
    assert_eq!(house.client.get("/api/users").await.code(401), "identity.token_missing");
    assert_eq!(client.get("/api/users").await.code(403), "identity.not_allowed");

    assert!(house.identity.admin_grant("AWA@example.ci", "support").await.unwrap());
    assert!(!house.identity.admin_grant("awa@example.ci", "support").await.unwrap(), "had it already");
    client.get("/api/users").await.data(200);
    assert_eq!(client.get("/api/me").await.data(200)["user"]["roles"], json!(["support"]));

    house.execute("UPDATE role_permission SET permissions = '[\"wallet.audit\"]' WHERE role_name = 'support'").await;
    assert_eq!(client.get("/api/users").await.status, 403, "at once");
    house.execute("UPDATE role_permission SET permissions = '[\"*\"]' WHERE role_name = 'support'").await;
    client.get("/api/users").await.data(200);
    for odd in ["'{\"users.read\": false}'", "'\"users.read\"'", "NULL", "'{}'"] {
        let sql = format!("UPDATE role_permission SET permissions = {odd} WHERE role_name = 'support'");
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(house.pool()).await.unwrap();
        assert_eq!(client.get("/api/users").await.status, 403, "{odd} grants nothing");
    }
    house.execute("UPDATE role_permission SET permissions = '[\"users.read\"]'").await;
    client.get("/api/users").await.data(200);
    house.execute("DELETE FROM utilisateur_role").await;
    assert_eq!(client.get("/api/users").await.status, 403);
}

#[tokio::test]
async fn a_role_is_given_to_somebody_and_is_one_that_exists() {
    let house = House::new().await;
    house.member("awa@example.ci").await;
    let grant = async |identifier, role| house.identity.admin_grant(identifier, role).await;
    assert!(matches!(grant("awa@example.ci", "roi").await, Err(IdentityError::Field("role", "unknown_role"))));
    assert!(matches!(grant("nobody@example.ci", "admin").await, Err(IdentityError::UnknownIdentifier)));
    assert!(matches!(grant("07O7070707", "admin").await, Err(IdentityError::Field("identifier", _))));
    assert_eq!(house.count("SELECT count(*) FROM utilisateur_role").await, 0);
    assert!(grant("awa@example.ci", "admin").await.unwrap());
    assert_eq!(house.count("SELECT count(*) FROM evenement_securite WHERE nature = 'role_accorde'").await, 1);
}
