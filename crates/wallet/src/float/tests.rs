use chrono::TimeDelta;
use serde_json::json;

use crate::testing::operators::Wave;

#[tokio::test]
async fn a_low_float_is_told_before_withdrawals_fail() {
    let wave = Wave::start(None).await;
    let count = "SELECT count(*) FROM alerte_argent WHERE nature = 'flottant_bas' AND sujet = 'wave'";
    let alerts = || async { sqlx::query_scalar::<_, i64>(count).fetch_one(&wave.world.test.db.write).await.unwrap() };
    super::look(&wave.world.wallet).await.unwrap();
    assert_eq!(alerts().await, 0);
    wave.control("float", json!({"provider": "wave", "amount": 900_000})).await;
    super::look(&wave.world.wallet).await.unwrap();
    assert_eq!(alerts().await, 0, "asked a moment ago: the route is left alone");
    wave.world.clock.shift(TimeDelta::minutes(2));
    super::look(&wave.world.wallet).await.unwrap();
    assert_eq!(alerts().await, 1);
    let (_, told) = super::floats(&wave.world.wallet).await.unwrap();
    assert_eq!((told[0].route.as_str(), told[0].solde), ("wave", Some(900_000)));
}

#[tokio::test]
async fn the_proof_of_a_day_is_signed_and_shows_what_was_changed() {
    let wave = Wave::start(None).await;
    let world = &wave.world;
    world.rich("0707070701", 10_000).await;
    let day = world.clock.now().date_naive();
    let proof = super::prove(&world.wallet, day).await.unwrap();
    assert!(proof.holds && proof.genuine, "{proof:?}");
    assert_eq!((&proof.report["customers"], &proof.report["held"]), (&json!(10_000), &json!(10_000)));
    let again = super::proof::read(&world.wallet, day).await.unwrap().unwrap();
    assert_eq!((again.signature, again.genuine), (proof.signature, true));
    sqlx::query("UPDATE preuve_cantonnement SET rapport = jsonb_set(rapport, '{customers}', '9000')")
        .execute(&world.test.db.write)
        .await
        .unwrap();
    assert!(!super::proof::read(&world.wallet, day).await.unwrap().unwrap().genuine);
}
