//! The page that a Djamo customer opens.

use super::DJAMO;
use crate::App;
use crate::model::{Outcome, State as OperationState};
use crate::page::{layout, refused_origin};
use crate::wire::escape;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use http::{HeaderMap, StatusCode};
use serde_json::json;
use std::sync::Arc;

const TITLE: &str = "Djamo (simulé)";

fn unknown() -> Response {
    (StatusCode::NOT_FOUND, Html(layout(TITLE, "<p>Ce paiement n'existe pas ou n'est plus valable.</p>")))
        .into_response()
}

/// `GET /pay/{id}`: whoever opens the page makes the charge due.
pub(super) async fn show(Path(id): Path<String>, State(app): State<Arc<App>>) -> Response {
    let mut world = app.world();
    let opened = world.change(&(DJAMO, id.clone()), |op| op.data["opened"] = json!("true"));
    let Some(op) = opened.ok().or_else(|| world.get(DJAMO, &id).cloned()) else { return unknown() };
    let form = match op.state {
        OperationState::Pending => {
            "<form method=post><button name=action value=pay>Payer</button> <button name=action value=refuse>Annuler</button></form>"
        }
        OperationState::Succeeded => "<p class=good>Payé.</p>",
        _ => "<p class=bad>Ce paiement n'est plus valable.</p>",
    };
    let text = escape(op.text("description").unwrap_or(""));
    Html(layout(TITLE, &format!("<p class=amount>{} F CFA</p><p>{text}</p>{form}", op.amount))).into_response()
}

/// `POST /pay/{id}`
pub(super) async fn act(
    Path(id): Path<String>,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    if let Some(refused) = refused_origin(&headers) {
        return refused;
    }
    let pays = body == "action=pay";
    let outcome = if pays { Outcome::Approve } else { Outcome::Decline("refused".to_owned()) };
    let Ok(op) = app.settle(&(DJAMO, id), outcome) else { return unknown() };
    let paid = op.state == OperationState::Succeeded;
    let field = if paid { "onCompletedRedirectionUrl" } else { "onCanceledRedirectionUrl" };
    Redirect::to(op.text(field).unwrap_or("/")).into_response()
}
