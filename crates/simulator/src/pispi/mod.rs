//! PI-SPI Business, the interface of the BCEAO's instant payments, as one participant shows it to its business clients.
//! Both versions of the contract are there, 1.0.0 and 1.5.0, with what was measured on the sandbox: the replay that hides
//! the first attempt, the cursor called `page`, the total that is the size of the page.

mod accounts;
mod directory;
mod gateway;
mod lists;
mod payments;
mod requests;
mod webhooks;

use crate::App;
use crate::desk::Desk;
use crate::faults::Call;
use crate::model::{Operation, Outcome, Provider, State};
use crate::wire;
use axum::Router;
use axum::routing::{get, post, put};
use http::Method;
use std::sync::Arc;

pub(crate) static DESK: Desk = Desk {
    routes,
    call,
    callbacks: webhooks::of,
    short: |_, _| Outcome::Refuse("AM04".to_owned()),
    refused: |_| Outcome::Refuse("BE05".to_owned()),
    expired: "AB03",
    transaction_id: |now| end_to_end(now),
};

const PISPI: Provider = Provider::Pispi;
/// The institution whose business clients we are.
const PARTICIPANT: &str = "CIC001";

fn routes() -> Router<Arc<App>> {
    // The participant's segment stands between the base and the paths; both the specification's form and the plain one
    // are answered.
    let api = api();
    Router::new()
        .route("/oauth2/token", post(gateway::token))
        .nest(&format!("/{PARTICIPANT}"), api.clone())
        .merge(api)
        .fallback(gateway::unknown_path)
}

fn api() -> Router<Arc<App>> {
    Router::new()
        .route("/paiements-envoyes", post(payments::create).get(lists::sent))
        .route("/paiements-envoyes/{id}", get(payments::read))
        .route("/paiements-envoyes/{id}/confirmations", put(payments::confirm))
        .route("/paiements-recus", get(lists::received))
        .route("/paiements-recus/{id}", get(payments::read_received))
        .route("/paiements", post(payments::create).get(lists::sent))
        .route("/paiements/{id}", get(payments::read_any))
        .route("/paiements/{id}/confirmations", put(payments::confirm))
        .route("/paiements/{id}/statuts", get(payments::status))
        .route("/paiements/{id}/retours", put(payments::give_back))
        .route("/demandes-paiements", post(requests::create).get(lists::requests))
        .route("/demandes-paiements/{id}", get(requests::read))
        .route("/demandes-paiements/{id}/confirmations", put(requests::confirm))
        .route("/comptes", get(accounts::list))
        .route("/comptes/{number}", get(accounts::read))
        .route("/comptes/{number}/alias", post(accounts::create_alias).get(accounts::aliases))
        .route("/alias/{key}", get(directory::resolve))
        .route("/participants", get(directory::participants))
        .route("/webhooks", post(webhooks::create).get(webhooks::list))
        .route("/webhooks/{id}", get(webhooks::read).delete(webhooks::delete))
        .route("/webhooks/{id}/secrets", post(webhooks::renew_secret))
}

fn call(method: &Method, path: &str, _body: &[u8]) -> Call {
    let path = path.strip_prefix(&format!("/{PARTICIPANT}")).unwrap_or(path);
    match (method, path) {
        (&Method::POST, "/demandes-paiements") => Call::Collect,
        (&Method::POST, "/paiements" | "/paiements-envoyes") => Call::Payout,
        (&Method::POST, "/oauth2/token") => Call::Token,
        (&Method::GET, p) if p.starts_with("/paiements") || p.starts_with("/demandes-paiements") => Call::Read,
        _ => Call::Other,
    }
}

/// `E` + participant + fourteen digits of time + fourteen characters.
fn end_to_end(now_ms: i64) -> String {
    let stamp: String = wire::iso(now_ms).chars().filter(char::is_ascii_digit).collect();
    let tail = wire::random_text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 14);
    format!("E{PARTICIPANT}{}{tail}", stamp.get(..14).unwrap_or(""))
}

/// The state of an operation in the scheme's words.
fn word(op: &Operation) -> &'static str {
    match op.state {
        State::Pending if op.text("sent").is_some() => "ENVOYE",
        State::Pending => "INITIE",
        State::Succeeded | State::Reversed => "IRREVOCABLE",
        State::Failed if op.reason.as_deref() == Some("ANNULE") => "ANNULE",
        State::Failed | State::Expired => "REJETE",
    }
}
