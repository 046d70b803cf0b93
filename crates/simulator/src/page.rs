//! The page at `/`: what the operators know, in French, for a person to look at.

use crate::App;
use crate::control::word;
use crate::model::{Kind, Operation, State as OperationState};
use crate::wire::{self, escape};
use axum::Router;
use axum::extract::State;
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::get;
use http::{HeaderMap, StatusCode};
use std::fmt::Write as _;
use std::sync::Arc;

/// Rows of each table.
const ROWS: usize = 50;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1b1b1f}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ddd}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
.amount{font-size:2rem;margin:.5rem 0}.good{color:#0a6b2d}.bad{color:#a3152a}button{font:inherit;padding:.5rem 1rem}
input{font:inherit;padding:.4rem}";

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new().route("/", get(show))
}

/// A whole page around a body that is safe already.
pub(crate) fn layout(title: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html><html lang=fr><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style><h1>{title}</h1>{body}</html>"
    )
}

/// Refuses what a page of another site sends.
pub(crate) fn refused_origin(headers: &HeaderMap) -> Option<Response> {
    let origin = wire::header(headers, "origin")?;
    let host = wire::header(headers, "host").unwrap_or("");
    if origin.split_once("://").is_some_and(|(_, of)| of == host) {
        return None;
    }
    Some((StatusCode::FORBIDDEN, "another site may not do this").into_response())
}

async fn show(State(app): State<Arc<App>>) -> Html<String> {
    let world = app.world();
    let mut body = String::from("<p>Rien ici n'est réel : chaque opérateur est joué, avec ses propres livres.</p>");
    body.push_str("<h2>Livres</h2><table><tr><th>Opérateur<th class=n>Notre solde<th class=n>Encaissé<th class=n>Versé<th class=n>Frais<th class=n>Clients<th>Équilibre</tr>");
    for (provider, book) in world.books() {
        let (class, balanced) = if book.balanced() { ("good", "oui") } else { ("bad", "NON") };
        row(
            &mut body,
            &format!(
                "<td>{}<td class=n>{}<td class=n>{}<td class=n>{}<td class=n>{}<td class=n>{}<td class={class}>{balanced}",
                provider.name(),
                book.float,
                book.collected,
                book.paid_out,
                book.fees,
                book.customers.len()
            ),
        );
    }
    body.push_str("</table><h2>Dernières opérations</h2><table><tr><th>Heure<th>Opérateur<th>Sens<th>Référence<th>Identifiant<th>Client<th class=n>Montant<th>État<th>Motif</tr>");
    for op in world.operations().take(ROWS) {
        row(&mut body, &operation(op));
    }
    body.push_str("</table><h2>Pannes commandées</h2><table><tr><th>Opérateur<th>Appel<th>Panne<th class=n>Fois</tr>");
    for order in world.faults.iter().take(ROWS) {
        let provider = order.provider.map_or("tous", |p| p.name());
        let call = order.call.map_or_else(|| "tous".to_owned(), |c| format!("{c:?}"));
        row(&mut body, &format!("<td>{provider}<td>{call}<td>{:?}<td class=n>{}", order.kind, order.times));
    }
    body.push_str("</table><h2>Derniers rappels envoyés</h2><table><tr><th>Heure<th>Opérateur<th>Opération<th class=n>Essai<th class=n>Réponse</tr>");
    for sent in world.deliveries.iter().rev().take(ROWS) {
        let status = sent.status.map_or_else(|| "aucune".to_owned(), |s| s.to_string());
        let (at, id) = (wire::iso_ms(sent.at_ms), escape(&sent.operation));
        row(
            &mut body,
            &format!("<td>{at}<td>{}<td>{id}<td class=n>{}<td class=n>{status}", sent.provider.name(), sent.attempt),
        );
    }
    body.push_str("</table>");
    Html(layout("Opérateurs simulés", &body))
}

fn row(body: &mut String, cells: &str) {
    // Writing to a String cannot fail.
    let _ = write!(body, "<tr>{cells}</tr>");
}

fn operation(op: &Operation) -> String {
    let way = match op.kind {
        Kind::Collection => "encaissement",
        Kind::Payout => "versement",
    };
    let class = match op.state {
        OperationState::Succeeded => "good",
        OperationState::Failed | OperationState::Expired => "bad",
        OperationState::Pending | OperationState::Reversed => "",
    };
    format!(
        "<td>{}<td>{}<td>{way}<td>{}<td>{}<td>{}<td class=n>{}<td class=\"{class}\">{}<td>{}",
        wire::iso_ms(op.created_ms),
        op.provider.name(),
        escape(&op.reference),
        escape(&op.id),
        escape(&op.customer),
        op.amount,
        word(op.state),
        escape(op.reason.as_deref().unwrap_or(""))
    )
}
