//! Payments that we send, with or without a look at the payee's name first.

use super::gateway::{Admitted, amount, boolean, invalid, not_found, optional_text, problem, text, unavailable};
use super::{PISPI, directory, end_to_end, word};
use crate::model::{Kind, Operation, Planned, State};
use crate::wire;
use crate::world::World;
use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde_json::{Value, json};

/// The fields of a payment; the bodies are closed.
const FIELDS: [&str; 13] = [
    "txId",
    "payeurAlias",
    "payeAlias",
    "payeIban",
    "payeCompte",
    "payeParticipant",
    "montant",
    "confirmation",
    "motif",
    "refDocType",
    "refDocNumero",
    "programme",
    "payeOther",
];
/// How long a payment waits for our confirmation, in milliseconds.
const CONFIRM_WITHIN_MS: i64 = 24 * 3_600 * 1_000;
/// How long the scheme takes, in milliseconds.
pub(super) const SCHEME_MS: i64 = 400;
/// From when on a status is answered, in milliseconds.
const STATUS_FROM_MS: i64 = 20_000;
/// What a business may send at once, in francs.
const CEILING: i64 = 100_000_000;

/// `POST /paiements-envoyes`, in the older contract `POST /paiements`
pub(super) async fn create(call: Admitted) -> Response {
    match new_payment(&call) {
        Ok(answer) | Err(answer) => answer,
    }
}

fn new_payment(call: &Admitted) -> Result<Response, Response> {
    let body = call.closed(&FIELDS)?;
    let tx = text(&body, "txId", 35)?;
    let payer = text(&body, "payeurAlias", 140)?;
    let payee = payee(&body)?;
    let amount = amount(&body)?;
    let confirmation = boolean(&body, "confirmation")?;
    let motif = optional_text(&body, "motif", 140)?;
    let document = optional_text(&body, "refDocNumero", 35)?;
    if amount > CEILING {
        return Err(problem(StatusCode::FORBIDDEN, "Le plafond est dépassé", Some(("montant", "AM02"))));
    }
    let mut world = call.app.world();
    let now = world.now_ms();
    // The replay that hides the first attempt: 200, refused, and another end2endId.
    if world.with_reference(PISPI, &tx).any(|op| op.kind == Kind::Payout) {
        let replayed = rejected(&mut world, &tx, amount, &payer, &payee, "DU03")?;
        return Ok(Json(shown(&replayed)).into_response());
    }
    let Some(name) = payee.name.clone() else {
        let unknown = rejected(&mut world, &tx, amount, &payer, &payee, "BE23")?;
        return Ok(Json(shown(&unknown)).into_response());
    };
    let mut op = Operation::new(PISPI, Kind::Payout, end_to_end(now), amount, now);
    op.reference = tx;
    op.customer = payee.account;
    op.data = json!({
        "payeurAlias": payer,
        "payeField": payee.field,
        "payeNom": name,
        "confirmation": confirmation,
        "motif": motif,
        "refDocType": body.get("refDocType"),
        "refDocNumero": document,
    });
    if confirmation {
        op.expires_ms = Some(now + CONFIRM_WITHIN_MS);
    } else {
        send(&mut world, &mut op);
    }
    let op = world.create(op).map_err(|_| unavailable())?;
    Ok(Json(shown(&op)).into_response())
}

struct Payee {
    field: &'static str,
    account: String,
    name: Option<String>,
}

/// Exactly one way of naming the payee.
fn payee(body: &Value) -> Result<Payee, Response> {
    let given = |field: &str| body.get(field).and_then(Value::as_str);
    let ways = ["payeAlias", "payeIban", "payeCompte"].into_iter().filter(|f| given(f).is_some()).collect::<Vec<_>>();
    let [field] = *ways.as_slice() else {
        return Err(invalid("payeAlias", "exactement un parmi payeAlias, payeIban, payeCompte"));
    };
    let by_alias = field == "payeAlias";
    let account = text(body, field, if by_alias { 140 } else { 34 })?;
    if !by_alias && given("payeParticipant").is_none() {
        return Err(invalid("payeParticipant", "obligatoire avec payeIban et payeCompte"));
    }
    let name =
        if by_alias { directory::holder(&account) } else { Some(crate::people::full_name(&account).to_uppercase()) };
    Ok(Payee { field, account, name })
}

/// Remembers an attempt that failed at once, under an id of its own.
fn rejected(
    world: &mut World,
    tx: &str,
    amount: i64,
    payer: &str,
    payee: &Payee,
    code: &str,
) -> Result<Operation, Response> {
    let now = world.now_ms();
    let mut op = Operation::new(PISPI, Kind::Payout, end_to_end(now), amount, now);
    op.reference = tx.to_owned();
    op.customer.clone_from(&payee.account);
    op.state = State::Failed;
    op.reason = Some(code.to_owned());
    op.completed_ms = Some(now);
    op.data = json!({"payeurAlias": payer, "payeField": payee.field, "payeNom": payee.name.as_ref().filter(|_| code != "BE23"), "silent": "true"});
    world.create(op).map_err(|_| unavailable())
}

/// The payment leaves: some time later it is irrevocable or refused.
fn send(world: &mut World, op: &mut Operation) {
    let now = world.now_ms();
    op.data["sent"] = json!(wire::iso_ms(now));
    op.expires_ms = None;
    world.plan(op, directory::fate(&op.customer));
    if let Some(Planned { at_ms, .. }) = &mut op.planned {
        *at_ms = now + SCHEME_MS;
    }
}

/// A payment as the scheme shows it.
pub(super) fn shown(op: &Operation) -> Value {
    let mut body = json!({
        "txId": op.reference,
        "payeurAlias": op.data.get("payeurAlias"),
        "montant": op.amount,
        "confirmation": op.data.get("confirmation"),
        "categorie": "733",
        "statut": word(op),
        "end2endId": op.id,
        "dateDemande": wire::iso_ms(op.created_ms),
    });
    body[op.text("payeField").unwrap_or("payeAlias")] = json!(op.customer);
    if let Some(name) = op.data.get("payeNom").filter(|n| !n.is_null()) {
        body["payeNom"] = name.clone();
        body["payePays"] = json!("CI");
    }
    for field in ["motif", "refDocType", "refDocNumero"] {
        if let Some(value) = op.data.get(field).filter(|v| !v.is_null()) {
            body[field] = value.clone();
        }
    }
    if let Some(sent) = op.text("sent") {
        body["dateEnvoi"] = json!(sent);
        body["dateConfirmation"] = json!(sent);
    }
    if op.state == State::Succeeded || op.state == State::Reversed {
        body["dateIrrevocabilite"] = json!(op.completed_ms.map(wire::iso_ms));
    }
    if let Some(reason) = op.reason.as_ref().filter(|_| word(op) == "REJETE") {
        body["statutRaison"] = json!(reason);
    }
    body
}

/// The last attempt under a `txId`: after a replay that is the refused one, although the first was executed.
fn last_attempt<'w>(world: &'w World, tx: &str) -> Option<&'w Operation> {
    world.with_reference(PISPI, tx).filter(|op| op.kind == Kind::Payout).last()
}

/// `GET /paiements-envoyes/{txId}`
pub(super) async fn read(Path(tx): Path<String>, call: Admitted) -> Response {
    let world = call.app.world();
    last_attempt(&world, &tx).map_or_else(not_found, |op| Json(shown(op)).into_response())
}

/// `GET /paiements-recus/{txId}`
pub(super) async fn read_received(Path(tx): Path<String>, call: Admitted) -> Response {
    let world = call.app.world();
    let found = world.with_reference(PISPI, &tx).find(|op| super::lists::is_received(op)).cloned();
    found.map_or_else(not_found, |op| Json(super::lists::received_payment(&op)).into_response())
}

/// `GET /paiements/{end2endId}` of the newer contract, `GET /paiements/{txId}` of the older.
pub(super) async fn read_any(Path(id): Path<String>, call: Admitted) -> Response {
    let world = call.app.world();
    let found = world.get(PISPI, &id).filter(|op| op.kind == Kind::Payout).or_else(|| last_attempt(&world, &id));
    found.map_or_else(not_found, |op| Json(shown(op)).into_response())
}

/// `GET /paiements/{end2endId}/statuts`: only the end, and not before twenty seconds.
pub(super) async fn status(Path(id): Path<String>, call: Admitted) -> Response {
    let world = call.app.world();
    let old_enough = |op: &&Operation| world.now_ms() >= op.created_ms + STATUS_FROM_MS && op.state != State::Pending;
    match world.get(PISPI, &id).filter(old_enough) {
        Some(op) => {
            let reason = op.reason.as_ref().filter(|_| word(op) == "REJETE");
            Json(json!({"end2endId": op.id, "statut": word(op), "statutRaison": reason})).into_response()
        }
        None => not_found(),
    }
}

/// `PUT /paiements/{txId}/confirmations`
pub(super) async fn confirm(Path(tx): Path<String>, call: Admitted) -> Response {
    match decide(&call, &tx) {
        Ok(op) => Json(shown(&op)).into_response(),
        Err(refused) => refused,
    }
}

fn decide(call: &Admitted, tx: &str) -> Result<Operation, Response> {
    let body = call.closed(&["decision"])?;
    let decision = boolean(&body, "decision")?;
    let mut world = call.app.world();
    let first = world.with_reference(PISPI, tx).find(|op| op.kind == Kind::Payout).cloned().ok_or_else(not_found)?;
    let conflict = || problem(StatusCode::CONFLICT, "Le paiement n'attend pas de confirmation", None);
    if first.state != State::Pending || first.text("sent").is_some() {
        return Err(conflict());
    }
    if !decision {
        let outcome = crate::model::Outcome::Refuse("ANNULE".to_owned());
        return world.settle(&first.key(), outcome, false).map_err(|_| conflict());
    }
    let mut sent = first.clone();
    send(&mut world, &mut sent);
    let changed = world.change(&first.key(), |op| {
        op.data = sent.data.clone();
        op.planned = sent.planned.clone();
        op.expires_ms = None;
    });
    changed.map_err(|_| conflict())
}

/// `PUT /paiements/{end2endId}/retours`: sends received money back.
pub(super) async fn give_back(Path(id): Path<String>, call: Admitted) -> Response {
    if let Err(refused) = call.closed(&["raison", "montant"]) {
        return refused;
    }
    let reversed = {
        let mut world = call.app.world();
        let known = world.get(PISPI, &id).or_else(|| world.operations().find(|op| op.text("paymentId") == Some(&id)));
        let Some(key) = known.filter(|op| op.kind == Kind::Collection).map(Operation::key) else { return not_found() };
        world.reverse(&key)
    };
    match reversed {
        Ok(op) => {
            call.app.announce(&op);
            Json(json!({"end2endId": id, "retourStatut": "ACCEPTE", "montant": op.amount})).into_response()
        }
        Err(_) => problem(StatusCode::CONFLICT, "Ce paiement ne peut pas être retourné", None),
    }
}
