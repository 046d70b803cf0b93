//! Every operation says who may call it, and is called by everybody else.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::Value;
use testkit::{Answer, Client};

use crate::house::House;

/// The operations that anybody may call, one a line; the list grows by review only.
const PUBLIC: &str = include_str!("../public_operations.txt");

struct Operation {
    method: Method,
    path: String,
    name: String,
    access: String,
}

/// The program's own document: made on a thread of its own, since the command brings its own runtime.
fn operations() -> Vec<Operation> {
    std::thread::spawn(read_operations).join().unwrap()
}

fn read_operations() -> Vec<Operation> {
    let document = serde_json::to_value(server::commands::documents::document().unwrap()).unwrap();
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let Ok(method) = method.to_uppercase().parse::<Method>() else { continue };
            let Value::Object(operation) = operation else { continue };
            let name = format!("{method} {path}");
            let access = operation
                .get("x-access")
                .and_then(Value::as_str)
                .unwrap_or_else(|| panic!("{name} declares no access"))
                .to_owned();
            let open = operation["security"]
                .as_array()
                .is_some_and(|list| list.iter().all(|one| one.as_object().is_none_or(|map| map.is_empty())));
            assert_eq!(open, access == "public", "{name}: security and x-access disagree");
            found.push(Operation { method, path: concrete(path), name, access });
        }
    }
    found
}

/// Ids that belong to nobody.
fn concrete(path: &str) -> String {
    path.split('/')
        .map(|part| if part.starts_with('{') { "01890a5d-ac96-774b-bcce-b302099a8057" } else { part })
        .collect::<Vec<_>>()
        .join("/")
}

async fn call(client: &Client, operation: &Operation) -> Answer {
    let has_body = operation.method != Method::GET;
    let mut request =
        Request::builder().method(&operation.method).uri(&operation.path).header("idempotency-key", "garde");
    if has_body {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    let body = if has_body { Body::from("{}") } else { Body::empty() };
    client.request(request.body(body).unwrap()).await
}

#[tokio::test]
async fn each_operation_lets_in_whom_it_declares_and_nobody_else() {
    let house = House::new().await;
    let (plain, staff) = (house.someone("0707070711").await, house.someone("0707070712").await);
    house.app.identity.admin_grant("0707070712", "admin").await.unwrap();
    let stranger = house.client();
    let operations = operations();
    assert!(operations.len() > 30, "{}", operations.len());
    for operation in &operations {
        let name = &operation.name;
        let anonymous = call(&stranger, operation).await;
        // Signing out ends a session: each call gets one of its own.
        let (user, admin) = (fresh(&house, &plain.account).await, fresh(&house, &staff.account).await);
        let (user, admin) =
            (call(&stranger.bearer(&user), operation).await, call(&stranger.bearer(&admin), operation).await);
        let refused = |answer: &Answer| answer.body["code"] == "identity.not_allowed";
        for (answer, who) in [(&anonymous, "nobody"), (&user, "a user"), (&admin, "an administrator")] {
            assert!(!answer.status.is_server_error(), "{name} for {who}: {} {}", answer.status, answer.body);
        }
        if operation.access == "public" {
            assert!(!token_asked(&anonymous), "{name} is public and asks for a token");
        } else {
            assert!(token_asked(&anonymous), "{name} answers a stranger with {} {}", anonymous.status, anonymous.body);
            assert!(anonymous.headers.contains_key(header::WWW_AUTHENTICATE), "{name}");
            assert!(!token_asked(&user) && !token_asked(&admin), "{name}: {} {}", user.body, admin.body);
        }
        assert_eq!(refused(&user), operation.access.starts_with("permission:"), "{name} for a user: {}", user.body);
        assert!(!refused(&admin), "{name} for an administrator");
    }
}

async fn fresh(house: &House, account: &identity::session::Account) -> String {
    identity::testing::token(&house.app.identity, account).await
}

fn token_asked(answer: &Answer) -> bool {
    answer.status == 401 && answer.body["code"].as_str().is_some_and(|code| code.starts_with("identity.token_"))
}

#[test]
fn what_is_public_was_reviewed() {
    let reviewed: BTreeSet<&str> = PUBLIC.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let declared: Vec<Operation> = operations().into_iter().filter(|operation| operation.access == "public").collect();
    let declared: BTreeSet<&str> = declared.iter().map(|operation| operation.name.as_str()).collect();
    assert_eq!(declared, reviewed, "compare tests/public_operations.txt with the routes");
}
