//! The page: the customer's number and the code that `#144*82#` gave him.

use super::ORANGE;
use crate::App;
use crate::model::{Outcome, Planned, State as OperationState};
use crate::page::{layout, refused_origin};
use crate::wire::{escape, is_msisdn};
use crate::world::WORK_MS;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

const TITLE: &str = "Orange Money (simulé)";
/// The code that fails.
const FAILING_CODE: &str = "0000";

fn unknown() -> Response {
    (StatusCode::NOT_FOUND, Html(layout(TITLE, "<p>Ce paiement n'existe pas ou n'est plus valable.</p>")))
        .into_response()
}

/// `GET /pay/{token}`
pub(super) async fn show(Path(token): Path<String>, State(app): State<Arc<App>>) -> Response {
    let world = app.world();
    let Some(op) = world.get(ORANGE, &token) else { return unknown() };
    let form = match op.state {
        OperationState::Pending if op.text("submitted").is_some() => "<p>Paiement en cours…</p>".to_owned(),
        OperationState::Pending => format!(
            "<form method=post><p><label>Numéro <input name=msisdn value=\"{}\"></label></p>
             <p><label>Code temporaire (#144*82#, choix 2) <input name=otp inputmode=numeric></label></p>
             <p><button name=action value=pay>Payer</button> <button name=action value=cancel>Annuler</button></p></form>",
            escape(&op.customer)
        ),
        OperationState::Succeeded => "<p class=good>Payé.</p>".to_owned(),
        _ => "<p class=bad>Ce paiement n'est plus valable.</p>".to_owned(),
    };
    Html(layout(TITLE, &format!("<p class=amount>{} F CFA</p>{form}", op.amount))).into_response()
}

#[derive(Deserialize)]
struct Typed {
    action: String,
    #[serde(default)]
    msisdn: String,
    #[serde(default)]
    otp: String,
}

/// `POST /pay/{token}`
pub(super) async fn act(
    Path(token): Path<String>,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    if let Some(refused) = refused_origin(&headers) {
        return refused;
    }
    let Ok(typed) = serde_urlencoded::from_str::<Typed>(&body) else { return unknown() };
    let key = (ORANGE, token);
    if typed.action != "pay" {
        let Ok(op) = app.settle(&key, Outcome::Refuse("cancelled".to_owned())) else { return unknown() };
        return Redirect::to(op.text("cancel_url").unwrap_or("/")).into_response();
    }
    let code_like = (4..=6).contains(&typed.otp.len()) && typed.otp.bytes().all(|b| b.is_ascii_digit());
    if !code_like || !is_msisdn(&typed.msisdn) {
        return Redirect::to(&format!("/orange/pay/{}", key.1)).into_response();
    }
    let outcome = if typed.otp == FAILING_CODE { Outcome::Refuse("otp".to_owned()) } else { Outcome::Approve };
    let mut world = app.world();
    let at_ms = world.now_ms() + WORK_MS;
    let changed = world.change(&key, |op| {
        op.customer = typed.msisdn;
        op.data["submitted"] = json!("true");
        op.planned = Some(Planned { at_ms, outcome });
    });
    match changed {
        Ok(op) => Redirect::to(op.text("return_url").unwrap_or("/")).into_response(),
        Err(_) => unknown(),
    }
}
