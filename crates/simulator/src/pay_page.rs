//! The plain page of the operators whose own is not known in detail: pay or refuse.

use crate::App;
use crate::model::{Operation, Outcome, Provider, State};
use crate::page::{layout, refused_origin};
use crate::wire::escape;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use http::{HeaderMap, StatusCode};

fn unknown(title: &str) -> Response {
    let page = layout(title, "<p>Ce paiement n'existe pas ou n'est plus valable.</p>");
    (StatusCode::NOT_FOUND, Html(page)).into_response()
}

/// Shows an operation with two buttons.
pub(crate) fn show(app: &App, provider: Provider, id: &str, title: &str) -> Response {
    let world = app.world();
    let Some(op) = world.get(provider, id) else { return unknown(title) };
    let form = match op.state {
        State::Pending => {
            "<form method=post><button name=action value=pay>Payer</button> <button name=action value=refuse>Refuser</button></form>"
        }
        State::Succeeded => "<p class=good>Payé.</p>",
        _ => "<p class=bad>Ce paiement n'est plus valable.</p>",
    };
    let body = format!("<p class=amount>{} F CFA</p><p>{}</p>{form}", op.amount, escape(&op.reference));
    Html(layout(title, &body)).into_response()
}

/// Ends an operation as the button says, and sends the browser back to the merchant.
pub(crate) fn act(
    app: &App,
    provider: Provider,
    id: String,
    headers: &HeaderMap,
    form: &str,
    back: impl Fn(&Operation, bool) -> Option<String>,
) -> Response {
    if let Some(refused) = refused_origin(headers) {
        return refused;
    }
    let key = (provider, id);
    let Some(op) = app.world().get(provider, &key.1).cloned() else { return unknown("Paiement") };
    let outcome = if form == "action=pay" { Outcome::Approve } else { (provider.desk().refused)(&op) };
    let Ok(op) = app.settle(&key, outcome) else { return unknown("Paiement") };
    let url = back(&op, op.state == State::Succeeded).unwrap_or_else(|| "/".to_owned());
    Redirect::to(&url).into_response()
}
