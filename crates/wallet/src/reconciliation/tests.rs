use std::time::Duration;

use serde_json::json;

use super::{Decision, Report};
use crate::testing::operators::Wave;

async fn deposited(wave: &Wave, key: &str, amount: i64) -> (crate::testing::Member, String) {
    let awa = wave.world.locked_member(&format!("07070707{key}")).await;
    let order = json!({"provider": "wave", "amount": amount, "account": "0707070701"});
    let id = awa.pay("k", "/api/deposits", order).await.data(202)["transaction"]["id"].as_str().unwrap().to_owned();
    wave.settled(&awa, &id).await;
    (awa, id)
}

async fn suspense(wave: &Wave) -> (i64, i64) {
    sqlx::query_as("SELECT (SELECT credits - debits FROM compte WHERE code = 'suspens:wave'), (SELECT debits - credits FROM compte WHERE code = 'flottant:wave')")
        .fetch_one(&wave.world.test.db.write)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_statement_that_says_the_same_is_ticked_and_one_that_does_not_is_listed() {
    let wave = Wave::start(Some(Duration::from_millis(50))).await;
    let (_, first) = deposited(&wave, "01", 1500).await;
    let (bea, second) = deposited(&wave, "02", 700).await;
    let references = (wave.reference(&first).await, wave.reference(&second).await);
    let wallet = &wave.world.wallet;
    let quiet = |_: usize, _: usize| {};
    // The second one is 300 higher there, somebody paid 900 unasked, and both lines cost us something.
    let file = format!(
        "transaction_id,transaction_type,amount,fee,client_reference\nT1,api_checkout,1500,15,{}\nT2,api_checkout,1000,10,{}\nT3,merchant_payment,900,0,\n",
        references.0, references.1
    );
    let report = super::import(wallet, "wave", file.as_bytes(), &quiet).await.unwrap();
    assert_eq!(report, Report { lines: 3, new: 3, matched: 1, waiting: 0, differences: 2, fees: 25 });
    assert_eq!(suspense(&wave).await, (1200, 2200 + 1200 - 25), "the float is what the operator holds");
    let again = super::import(wallet, "wave", file.as_bytes(), &quiet).await.unwrap();
    assert_eq!(again, Report { lines: 3, ..Report::default() }, "twice changes nothing");
    wave.world.audit().await;

    let mut connection = wave.world.test.db.write.acquire().await.unwrap();
    let rows = super::store::differences(&mut connection, true, None, 10).await.unwrap();
    let of = |kind: &str| rows.iter().find(|row| row.nature == kind).unwrap().id;
    let staff = uuid::Uuid::nil();
    super::close(wallet, of("montant_different"), staff, Decision::Credit, "payé en plus").await.unwrap();
    assert_eq!(bea.balance().await, 1000);
    assert!(super::close(wallet, of("inconnu_chez_nous"), staff, Decision::Credit, "à qui ?").await.is_err());
    super::close(wallet, of("inconnu_chez_nous"), staff, Decision::Undo, "repris par Wave").await.unwrap();
    assert_eq!(suspense(&wave).await, (0, 2200 + 300 - 25));
    assert!(
        super::close(wallet, of("inconnu_chez_nous"), staff, Decision::Charge, "encore").await.is_err(),
        "closed once"
    );
    wave.world.audit().await;
}

#[tokio::test]
async fn the_operators_own_list_agrees_with_the_books() {
    let wave = Wave::start(Some(Duration::from_millis(50))).await;
    deposited(&wave, "01", 1500).await;
    let quiet = |_: usize, _: usize| {};
    // The simulated operator lives in the present, the test's clock went ahead by minutes.
    let day = kernel::Clock::system().now().date_naive();
    let report = super::import_day(&wave.world.wallet, "wave", day, &quiet).await.unwrap();
    assert_eq!((report.lines, report.matched, report.differences), (1, 1, 0), "{report:?}");
    assert_eq!(suspense(&wave).await.0, 0);
    assert!(super::import_day(&wave.world.wallet, "djamo", day, &quiet).await.is_err());
}
