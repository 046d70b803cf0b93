//! Orange and Twilio against peers that check every byte which the providers' documents prescribe, and the router's choices.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use axum::{
    Json, Router as Peer,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::post,
};
use providers::{
    Secret, SendError,
    sms::{OrangeConfig, Route, Router, Sms, SmsRoute as _, TwilioConfig},
};
use serde_json::{Value, json};

use crate::peers::{free_port, serve};

fn sms() -> Sms {
    Sms { to: "+2250708091011".to_owned(), text: "Hostolink : votre code est 482913.".to_owned() }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map_or("", |value| value.to_str().unwrap())
}

/// What an Orange peer saw and how it behaves.
#[derive(Default)]
struct OrangeState {
    tokens: AtomicU32,
    sent: AtomicU32,
    /// The first token is refused as expired.
    first_token_dies: bool,
}

async fn orange_token(State(state): State<Arc<OrangeState>>, headers: HeaderMap, body: String) -> Response {
    // base64("id:s3cret")
    assert_eq!(header(&headers, "authorization"), "Basic aWQ6czNjcmV0");
    assert_eq!(header(&headers, "content-type"), "application/x-www-form-urlencoded");
    assert_eq!(body, "grant_type=client_credentials");
    let number = state.tokens.fetch_add(1, Ordering::SeqCst) + 1;
    Json(json!({ "token_type": "Bearer", "access_token": format!("t{number}"), "expires_in": 3600 })).into_response()
}

async fn orange_send(State(state): State<Arc<OrangeState>>, uri: Uri, headers: HeaderMap, body: String) -> Response {
    assert_eq!(uri.path(), "/smsmessaging/v1/outbound/tel%3A%2B2250000/requests");
    let token = header(&headers, "authorization");
    if state.first_token_dies && token == "Bearer t1" {
        let dead = json!({ "code": 42, "message": "Expired credentials" });
        return (StatusCode::UNAUTHORIZED, Json(dead)).into_response();
    }
    let number = state.tokens.load(Ordering::SeqCst);
    assert_eq!(token, format!("Bearer t{number}"));
    let body: Value = serde_json::from_str(&body).unwrap();
    let expected = json!({ "outboundSMSMessageRequest": {
        "address": "tel:+2250708091011",
        "senderAddress": "tel:+2250000",
        "senderName": "HOSTOLINK",
        "outboundSMSTextMessage": { "message": "Hostolink : votre code est 482913." },
    } });
    assert_eq!(body, expected);
    state.sent.fetch_add(1, Ordering::SeqCst);
    let resource = "https://api.orange.com/smsmessaging/v1/outbound/tel:+2250000/requests/d0b10ba3-0bd5";
    let mut answer = expected;
    answer["outboundSMSMessageRequest"]["resourceURL"] = json!(resource);
    (StatusCode::CREATED, Json(answer)).into_response()
}

async fn orange(state: &Arc<OrangeState>) -> Route {
    let peer = Peer::new()
        .route("/oauth/v3/token", post(orange_token))
        .route("/smsmessaging/v1/outbound/{sender}/requests", post(orange_send))
        .with_state(Arc::clone(state));
    let address = serve(peer).await;
    orange_at(format!("http://{address}"))
}

fn orange_at(base_url: String) -> Route {
    Route::orange(OrangeConfig {
        base_url,
        client_id: "id".to_owned(),
        client_secret: Secret::new("s3cret"),
        sender: "+2250000".to_owned(),
        sender_name: Some("HOSTOLINK".to_owned()),
    })
    .unwrap()
}

#[tokio::test]
async fn orange_fetches_one_token_for_many_texts() {
    let state = Arc::new(OrangeState::default());
    let route = orange(&state).await;
    let receipt = route.send(&sms(), "1").await.unwrap();
    assert_eq!(receipt.provider_id.as_deref(), Some("d0b10ba3-0bd5"));
    route.send(&sms(), "2").await.unwrap();
    assert_eq!(state.tokens.load(Ordering::SeqCst), 1);
    assert_eq!(state.sent.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn orange_renews_an_expired_token_once() {
    let state = Arc::new(OrangeState { first_token_dies: true, ..OrangeState::default() });
    orange(&state).await.send(&sms(), "1").await.unwrap();
    assert_eq!(state.tokens.load(Ordering::SeqCst), 2);
    assert_eq!(state.sent.load(Ordering::SeqCst), 1);
}

/// A Twilio peer that answers each request with the next status of its list, then goes on with the last.
struct TwilioState {
    answers: Vec<(u16, Value)>,
    seen: AtomicU32,
}

async fn twilio_send(State(state): State<Arc<TwilioState>>, uri: Uri, headers: HeaderMap, body: String) -> Response {
    assert_eq!(uri.path(), "/2010-04-01/Accounts/AC1/Messages.json");
    // base64("AC1:token")
    assert_eq!(header(&headers, "authorization"), "Basic QUMxOnRva2Vu");
    assert_eq!(body, "To=%2B2250708091011&From=HOSTOLINK&Body=Hostolink+%3A+votre+code+est+482913.");
    let index = state.seen.fetch_add(1, Ordering::SeqCst) as usize;
    let (status, answer) = &state.answers[index.min(state.answers.len() - 1)];
    (StatusCode::from_u16(*status).unwrap(), Json(answer.clone())).into_response()
}

async fn twilio(answers: Vec<(u16, Value)>) -> (Route, Arc<TwilioState>) {
    let state = Arc::new(TwilioState { answers, seen: AtomicU32::new(0) });
    let path = "/2010-04-01/Accounts/{account}/Messages.json";
    let address = serve(Peer::new().route(path, post(twilio_send)).with_state(Arc::clone(&state))).await;
    let config = TwilioConfig {
        base_url: format!("http://{address}"),
        account_sid: "AC1".to_owned(),
        auth_token: Secret::new("token"),
        from: "HOSTOLINK".to_owned(),
    };
    (Route::twilio(config).unwrap(), state)
}

fn accepted() -> (u16, Value) {
    (201, json!({ "sid": "SM42", "status": "queued" }))
}

fn broken() -> (u16, Value) {
    (500, json!({}))
}

#[tokio::test]
async fn twilio_takes_a_text_and_names_a_bad_number() {
    let bad_number = (400, json!({ "code": 21211, "message": "Invalid 'To'", "status": 400 }));
    let (route, _) = twilio(vec![accepted(), bad_number]).await;
    assert_eq!(route.send(&sms(), "1").await.unwrap().provider_id.as_deref(), Some("SM42"));
    let refused = route.send(&sms(), "2").await.unwrap_err();
    assert_eq!(refused.code(), "twilio_21211");
    assert!(!refused.may_retry());
}

#[tokio::test]
async fn a_dead_route_gives_way_to_the_next() {
    let (next, seen) = twilio(vec![accepted()]).await;
    let dead = orange_at(format!("http://127.0.0.1:{}", free_port()));
    let router = Router::new(vec![(dead, vec!["+22507".to_owned()]), (next, vec![])]).unwrap();
    assert_eq!(router.send(&sms(), "1").await.unwrap().route, "twilio");
    assert_eq!(seen.seen.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_longest_prefix_wins_and_a_foreign_route_is_left_alone() {
    let state = Arc::new(OrangeState::default());
    let (general, general_seen) = twilio(vec![accepted()]).await;
    let (foreign, foreign_seen) = twilio(vec![accepted()]).await;
    let routes = vec![
        (general, vec![]),
        (foreign, vec!["+33".to_owned()]),
        (orange(&state).await, vec!["+22507".to_owned(), "+2250".to_owned()]),
    ];
    let router = Router::new(routes).unwrap();
    assert_eq!(router.send(&sms(), "1").await.unwrap().route, "orange");
    assert_eq!((general_seen.seen.load(Ordering::SeqCst), foreign_seen.seen.load(Ordering::SeqCst)), (0, 0));
}

#[tokio::test]
async fn after_an_unknown_outcome_the_text_is_sent_again_once_and_never_twice() {
    let (first, first_seen) = twilio(vec![broken()]).await;
    let (second, second_seen) = twilio(vec![broken()]).await;
    let (third, third_seen) = twilio(vec![accepted()]).await;
    let router = Router::new(vec![(first, vec![]), (second, vec![]), (third, vec![])]).unwrap();
    let doubt = router.send(&sms(), "1").await.unwrap_err();
    assert!(matches!(doubt, SendError::Unknown { .. }) && !doubt.may_retry());
    let seen = [first_seen, second_seen, third_seen].map(|state| state.seen.load(Ordering::SeqCst));
    assert_eq!(seen, [1, 1, 0]);

    let (alone, alone_seen) = twilio(vec![broken(), accepted()]).await;
    Router::new(vec![(alone, vec![])]).unwrap().send(&sms(), "2").await.unwrap();
    assert_eq!(alone_seen.seen.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_doubt_outlives_the_refusal_that_follows_it() {
    let (first, _) = twilio(vec![broken()]).await;
    let (second, _) = twilio(vec![(429, json!({ "code": 20429 }))]).await;
    let router = Router::new(vec![(first, vec![]), (second, vec![])]).unwrap();
    let verdict = router.send(&sms(), "1").await.unwrap_err();
    assert!(matches!(verdict, SendError::Unknown { .. }), "{verdict:?}");
}

#[tokio::test]
async fn a_bad_number_reaches_no_route() {
    let (route, seen) = twilio(vec![accepted()]).await;
    let router = Router::new(vec![(route, vec![])]).unwrap();
    for to in ["0708091011", "+22507O8091011", "+225 07 08 09 10 11", ""] {
        let refused = router.send(&Sms { to: to.to_owned(), text: "x".to_owned() }, "1").await.unwrap_err();
        assert_eq!(refused.code(), "invalid_number", "{to}");
    }
    assert_eq!(seen.seen.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_development_mailbox_holds_one_line_a_text() {
    let folder = tempfile::tempdir().unwrap();
    let router = Router::new(vec![(Route::folder(folder.path()).unwrap(), vec![])]).unwrap();
    let name = router.send(&sms(), "0193f2a1").await.unwrap().provider_id.unwrap();
    let content = std::fs::read_to_string(folder.path().join(name)).unwrap();
    let line: Value = serde_json::from_str(content.lines().next().unwrap()).unwrap();
    assert_eq!(line, json!({ "id": "0193f2a1", "to": "+2250708091011", "text": sms().text }));
}
