use identity::me::{AccountErased, ExportPart};

use super::{Erasure, Export};
use crate::testing::world;

#[tokio::test]
async fn the_dashboard_shows_wallet_transactions_and_card() {
    let world = world().await;
    let (awa, _) = (world.rich("0707070701", 50_000).await, world.member("0505050502").await);
    for n in 0..6 {
        awa.send(&format!("k{n}"), "0505050502", 100).await.data(201);
    }
    let part = world.wallet.overview(&awa.someone.account).await.unwrap();
    assert_eq!((part.wallet.balance, part.transactions.len(), part.card.kind), (49_400, 5, "hostolink"));
    assert_eq!(part.transactions[0].balance_after, Some(49_400));
}

#[tokio::test]
async fn nobody_is_erased_with_money_in_the_wallet() {
    let world = world().await;
    let (awa, koffi) = (world.rich("0707070701", 500).await, world.member("0505050502").await);
    awa.client.get("/api/cards").await.data(200);
    let mut connection = world.test.db.write.acquire().await.unwrap();
    let refused = Erasure.check_and_erase(&mut connection, awa.someone.id_user).await.unwrap_err();
    assert_eq!((refused.status.as_u16(), refused.code), (422, "wallet.not_empty"));
    awa.send("all", "0505050502", 500).await.data(201);
    Erasure.check_and_erase(&mut connection, awa.someone.id_user).await.unwrap();
    let (_, taken) = Export.export(&mut connection, koffi.someone.id_user).await.unwrap();
    assert_eq!(taken["transactions"][0]["amount"], 500);
    assert!(!taken.to_string().contains("0707070701"));
    world.audit().await;
}

#[tokio::test]
async fn a_seed_is_sown_once() {
    let world = world().await;
    let people: Vec<i32> =
        [world.member("0707070701").await, world.member("0505050502").await, world.member("0101010103").await]
            .iter()
            .map(|member| member.someone.id_user)
            .collect();
    world.wallet.seed_part(&people).await.unwrap();
    let count = "SELECT count(*) FROM transaction";
    let first: i64 = sqlx::query_scalar(count).fetch_one(&world.test.db.write).await.unwrap();
    world.wallet.seed_part(&people).await.unwrap();
    let second: i64 = sqlx::query_scalar(count).fetch_one(&world.test.db.write).await.unwrap();
    assert_eq!((first, second), (6, 6));
    world.audit().await;
}
