use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use chrono::TimeDelta;
use jobs::Worker;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{model, pump};
use crate::testing::{Member, World, world};

/// A merchant's server: what it got, and what it answers.
#[derive(Clone)]
struct Shop {
    got: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
    answer: Arc<Mutex<StatusCode>>,
    url: String,
}

impl Shop {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let shop = Self { got: Arc::default(), answer: Arc::new(Mutex::new(StatusCode::NO_CONTENT)), url };
        let router = Router::new().route("/hook", post(take)).with_state(shop.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        shop
    }

    fn answers(&self, status: StatusCode) {
        *self.answer.lock().unwrap() = status;
    }

    fn messages(&self) -> Vec<Value> {
        self.got.lock().unwrap().iter().map(|(_, body)| serde_json::from_slice(body).unwrap()).collect()
    }
}

async fn take(State(shop): State<Shop>, headers: HeaderMap, body: Bytes) -> StatusCode {
    shop.got.lock().unwrap().push((headers, body));
    *shop.answer.lock().unwrap()
}

async fn work(world: &World) {
    // The ledger's own sealer works beside the test.
    for _ in 0..200 {
        let open: i64 = sqlx::query_scalar("SELECT count(*) FROM lot WHERE NOT scelle")
            .fetch_one(&world.test.db.write)
            .await
            .unwrap();
        if open == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    while pump::pump(&world.wallet).await.unwrap() {}
    let worker = crate::jobs(&world.wallet, Worker::new(world.test.db.write.clone(), world.clock.clone()));
    for _ in 0..10 {
        if !worker.round().await {
            return;
        }
    }
}

async fn merchant(world: &World, shop: &Shop) -> (Member, Value) {
    let member = world.member("0505050502").await;
    let made = member.client.post("/api/webhook-endpoints", json!({"url": shop.url})).await.data(201);
    (member, made)
}

#[tokio::test]
async fn a_merchant_is_told_once_and_can_check_who_wrote() {
    let (world, shop) = (world().await, Shop::open().await);
    let payer = world.rich("0707070701", 10_000).await;
    payer.send("before", "0505050502", 1).await.code(404);
    let (member, made) = merchant(&world, &shop).await;
    payer.send("k", "0505050502", 700).await.data(201);
    payer.send("refused", "0505050502", 90_000).await.code(422);
    work(&world).await;
    work(&world).await;
    let messages = shop.messages();
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0]["type"], "transaction.succeeded");
    let told = &messages[0]["data"]["transaction"];
    assert_eq!((&told["direction"], &told["amount"], &told["balanceAfter"]), (&"in".into(), &700.into(), &700.into()));
    assert!(!messages[0].to_string().contains("0707070701"));

    let (headers, body) = shop.got.lock().unwrap()[0].clone();
    let text = |name: &str| headers[name].to_str().unwrap().to_owned();
    let unix_s: i64 = text("webhook-timestamp").parse().unwrap();
    let right = model::signatures(&[made["secret"].as_str().unwrap()], &text("webhook-id"), unix_s, &body);
    assert_eq!(text("webhook-signature"), right);
    let path = format!("/api/webhook-endpoints/{}/deliveries", made["endpoint"]["id"].as_str().unwrap());
    let list = member.client.get(&path).await.data(200)["items"].clone();
    assert_eq!(
        (&list[0]["status"], &list[0]["attempts"], &list[0]["lastStatus"]),
        (&"delivered".into(), &1.into(), &204.into())
    );
    assert_eq!(payer.client.get(&path).await.code(404), "request.not_found");
    let listed = member.client.get("/api/webhook-endpoints").await;
    assert!(!String::from_utf8_lossy(&listed.bytes).contains("whsec_"), "the secret is shown once");

    let again = format!("{path}/{}/resend", list[0]["id"].as_str().unwrap());
    member.client.post(&again, json!({})).await.data(202);
    work(&world).await;
    assert_eq!(shop.messages().len(), 2);
    assert_eq!(shop.messages()[0], shop.messages()[1]);
}

#[tokio::test]
async fn a_merchant_that_fails_is_tried_again_and_one_that_is_gone_is_not() {
    let (world, shop) = (world().await, Shop::open().await);
    let payer = world.rich("0707070701", 10_000).await;
    let (member, made) = merchant(&world, &shop).await;
    shop.answers(StatusCode::INTERNAL_SERVER_ERROR);
    payer.send("k", "0505050502", 700).await.data(201);
    work(&world).await;
    assert_eq!(shop.messages().len(), 1, "the second try waits");
    shop.answers(StatusCode::OK);
    world.clock.shift(TimeDelta::seconds(10));
    work(&world).await;
    assert_eq!(shop.messages().len(), 2);
    let ids: Vec<_> = shop.got.lock().unwrap().iter().map(|(headers, _)| headers["webhook-id"].clone()).collect();
    assert_eq!(ids[0], ids[1], "a merchant can tell a repeat");

    let id = made["endpoint"]["id"].as_str().unwrap();
    let rotated = member.client.post(&format!("/api/webhook-endpoints/{id}/secret"), json!({})).await.data(201);
    assert_ne!(rotated["secret"], made["secret"]);
    payer.send("k2", "0505050502", 70).await.data(201);
    work(&world).await;
    let signature = shop.got.lock().unwrap()[2].0["webhook-signature"].to_str().unwrap().to_owned();
    assert_eq!(signature.split(' ').count(), 2, "both secrets sign for a day");

    shop.answers(StatusCode::GONE);
    payer.send("k3", "0505050502", 7).await.data(201);
    work(&world).await;
    let shown = member.client.get("/api/webhook-endpoints").await.data(200)["items"][0].clone();
    assert_eq!(shown["active"], false);
    payer.send("k4", "0505050502", 7).await.data(201);
    work(&world).await;
    assert_eq!(shop.messages().len(), 4, "nobody is told who is gone");
    assert_eq!(member.client.delete(&format!("/api/webhook-endpoints/{id}"), None).await.data(200)["id"], id);
}

#[tokio::test]
async fn addresses_are_bounded_and_strangers_have_none() {
    let world = world().await;
    let member = world.member("0505050502").await;
    let post = |url: &str| {
        let (client, body) = (member.client.clone(), json!({"url": url}));
        async move { client.post("/api/webhook-endpoints", body).await }
    };
    for wrong in ["ftp://shop.example.ci", "shop", "", "https://a:b@shop.example.ci/"] {
        assert_eq!(post(wrong).await.body["errors"][0]["code"], "not_https", "{wrong}");
    }
    for n in 0..5 {
        post(&format!("https://shop.example.ci/{n}")).await.data(201);
    }
    assert_eq!(post("https://shop.example.ci/6").await.code(422), "wallet.too_many_webhooks");
    let ghost = identity::testing::sign_up_unverified(&world.identity, "0101010103").await;
    let refused =
        world.signed_in(ghost).client.post("/api/webhook-endpoints", json!({"url": "https://shop.example.ci"})).await;
    assert_eq!(refused.code(403), "wallet.not_verified");
}
