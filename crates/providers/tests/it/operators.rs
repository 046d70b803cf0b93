//! MTN, Djamo and Orange against the simulated ones.

use providers::{
    Secret,
    mobile_money::{
        Action, Blame, Collect, Direction, Float as _, Handle, NoticeKind, OperationState, Outcome, Payout as _,
        Rejected, SenderLimits, Trust, WalletKind,
        djamo::{Djamo, DjamoConfig},
        mtn::{Mtn, MtnConfig, MtnProduct},
        orange::{OrangeConfig, OrangeMoney},
    },
};
use serde_json::json;
use simulator::{Credentials, Provider};

use crate::money::{
    Operators, deposit, deposit_succeeds, final_collect, final_payout, known, lost_payout_is_found, now_unix_s, verify,
    withdrawal, withdrawal_succeeds,
};

fn mtn(operators: &Operators) -> Mtn {
    let keys = Credentials::default().mtn;
    let product = |keys: simulator::MtnProductKeys| MtnProduct {
        subscription_key: Secret::new(keys.subscription_key),
        api_user: keys.api_user,
        api_key: Secret::new(keys.api_key),
    };
    Mtn::new(MtnConfig {
        base_url: operators.base(Provider::Mtn),
        target_environment: "mtnivorycoast".to_owned(),
        currency: "XOF".to_owned(),
        collection: product(keys.collection),
        disbursement: product(keys.disbursement),
        limits: SenderLimits::default(),
    })
    .unwrap()
}

const MTN_PHONE: &str = "+2250504030201";

#[tokio::test]
async fn mtn_money_comes_in_and_goes_out_with_one_token_each() {
    let operators = Operators::start(Provider::Mtn).await;
    let mtn = mtn(&operators);
    let mut order = deposit("HSTL-DEP-1", WalletKind::Mtn, MTN_PHONE, 15_000);
    order.callback_url = Some(format!("{}/mtn/5f3c9b2a", operators.hooks.url()));
    let started = deposit_succeeds(&operators, &mtn, &order).await;
    assert_eq!(started.action, Action::ApproveOnPhone);
    let before = known(mtn.balance().await);
    withdrawal_succeeds(&operators, &mtn, &withdrawal("HSTL-WDR-1", WalletKind::Mtn, MTN_PHONE, 5_000)).await;
    assert!(known(mtn.balance().await) < before);

    let received = operators.hooks.wait_for(1).await;
    let notices = verify(&mtn, &received[0], now_unix_s()).await.unwrap();
    assert_eq!((notices[0].trust, notices[0].kind), (Trust::Unsigned, NoticeKind::Operation(Direction::Collect)));
    assert!(started.handle.is_notified_by(&notices[0]));
    let answer = Collect::state(&mtn, &started.handle).await;
    assert_eq!(answer.exchanges.len(), 1, "the token is kept");
}

#[tokio::test]
async fn mtn_a_lost_payout_is_found_and_its_repeat_moves_nothing() {
    let operators = Operators::start(Provider::Mtn).await;
    let mtn = mtn(&operators);
    let order = withdrawal("HSTL-WDR-2", WalletKind::Mtn, MTN_PHONE, 5_000);
    assert_eq!(known(mtn.find_by_reference(&order.handle()).await), None);
    lost_payout_is_found(&operators, Provider::Mtn, &mtn, &order).await;
    let again = known(mtn.send(&order).await);
    assert_eq!(again.observed.state, OperationState::Pending, "409: the key was used; the state is read, not guessed");
    assert_eq!(final_payout(&mtn, &again.handle).await.state, OperationState::Succeeded);
    assert_eq!(operators.executed("HSTL-WDR-2").await, 1);
}

#[tokio::test]
async fn mtn_refusals_name_who_can_help() {
    let operators = Operators::start(Provider::Mtn).await;
    let mtn = mtn(&operators);
    // The sandbox's numbers, with Ivorian prefixes: rejected, expired, payer unknown.
    for (ending, expected) in [
        ("451", OperationState::Failed { code: "APPROVAL_REJECTED".to_owned(), blame: Blame::Customer }),
        ("452", OperationState::Expired),
    ] {
        let phone = format!("+2250504030{ending}");
        let order = deposit(&format!("HSTL-DEP-{ending}"), WalletKind::Mtn, &phone, 1_500);
        let started = known(mtn.request_payment(&order).await);
        assert_eq!(final_collect(&mtn, &started.handle).await.state, expected);
    }
}

fn djamo(operators: &Operators) -> Djamo {
    let keys = Credentials::default().djamo;
    Djamo::new(DjamoConfig {
        base_url: operators.base(Provider::Djamo),
        access_token: Secret::new(keys.access_token),
        company_id: keys.company_id,
        webhook_secrets: vec![Secret::new(keys.webhook_secret)],
        limits: SenderLimits::default(),
    })
    .unwrap()
}

const DJAMO_PHONE: &str = "+2250708091011";

#[tokio::test]
async fn djamo_money_comes_in_and_goes_out_and_its_webhooks_are_signed() {
    let operators = Operators::start(Provider::Djamo).await;
    let djamo = djamo(&operators);
    operators.order("faults", json!({ "provider": "djamo", "kind": "forged_callback" })).await;
    let started =
        deposit_succeeds(&operators, &djamo, &deposit("HSTL-DEP-1", WalletKind::Djamo, DJAMO_PHONE, 15_000)).await;
    assert!(matches!(started.action, Action::OpenPage { .. }), "{:?}", started.action);
    withdrawal_succeeds(&operators, &djamo, &withdrawal("HSTL-WDR-1", WalletKind::Djamo, DJAMO_PHONE, 6_000)).await;
    known(djamo.balance().await);

    let mut verdicts = Vec::new();
    for one in &operators.hooks.wait_for(4).await {
        verdicts.push(verify(&djamo, one, now_unix_s()).await);
    }
    assert!(verdicts.contains(&Err(Rejected::BadSignature)), "{verdicts:?}");
    let references: Vec<_> = verdicts.into_iter().flatten().flatten().filter_map(|notice| notice.reference).collect();
    assert!(references.contains(&"HSTL-DEP-1".to_owned()), "{references:?}");
}

#[tokio::test]
async fn djamo_a_lost_transfer_is_found_and_a_small_one_is_refused() {
    let operators = Operators::start(Provider::Djamo).await;
    let djamo = djamo(&operators);
    let order = withdrawal("HSTL-WDR-2", WalletKind::Djamo, DJAMO_PHONE, 6_000);
    assert_eq!(known(djamo.find_by_reference(&order.handle()).await), None);
    lost_payout_is_found(&operators, Provider::Djamo, &djamo, &order).await;
    let again = djamo.send(&order).await;
    assert_eq!(again.outcome, Outcome::Unknown { code: "duplicate_reference".to_owned() });
    assert_eq!(operators.executed("HSTL-WDR-2").await, 1);

    let small = withdrawal("HSTL-WDR-3", WalletKind::Djamo, DJAMO_PHONE, 4_999);
    let refused = known(djamo.send(&small).await);
    assert!(matches!(refused.observed.state, OperationState::Failed { .. }), "{:?}", refused.observed);
}

fn orange(operators: &Operators) -> OrangeMoney {
    let keys = Credentials::default().orange;
    OrangeMoney::new(OrangeConfig {
        base_url: operators.base(Provider::Orange),
        client_id: keys.client_id,
        client_secret: Secret::new(keys.client_secret),
        merchant_key: Secret::new(keys.merchant_key),
        country: "ci".to_owned(),
        currency: "XOF".to_owned(),
        notify_url: operators.hooks.url(),
        limits: SenderLimits::default(),
    })
    .unwrap()
}

#[tokio::test]
async fn orange_money_comes_in_and_its_notification_is_recognised() {
    let operators = Operators::start(Provider::Orange).await;
    let orange = orange(&operators);
    let order = deposit("HSTL-DEP-1", WalletKind::Orange, "+2250708091011", 15_000);
    let started = deposit_succeeds(&operators, &orange, &order).await;
    assert!(matches!(started.action, Action::OpenPage { .. }), "{:?}", started.action);
    let received = operators.hooks.wait_for(1).await;
    let notices = verify(&orange, &received[0], now_unix_s()).await.unwrap();
    assert!(started.handle.is_notified_by(&notices[0]));

    let again = orange.request_payment(&order).await;
    assert_eq!(again.outcome, Outcome::Unknown { code: "orange_1204".to_owned() });
    let lost = Handle { read_token: None, ..started.handle };
    assert_eq!(orange.state(&lost).await.outcome, Outcome::Unknown { code: "pay_token_lost".to_owned() });
}
