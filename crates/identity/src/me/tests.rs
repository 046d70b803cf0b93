mod identifiers;

use std::sync::Arc;

use axum::http::StatusCode;
use chrono::TimeDelta;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use kernel::{Clock, Problem};
use serde_json::{Value, json};
use sqlx::PgConnection;
use testkit::Client;

use super::{AccountErased, ExportPart};
use crate::Identity;
use crate::testing::{self, PASSWORD};
use crate::tests::{House, text};

#[tokio::test]
async fn a_person_reads_as_the_contract_says() {
    let house = House::new().await;
    let awa = house.member("0707070707").await;
    let answer = house.client.bearer(&awa.access).get("/api/me").await;
    assert!(answer.headers.contains_key("etag"));
    let mut user = answer.data(200)["user"].clone();
    assert!(text(&user["createdAt"]).ends_with('Z'));
    user["createdAt"] = Value::Null;
    let expected = json!({
        "id": awa.public_id, "email": null, "phoneNumber": "+2250707070707", "emailVerified": false,
        "phoneVerified": true, "lastName": null, "firstName": null, "country": "CI", "photoUrl": null,
        "userType": "CITIZEN", "roles": [], "createdAt": null,
    });
    assert_eq!(user, expected);
}

#[tokio::test]
async fn names_change_and_identifiers_do_not() {
    let house = House::new().await;
    let awa = house.member("awa@example.ci").await;
    let client = house.client.bearer(&awa.access);
    let body =
        json!({"firstName": " Awa ", "lastName": "N'Guessan", "country": "ci", "email": "x@example.ci", "id_user": 1});
    let user = client.patch("/api/me", body).await.data(200)["user"].clone();
    assert_eq!(
        (&user["firstName"], &user["lastName"], &user["country"]),
        (&json!("Awa"), &json!("N'Guessan"), &json!("CI"))
    );
    assert_eq!(user["email"], "awa@example.ci");
    let user = client.patch("/api/me", json!({"lastName": null})).await.data(200)["user"].clone();
    assert_eq!((&user["firstName"], &user["lastName"]), (&json!("Awa"), &Value::Null), "what was not sent stays");
    let answer = client.patch("/api/me", json!({"firstName": "A\u{202e}wa"})).await;
    assert_eq!(answer.body["errors"][0]["field"], "firstName");
    let answer = client.patch("/api/me", json!({"country": "ZZ"})).await;
    assert_eq!((answer.status.as_u16(), &answer.body["errors"][0]["field"]), (400, &json!("country")));
    assert_eq!(client.patch("/api/me", json!({"firstName": 5})).await.status, 400);
    assert_eq!(client.patch("/api/me", json!({"firstName": "a\u{0}"})).await.status, 400);
}

/// A house that keeps a purse for everybody.
#[derive(Debug)]
struct Purse {
    full: bool,
}

impl AccountErased for Purse {
    fn check_and_erase<'a>(
        &'a self,
        transaction: &'a mut PgConnection,
        id_user: i32,
    ) -> BoxFuture<'a, Result<(), Problem>> {
        async move {
            // Writes before it refuses: the refusal has to undo it.
            let sql = "UPDATE utilisateur SET photo_profile = 'effacée' WHERE id_user = $1";
            sqlx::query(sql).bind(id_user).execute(transaction).await.map_err(kernel::Failure::from)?;
            if self.full { Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "wallet.not_empty")) } else { Ok(()) }
        }
        .boxed()
    }
}

impl ExportPart for Purse {
    fn export<'a>(
        &'a self,
        _: &'a mut PgConnection,
        id_user: i32,
    ) -> BoxFuture<'a, Result<(&'static str, Value), Problem>> {
        async move { Ok(("purse", json!({"of": id_user}))) }.boxed()
    }
}

/// A house with a purse, and the client of somebody who signed up.
async fn with_purse(db: &testkit::TestDb, clock: &Clock, full: bool) -> (Identity, Client, i32) {
    let mut deps = testing::deps(&db.db, clock);
    deps.erasers = vec![Arc::new(Purse { full })];
    deps.export_parts = vec![Arc::new(Purse { full })];
    let identity = Identity::new(deps).unwrap();
    let someone = testing::sign_up_unlocked(&identity, "awa@example.ci").await;
    let client = Client::new(testing::router(&identity)).bearer(&someone.tokens.access_token);
    (identity, client, someone.id_user)
}

#[tokio::test]
async fn an_export_holds_the_part_of_every_house() {
    let (db, clock) = (testkit::db().await, Clock::movable());
    let (_, client, id_user) = with_purse(&db, &clock, true).await;
    let data = client.get("/api/me/export").await.data(200);
    assert_eq!(data["user"]["email"], "awa@example.ci");
    assert_eq!(data["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(data["purse"], json!({"of": id_user}));
    let kinds: Vec<&str> =
        data["securityEvents"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"pin_defini") && kinds.contains(&"connexion"), "{kinds:?}");
    let text = data.to_string();
    assert!(!text.contains("argon2") && !text.contains("id_user"));
}

#[tokio::test]
async fn an_account_with_money_is_not_erased() {
    let (db, clock) = (testkit::db().await, Clock::movable());
    let (_, client, _) = with_purse(&db, &clock, true).await;
    let refused = client.delete("/api/me", Some(json!({"password": PASSWORD}))).await;
    assert_eq!(refused.code(422), "wallet.not_empty");
    let user = client.get("/api/me").await.data(200)["user"].clone();
    assert_eq!((&user["email"], &user["photoUrl"]), (&json!("awa@example.ci"), &Value::Null), "nothing was written");
}

#[tokio::test]
async fn an_erased_account_leaves_a_row_without_a_name() {
    let (db, clock) = (testkit::db().await, Clock::movable());
    let (identity, client, id_user) = with_purse(&db, &clock, false).await;
    client.patch("/api/me", json!({"firstName": "Awa"})).await.data(200);
    assert_eq!(client.delete("/api/me", Some(json!({"password": "faux"}))).await.code(403), "identity.password_wrong");
    assert_eq!(client.delete("/api/me", Some(json!({}))).await.status, 400);
    client.delete("/api/me", Some(json!({"password": PASSWORD}))).await.data(200);

    assert_eq!(client.get("/api/me").await.code(401), "identity.token_invalid");
    let row: String = sqlx::query_scalar("SELECT u::text FROM utilisateur u WHERE id_user = $1")
        .bind(id_user)
        .fetch_one(&db.db.write)
        .await
        .unwrap();
    assert!(
        !row.contains("awa") && !row.contains("Awa") && !row.contains("argon2") && row.contains("supprime"),
        "{row}"
    );
    for table in ["session", "code_secret", "ticket_parcours", "jeton_ancien"] {
        let sql = format!("SELECT count(*) FROM {table}");
        let left: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&db.db.write).await.unwrap();
        assert_eq!(left, 0, "{table}");
    }
    // The identifier is free, and who takes it is somebody else.
    clock.shift(TimeDelta::minutes(6));
    let again = testing::sign_up(&identity, "awa@example.ci").await;
    assert_ne!(again.id_user, id_user);
}
