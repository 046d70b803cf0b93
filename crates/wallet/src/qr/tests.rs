use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::emv;
use crate::testing::{Member, World, world};

async fn code(member: &Member, body: Value) -> Value {
    member.client.post("/api/qr-codes", body).await.data(201)
}

async fn pay(member: &Member, key: &str, payload: &Value, amount: Option<i64>) -> testkit::Answer {
    let mut body = json!({"payload": payload});
    if let Some(amount) = amount {
        body["amount"] = json!(amount);
    }
    member.pay(key, "/api/payments/qr", body).await
}

async fn two() -> (World, Member, Member) {
    let world = world().await;
    let (payer, shop) = (world.rich("0707070701", 50_000).await, world.member("0505050502").await);
    (world, payer, shop)
}

#[tokio::test]
async fn the_code_of_an_account_stays_the_same_and_is_paid_with_any_amount() {
    let (world, payer, shop) = two().await;
    let own = shop.client.get("/api/qr-codes/me").await.data(200);
    assert_eq!(own, shop.client.get("/api/qr-codes/me").await.data(200));
    assert_eq!((&own["amount"], &own["expiresAt"], &own["status"]), (&Value::Null, &Value::Null, &"active".into()));
    assert!(matches!(emv::read(own["payload"].as_str().unwrap()), Ok(emv::Scanned::Code(code)) if !code.dynamic));

    let decoded = payer.client.post("/api/qr-codes/decode", json!({"payload": own["payload"]})).await.data(200);
    assert_eq!(decoded["payee"]["maskedIdentifier"], "+225 05 ** ** ** 02");
    assert_eq!(
        (&decoded["amount"], &decoded["currency"], &decoded["status"]),
        (&Value::Null, &"XOF".into(), &"active".into())
    );
    assert_eq!(pay(&payer, "k0", &own["payload"], None).await.code(400), "request.invalid");
    let paid = pay(&payer, "k", &own["payload"], Some(2500)).await.data(201)["transaction"].clone();
    assert_eq!(
        (&paid["type"], &paid["direction"], &paid["amount"]),
        (&"qr_payment".into(), &"out".into(), &2500.into())
    );
    assert_eq!(pay(&payer, "k", &own["payload"], Some(2500)).await.headers["idempotency-replayed"], "true");
    assert_eq!(shop.balance().await, 2500);
    assert_eq!(pay(&shop, "k", &own["payload"], Some(10)).await.code(422), "wallet.same_account");
    world.audit().await;
}

#[tokio::test]
async fn the_amount_of_a_code_wins() {
    let (world, payer, shop) = two().await;
    let made = code(&shop, json!({"amount": 2500, "note": "Facture 114", "expiresIn": 900})).await;
    assert_eq!(
        (&made["amount"], &made["status"], &made["note"]),
        (&2500.into(), &"active".into(), &"Facture 114".into())
    );
    assert!(
        matches!(emv::read(made["payload"].as_str().unwrap()), Ok(emv::Scanned::Code(code)) if code.dynamic && code.amount == Some(2500))
    );
    let other = pay(&payer, "k1", &made["payload"], Some(2499)).await;
    assert_eq!(other.body["amount"], 2500);
    assert_eq!(other.code(422), "wallet.qr_amount_differs");
    let paid = pay(&payer, "k2", &made["payload"], None).await.data(201)["transaction"].clone();
    assert_eq!((&paid["amount"], &paid["note"]), (&2500.into(), &"Facture 114".into()));
    // Not for one use: it can be paid again.
    assert_eq!(pay(&payer, "k3", &made["payload"], Some(2500)).await.data(201)["transaction"]["amount"], 2500);
    assert_eq!(shop.balance().await, 5000);
    world.audit().await;
}

#[tokio::test]
async fn a_code_for_one_use_is_used_once_whoever_is_fastest() {
    let (world, payer, shop) = two().await;
    let made = code(&shop, json!({"amount": 100, "singleUse": true})).await;
    let other = world.rich("0101010103", 50_000).await;
    let answers = join_all((0..100).map(|n| {
        let (who, payload) = (if n % 2 == 0 { &payer } else { &other }, &made["payload"]);
        async move { pay(who, &format!("k{n}"), payload, None).await }
    }))
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    assert!(answers.iter().filter(|answer| answer.status != 201).all(|answer| answer.body["code"] == "wallet.qr_used"));
    assert_eq!(shop.balance().await, 100);
    let id = made["id"].as_str().unwrap();
    assert_eq!(shop.client.get(&format!("/api/qr-codes/{id}")).await.data(200)["status"], "used");
    let decoded = payer.client.post("/api/qr-codes/decode", json!({"payload": made["payload"]})).await.data(200);
    assert_eq!(decoded["status"], "used");
    world.audit().await;
}

#[tokio::test]
async fn expired_and_closed_codes_are_refused() {
    let (world, payer, shop) = two().await;
    let short = code(&shop, json!({"amount": 100, "expiresIn": 60})).await;
    let (closed, once) = (code(&shop, json!({})).await, code(&shop, json!({"amount": 5, "singleUse": true})).await);
    for made in [&closed, &once] {
        let path = format!("/api/qr-codes/{}", made["id"].as_str().unwrap());
        assert_eq!(payer.client.delete(&path, None).await.code(404), "request.not_found", "somebody else's");
        assert_eq!(shop.client.delete(&path, None).await.data(200)["status"], "closed");
        assert_eq!(pay(&payer, "closed", &made["payload"], Some(5)).await.code(422), "wallet.qr_closed");
    }
    world.clock.shift(TimeDelta::seconds(61));
    assert_eq!(pay(&payer, "late", &short["payload"], None).await.code(422), "wallet.qr_expired");
    let id = short["id"].as_str().unwrap();
    assert_eq!(shop.client.get(&format!("/api/qr-codes/{id}")).await.data(200)["status"], "expired");
    for seconds in [59, 0, -1, 400 * 24 * 3600] {
        assert_eq!(shop.client.post("/api/qr-codes", json!({"expiresIn": seconds})).await.code(400), "request.invalid");
    }
    assert_eq!(shop.balance().await, 0);
}

#[tokio::test]
async fn damaged_foreign_and_forged_codes_are_told_apart() {
    let (world, payer, shop) = two().await;
    let made = code(&shop, json!({"amount": 100})).await;
    let payload = made["payload"].as_str().unwrap();
    let decode = |text: String| {
        let client = payer.client.clone();
        async move { client.post("/api/qr-codes/decode", json!({"payload": text})).await }
    };
    let damaged = decode(payload.replace("5403100", "5403900")).await;
    assert_eq!(
        (&damaged.body["code"], &damaged.body["errors"][0]["code"]),
        (&"wallet.qr_damaged".into(), &"qr_checksum".into())
    );
    assert_eq!(damaged.status, 400);
    assert_eq!(decode(payload[..40].to_owned()).await.code(400), "wallet.qr_damaged");
    assert_eq!(decode(String::new()).await.code(400), "wallet.qr_damaged");
    let wave = decode("https://pay.wave.com/m/M_ci_1/c/ci/".to_owned()).await;
    assert_eq!((&wave.body["network"], wave.status.as_u16()), (&"wave".into(), 422));
    let alias = "00020136560012int.bceao.pi0136111c3e1b-4312-49ec-b75e-4c8c74c10fd75204000053039525802CI5901X6001X6207110300063046FFD";
    assert_eq!(decode(alias.to_owned()).await.body["network"], "pi_spi");
    // A right checksum around another amount of a real code.
    let Ok(emv::Scanned::Code(real)) = emv::read(payload) else { panic!("{payload}") };
    let forged = emv::write(&emv::Code { amount: Some(1), ..real }).unwrap();
    let answer = decode(forged.clone()).await;
    assert_eq!(answer.body["errors"][0]["code"], "qr_altered");
    assert_eq!(pay(&payer, "k", &forged.into(), None).await.code(400), "wallet.qr_damaged");
    // An alias that leads to an account of ours is paid like any code.
    let account = shop.client.get("/api/wallet").await.data(200)["accountId"].as_str().unwrap().to_owned();
    sqlx::query(
        "INSERT INTO alias_pi_spi (alias, id_compte) SELECT $1, id_compte FROM compte WHERE public_id = $2::uuid",
    )
    .bind("111c3e1b-4312-49ec-b75e-4c8c74c10fd7")
    .bind(account)
    .execute(&world.test.db.write)
    .await
    .unwrap();
    assert_eq!(decode(alias.to_owned()).await.data(200)["network"], "pi_spi");
    assert_eq!(pay(&payer, "alias", &alias.into(), Some(70)).await.data(201)["transaction"]["amount"], 70);
}

#[tokio::test]
async fn pictures_are_shown_to_their_owner() {
    let (_world, payer, shop) = two().await;
    let made = code(&shop, json!({"amount": 100})).await;
    let id = made["id"].as_str().unwrap();
    let svg = shop.client.get(&format!("/api/qr-codes/{id}.svg")).await;
    assert_eq!((svg.status.as_u16(), svg.headers["content-type"].to_str().unwrap()), (200, "image/svg+xml"));
    assert!(svg.bytes.starts_with(b"<svg"));
    let png = shop.client.get("/api/qr-codes/me.png").await;
    assert!(png.bytes.starts_with(b"\x89PNG"));
    let fixed = shop.client.get("/api/qr-codes/me").await.data(200);
    let by_id = shop.client.get(&format!("/api/qr-codes/{}.png", fixed["id"].as_str().unwrap())).await;
    assert_eq!(by_id.bytes, png.bytes);
    assert_eq!(payer.client.get(&format!("/api/qr-codes/{id}.svg")).await.code(404), "request.not_found");
    assert_eq!(shop.client.get("/api/qr-codes/me.gif").await.code(404), "request.not_found");
}
