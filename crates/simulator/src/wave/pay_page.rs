//! The page that a payer opens: pay, refuse, or wait.

use super::checkout::WALK_IN;
use crate::App;
use crate::model::{Operation, Outcome, Provider, State};
use crate::page::{layout, refused_origin};
use crate::wire::{self, escape};
use axum::extract::{Path, State as Shared};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use std::sync::Arc;

/// `GET /pay/c/{id}`
pub(super) async fn show(Path(id): Path<String>, Shared(app): Shared<Arc<App>>) -> Response {
    let op = app.world().get(Provider::Wave, &id).cloned();
    op.map_or_else(unknown, |op| Html(layout("Wave (simulé)", &page(&op))).into_response())
}

fn unknown() -> Response {
    (StatusCode::NOT_FOUND, Html(layout("Wave (simulé)", "<p>Cette demande de paiement n'existe pas.</p>")))
        .into_response()
}

fn page(op: &Operation) -> String {
    let head = format!("<p class=amount>{} F CFA</p><p>à <b>Hostolink</b></p>", op.amount);
    match op.state {
        State::Pending => format!(
            "{head}{}<form method=post><label>Numéro du payeur <input name=mobile value=\"{}\"></label>
             <p><button name=action value=pay>Payer</button> <button name=action value=refuse>Refuser</button>
             <button name=action value=wait>Attendre</button></p></form>",
            op.reason.as_ref().map_or(String::new(), |r| format!("<p class=bad>Échec : {}</p>", escape(r))),
            escape(&op.customer),
        ),
        State::Succeeded => format!("{head}<p class=good>Payé.</p>"),
        State::Reversed => format!("{head}<p>Remboursé.</p>"),
        State::Failed | State::Expired => format!("{head}<p class=bad>Cette demande n'est plus valable.</p>"),
    }
}

#[derive(Deserialize)]
pub(super) struct Choice {
    action: String,
    mobile: Option<String>,
}

/// `POST /pay/c/{id}`
pub(super) async fn act(
    Path(id): Path<String>,
    Shared(app): Shared<Arc<App>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    if let Some(refused) = refused_origin(&headers) {
        return refused;
    }
    let Ok(choice) = serde_urlencoded::from_str::<Choice>(&body) else { return unknown() };
    let mobile = choice.mobile.unwrap_or_else(|| WALK_IN.to_owned());
    let key = (Provider::Wave, id);
    // The page was opened: from now on only the person decides, and he pays with the number that he typed.
    let changed = app.world().change(&key, |op| {
        op.planned = None;
        if choice.action == "pay" && wire::is_e164(&mobile) && op.text("restrict_payer_mobile").is_none() {
            op.customer.clone_from(&mobile);
        }
    });
    let Ok(op) = changed else { return unknown() };
    let outcome = match choice.action.as_str() {
        "pay" if op.customer == mobile => Outcome::Approve,
        "pay" => Outcome::Decline("payer-mobile-mismatch".to_owned()),
        "refuse" => Outcome::Decline("payment-failure".to_owned()),
        _ => return Redirect::to(&format!("/wave/pay/c/{}", op.id)).into_response(),
    };
    let settled = app.settle(&key, outcome);
    let paid = settled.is_ok_and(|op| op.state == State::Succeeded);
    let back = op.text(if paid { "success_url" } else { "error_url" }).unwrap_or("/");
    Redirect::to(back).into_response()
}
