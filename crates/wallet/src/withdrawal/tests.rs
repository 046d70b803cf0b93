use chrono::TimeDelta;
use futures_util::future::join_all;
use identity::testing::PIN;
use serde_json::{Value, json};

use crate::testing::operators::Wave;

fn order(amount: i64) -> Value {
    json!({"provider": "wave", "amount": amount, "account": "0707070701"})
}

#[tokio::test]
async fn a_withdrawal_is_paid_out_and_posted() {
    let wave = Wave::start(None).await;
    let awa = wave.world.rich("0707070701", 10_000).await;
    let told = awa.pay("k", "/api/withdrawals", order(4000)).await.data(202)["transaction"].clone();
    assert_eq!((&told["type"], &told["direction"]), (&"withdrawal".into(), &"out".into()));
    assert_eq!(told["counterparty"], json!({"displayName": "Wave", "maskedIdentifier": "+225 07 ** ** ** 01"}));
    let id = told["id"].as_str().unwrap();
    let settled = wave.settled(&awa, id).await;
    assert_eq!((&settled["status"], &settled["balanceAfter"]), (&"succeeded".into(), &6000.into()));
    assert_eq!((awa.balance().await, awa.available().await), (6000, 6000));
    let again = awa.pay("k", "/api/withdrawals", order(4000)).await;
    assert_eq!(again.status, 202, "{}", again.body);
    assert_eq!((again.status.as_u16(), again.headers["idempotency-replayed"].to_str().unwrap()), (202, "true"));
    assert_eq!(awa.pay("poor", "/api/withdrawals", order(6001)).await.code(422), "wallet.insufficient_funds");
    wave.world.audit().await;
}

#[tokio::test]
async fn what_the_operator_refuses_comes_back() {
    let wave = Wave::start(None).await;
    let awa = wave.world.rich("0707070701", 10_000).await;
    wave.fault(json!({"provider": "wave", "call": "payout", "kind": "stay_pending"})).await;
    let id =
        awa.pay("k", "/api/withdrawals", order(4000)).await.data(202)["transaction"]["id"].as_str().unwrap().to_owned();
    assert_eq!((awa.balance().await, awa.available().await), (10_000, 6000), "held");
    assert_eq!(awa.send("k2", "0707070701", 1).await.code(422), "wallet.same_account");
    wave.order("refuse", &id).await;
    let ended = wave.settled(&awa, &id).await;
    assert_eq!((&ended["status"], &ended["balanceAfter"]), (&"failed".into(), &Value::Null));
    assert_eq!((awa.balance().await, awa.available().await), (10_000, 10_000));
    wave.world.audit().await;
}

#[tokio::test]
async fn an_unknown_outcome_holds_until_the_operator_says_it() {
    let wave = Wave::start(None).await;
    let awa = wave.world.rich("0707070701", 10_000).await;
    wave.fault(json!({"provider": "wave", "call": "payout", "kind": "status_503_after_execution"})).await;
    wave.fault(json!({"provider": "wave", "call": "read", "kind": "status_500", "times": 50})).await;
    let id =
        awa.pay("k", "/api/withdrawals", order(4000)).await.data(202)["transaction"]["id"].as_str().unwrap().to_owned();
    // No date gives it back while nobody knows.
    wave.world.clock.shift(TimeDelta::hours(48));
    wave.world.wallet.ledger.expire().await.unwrap();
    let held: (i64, i64) = sqlx::query_as("SELECT credits - debits, debits_attente FROM compte WHERE id_user = $1")
        .bind(awa.someone.id_user)
        .fetch_one(&wave.world.test.db.write)
        .await
        .unwrap();
    assert_eq!(held, (10_000, 4000));
    wave.speak_faults_away().await;
    for _ in 0..5 {
        wave.work_later().await;
    }
    let status: String = sqlx::query_scalar("SELECT statut FROM transaction WHERE public_id = $1::uuid")
        .bind(&id)
        .fetch_one(&wave.world.test.db.write)
        .await
        .unwrap();
    assert_eq!(status, "reussie");
    assert_eq!(wave.state().await["operations"].as_array().unwrap().len(), 1, "paid out once");
    wave.world.audit().await;
}

#[tokio::test]
async fn the_pin_guards_the_way_out() {
    let wave = Wave::start(None).await;
    let awa = wave.world.rich("0707070701", 10_000).await;
    wave.world.clock.shift(TimeDelta::minutes(6));
    assert_eq!(awa.pay("k", "/api/withdrawals", order(1000)).await.code(403), "wallet.pin_required");
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM instruction_operateur")
        .fetch_one(&wave.world.test.db.write)
        .await
        .unwrap();
    assert_eq!(rows, 0, "nothing is prepared for who did not confirm");
    let body = json!({"provider": "wave", "amount": 1000, "account": "0707070701", "pin": PIN});
    assert_eq!(awa.pay("k", "/api/withdrawals", body).await.data(202)["transaction"]["amount"], 1000);
}

#[tokio::test]
async fn the_same_key_at_once_pays_out_once() {
    let wave = Wave::start(None).await;
    let awa = wave.world.rich("0707070701", 10_000).await;
    let answers = join_all((0..20).map(|_| awa.pay("same", "/api/withdrawals", order(1000)))).await;
    assert!(
        answers.iter().all(|answer| answer.status == 202),
        "{:?}",
        answers.iter().map(|a| &a.body).collect::<Vec<_>>()
    );
    wave.work_later().await;
    assert_eq!(awa.balance().await, 9000);
    assert_eq!(wave.state().await["operations"].as_array().unwrap().len(), 1);
    wave.world.audit().await;
}
