//! Accounts: ours by its organisation id, everybody's by number.

use super::{GSMA, admit, error};
use crate::books::Movement;
use crate::model::Kind;
use crate::{App, people, wire};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

const MAX_PAGE: usize = 50;

type Account = (String, String);

fn ours(kind: &str) -> bool {
    matches!(kind, "organisationid" | "walletid")
}

/// `GET /accounts/{kind}/{id}/balance`
pub(super) async fn balance(
    Path((kind, id)): Path<Account>,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Response {
    let mut world = app.world();
    if let Err(refused) = admit(&world, &headers) {
        return refused;
    }
    if !ours(&kind) {
        return error(
            StatusCode::UNAUTHORIZED,
            "Authorisation",
            "ClientAuthorisationError",
            &format!("{id} is not yours"),
        );
    }
    let float = world.book(GSMA).float.to_string();
    Json(json!({"currentBalance": float, "availableBalance": float, "currency": "XOF", "accountStatus": "available"}))
        .into_response()
}

/// `GET /accounts/{kind}/{id}/status`
pub(super) async fn status(Path(_account): Path<Account>, State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    match admit(&app.world(), &headers) {
        Ok(()) => Json(json!({"accountStatus": "available"})).into_response(),
        Err(refused) => refused,
    }
}

/// `GET /accounts/{kind}/{id}/accountname`
pub(super) async fn name(Path((_, id)): Path<Account>, State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    match admit(&app.world(), &headers) {
        Ok(()) => {
            let (given, family) = people::holder(&id);
            let full = people::full_name(&id);
            Json(json!({"name": {"firstName": given, "lastName": family, "fullName": full}})).into_response()
        }
        Err(refused) => refused,
    }
}

#[derive(Deserialize)]
pub(super) struct Page {
    limit: Option<usize>,
    offset: Option<usize>,
}

/// `GET /accounts/{kind}/{id}/transactions?limit=&offset=`
pub(super) async fn statement(
    Path((kind, _)): Path<Account>,
    Query(page): Query<Page>,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Response {
    let world = app.world();
    if let Err(refused) = admit(&world, &headers) {
        return refused;
    }
    if !ours(&kind) {
        return error(
            StatusCode::UNAUTHORIZED,
            "Authorisation",
            "ClientAuthorisationError",
            "The account is not yours",
        );
    }
    let all: Vec<&Movement> = world.movements(GSMA).collect();
    let limit = page.limit.unwrap_or(MAX_PAGE).min(MAX_PAGE);
    let shown: Vec<Value> = all.iter().rev().skip(page.offset.unwrap_or(0)).take(limit).map(|m| line(m)).collect();
    let counts = [("x-records-available-count", all.len()), ("x-records-returned-count", shown.len())];
    let mut response = Json(shown).into_response();
    for (header, count) in counts {
        response.headers_mut().insert(header, HeaderValue::from(count));
    }
    response
}

fn line(moved: &Movement) -> Value {
    json!({
        "transactionReference": moved.id,
        "transactionStatus": if moved.reversal { "reversed" } else { "completed" },
        "type": if moved.kind == Kind::Collection { "merchantpay" } else { "disbursement" },
        "amount": moved.amount.to_string(),
        "currency": "XOF",
        "requestingOrganisationTransactionReference": moved.reference,
        "creationDate": wire::iso_ms(moved.at_ms),
    })
}

/// `GET /heartbeat`
pub(super) async fn heartbeat() -> Response {
    Json(json!({"serviceStatus": "available"})).into_response()
}
