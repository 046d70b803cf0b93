//! The hosted page. In life a card number is typed here; in this play a card is chosen.

use super::PAYSTACK;
use super::transactions::CARDS;
use crate::App;
use crate::model::{Outcome, State as OperationState};
use crate::page::{layout, refused_origin};
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use http::{HeaderMap, StatusCode};
use serde_json::json;
use std::fmt::Write as _;
use std::sync::Arc;

const TITLE: &str = "Carte bancaire (simulée)";

fn unknown() -> Response {
    (StatusCode::NOT_FOUND, Html(layout(TITLE, "<p>Ce paiement n'existe pas ou n'est plus valable.</p>")))
        .into_response()
}

/// `GET /pay/{access_code}`
pub(super) async fn show(Path(code): Path<String>, State(app): State<Arc<App>>) -> Response {
    let mut world = app.world();
    let opened = world.change(&(PAYSTACK, code.clone()), |op| op.data["opened"] = json!("true"));
    let Some(op) = opened.ok().or_else(|| world.get(PAYSTACK, &code).cloned()) else { return unknown() };
    let mut body = format!("<p class=amount>{} F CFA</p>", op.amount);
    if op.state == OperationState::Pending {
        body.push_str("<form method=post>");
        for (index, (brand, last4, refused)) in CARDS.iter().enumerate() {
            let end = refused.map_or("acceptée", |_| "refusée");
            // Writing to a String cannot fail.
            let _ = write!(body, "<p><button name=card value={index}>{brand} •••• {last4} ({end})</button></p>");
        }
        body.push_str("</form>");
    } else {
        body.push_str("<p>Ce paiement est terminé.</p>");
    }
    Html(layout(TITLE, &body)).into_response()
}

/// `POST /pay/{access_code}`
pub(super) async fn act(
    Path(code): Path<String>,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    if let Some(refused) = refused_origin(&headers) {
        return refused;
    }
    let index = body.strip_prefix("card=").and_then(|i| i.parse::<usize>().ok());
    let Some((index, (_, _, refused))) = index.and_then(|i| Some((i, CARDS.get(i)?))) else { return unknown() };
    let key = (PAYSTACK, code);
    let chosen = app.world().change(&key, |op| {
        op.data["card"] = json!(index);
        op.planned = None;
    });
    if chosen.is_err() {
        return unknown();
    }
    let outcome = refused.map_or(Outcome::Approve, |why| Outcome::Refuse(why.to_owned()));
    let Ok(op) = app.settle(&key, outcome) else { return unknown() };
    let back = op.text("callback_url").unwrap_or("/");
    let joint = if back.contains('?') { '&' } else { '?' };
    Redirect::to(&format!("{back}{joint}trxref={0}&reference={0}", op.reference)).into_response()
}
