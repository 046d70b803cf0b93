#![expect(unused_qualifications, reason = "the macro that describes parameters names them in full")]

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use kernel::Timestamp;
use kernel::http::Query;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{Resource, newer};
use crate::atlas::{Atlas, Facility, Wish};
use crate::geo::Place;
use crate::{Health, raw};

const KIND: &str = "application/fhir+json; charset=utf-8";
const CACHE: &str = "public, max-age=60";
const DEFAULT_COUNT: usize = 100;
const MAX_COUNT: usize = 1000;
/// `near` without a distance, in kilometres.
const DEFAULT_REACH_KM: f64 = 25.0;

pub(crate) fn routes() -> OpenApiRouter<Health> {
    OpenApiRouter::new().routes(routes!(search)).routes(routes!(read))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct FhirQuery {
    /// Ce qui a changé depuis.
    #[param(value_type = Option<String>, example = "2026-01-01T00:00:00Z")]
    #[serde(alias = "_lastUpdated")]
    _since: Option<String>,
    /// 1 à 1000 ; 100 sinon.
    _count: Option<usize>,
    _id: Option<Uuid>,
    /// `latitude|longitude|distance|km` (Location).
    #[param(example = "5.34|-4.02|5|km")]
    near: Option<String>,
    /// Où la page précédente s'est arrêtée : suivez le lien `next`.
    _after: Option<Uuid>,
}

/// Rechercher
///
/// Un Bundle `searchset` de FHIR R5 : `_since`, `_id`, `_count`, `near`, et les pages par le lien `next`.
#[utoipa::path(
    get, path = "/fhir/{resource}", operation_id = "fhirSearch", tag = "Carte de santé",
    params(("resource" = String, Path, description = "Location, Organization ou HealthcareService", example = "Location"), FhirQuery),
    responses(
        (status = 200, description = "Bundle", body = serde_json::Value, content_type = "application/fhir+json"),
        (status = 400, description = "OperationOutcome : paramètre refusé", body = serde_json::Value, content_type = "application/fhir+json"),
        (status = 404, description = "OperationOutcome : inconnu", body = serde_json::Value, content_type = "application/fhir+json"),
        (status = 503, description = "OperationOutcome : l'annuaire se charge", body = serde_json::Value, content_type = "application/fhir+json"),
    ),
    security(()), extensions(("x-access" = json!("public")))
)]
async fn search(
    State(health): State<Health>,
    Path(resource): Path<String>,
    query: Result<Query<FhirQuery>, kernel::Problem>,
    headers: HeaderMap,
) -> Response {
    let Some(resource) = Resource::parse(&resource) else {
        return outcome(StatusCode::NOT_FOUND, "not-supported", "Location, Organization, HealthcareService");
    };
    let Ok(Query(query)) = query else {
        return outcome(StatusCode::BAD_REQUEST, "invalid", "_since, _count, _id, near");
    };
    let since = match query._since.as_deref().map(instant) {
        Some(None) => return outcome(StatusCode::BAD_REQUEST, "value", "_since"),
        Some(since) => since,
        None => None,
    };
    let near = match query.near.as_deref().map(near) {
        Some(None) => return outcome(StatusCode::BAD_REQUEST, "value", "near"),
        Some(near) => near,
        None => None,
    };
    let count = query._count.unwrap_or(DEFAULT_COUNT);
    if !(1..=MAX_COUNT).contains(&count) {
        return outcome(StatusCode::BAD_REQUEST, "value", "_count");
    }
    let Ok(atlas) = health.loaded() else {
        return outcome(StatusCode::SERVICE_UNAVAILABLE, "transient", "the directory is being read");
    };
    let wanted = |facility: &Facility| newer(facility, since) && query._id.is_none_or(|id| facility.id == id);
    let found: Vec<(&Facility, Option<f64>)> = match near {
        Some((place, metres)) => by_distance(&atlas, &health, place, metres, wanted),
        None => by_id(&atlas, query._after, wanted),
    };
    let total = if near.is_none() && query._after.is_some() {
        atlas.facilities.iter().filter(|facility| wanted(facility)).count()
    } else {
        found.len()
    };
    let next = (near.is_none() && found.len() > count)
        .then(|| found.get(count - 1).map(|(facility, _)| facility.id))
        .flatten();
    let entries: Vec<Value> =
        found.iter().take(count).map(|(facility, metres)| entry(resource, facility, *metres)).collect();
    let mut links = vec![json!({"relation": "self", "url": format!("{}?_count={count}", resource.name())})];
    if let Some(id) = next {
        let since = since.map(|since| format!("&_since={}", Timestamp(since).text())).unwrap_or_default();
        links
            .push(json!({"relation": "next", "url": format!("{}?_count={count}&_after={id}{since}", resource.name())}));
    }
    let bundle =
        json!({"resourceType": "Bundle", "type": "searchset", "total": total, "link": links, "entry": entries});
    raw::answer(&headers, Bytes::from(bundle.to_string()), KIND, CACHE).into_response()
}

fn by_id(atlas: &Atlas, after: Option<Uuid>, wanted: impl Fn(&Facility) -> bool) -> Vec<(&Facility, Option<f64>)> {
    let mut all: Vec<&Facility> = atlas
        .facilities
        .iter()
        .filter(|facility| after.is_none_or(|after| facility.id > after) && wanted(facility))
        .collect();
    all.sort_unstable_by_key(|facility| facility.id);
    all.into_iter().map(|facility| (facility, None)).collect()
}

fn by_distance<'a>(
    atlas: &'a Atlas,
    health: &Health,
    from: Place,
    metres: f64,
    wanted: impl Fn(&Facility) -> bool,
) -> Vec<(&'a Facility, Option<f64>)> {
    let wish = Wish { radius_m: Some(metres), ..Wish::default() };
    let found = atlas.nearest(from, MAX_COUNT, &wish, health.moment());
    found
        .into_iter()
        .filter_map(|(index, metres)| Some((atlas.at(index)?, Some(metres))))
        .filter(|(facility, _)| wanted(facility))
        .collect()
}

fn entry(resource: Resource, facility: &Facility, metres: Option<f64>) -> Value {
    let mut search = json!({"mode": "match"});
    if let Some(metres) = metres {
        // The extension of FHIR's own for a Location's distance.
        search["extension"] = json!([{"url": "http://hl7.org/fhir/StructureDefinition/location-distance", "valueDistance": {"value": metres.round(), "unit": "m", "system": "http://unitsofmeasure.org", "code": "m"}}]);
    }
    json!({"fullUrl": format!("urn:uuid:{}", facility.id), "resource": resource.of(facility), "search": search})
}

/// Lire une ressource
#[utoipa::path(
    get, path = "/fhir/{resource}/{id}", operation_id = "fhirRead", tag = "Carte de santé",
    params(("resource" = String, Path, description = "Location, Organization ou HealthcareService", example = "Location"), ("id" = Uuid, Path, description = "L'établissement")),
    responses(
        (status = 200, description = "La ressource", body = serde_json::Value, content_type = "application/fhir+json"),
        (status = 400, description = "OperationOutcome : paramètre refusé", body = serde_json::Value, content_type = "application/fhir+json"),
        (status = 404, description = "OperationOutcome : inconnu", body = serde_json::Value, content_type = "application/fhir+json"),
        (status = 503, description = "OperationOutcome : l'annuaire se charge", body = serde_json::Value, content_type = "application/fhir+json"),
    ),
    security(()), extensions(("x-access" = json!("public")))
)]
async fn read(
    State(health): State<Health>,
    Path((resource, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let atlas = health.atlas();
    let found = Resource::parse(&resource).zip(id.parse::<Uuid>().ok().and_then(|id| atlas.get(id)));
    match found {
        Some((resource, (_, facility))) => {
            raw::answer(&headers, Bytes::from(resource.of(facility).to_string()), KIND, CACHE).into_response()
        }
        None => outcome(StatusCode::NOT_FOUND, "not-found", &id.chars().take(64).collect::<String>()),
    }
}

/// A refusal in FHIR's own words.
fn outcome(status: StatusCode, code: &str, diagnostics: &str) -> Response {
    let body = json!({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code, "diagnostics": diagnostics}]});
    (status, [(header::CONTENT_TYPE, KIND)], body.to_string()).into_response()
}

/// `2026-01-01`, or an instant with or without `ge` and `gt` in front.
fn instant(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim_start_matches("ge").trim_start_matches("gt");
    if let Ok(day) = text.parse::<chrono::NaiveDate>() {
        return Some(day.and_hms_opt(0, 0, 0)?.and_utc());
    }
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.with_timezone(&Utc))
}

/// `latitude|longitude[|distance[|unit]]`
fn near(text: &str) -> Option<(Place, f64)> {
    let mut parts = text.split('|');
    let place = Place::new(parts.next()?.parse().ok()?, parts.next()?.parse().ok()?)?;
    let distance: f64 = parts.next().map_or(Some(DEFAULT_REACH_KM), |text| text.parse().ok())?;
    let metres = match parts.next().unwrap_or("km") {
        "km" | "http://unitsofmeasure.org" => distance * 1000.0,
        "m" => distance,
        "mi" | "[mi_us]" => distance * 1609.344,
        _ => return None,
    };
    (metres > 0.0 && metres.is_finite()).then_some((place, metres))
}
