use bytes::Bytes;
use uuid::Uuid;

use super::*;
use crate::mobile_money::{Party, WalletKind};

fn reply(status: u16, body: &str) -> Reply {
    Reply { status, body: Bytes::copy_from_slice(body.as_bytes()) }
}

fn deposit() -> CollectOrder {
    CollectOrder {
        reference: "HSTL-DEP-01J9".to_owned(),
        key: Uuid::from_u128(9),
        amount_francs: 1500,
        payer: Party::Phone("+2250708091011".to_owned()),
        wallet: WalletKind::Wave,
        label: "Depot Hostolink".to_owned(),
        code: None,
        success_url: "https://app.hostolink.ci/pay/ok".to_owned(),
        failure_url: "https://app.hostolink.ci/pay/ko".to_owned(),
        callback_url: None,
    }
}

fn withdrawal() -> PayoutOrder {
    PayoutOrder {
        reference: "HSTL-WDR-01J9".to_owned(),
        key: Uuid::from_u128(9),
        amount_francs: 5000,
        beneficiary: Party::Phone("+2250708091011".to_owned()),
        wallet: WalletKind::Wave,
        name: Some("Awa Kone".to_owned()),
        label: "Retrait Hostolink".to_owned(),
        callback_url: None,
    }
}

const SESSION: &str = r#"{"id":"cos-18qq25rgr100a","amount":"1500","checkout_status":"open","client_reference":"HSTL-DEP-01J9",
 "currency":"XOF","error_url":"https://app.hostolink.ci/pay/ko","last_payment_error":null,
 "business_name":"Hostolink","payment_status":"processing","transaction_id":null,"aggregated_merchant_id":null,
 "success_url":"https://app.hostolink.ci/pay/ok","wave_launch_url":"https://pay.wave.com/c/cos-18qq25rgr100a",
 "when_completed":null,"when_created":"2026-11-22T10:00:00Z","when_expires":"2026-11-22T10:30:00Z"}"#;

const PAYOUT: &str = r#"{"id":"pt-185sewgm8100t","currency":"XOF","receive_amount":"5000","fee":"50","mobile":"+2250708091011",
 "name":"Awa Kone","client_reference":"HSTL-WDR-01J9","payment_reason":"Retrait Hostolink",
 "status":"succeeded","timestamp":"2026-11-22T10:00:02Z"}"#;

#[test]
fn the_bytes_of_an_order_are_fixed() {
    let body = String::from_utf8(session_request(&deposit()).unwrap()).unwrap();
    let expected = concat!(
        r#"{"amount":"1500","currency":"XOF","success_url":"https://app.hostolink.ci/pay/ok","#,
        r#""error_url":"https://app.hostolink.ci/pay/ko","client_reference":"HSTL-DEP-01J9","#,
        r#""restrict_payer_mobile":"+2250708091011"}"#
    );
    assert_eq!(body, expected);
    let body = String::from_utf8(payout_request(&withdrawal()).unwrap()).unwrap();
    let expected = concat!(
        r#"{"currency":"XOF","receive_amount":"5000","mobile":"+2250708091011","name":"Awa Kone","#,
        r#""payment_reason":"Retrait Hostolink","client_reference":"HSTL-WDR-01J9"}"#
    );
    assert_eq!(body, expected);
    let to_alias = PayoutOrder { beneficiary: Party::Alias("a".to_owned()), ..withdrawal() };
    assert_eq!(payout_request(&to_alias), None);
}

#[test]
fn a_created_session_is_pending_and_opens_a_page() {
    let Outcome::Known(started) = session_created(&reply(200, SESSION), &deposit()) else { panic!("unknown") };
    assert_eq!(started.observed.state, OperationState::Pending);
    assert_eq!(started.handle.provider_id.as_deref(), Some("cos-18qq25rgr100a"));
    let url = "https://pay.wave.com/c/cos-18qq25rgr100a".to_owned();
    assert_eq!(started.action, Action::OpenPage { url });
    assert_eq!(started.observed.disagreement(&started.handle, &deposit().payer, CURRENCY), None);
}

#[test]
fn session_words_become_states() {
    let state = |checkout: &str, payment: &str| {
        let body = SESSION
            .replace("\"open\"", &format!("\"{checkout}\""))
            .replace("\"processing\"", &format!("\"{payment}\""));
        let Outcome::Known(Some(observed)) = session_read(&reply(200, &body)) else { panic!("unknown") };
        observed.state
    };
    assert_eq!(state("complete", "succeeded"), OperationState::Succeeded);
    assert_eq!(state("expired", "cancelled"), OperationState::Expired);
    assert_eq!(state("open", "cancelled"), OperationState::Pending);
    assert_eq!(state("expired", "succeeded"), OperationState::Pending, "a contradiction is not final");
    assert_eq!(state("complete", "teleported"), OperationState::Pending);
}

#[test]
fn payout_answers_become_states() {
    let Outcome::Known(started) = payout_sent(&reply(200, PAYOUT), &withdrawal()) else { panic!("unknown") };
    assert_eq!(started.observed.state, OperationState::Succeeded);
    assert_eq!((started.observed.amount_francs, started.observed.fee_francs), (Some(5000), Some(50)));

    let failed = r#"{"id":"pt-1","status":"failed","payout_error":{"error_code":"recipient-limit-exceeded","error_message":"x"}}"#;
    let Outcome::Known(Some(observed)) = payout_read(&reply(200, failed)) else { panic!("unknown") };
    assert_eq!(observed.state, OperationState::failed("recipient-limit-exceeded", Blame::Customer));
    let odd = PAYOUT.replace("succeeded", "levitating");
    let Outcome::Known(Some(observed)) = payout_read(&reply(200, &odd)) else { panic!("unknown") };
    assert_eq!(observed.state, OperationState::Pending);
}

#[test]
fn only_documented_refusals_are_final() {
    let sent = |status, code: &str| {
        payout_sent(&reply(status, &format!(r#"{{"code":"{code}","message":"m"}}"#)), &withdrawal())
    };
    let failed = |outcome| match outcome {
        Outcome::Known(Started { observed, .. }) => observed.state,
        other => panic!("{other:?}"),
    };
    assert_eq!(failed(sent(422, "insufficient-funds")), OperationState::failed("insufficient-funds", Blame::Float));
    assert_eq!(failed(sent(400, "currency-mismatch")), OperationState::failed("currency-mismatch", Blame::Route));
    assert_eq!(sent(422, "brand-new-code"), Outcome::unknown("brand-new-code"));
    assert_eq!(sent(409, "idempotency-mismatch"), Outcome::unknown("idempotency-mismatch"));
    assert_eq!(sent(401, "api-key-revoked"), Outcome::not_executed("http_401"));
    for status in [302, 408, 418, 429, 500, 503] {
        assert_eq!(sent(status, "insufficient-funds"), Outcome::unknown(format!("http_{status}")), "{status}");
    }
    assert_eq!(payout_sent(&reply(200, "<html>"), &withdrawal()), Outcome::unknown("unreadable_answer"));
}

#[test]
fn a_search_prefers_success_and_reports_absence_and_doubles() {
    let list = |items: &[&str]| reply(200, &format!(r#"{{"result":[{}]}}"#, items.join(",")));
    let failed = PAYOUT.replace("succeeded", "failed");
    assert_eq!(payouts_found(&list(&[])), Outcome::Known(None));
    let Outcome::Known(Some(observed)) = payouts_found(&list(&[&failed, PAYOUT])) else { panic!("unknown") };
    assert_eq!(observed.state, OperationState::Succeeded);
    assert_eq!(payouts_found(&list(&[PAYOUT, PAYOUT])), Outcome::unknown("several_succeeded"));
}

#[test]
fn a_statement_gives_each_kind_its_sign() {
    let body = r#"{"page_info":{"start_cursor":"a","end_cursor":"b","has_next_page":true},"date":"2026-11-22","items":[
        {"timestamp":"2026-11-22T10:00:00Z","transaction_id":"T_1","transaction_type":"api_checkout","amount":"1500","fee":"15","balance":"101485","currency":"XOF","client_reference":"HSTL-DEP-01J9"},
        {"timestamp":"2026-11-22T10:01:00Z","transaction_id":"T_2","transaction_type":"api_payout","amount":"5000","fee":"50","balance":"96435","currency":"XOF"},
        {"timestamp":"2026-11-22T10:02:00Z","transaction_id":"T_3","transaction_type":"mystery","amount":"7","currency":"XOF"}]}"#;
    let Outcome::Known(page) = statement_page(&reply(200, body)) else { panic!("unknown") };
    let amounts: Vec<Option<i64>> = page.lines.iter().map(|line| line.amount_francs).collect();
    assert_eq!(amounts, [Some(1500), Some(-5000), None]);
    assert_eq!(page.next.as_deref(), Some("b"));
}
