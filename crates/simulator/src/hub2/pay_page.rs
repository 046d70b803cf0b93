//! Where a Wave customer is sent.

use super::HUB2;
use crate::{App, pay_page};
use axum::extract::{Path, State};
use axum::response::Response;
use http::HeaderMap;
use std::sync::Arc;

/// `GET /pay/{id}`
pub(super) async fn show(Path(id): Path<String>, State(app): State<Arc<App>>) -> Response {
    pay_page::show(&app, HUB2, &id, "Wave par Hub2 (simulé)")
}

/// `POST /pay/{id}`
pub(super) async fn act(
    Path(id): Path<String>,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    pay_page::act(&app, HUB2, id, &headers, &body, |_, _| None)
}
