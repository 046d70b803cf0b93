//! The aggregators and PI-SPI against the simulated ones.

use providers::{
    Secret,
    mobile_money::{
        Action, Blame, CardVault as _, Collect as _, CollectOrder, Float as _, Handle, NoticeKind, OperationState,
        Outcome, Party, Payout as _, PayoutOrder, Rejected, SenderLimits, WalletKind,
        cinetpay::{Cinetpay, CinetpayConfig},
        gsma::{Gsma, GsmaConfig},
        hub2::{Hub2, Hub2Config},
        moov::{Moov, MoovConfig},
        pawapay::{Pawapay, PawapayConfig},
        paystack::{Paystack, PaystackConfig},
        pispi::{Pispi, PispiConfig, PispiVersion},
    },
};
use serde_json::json;
use simulator::{Credentials, Provider};

use crate::money::{
    Operators, deposit, deposit_succeeds, final_collect, final_payout, known, lost_payout_is_found, now_unix_s, verify,
    withdrawal, withdrawal_succeeds,
};

const MTN_PHONE: &str = "+2250504030201";

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

const ALIAS: &str = "9b1b2499-3e50-435b-b757-ac7a83d8aa8c";

fn pispi(operators: &Operators, version: PispiVersion) -> Pispi {
    let keys = Credentials::default().pispi;
    Pispi::new(PispiConfig {
        base_url: format!("{}/CIC001", operators.base(Provider::Pispi)),
        token_url: format!("{}/oauth2/token", operators.base(Provider::Pispi)),
        client_id: keys.client_id,
        client_secret: Secret::new(keys.client_secret),
        scopes: "piz/paiement.write piz/paiement.read".to_owned(),
        api_key: Secret::new(keys.api_key),
        version,
        our_alias: "9b1b3499-3e50-435b-b757-ac7a83d8aa96".to_owned(),
        our_account: "CI93CI0080111301134291200589".to_owned(),
        webhook_secrets: vec![Secret::new(keys.webhook_secret)],
        identity: None,
        limits: SenderLimits::default(),
    })
    .unwrap()
}

fn to_alias(reference: &str, alias: &str) -> PayoutOrder {
    let order = withdrawal(reference, WalletKind::Bank, "", 15_000);
    PayoutOrder { beneficiary: Party::Alias(alias.to_owned()), ..order }
}

#[tokio::test]
async fn pispi_money_comes_in_and_goes_out_under_both_contracts() {
    for version in [PispiVersion::V1_5, PispiVersion::V1_0] {
        let operators = Operators::start(Provider::Pispi).await;
        let pispi = pispi(&operators, version);
        let order = deposit("HSTL-DEP-1", WalletKind::Bank, "", 5_000);
        let order = CollectOrder { payer: Party::Alias(ALIAS.to_owned()), ..order };
        deposit_succeeds(&operators, &pispi, &order).await;
        withdrawal_succeeds(&operators, &pispi, &to_alias("HSTL-WDR-1", ALIAS)).await;

        let mut kinds = Vec::new();
        for one in &operators.hooks.wait_for(2).await {
            kinds.extend(verify(&pispi, one, now_unix_s()).await.unwrap().into_iter().map(|notice| notice.kind));
        }
        assert!(kinds.contains(&NoticeKind::MoneyReceived), "{kinds:?}");
    }
}

#[tokio::test]
async fn pispi_a_replay_does_not_hide_the_payment_that_was_executed() {
    let operators = Operators::start(Provider::Pispi).await;
    let pispi = pispi(&operators, PispiVersion::V1_5);
    let order = to_alias("HSTL-WDR-2", ALIAS);
    assert_eq!(known(pispi.find_by_reference(&order.handle()).await), None);
    lost_payout_is_found(&operators, Provider::Pispi, &pispi, &order).await;
    assert_eq!(pispi.send(&order).await.outcome, Outcome::Unknown { code: "DU03".to_owned() });
    let found = known(pispi.find_by_reference(&order.handle()).await).unwrap();
    assert_eq!(found.state, OperationState::Succeeded);
    assert_eq!(operators.executed("HSTL-WDR-2").await, 1);
}

#[tokio::test]
async fn pispi_refusals_come_with_http_200() {
    let operators = Operators::start(Provider::Pispi).await;
    let pispi = pispi(&operators, PispiVersion::V1_5);
    let nobody = known(pispi.send(&to_alias("HSTL-WDR-3", "9b1b2499-3e50-435b-b757-ac7a83d8be23")).await);
    let expected = OperationState::Failed { code: "BE23".to_owned(), blame: Blame::Customer };
    assert_eq!(nobody.observed.state, expected);
    let started = known(pispi.send(&to_alias("HSTL-WDR-4", "9b1b2499-3e50-435b-b757-ac7a83d8aa04")).await);
    let poor = final_payout(&pispi, &started.handle).await;
    assert_eq!(poor.state, OperationState::Failed { code: "AM04".to_owned(), blame: Blame::Float });
}

fn gsma(operators: &Operators) -> Gsma {
    let keys = Credentials::default().gsma;
    Gsma::new(GsmaConfig {
        base_url: format!("{}/1.2/mm", operators.base(Provider::Gsma)),
        api_key: Secret::new(keys.api_key),
        user: keys.username,
        password: Secret::new(keys.password),
        wallet_id: "HOSTOLINK".to_owned(),
        success_words: vec!["completed".to_owned()],
        limits: SenderLimits::default(),
    })
    .unwrap()
}

#[tokio::test]
async fn gsma_money_comes_in_and_goes_out_and_a_lost_answer_is_found() {
    let operators = Operators::start(Provider::Gsma).await;
    let gsma = gsma(&operators);
    let mut order = deposit("HSTL-DEP-1", WalletKind::Mtn, MTN_PHONE, 15_000);
    order.callback_url = Some(format!("{}/gsma/5f3c9b2a", operators.hooks.url()));
    let started = deposit_succeeds(&operators, &gsma, &order).await;
    let webhook = operators.hooks.wait_for(1).await.remove(0);
    assert_eq!(webhook.method, "PUT");
    let notice = verify(&gsma, &webhook, now_unix_s()).await.unwrap().remove(0);
    assert!(started.handle.is_notified_by(&notice));

    let order = withdrawal("HSTL-WDR-1", WalletKind::Mtn, MTN_PHONE, 5_000);
    assert_eq!(known(gsma.find_by_reference(&order.handle()).await), None);
    lost_payout_is_found(&operators, Provider::Gsma, &gsma, &order).await;
    assert_eq!(known(gsma.send(&order).await).observed.state, OperationState::Pending);
    assert_eq!(operators.executed("HSTL-WDR-1").await, 1);
    known(gsma.balance().await);
}

fn moov(operators: &Operators) -> Moov {
    let keys = Credentials::default().moov;
    Moov::new(MoovConfig {
        endpoint: format!("{}/com.tlc.merchant.api/UssdPush", operators.base(Provider::Moov)),
        username: keys.username,
        password: Secret::new(keys.password),
        aes_key: Secret::new(keys.aes_key),
        limits: SenderLimits::default(),
    })
    .unwrap()
}

const MOOV_PHONE: &str = "+2250102030405";

#[tokio::test]
async fn moov_money_comes_in_and_goes_out_and_nothing_is_repeated() {
    let operators = Operators::start(Provider::Moov).await;
    let moov = moov(&operators);
    deposit_succeeds(&operators, &moov, &deposit("HSTL-DEP-1", WalletKind::Moov, MOOV_PHONE, 15_000)).await;
    withdrawal_succeeds(&operators, &moov, &withdrawal("HSTL-WDR-1", WalletKind::Moov, MOOV_PHONE, 5_000)).await;
    assert!(!moov.may_repeat());

    // The operator executes and says "internal error": only a question tells.
    let order = withdrawal("HSTL-WDR-2", WalletKind::Moov, "+2250102030499", 5_000);
    assert_eq!(known(moov.find_by_reference(&order.handle()).await), None);
    assert_eq!(moov.send(&order).await.outcome, Outcome::Unknown { code: "moov_99".to_owned() });
    assert_eq!(final_payout(&moov, &order.handle()).await.state, OperationState::Succeeded);
}

#[tokio::test]
async fn moov_refusals_and_wrong_keys_are_told_apart() {
    let operators = Operators::start(Provider::Moov).await;
    let poor = deposit("HSTL-DEP-2", WalletKind::Moov, "+2250102030410", 1_500);
    let moov_ = moov(&operators);
    let started = known(moov_.request_payment(&poor).await);
    let ended = final_collect(&moov_, &started.handle).await;
    assert_eq!(ended.state, OperationState::Failed { code: "moov_10".to_owned(), blame: Blame::Customer });

    let stranger = Moov::new(MoovConfig {
        endpoint: format!("{}/com.tlc.merchant.api/UssdPush", operators.base(Provider::Moov)),
        username: "nobody".to_owned(),
        password: Secret::new("wrong"),
        aes_key: Secret::new("x".repeat(32)),
        limits: SenderLimits::default(),
    });
    let refused = stranger.unwrap().request_payment(&poor).await;
    assert_eq!(refused.outcome, Outcome::NotExecuted { code: "moov_98".to_owned() });
    assert!(!refused.exchanges[0].request.contains("0102030410"), "{}", refused.exchanges[0].request);
}

fn paystack(operators: &Operators) -> Paystack {
    Paystack::new(PaystackConfig {
        base_url: operators.base(Provider::Paystack),
        secret_key: Secret::new(Credentials::default().paystack.secret_key),
        email_template: "{customer}@cartes.hostolink.ci".to_owned(),
        limits: SenderLimits::default(),
    })
    .unwrap()
}

#[tokio::test]
async fn paystack_a_card_pays_on_a_page_and_its_token_pays_again() {
    let operators = Operators::start(Provider::Paystack).await;
    let paystack = paystack(&operators);
    let first = deposit("HSTL-DEP-1", WalletKind::Card, "+2250708091011", 15_000);
    assert_eq!(known(paystack.state(&first.handle()).await), None);
    let started = deposit_succeeds(&operators, &paystack, &first).await;
    assert!(matches!(&started.action, Action::OpenPage { .. }));
    let card = known(paystack.saved_card(&started.handle).await).expect("the card may be used again");
    assert_eq!((card.brand.as_str(), card.last4.as_str()), ("visa", "4081"));

    let second = deposit("HSTL-DEP-2", WalletKind::Card, "+2250708091011", 7_500);
    let charge = paystack.charge_saved(&second, &card.token).await;
    assert!(!format!("{:?}", charge.exchanges).contains(card.token.expose()), "the token stays out of the record");
    assert_eq!(known(charge).observed.state, OperationState::Succeeded);
    let again = known(paystack.charge_saved(&second, &card.token).await);
    assert_eq!(again.observed.state, OperationState::Pending, "the reference was used: read, not guessed");
    assert_eq!(operators.executed("HSTL-DEP-2").await, 1);

    known(paystack.forget(&card.token).await);
    let third = deposit("HSTL-DEP-3", WalletKind::Card, "+2250708091011", 7_500);
    let refused = known(paystack.charge_saved(&third, &card.token).await);
    assert!(matches!(refused.observed.state, OperationState::Failed { .. }));

    let webhook = operators.hooks.wait_for(1).await.remove(0);
    let notice = verify(&paystack, &webhook, now_unix_s()).await.unwrap().remove(0);
    assert_eq!(notice.reference.as_deref(), Some("HSTL-DEP-1"));
    let mut forged = webhook;
    forged.body = forged.body.iter().copied().chain(*b" ").collect();
    assert_eq!(verify(&paystack, &forged, now_unix_s()).await, Err(Rejected::BadSignature));
}
