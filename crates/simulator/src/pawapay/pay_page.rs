//! Where a Wave customer is sent to authorise a deposit.

use super::PAWAPAY;
use crate::{App, pay_page};
use axum::extract::{Path, State};
use axum::response::Response;
use http::HeaderMap;
use std::sync::Arc;

/// `GET /pay/{id}`
pub(super) async fn show(Path(id): Path<String>, State(app): State<Arc<App>>) -> Response {
    pay_page::show(&app, PAWAPAY, &id, "Wave par pawaPay (simulé)")
}

/// `POST /pay/{id}`
pub(super) async fn act(
    Path(id): Path<String>,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    pay_page::act(&app, PAWAPAY, id, &headers, &body, |op, paid| {
        op.text(if paid { "successfulUrl" } else { "failedUrl" }).map(str::to_owned)
    })
}
