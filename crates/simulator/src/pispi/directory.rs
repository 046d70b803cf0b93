//! The directory of aliases. Any UUID is somebody's alias; a few stand for what goes wrong.

use super::gateway::{Admitted, not_found};
use crate::model::Outcome;
use crate::people;
use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

/// Aliases that end so fail so; nobody has an alias that ends with `be23`.
const FAILING: [(&str, &str); 6] =
    [("aa04", "AM04"), ("ac07", "AC07"), ("ab03", "AB03"), ("ff01", "FR01"), ("aa21", "AM21"), ("ac03", "AC03")];
const NOBODY: &str = "be23";

/// Whether an alias has the only form that can be resolved: a UUID of 36 characters.
pub(super) fn is_alias(alias: &str) -> bool {
    alias.len() == 36 && uuid::Uuid::try_parse(alias).is_ok()
}

/// Who holds an alias.
pub(super) fn holder(alias: &str) -> Option<String> {
    let known = is_alias(alias) && !alias.to_ascii_lowercase().ends_with(NOBODY);
    known.then(|| people::full_name(alias).to_uppercase())
}

/// How a payment to or from an alias ends.
pub(super) fn fate(alias: &str) -> Outcome {
    let alias = alias.to_ascii_lowercase();
    match FAILING.iter().find(|(end, _)| alias.ends_with(end)) {
        Some((_, "AB03")) => Outcome::Expire,
        Some((_, code)) => Outcome::Refuse((*code).to_owned()),
        None => Outcome::Approve,
    }
}

/// `GET /alias/{key}`
pub(super) async fn resolve(Path(key): Path<String>, _call: Admitted) -> Response {
    match holder(&key) {
        Some(name) => Json(json!({"cle": key, "type": "SHID", "nom": name, "pays": "CI"})).into_response(),
        None => not_found(),
    }
}

/// `GET /participants`
pub(super) async fn participants(_call: Admitted) -> Response {
    let one = |code: &str, name: &str, state: &str| json!({"code": code, "nom": name, "pays": "CI", "statut": state});
    let data: Vec<Value> = vec![
        one("CIC001", "BANQUE SIMULEE", "ENBL"),
        one("CIE002", "MONNAIE ELECTRONIQUE SIMULEE", "ENBL"),
        one("CID003", "MICROFINANCE SIMULEE", "DSBL"),
    ];
    Json(json!({"data": data, "meta": {"total": data.len()}})).into_response()
}
