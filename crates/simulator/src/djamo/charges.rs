//! Charges: a Djamo customer pays us.

use super::{Admitted, DJAMO};
use crate::model::{Kind, Operation, Outcome, State};
use crate::wire;
use crate::world::World;
use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde_json::{Value, json};

/// How long a charge waits for its payer, in milliseconds.
const LIFE_MS: i64 = 3_600 * 1_000;
/// The largest charge, in francs.
const MOST: i64 = 200_000_000;
/// Who pays when nobody said who he is.
const WALK_IN: &str = "+2250700000001";

/// `POST /v1/charges`
pub(super) async fn create(call: Admitted) -> Response {
    match new_charge(&call) {
        Ok(answer) | Err(answer) => answer,
    }
}

fn new_charge(call: &Admitted) -> Result<Response, Response> {
    let body = call.json()?;
    let amount = call.amount(&body, 1, MOST)?;
    let reference = call.text(&body, "externalId")?;
    let data = json!({
        "description": call.text(&body, "description")?,
        "onCompletedRedirectionUrl": call.text(&body, "onCompletedRedirectionUrl")?,
        "onCanceledRedirectionUrl": call.text(&body, "onCanceledRedirectionUrl")?,
        "metadata": body.get("metadata").filter(|m| m.is_object()).cloned().unwrap_or_else(|| json!({})),
    });
    let mut world = call.app.world();
    if world.with_reference(DJAMO, &reference).any(|op| op.kind == Kind::Collection) {
        return Err(call.refuse(StatusCode::CONFLICT, "externalId already used"));
    }
    let mut op = Operation::new(DJAMO, Kind::Collection, wire::random_uuid(), amount, world.now_ms());
    op.reference = reference;
    op.customer = WALK_IN.to_owned();
    op.expires_ms = Some(op.created_ms + LIFE_MS);
    op.data = data;
    world.plan(&mut op, Outcome::Approve);
    let full = |_| call.refuse(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error");
    let op = world.create(op).map_err(full)?;
    Ok((StatusCode::CREATED, Json(charge(&world, &op))).into_response())
}

/// A charge as Djamo shows it.
pub(super) fn charge(world: &World, op: &Operation) -> Value {
    let opened = op.text("opened").is_some();
    let (status, paid, refunded) = match op.state {
        State::Pending if opened => ("due", 0, 0),
        State::Pending => ("created", 0, 0),
        State::Succeeded => ("paid", op.amount, 0),
        State::Reversed => ("refunded", op.amount, op.amount),
        State::Failed | State::Expired => ("dropped", 0, 0),
    };
    let transaction =
        op.transaction_id.as_ref().map(|id| json!({"id": id, "amount": op.amount, "status": "completed"}));
    json!({
        "id": op.id,
        "createdAt": wire::iso_ms(op.created_ms),
        "externalId": op.reference,
        "status": status,
        "amount": op.amount,
        "currency": op.currency,
        "due": op.amount - paid,
        "paid": paid,
        "refunded": refunded,
        "fees": op.fee,
        "description": op.data.get("description"),
        "paymentUrl": format!("{}/djamo/pay/{}", world.settings.base_url, op.id),
        "transactions": transaction.into_iter().collect::<Vec<_>>(),
        "metadata": op.data.get("metadata"),
    })
}

fn find<'w>(world: &'w World, id: &str) -> Option<&'w Operation> {
    world.get(DJAMO, id).filter(|op| op.kind == Kind::Collection)
}

/// `GET /v1/charges/{id}`
pub(super) async fn read(Path(id): Path<String>, call: Admitted) -> Response {
    let world = call.app.world();
    match find(&world, &id) {
        Some(op) => Json(charge(&world, op)).into_response(),
        None => call.refuse(StatusCode::NOT_FOUND, "Charge not found"),
    }
}

/// `POST /v1/charges/{id}/refund`: all of it; a part is more than this interface is known to do.
pub(super) async fn refund(Path(id): Path<String>, call: Admitted) -> Response {
    let asked = serde_json::from_slice::<Value>(&call.body).ok().and_then(|b| b.get("amount")?.as_i64());
    let reversed = {
        let mut world = call.app.world();
        let Some(op) = find(&world, &id) else { return call.refuse(StatusCode::NOT_FOUND, "Charge not found") };
        if asked.is_some_and(|amount| amount != op.amount) {
            return call.refuse(StatusCode::UNPROCESSABLE_ENTITY, "only the whole amount can be refunded");
        }
        world.reverse(&(DJAMO, id))
    };
    match reversed {
        Ok(op) => {
            call.app.announce(&op);
            Json(charge(&call.app.world(), &op)).into_response()
        }
        Err(_) => call.refuse(StatusCode::UNPROCESSABLE_ENTITY, "the charge cannot be refunded"),
    }
}

/// `POST /v1/charges/{id}/pay`: the staging host's way to pay.
pub(super) async fn pay(Path(id): Path<String>, call: Admitted) -> Response {
    if find(&call.app.world(), &id).is_none() {
        return call.refuse(StatusCode::NOT_FOUND, "Charge not found");
    }
    match call.app.settle(&(DJAMO, id), Outcome::Approve) {
        Ok(op) => Json(charge(&call.app.world(), &op)).into_response(),
        Err(_) => call.refuse(StatusCode::UNPROCESSABLE_ENTITY, "the charge is not payable"),
    }
}
