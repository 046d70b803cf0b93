//! Our own account and its aliases.

use super::PISPI;
use super::gateway::{Admitted, invalid, not_found, text, unavailable};
use crate::wire;
use crate::world::World;
use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde_json::{Value, json};

/// The only account of the business client.
pub(super) const NUMBER: &str = "CI93CI0080111301134291200589";
const MAX_ALIASES: usize = 100;

fn account(world: &mut World) -> Value {
    json!({"numero": NUMBER, "type": "CACC", "dateOuverture": "2026-01-02", "solde": world.book(PISPI).float, "statut": "OUVERT"})
}

/// `GET /comptes`
pub(super) async fn list(call: Admitted) -> Response {
    let account = account(&mut call.app.world());
    Json(json!({"data": [account], "meta": {"total": 1}})).into_response()
}

/// `GET /comptes/{numero}`
pub(super) async fn read(Path(number): Path<String>, call: Admitted) -> Response {
    if number != NUMBER {
        return not_found();
    }
    Json(account(&mut call.app.world())).into_response()
}

/// `POST /comptes/{numero}/alias`
pub(super) async fn create_alias(Path(number): Path<String>, call: Admitted) -> Response {
    match new_alias(&call, &number) {
        Ok(alias) => (StatusCode::CREATED, Json(alias)).into_response(),
        Err(refused) => refused,
    }
}

fn new_alias(call: &Admitted, number: &str) -> Result<Value, Response> {
    let body = call.closed(&["type", "cle"])?;
    if number != NUMBER {
        return Err(not_found());
    }
    let key = match text(&body, "type", 4)?.as_str() {
        "SHID" => wire::random_uuid(),
        "MCOD" => wire::random_text(b"0123456789", 6),
        _ => return Err(invalid("type", "SHID ou MCOD pour une entreprise")),
    };
    let mut world = call.app.world();
    if world.records(PISPI, "alias/").count() >= MAX_ALIASES {
        return Err(unavailable());
    }
    let alias =
        json!({"cle": key, "type": body["type"], "compte": NUMBER, "dateCreation": wire::iso_ms(world.now_ms())});
    world.set_record(PISPI, &format!("alias/{key}"), Some(alias.clone())).map_err(|_| unavailable())?;
    Ok(alias)
}

/// `GET /comptes/{numero}/alias`
pub(super) async fn aliases(Path(number): Path<String>, call: Admitted) -> Response {
    if number != NUMBER {
        return not_found();
    }
    let world = call.app.world();
    let data: Vec<&Value> = world.records(PISPI, "alias/").map(|(_, alias)| alias).collect();
    Json(json!({"data": data, "meta": {"total": data.len()}})).into_response()
}
