//! What surrounds every request.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::json;

use crate::house::House;

#[tokio::test]
async fn refusals_have_one_shape_and_two_languages() {
    let house = House::new().await;
    let client = house.client();
    let french = client.post("/api/check-user", json!({"identifier": "07O7070707"})).await;
    assert_eq!(french.status, StatusCode::BAD_REQUEST);
    assert_eq!(french.body["status"], "error");
    assert_eq!(french.body["data"], json!(null));
    assert_eq!(french.body["code"], "request.invalid");
    assert_eq!(french.body["errors"][0]["field"], "identifier");
    assert!(french.body["message"].as_str().unwrap().starts_with("Certaines"));
    assert_eq!(french.headers["x-request-id"].to_str().unwrap(), french.body["requestId"].as_str().unwrap());
    let english =
        client.with("accept-language", "en-GB").post("/api/check-user", json!({"identifier": "07O7070707"})).await;
    assert!(english.body["message"].as_str().unwrap().starts_with("Some"));
    assert_eq!(english.headers[header::CONTENT_LANGUAGE], "en");
}

#[tokio::test]
async fn bad_requests_are_refused_without_a_500() {
    let house = House::new().await;
    let client = house.client();
    let raw = |path: &str, kind: Option<&str>, body: Vec<u8>| {
        let mut request = Request::post(path);
        if let Some(kind) = kind {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        request.body(Body::from(body)).unwrap()
    };
    let json = Some("application/json");
    let cases = [
        (raw("/api/check-user", json, b"{".to_vec()), 400, "request.malformed_json"),
        (raw("/api/check-user", json, b"[]".to_vec()), 400, "request.invalid"),
        (raw("/api/check-user", json, b"\xff\xfe".to_vec()), 400, "request.malformed_json"),
        (raw("/api/check-user", json, b"{\"identifier\":5}".to_vec()), 400, "request.invalid"),
        (
            raw("/api/check-user", json, b"{\"identifier\":\"a\\u0000@b.ci\"}".to_vec()),
            400,
            "request.forbidden_character",
        ),
        (raw("/api/check-user", None, b"{}".to_vec()), 415, "request.not_json"),
        (raw("/api/check-user", Some("text/plain"), b"{}".to_vec()), 415, "request.not_json"),
        (raw("/api/check-user", json, vec![b' '; 10 << 20]), 413, "request.too_large"),
        (raw("/api/nulle-part", json, b"{}".to_vec()), 404, "request.not_found"),
        (raw("/api/me", json, b"{}".to_vec()), 405, "request.method_not_allowed"),
    ];
    for (request, status, code) in cases {
        let answer = client.request(request).await;
        assert_eq!((answer.status.as_u16(), answer.body["code"].as_str()), (status, Some(code)), "{}", answer.body);
        assert!(answer.body["message"].as_str().is_some_and(|sentence| sentence.contains(' ')), "{}", answer.body);
    }
    let people: i64 =
        sqlx::query_scalar("SELECT count(*) FROM utilisateur").fetch_one(&house.test.db.read).await.unwrap();
    assert_eq!(people, 0);
}

#[tokio::test]
async fn what_did_not_change_is_not_sent_twice() {
    let house = House::new().await;
    let someone = house.someone("awa@example.ci").await;
    let client = house.client().bearer(&someone.tokens.access_token);
    let first = client.get("/api/me").await;
    let tag = first.headers[header::ETAG].to_str().unwrap().to_owned();
    assert_eq!(first.status, StatusCode::OK);
    let second = client.with("if-none-match", &tag).get("/api/me").await;
    assert_eq!((second.status, second.bytes.len()), (StatusCode::NOT_MODIFIED, 0));
}

#[tokio::test]
async fn readiness_follows_the_database() {
    let house = House::new().await;
    let client = house.client();
    assert_eq!(client.get("/readyz").await.status, StatusCode::OK);
    assert_eq!(client.get("/healthz").await.status, StatusCode::OK);
    house.app.readiness.set_simulator(false);
    assert_eq!(client.get("/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn the_page_of_the_interface_loads_nothing_from_elsewhere() {
    let house = House::new().await;
    let client = house.client();
    assert_eq!(client.get("/api/openapi.json").await.body["openapi"], "3.1.0");
    let page = client.get("/api/docs/").await;
    assert_eq!(page.status, StatusCode::OK);
    for path in ["/api/docs/", "/api/docs/swagger-initializer.js", "/api/docs/index.css"] {
        let text = String::from_utf8(client.get(path).await.bytes).unwrap();
        let foreign = text
            .split(['"', '\'', '(', ' '])
            .find(|word| word.starts_with("http://") || word.starts_with("https://") || word.starts_with("//cdn"));
        assert_eq!(foreign, None, "{path}");
    }
}

#[tokio::test]
async fn the_dashboard_shows_everything_in_one_request() {
    let house = House::new().await;
    let someone = house.someone("0707070713").await;
    house.app.announcements.publish(&house.app.random, "Bienvenue", "Le service ouvre.").await.unwrap();
    let data = house.client().bearer(&someone.tokens.access_token).get("/api/dashboard").await.data(200);
    assert_eq!(data["user"]["phoneNumber"], "+2250707070713");
    assert_eq!((&data["wallet"]["balance"], &data["wallet"]["currency"]), (&json!(0), &json!("XOF")));
    assert_eq!(data["transactions"], json!([]));
    assert_eq!(data["unread"]["notifications"], 0);
    assert!(data["card"]["qr"]["payload"].as_str().unwrap().starts_with("000201"));
    assert_eq!(data["announcements"][0]["title"], "Bienvenue");
}
