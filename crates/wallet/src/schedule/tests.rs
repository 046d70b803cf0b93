use chrono::TimeDelta;
use jobs::Worker;
use kernel::Timestamp;
use serde_json::{Value, json};

use crate::testing::{Member, World, world};

/// Does what is due, as often as something is.
async fn work(world: &World) {
    let worker = crate::jobs(&world.wallet, Worker::new(world.test.db.write.clone(), world.clock.clone()));
    for _ in 0..20 {
        if !worker.round().await {
            return;
        }
    }
}

async fn plans(member: &Member) -> Value {
    member.client.get("/api/scheduled-transfers").await.data(200)["items"].clone()
}

/// Rows that time alone would change: sessions end long before a month does.
async fn balance(world: &World, member: &Member) -> i64 {
    sqlx::query_scalar("SELECT credits - debits FROM compte WHERE id_user = $1 AND principal")
        .bind(member.someone.id_user)
        .fetch_optional(&world.test.db.write)
        .await
        .unwrap()
        .unwrap_or(0)
}

#[tokio::test]
async fn a_plan_pays_on_its_dates_and_ends() {
    let world = world().await;
    let (awa, owner) = (world.rich("0707070701", 1000).await, world.member("0505050502").await);
    let order = json!({"to": "0505050502", "amount": 400, "note": "Loyer", "cadence": "monthly", "occurrences": 4});
    let made = awa.client.post("/api/scheduled-transfers", order).await.data(201)["scheduledTransfer"].clone();
    assert_eq!((&made["status"], &made["done"], &made["cadence"]), (&"active".into(), &0.into(), &"monthly".into()));
    work(&world).await;
    work(&world).await;
    assert_eq!(balance(&world, &owner).await, 400);
    let shown = plans(&awa).await;
    assert_eq!((&shown[0]["done"], &shown[0]["lastCode"]), (&1.into(), &Value::Null));
    for _ in 0..4 {
        world.clock.shift(TimeDelta::days(32));
        work(&world).await;
    }
    assert_eq!(balance(&world, &owner).await, 800, "the third and fourth were refused");
    let end: (String, i32, Option<String>) =
        sqlx::query_as("SELECT etat, occurrence, dernier_code FROM ordre_planifie")
            .fetch_one(&world.test.db.write)
            .await
            .unwrap();
    assert_eq!(end, ("termine".into(), 4, Some("wallet.insufficient_funds".into())));
    world.audit().await;
}

#[tokio::test]
async fn a_plan_that_was_cancelled_or_blocked_pays_nothing() {
    let world = world().await;
    let (awa, owner) = (world.rich("0707070701", 1000).await, world.member("0505050502").await);
    let later = Timestamp(world.clock.now() + TimeDelta::minutes(2)).text();
    let order = json!({"to": "0505050502", "amount": 400, "cadence": "once", "startAt": later});
    let first = awa.client.post("/api/scheduled-transfers", order.clone()).await.data(201)["scheduledTransfer"].clone();
    awa.client.post("/api/scheduled-transfers", order).await.data(201);
    let path = format!("/api/scheduled-transfers/{}", first["id"].as_str().unwrap());
    assert_eq!(owner.client.delete(&path, None).await.code(404), "request.not_found");
    assert_eq!(awa.client.delete(&path, None).await.data(200)["scheduledTransfer"]["status"], "cancelled");
    sqlx::query("UPDATE utilisateur SET sorties_bloquees_jusqu = $2 WHERE id_user = $1")
        .bind(awa.someone.id_user)
        .bind(world.clock.now() + TimeDelta::hours(24))
        .execute(&world.test.db.write)
        .await
        .unwrap();
    work(&world).await;
    assert_eq!(balance(&world, &owner).await, 0, "not before its date");
    world.clock.shift(TimeDelta::minutes(3));
    work(&world).await;
    let shown = plans(&awa).await;
    assert_eq!((&shown[0]["status"], &shown[0]["lastCode"]), (&"finished".into(), &"wallet.outgoing_blocked".into()));
    assert_eq!(balance(&world, &owner).await, 0);
}

#[tokio::test]
async fn plans_need_a_pin_and_have_bounds() {
    let world = world().await;
    let awa = world.rich("0707070701", 1000).await;
    world.member("0505050502").await;
    let post = |body: Value| awa.client.post("/api/scheduled-transfers", body);
    let order = |more: Value| {
        let mut order = json!({"to": "0505050502", "amount": 1, "cadence": "daily"});
        order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        order
    };
    for wrong in [
        json!({"startAt": "2020-01-01T00:00:00Z"}),
        json!({"startAt": "2099-01-01T00:00:00Z"}),
        json!({"occurrences": 0}),
        json!({"occurrences": 1001}),
        json!({"endAt": "2020-01-01T00:00:00Z"}),
        json!({"cadence": "hourly"}),
        json!({"x": 1}),
    ] {
        assert_eq!(post(order(wrong.clone())).await.code(400), "request.invalid", "{wrong}");
    }
    assert_eq!(post(order(json!({"to": "0707070701"}))).await.code(422), "wallet.same_account");
    world.clock.shift(TimeDelta::minutes(6));
    assert_eq!(post(order(json!({}))).await.code(403), "wallet.pin_required");
    assert_eq!(
        post(order(json!({"pin": identity::testing::PIN}))).await.data(201)["scheduledTransfer"]["status"],
        "active"
    );
}
