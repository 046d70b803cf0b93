//! Wave against the simulated Wave.

use std::{sync::Arc, time::Duration};

use providers::{
    Secret,
    mobile_money::{
        Action, Blame, Collect, Direction, Float as _, NoticeKind, OperationState, Outcome, Payout as _, Rejected,
        SenderLimits, Statement as _, Trust, WalletKind,
        wave::{Wave, WaveConfig},
    },
};
use serde_json::json;
use simulator::Provider;

use crate::{
    money::{
        Operators, deposit, deposit_succeeds, final_payout, known, lost_payout_is_found, now_unix_s, verify,
        withdrawal, withdrawal_succeeds,
    },
    peers::free_port,
};

const PHONE: &str = "+2250708091011";

fn wave(base_url: String, timeout_s: u64) -> Wave {
    let config = WaveConfig {
        base_url,
        api_key: Secret::new("wave_ci_test_simulator"),
        request_signing_secret: None,
        webhook_secrets: vec![Secret::new("wave_ci_WHS_simulator")],
        limits: SenderLimits { timeout_s, ..SenderLimits::default() },
    };
    Wave::new(config, Arc::new(now_unix_s)).unwrap()
}

async fn both() -> (Operators, Wave) {
    let operators = Operators::start(Provider::Wave).await;
    let wave = wave(operators.base(Provider::Wave), 10);
    (operators, wave)
}

#[tokio::test]
async fn money_comes_in_and_goes_out_and_the_statement_tells_both() {
    let (operators, wave) = both().await;
    let before = known(wave.balance().await);
    let started = deposit_succeeds(&operators, &wave, &deposit("HSTL-DEP-1", WalletKind::Wave, PHONE, 15_000)).await;
    assert!(matches!(&started.action, Action::OpenPage { url } if url.contains("/c/cos-")), "{:?}", started.action);
    withdrawal_succeeds(&operators, &wave, &withdrawal("HSTL-WDR-1", WalletKind::Wave, PHONE, 5_000)).await;

    let today = chrono::DateTime::from_timestamp(now_unix_s(), 0).unwrap().date_naive();
    let page = known(wave.page(today, None).await);
    let amounts: Vec<_> = page.lines.iter().map(|line| (line.amount_francs, line.reference.as_deref())).collect();
    assert!(amounts.contains(&(Some(15_000), Some("HSTL-DEP-1"))), "{amounts:?}");
    assert!(amounts.contains(&(Some(-5_000), Some("HSTL-WDR-1"))), "{amounts:?}");
    let fees: i64 = page.lines.iter().map(|line| line.fee_francs).sum();
    assert_eq!(known(wave.balance().await), before + 15_000 - 5_000 - fees);
}

#[tokio::test]
async fn a_payout_whose_answer_was_lost_is_found_and_its_repeat_moves_nothing() {
    let (operators, wave) = both().await;
    let order = withdrawal("HSTL-WDR-2", WalletKind::Wave, PHONE, 5_000);
    lost_payout_is_found(&operators, Provider::Wave, &wave, &order).await;
    let again = known(wave.send(&order).await);
    assert_eq!(again.observed.state, OperationState::Succeeded);
    assert_eq!(operators.executed("HSTL-WDR-2").await, 1);
}

#[tokio::test]
async fn a_payout_that_timed_out_is_unknown_until_looked_up() {
    let operators = Operators::start(Provider::Wave).await;
    let wave = wave(operators.base(Provider::Wave), 1);
    let fault = json!({ "provider": "wave", "call": "payout", "kind": "timeout_after_execution" });
    operators.order("faults", fault).await;
    let order = withdrawal("HSTL-WDR-3", WalletKind::Wave, PHONE, 5_000);
    let lost = wave.send(&order).await;
    assert_eq!(lost.outcome, Outcome::Unknown { code: "timeout".to_owned() });
    assert_eq!(lost.exchanges.len(), 1, "what may have moved money is not repeated blindly");
    assert_eq!(final_payout(&wave, &order.handle()).await.state, OperationState::Succeeded);
}

#[tokio::test]
async fn a_session_whose_answer_was_lost_is_found_by_our_reference() {
    let (operators, wave) = both().await;
    let order = deposit("HSTL-DEP-4", WalletKind::Wave, PHONE, 2_000);
    assert_eq!(known(Collect::state(&wave, &order.handle()).await), None, "nothing is known before");
    let fault = json!({ "provider": "wave", "call": "collect", "kind": "reset_after_execution" });
    operators.order("faults", fault).await;
    let lost = wave.request_payment(&order).await;
    assert!(matches!(lost.outcome, Outcome::Unknown { .. }), "{:?}", lost.outcome);
    let found = known(Collect::state(&wave, &order.handle()).await).expect("the session was made");
    assert_eq!(found.amount_francs, Some(2_000));
}

#[tokio::test]
async fn a_reading_survives_a_gateway_that_stumbles() {
    let (operators, wave) = both().await;
    let fault = json!({ "provider": "wave", "call": "other", "kind": "html_502", "times": 2 });
    operators.order("faults", fault).await;
    let answer = wave.balance().await;
    let statuses: Vec<_> = answer.exchanges.iter().map(|exchange| exchange.status).collect();
    assert_eq!(statuses, [Some(502), Some(502), Some(200)]);
    known(answer);
}

#[tokio::test]
async fn an_empty_float_and_a_limit_are_told_apart() {
    let (_operators, wave) = both().await;
    for (amount, code, blame) in
        [(5_001, "insufficient-funds", Blame::Float), (5_002, "recipient-limit-exceeded", Blame::Customer)]
    {
        let order = withdrawal(&format!("HSTL-WDR-{amount}"), WalletKind::Wave, PHONE, amount);
        let refused = known(wave.send(&order).await);
        assert_eq!(refused.observed.state, OperationState::Failed { code: code.to_owned(), blame });
    }
}

#[tokio::test]
async fn genuine_webhooks_are_accepted_and_forged_ones_are_not() {
    let (operators, wave) = both().await;
    let order = deposit("HSTL-DEP-6", WalletKind::Wave, PHONE, 1_500);
    operators.order("faults", json!({ "provider": "wave", "kind": "forged_callback" })).await;
    deposit_succeeds(&operators, &wave, &order).await;
    let received = operators.hooks.wait_for(2).await;
    let mut verdicts = Vec::new();
    for one in &received {
        verdicts.push(verify(&wave, one, now_unix_s()).await);
    }
    assert!(verdicts.contains(&Err(Rejected::BadSignature)), "{verdicts:?}");
    let genuine = verdicts.into_iter().find_map(Result::ok).expect("one is genuine");
    assert_eq!(genuine[0].reference.as_deref(), Some("HSTL-DEP-6"));
    assert_eq!((genuine[0].kind, genuine[0].trust), (NoticeKind::Operation(Direction::Collect), Trust::Signed));
    assert_eq!(genuine[0].hint, OperationState::Succeeded);
}

#[tokio::test]
async fn a_wrong_key_executes_nothing_and_a_dead_host_closes_the_road() {
    let operators = Operators::start(Provider::Wave).await;
    let mut config = WaveConfig {
        base_url: operators.base(Provider::Wave),
        api_key: Secret::new("wrong"),
        request_signing_secret: None,
        webhook_secrets: Vec::new(),
        limits: SenderLimits { failures_to_open: 3, ..SenderLimits::default() },
    };
    let order = withdrawal("HSTL-WDR-7", WalletKind::Wave, PHONE, 5_000);
    let stranger = Wave::new(config.clone(), Arc::new(now_unix_s)).unwrap().send(&order).await;
    assert_eq!(stranger.outcome, Outcome::NotExecuted { code: "http_401".to_owned() });

    config.base_url = format!("http://127.0.0.1:{}", free_port());
    let dead = Wave::new(config, Arc::new(now_unix_s)).unwrap();
    assert_eq!(dead.send(&order).await.outcome, Outcome::NotExecuted { code: "unreachable".to_owned() });
    let left_alone = dead.send(&order).await;
    assert_eq!(left_alone.outcome, Outcome::NotExecuted { code: "circuit_open".to_owned() });
    assert_eq!(left_alone.exchanges.len(), 1);
    assert!(Duration::from_millis(left_alone.exchanges[0].elapsed_ms) < Duration::from_millis(500));
    assert!(!left_alone.exchanges[0].request.contains("0708091011"), "{:?}", left_alone.exchanges);
}
