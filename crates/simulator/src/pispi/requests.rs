//! Requests to pay: we ask, the payer's institution shows it to him.

use super::gateway::{Admitted, amount, boolean, invalid, not_found, optional_text, problem, text, unavailable};
use super::{PISPI, directory, end_to_end, word};
use crate::model::{Kind, Operation, Outcome, State};
use crate::wire;
use crate::world::World;
use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde_json::{Value, json};

const FIELDS: [&str; 17] = [
    "txId",
    "confirmation",
    "payeurAlias",
    "payeAlias",
    "montant",
    "categorie",
    "motif",
    "refDocType",
    "refDocNumero",
    "logoUrl",
    "montantAchat",
    "montantRetrait",
    "montantFrais",
    "debitDiffere",
    "remise",
    "dateLimitePaiement",
    "dateLimiteReponse",
];
/// How long each kind of request lives, in milliseconds.
const ON_SITE_MS: i64 = 24 * 3_600 * 1_000;
const E_COMMERCE_MS: i64 = 3 * 60 * 1_000;
const INVOICE_MS: i64 = 90 * 24 * 3_600 * 1_000;

/// `POST /demandes-paiements`
pub(super) async fn create(call: Admitted) -> Response {
    match new_request(&call) {
        Ok(op) => Json(shown(&op)).into_response(),
        Err(refused) => refused,
    }
}

fn new_request(call: &Admitted) -> Result<Operation, Response> {
    let body = call.closed(&FIELDS)?;
    let tx = text(&body, "txId", 35)?;
    let payer = text(&body, "payeurAlias", 140)?;
    let payee = text(&body, "payeAlias", 140)?;
    let amount = amount(&body)?;
    let confirmation = boolean(&body, "confirmation")?;
    let life_ms = match text(&body, "categorie", 3)?.as_str() {
        "500" => ON_SITE_MS,
        "521" => E_COMMERCE_MS,
        "401" if body.get("dateLimitePaiement").is_some() => INVOICE_MS,
        "401" => return Err(invalid("dateLimitePaiement", "obligatoire pour une facture")),
        _ => return Err(invalid("categorie", "500, 521 ou 401")),
    };
    let motif = optional_text(&body, "motif", 140)?;
    let mut world = call.app.world();
    let now = world.now_ms();
    let mut op = Operation::new(PISPI, Kind::Collection, end_to_end(now), amount, now);
    op.reference.clone_from(&tx);
    op.customer = payer;
    op.data = body;
    op.data["motif"] = json!(motif);
    op.data["payeAlias"] = json!(payee);
    let known = world.with_reference(PISPI, &tx).any(|op| op.kind == Kind::Collection);
    let name = directory::holder(&op.customer);
    let refused = if known { Some("DU03") } else { name.is_none().then_some("BE23") };
    if let Some(code) = refused {
        op.state = State::Failed;
        op.reason = Some(code.to_owned());
        op.completed_ms = Some(now);
        return world.create(op).map_err(|_| unavailable());
    }
    op.data["payeurNom"] = json!(name);
    op.expires_ms = Some(now + life_ms);
    if !confirmation {
        send(&mut world, &mut op);
    }
    world.create(op).map_err(|_| unavailable())
}

fn send(world: &mut World, op: &mut Operation) {
    op.data["sent"] = json!(wire::iso_ms(world.now_ms()));
    // The payment that answers has an end-to-end id of its own.
    op.data["paymentId"] = json!(end_to_end(world.now_ms()));
    let outcome = match directory::fate(&op.customer) {
        Outcome::Expire => Outcome::Refuse("AEXR".to_owned()),
        other => other,
    };
    world.plan(op, outcome);
}

/// A request as the scheme shows it: what was asked, and what became of it.
pub(super) fn shown(op: &Operation) -> Value {
    let mut body = op.data.clone();
    if let Some(fields) = body.as_object_mut() {
        fields.retain(|name, value| !value.is_null() && !["sent", "paymentId", "receipt"].contains(&name.as_str()));
    }
    body["statut"] = json!(word(op));
    body["end2endId"] = json!(op.id);
    body["dateDemande"] = json!(wire::iso_ms(op.created_ms));
    body["payeurPays"] = json!("CI");
    if let Some(sent) = op.text("sent") {
        body["dateEnvoi"] = json!(sent);
        body["dateConfirmation"] = json!(sent);
    }
    if let Some(reason) = op.reason.as_ref().filter(|_| word(op) == "REJETE") {
        body["statutRaison"] = json!(reason);
    }
    body
}

/// The attempt that counts: a refused replay does not hide a request.
fn find<'w>(world: &'w World, id: &str) -> Option<&'w Operation> {
    let by_reference =
        world.with_reference(PISPI, id).find(|op| op.kind == Kind::Collection && op.text("receipt").is_none());
    by_reference.or_else(|| world.get(PISPI, id).filter(|op| op.kind == Kind::Collection))
}

/// `GET /demandes-paiements/{txId}`
pub(super) async fn read(Path(id): Path<String>, call: Admitted) -> Response {
    let world = call.app.world();
    find(&world, &id).map_or_else(not_found, |op| Json(shown(op)).into_response())
}

/// `PUT /demandes-paiements/{txId}/confirmations`
pub(super) async fn confirm(Path(id): Path<String>, call: Admitted) -> Response {
    match decide(&call, &id) {
        Ok(op) => Json(shown(&op)).into_response(),
        Err(refused) => refused,
    }
}

fn decide(call: &Admitted, id: &str) -> Result<Operation, Response> {
    let decision = boolean(&call.closed(&["decision"])?, "decision")?;
    let mut world = call.app.world();
    let first = find(&world, id).cloned().ok_or_else(not_found)?;
    let conflict = || problem(StatusCode::CONFLICT, "La demande n'attend pas de confirmation", None);
    if first.state != State::Pending || first.text("sent").is_some() {
        return Err(conflict());
    }
    if !decision {
        return world.settle(&first.key(), Outcome::Refuse("ANNULE".to_owned()), false).map_err(|_| conflict());
    }
    let mut sent = first.clone();
    send(&mut world, &mut sent);
    let changed = world.change(&first.key(), |op| {
        op.data = sent.data.clone();
        op.planned = sent.planned.clone();
    });
    changed.map_err(|_| conflict())
}
