//! The page of a payment.

use super::CINETPAY;
use crate::{App, pay_page};
use axum::extract::{Path, State};
use axum::response::Response;
use http::HeaderMap;
use serde_json::json;
use std::sync::Arc;

/// `GET /pay/{id}`: the payment is pending from the moment when somebody opened it.
pub(super) async fn show(Path(id): Path<String>, State(app): State<Arc<App>>) -> Response {
    // An operation that is over stays as it is; the page says so.
    let _ = app.world().change(&(CINETPAY, id.clone()), |op| op.data["opened"] = json!("true"));
    pay_page::show(&app, CINETPAY, &id, "CinetPay (simulé)")
}

/// `POST /pay/{id}`
pub(super) async fn act(
    Path(id): Path<String>,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    pay_page::act(&app, CINETPAY, id, &headers, &body, |op, paid| {
        op.text(if paid { "success_url" } else { "failed_url" }).map(str::to_owned)
    })
}
