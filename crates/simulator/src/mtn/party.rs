//! Our balance, and who holds an account.

use super::{MTN, admit, not_found};
use crate::{App, people};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::HeaderMap;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

#[derive(Deserialize)]
pub(super) struct OfProduct {
    product: String,
}

/// `GET /{product}/v1_0/account/balance`
pub(super) async fn balance(Path(path): Path<OfProduct>, State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let mut world = app.world();
    match admit(&world, &path.product, &headers) {
        Ok(caller) => {
            let float = world.book(MTN).float;
            Json(json!({"availableBalance": float.to_string(), "currency": caller.currency()})).into_response()
        }
        Err(refused) => refused,
    }
}

/// Whether there is an account behind a number; those that "are not found" have none.
fn exists(id: &str) -> bool {
    !id.ends_with("455") && !id.ends_with("457")
}

type Holder = (String, String, String, String);

/// `GET /{product}/v1_0/accountholder/{kind}/{id}/active`
pub(super) async fn active(
    Path((product, _version, _kind, id)): Path<Holder>,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Response {
    match admit(&app.world(), &product, &headers) {
        Ok(_) => Json(json!({"result": exists(&id)})).into_response(),
        Err(refused) => refused,
    }
}

/// `GET /{product}/v1_0/accountholder/{kind}/{id}/basicuserinfo`
pub(super) async fn basic_info(
    Path((product, _version, _kind, id)): Path<Holder>,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Response {
    if let Err(refused) = admit(&app.world(), &product, &headers) {
        return refused;
    }
    if !exists(&id) {
        return not_found("RESOURCE_NOT_FOUND", "Requested resource was not found.");
    }
    let (given, family) = people::holder(&id);
    let info = json!({
        "given_name": given,
        "family_name": family,
        "birthdate": "1990-01-01",
        "locale": "fr_CI",
        "gender": "",
        "status": "ACTIVE",
    });
    Json(info).into_response()
}
