//! MTN, Djamo and Orange against the simulated ones.

use providers::{
    Secret,
    mobile_money::{
        Action, Blame, Collect, Direction, Float as _, Handle, NoticeKind, OperationState, Outcome, Payout as _,
        Rejected, SenderLimits, Trust, WalletKind,
        cinetpay::{Cinetpay, CinetpayConfig},
        djamo::{Djamo, DjamoConfig},
        hub2::{Hub2, Hub2Config},
        mtn::{Mtn, MtnConfig, MtnProduct},
        orange::{OrangeConfig, OrangeMoney},
        pawapay::{Pawapay, PawapayConfig},
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

fn authority(url: &str) -> String {
    url.trim_start_matches("http://").split('/').next().unwrap().to_owned()
}

fn pawapay(operators: &Operators) -> Pawapay {
    Pawapay::new(PawapayConfig {
        base_url: operators.base(Provider::Pawapay),
        token: Secret::new(Credentials::default().pawapay.token),
        public_authority: authority(&operators.hooks.url()),
        limits: SenderLimits::default(),
    })
    .unwrap()
}

#[tokio::test]
async fn pawapay_carries_three_wallets_and_signs_its_callbacks() {
    let operators = Operators::start(Provider::Pawapay).await;
    let pawapay = pawapay(&operators);
    operators.order("faults", json!({ "provider": "pawapay", "kind": "forged_callback" })).await;
    for (wallet, phone) in
        [(WalletKind::Mtn, MTN_PHONE), (WalletKind::Orange, "+2250708091011"), (WalletKind::Wave, "+2250708091011")]
    {
        deposit_succeeds(&operators, &pawapay, &deposit(&format!("HSTL-DEP-{wallet:?}"), wallet, phone, 15_000)).await;
        let order = withdrawal(&format!("HSTL-WDR-{wallet:?}"), wallet, phone, 5_000);
        withdrawal_succeeds(&operators, &pawapay, &order).await;
    }
    known(pawapay.balance().await);
    let moov = deposit("HSTL-DEP-9", WalletKind::Moov, "+2250102030405", 1_000);
    let refused = pawapay.request_payment(&moov).await;
    assert_eq!(refused.outcome, Outcome::NotExecuted { code: "unsupported_wallet".to_owned() });

    let mut verdicts = Vec::new();
    for one in &operators.hooks.wait_for(7).await {
        verdicts.push(verify(&pawapay, one, now_unix_s()).await);
    }
    let forged = verdicts.iter().filter(|verdict| **verdict == Err(Rejected::BadSignature)).count();
    assert_eq!((forged, verdicts.iter().filter(|verdict| verdict.is_ok()).count()), (1, 6), "{verdicts:?}");
}

#[tokio::test]
async fn pawapay_a_lost_payout_is_found_and_its_repeat_is_ignored() {
    let operators = Operators::start(Provider::Pawapay).await;
    let pawapay = pawapay(&operators);
    let order = withdrawal("HSTL-WDR-2", WalletKind::Mtn, MTN_PHONE, 5_000);
    assert_eq!(known(pawapay.find_by_reference(&order.handle()).await), None);
    lost_payout_is_found(&operators, Provider::Pawapay, &pawapay, &order).await;
    assert_eq!(known(pawapay.send(&order).await).observed.state, OperationState::Pending);
    assert_eq!(operators.executed("HSTL-WDR-2").await, 1);
}

const WALLETS: [(WalletKind, &str); 4] = [
    (WalletKind::Mtn, MTN_PHONE),
    (WalletKind::Orange, "+2250708091014"),
    (WalletKind::Wave, "+2250708091014"),
    (WalletKind::Moov, "+2250102030405"),
];

fn hub2(operators: &Operators) -> Hub2 {
    let keys = Credentials::default().hub2;
    Hub2::new(Hub2Config {
        base_url: operators.base(Provider::Hub2),
        api_key: Secret::new(keys.api_key),
        merchant_id: keys.merchant_id,
        environment: "sandbox".to_owned(),
        webhook_secrets: vec![Secret::new(keys.webhook_secret)],
        limits: SenderLimits::default(),
    })
    .unwrap()
}

#[tokio::test]
async fn hub2_carries_four_wallets_and_signs_its_webhooks() {
    let operators = Operators::start(Provider::Hub2).await;
    let hub2 = hub2(&operators);
    operators.order("faults", json!({ "provider": "hub2", "kind": "forged_callback" })).await;
    for (wallet, phone) in WALLETS {
        deposit_succeeds(&operators, &hub2, &deposit(&format!("HSTL-DEP-{wallet:?}"), wallet, phone, 15_000)).await;
        withdrawal_succeeds(&operators, &hub2, &withdrawal(&format!("HSTL-WDR-{wallet:?}"), wallet, phone, 5_000))
            .await;
    }
    let mut references = Vec::new();
    let mut forged = 0;
    for one in &operators.hooks.wait_for(9).await {
        match verify(&hub2, one, now_unix_s()).await {
            Ok(notices) => references.extend(notices.into_iter().filter_map(|notice| notice.reference)),
            Err(rejected) => forged += usize::from(rejected == Rejected::BadSignature),
        }
    }
    assert_eq!(forged, 1);
    assert!(references.contains(&"HSTL-DEP-Moov".to_owned()) && references.contains(&"HSTL-WDR-Moov".to_owned()));
}

#[tokio::test]
async fn hub2_a_lost_payment_can_be_read_and_a_repeated_transfer_moves_nothing() {
    let operators = Operators::start(Provider::Hub2).await;
    let hub2 = hub2(&operators);
    let order = withdrawal("HSTL-WDR-2", WalletKind::Moov, "+2250102030405", 5_000);
    let fault = json!({ "provider": "hub2", "call": "payout", "kind": "status_503_after_execution" });
    operators.order("faults", fault).await;
    assert_eq!(hub2.send(&order).await.outcome, Outcome::Unknown { code: "http_503".to_owned() });
    assert_eq!(hub2.send(&order).await.outcome, Outcome::Unknown { code: "duplicate_reference".to_owned() });
    let webhook = operators.hooks.wait_for(1).await.remove(0);
    let notice = verify(&hub2, &webhook, now_unix_s()).await.unwrap().remove(0);
    assert_eq!(notice.reference.as_deref(), Some("HSTL-WDR-2"));
    let handle = Handle { provider_id: notice.provider_id, ..order.handle() };
    assert_eq!(final_payout(&hub2, &handle).await.state, OperationState::Succeeded);
    assert_eq!(operators.executed("HSTL-WDR-2").await, 1);
}

fn cinetpay(operators: &Operators) -> Cinetpay {
    let keys = Credentials::default().cinetpay;
    Cinetpay::new(CinetpayConfig {
        base_url: operators.base(Provider::Cinetpay),
        api_key: Secret::new(keys.api_key),
        api_password: Secret::new(keys.api_password),
        contact_email: "paiements@hostolink.ci".to_owned(),
        notify_url: operators.hooks.url(),
        limits: SenderLimits::default(),
    })
    .unwrap()
}

#[tokio::test]
async fn cinetpay_carries_four_wallets_and_its_notifications_are_recognised() {
    let operators = Operators::start(Provider::Cinetpay).await;
    let cinetpay = cinetpay(&operators);
    let mut handles = Vec::new();
    for (wallet, phone) in WALLETS {
        let order = deposit(&format!("HSTL-DEP-{wallet:?}"), wallet, phone, 15_000);
        let started = deposit_succeeds(&operators, &cinetpay, &order).await;
        handles.push(started.handle);
        let order = withdrawal(&format!("HSTL-WDR-{wallet:?}"), wallet, phone, 5_000);
        withdrawal_succeeds(&operators, &cinetpay, &order).await;
    }
    known(cinetpay.balance().await);
    let mut notices = Vec::new();
    for one in &operators.hooks.wait_for(8).await {
        notices.extend(verify(&cinetpay, one, now_unix_s()).await.unwrap());
    }
    for handle in &handles {
        assert_eq!(notices.iter().filter(|notice| handle.is_notified_by(notice)).count(), 1, "{handle:?}");
    }
}

#[tokio::test]
async fn cinetpay_a_lost_transfer_is_found_and_its_repeat_moves_nothing() {
    let operators = Operators::start(Provider::Cinetpay).await;
    let cinetpay = cinetpay(&operators);
    let order = withdrawal("HSTL-WDR-2", WalletKind::Orange, "+2250708091014", 5_000);
    assert_eq!(known(cinetpay.find_by_reference(&order.handle()).await), None);
    lost_payout_is_found(&operators, Provider::Cinetpay, &cinetpay, &order).await;
    assert_eq!(known(cinetpay.send(&order).await).observed.state, OperationState::Pending);
    assert_eq!(operators.executed("HSTL-WDR-2").await, 1);
}
