//! Lists, with the sandbox's manners: `page` is a cursor, the last page is empty, `total` counts the page.

use super::gateway::{Admitted, invalid};
use super::{PISPI, payments, requests};
use crate::model::{Kind, Operation, State};
use crate::wire;
use axum::Json;
use axum::extract::RawQuery;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

const DEFAULT_SIZE: usize = 20;
const MAX_SIZE: usize = 100;
/// The filters that are really applied.
const FILTERS: [&str; 7] = ["payeCompte", "txId", "montant", "payeurAlias", "payeAlias", "end2endId", "sort"];

/// The question of a list.
struct Question {
    size: usize,
    after: Option<String>,
    filters: Vec<(String, String)>,
    from: Option<String>,
    to: Option<String>,
}

fn parse(query: Option<&str>) -> Result<Question, Response> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query.unwrap_or("")).unwrap_or_default();
    let mut question = Question { size: DEFAULT_SIZE, after: None, filters: Vec::new(), from: None, to: None };
    for (name, value) in pairs {
        match name.as_str() {
            "size" => {
                let size = value.parse().ok().filter(|s| (1..=MAX_SIZE).contains(s));
                question.size = size.ok_or_else(|| invalid("size", "de 1 à 100"))?;
            }
            "page" => question.after = Some(value),
            "dateIrrevocabilite[gte]" | "dateIrrevocabilite[gt]" => question.from = Some(value),
            "dateIrrevocabilite[lte]" => question.to = Some(value),
            name if FILTERS.contains(&name.trim_end_matches("[eq]")) => {
                question.filters.push((name.trim_end_matches("[eq]").to_owned(), value));
            }
            other => return Err(invalid(other, "filtre inconnu")),
        }
    }
    Ok(question)
}

fn fits(shown: &Value, question: &Question) -> bool {
    let plain = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
    let date = shown["dateIrrevocabilite"].as_str().unwrap_or("");
    question.filters.iter().all(|(name, value)| name == "sort" || plain(&shown[name.as_str()]) == *value)
        && question.from.as_deref().is_none_or(|from| date >= from)
        && question.to.as_deref().is_none_or(|to| date <= to)
}

fn answer(
    call: &Admitted,
    query: Option<&str>,
    wanted: impl Fn(&Operation) -> bool,
    show: impl Fn(&Operation) -> Value,
) -> Response {
    let question = match parse(query) {
        Ok(question) => question,
        Err(refused) => return refused,
    };
    let world = call.app.world();
    let mut all = world.operations().filter(|op| op.provider == PISPI && wanted(op)).peekable();
    if let Some(after) = &question.after {
        let mut seen = false;
        while !seen && all.peek().is_some() {
            seen = all.next().is_some_and(|op| op.id == *after);
        }
    }
    let page: Vec<(String, Value)> = all
        .map(|op| (op.id.clone(), show(op)))
        .filter(|(_, shown)| fits(shown, &question))
        .take(question.size)
        .collect();
    let cursor = page.last().map(|(id, _)| id.clone());
    let data: Vec<Value> = page.into_iter().map(|(_, shown)| shown).collect();
    let meta = json!({"page": cursor, "size": question.size, "total": data.len()});
    Json(json!({"data": data, "meta": meta})).into_response()
}

/// `GET /paiements-envoyes`
pub(super) async fn sent(RawQuery(query): RawQuery, call: Admitted) -> Response {
    answer(&call, query.as_deref(), |op| op.kind == Kind::Payout, payments::shown)
}

/// `GET /demandes-paiements`
pub(super) async fn requests(RawQuery(query): RawQuery, call: Admitted) -> Response {
    let asked = |op: &Operation| op.kind == Kind::Collection && op.text("receipt").is_none();
    answer(&call, query.as_deref(), asked, requests::shown)
}

/// Whether an operation brought money in.
pub(super) fn is_received(op: &Operation) -> bool {
    op.kind == Kind::Collection && matches!(op.state, State::Succeeded | State::Reversed)
}

/// `GET /paiements-recus`: the only answer that carries both ids.
pub(super) async fn received(RawQuery(query): RawQuery, call: Admitted) -> Response {
    answer(&call, query.as_deref(), is_received, received_payment)
}

/// A payment that came in, asked for or not.
pub(super) fn received_payment(op: &Operation) -> Value {
    json!({
        "txId": Some(&op.reference).filter(|r| !r.is_empty()),
        "end2endId": op.text("paymentId").unwrap_or(&op.id),
        "montant": op.amount,
        "payeurAlias": op.customer,
        "payeurNom": crate::people::full_name(&op.customer).to_uppercase(),
        "payeurPays": "CI",
        "payeAlias": op.data.get("payeAlias"),
        "payeCompte": super::accounts::NUMBER,
        "categorie": op.data.get("categorie").cloned().unwrap_or_else(|| json!("000")),
        "motif": op.data.get("motif"),
        "statut": "IRREVOCABLE",
        "dateIrrevocabilite": op.completed_ms.map(wire::iso_ms),
    })
}
