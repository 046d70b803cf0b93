use serde_json::{Value, json};

use crate::testing::world;

#[tokio::test]
async fn everybody_has_one_hostolink_card_that_stays() {
    let world = world().await;
    let awa = world.member("0707070701").await;
    sqlx::query("UPDATE utilisateur SET prenom = 'Awa', nom = 'Koné' WHERE id_user = $1")
        .bind(awa.someone.id_user)
        .execute(&world.test.db.write)
        .await
        .unwrap();
    let cards = futures_util::future::join_all((0..20).map(|_| awa.client.get("/api/cards"))).await;
    let lists: Vec<Value> = cards.into_iter().map(|answer| answer.data(200)["items"].clone()).collect();
    assert!(lists.iter().all(|list| *list == lists[0] && list.as_array().unwrap().len() == 1));
    let card = &lists[0][0];
    assert_eq!((&card["kind"], &card["holder"]), (&"hostolink".into(), &"Awa Koné".into()));
    assert!(card["reference"].as_str().unwrap().starts_with("HL-"));
    assert_eq!(card["qr"]["payload"], awa.client.get("/api/qr-codes/me").await.data(200)["payload"]);

    let path = format!("/api/cards/{}", card["id"].as_str().unwrap());
    assert_eq!(awa.client.delete(&path, None).await.code(409), "wallet.hostolink_card_stays");
    let other = world.member("0505050502").await;
    assert_eq!(other.client.delete(&path, None).await.code(404), "request.not_found");
}

#[tokio::test]
async fn card_numbers_are_refused_whatever_they_hide_in() {
    let world = world().await;
    let awa = world.member("0707070701").await;
    for body in [
        json!({"token": "4242 4242 4242 4242"}),
        json!({"number": "4242424242424242"}),
        json!({"token": "tok_1", "note": "5555-5555-5555-4444"}),
        json!({"pan": 4_242_424_242_424_242_u64}),
    ] {
        assert_eq!(awa.client.post("/api/cards", body).await.code(422), "wallet.card_number_refused");
    }
    assert_eq!(awa.client.post("/api/cards", json!({"token": "tok_1"})).await.code(503), "wallet.provider_unavailable");
    assert_eq!(awa.client.post("/api/cards", json!({})).await.code(400), "request.invalid");
    assert_eq!(world.anybody.get("/api/cards").await.code(401), "identity.token_missing");
}
