use serde_json::{Value, json};
use testkit::Client;
use uuid::Uuid;

use crate::tests::House;

async fn admin(house: &House) -> (i32, Client) {
    let chief = house.member("chief@example.ci").await;
    house.identity.admin_grant("chief@example.ci", "admin").await.unwrap();
    (chief.id_user, house.client.bearer(&chief.access))
}

#[tokio::test]
async fn the_list_goes_page_by_page_and_hides_identifiers() {
    let house = House::new().await;
    let (_, client) = admin(&house).await;
    for number in 0..4 {
        house.register(&format!("070707070{number}")).await;
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = client.get(&format!("/api/users?limit=2{cursor}")).await.data(200);
        seen.extend(page["items"].as_array().unwrap().clone());
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 5);
    let ids: Vec<&str> = seen.iter().map(|user| user["id"].as_str().unwrap()).collect();
    assert!(ids.windows(2).all(|pair| pair[0] > pair[1]), "newest first, nobody twice");
    assert_eq!(seen[0]["phoneNumber"], "+225 07 ** ** ** 03");
    assert_eq!(seen[4]["email"], "c***f@example.ci");
    assert!(seen.iter().all(|user| user.get("idUser").is_none() && user.get("mdp").is_none()));
    assert_eq!(client.get("/api/users?limit=101").await.status, 400);
    assert_eq!(client.get("/api/users?cursor=x").await.status, 400);
}

#[tokio::test]
async fn every_read_is_in_the_log_under_the_name_of_who_read() {
    let house = House::new().await;
    let (chief, client) = admin(&house).await;
    let awa = house.member("0707070707").await;
    let path = format!("/api/users/{}", awa.public_id);
    let user = client.get(&path).await.data(200)["user"].clone();
    assert_eq!((&user["phoneNumber"], &user["phoneVerified"]), (&json!("+2250707070707"), &json!(true)));
    client.get("/api/users").await.data(200);
    let details: Vec<Value> = sqlx::query_scalar(
        "SELECT details FROM evenement_securite WHERE id_user = $1 AND nature = 'comptes_lus' ORDER BY id",
    )
    .bind(chief)
    .fetch_all(house.pool())
    .await
    .unwrap();
    assert_eq!(details, [json!({"user": awa.public_id}), json!({"list": 2})]);

    let plain = house.client.bearer(&awa.access);
    assert_eq!(plain.get(&path).await.code(403), "identity.not_allowed", "not even oneself");
    for missing in [Uuid::nil().to_string(), "1".to_owned(), "x".to_owned()] {
        assert_eq!(client.get(&format!("/api/users/{missing}")).await.status, 404, "{missing}");
    }
    house.execute("UPDATE utilisateur SET supprime_le = now() WHERE telephone IS NOT NULL").await;
    assert_eq!(client.get(&path).await.status, 404, "erased");
}
