#![expect(unused_qualifications, reason = "the macro that describes parameters names them in full")]

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kernel::http::{PageQuery, Path, Query};
use kernel::{Problem, Reply};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::Filter;
use super::view::{FacilityView, Location};
use crate::atlas::Wish;
use crate::atlas::search::MAX_QUERY;
use crate::geo::Place;
use crate::kind::Kind;
use crate::text::normal;
use crate::{Health, HealthError};

pub(crate) fn routes() -> OpenApiRouter<Health> {
    OpenApiRouter::new().routes(routes!(nearby)).routes(routes!(list)).routes(routes!(details))
}

/// The same for everybody, and good for a minute.
pub(crate) fn shared<T: Serialize>(reply: Reply<T>) -> Reply<T> {
    reply.with_header(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"))
}

const DEFAULT_LIMIT: u32 = 20;
const MAX_LIMIT: u32 = 100;
/// Half the earth's girth, in metres.
const MAX_RADIUS_M: f64 = 20_040_000.0;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct NearbyQuery {
    /// Latitude, en degrés.
    #[param(example = 5.3364)]
    lat: f64,
    /// Longitude, en degrés.
    #[param(example = -4.0267)]
    lng: f64,
    /// Combien, de 1 à 100 ; 20 sinon.
    limit: Option<u32>,
    /// En mètres ; sans rayon, les plus proches où qu'ils soient.
    radius: Option<f64>,
    /// Un ou plusieurs types séparés par des virgules.
    #[serde(rename = "type")]
    #[param(example = "pharmacy")]
    kind: Option<String>,
    service: Option<String>,
    speciality: Option<String>,
    /// `true` : seulement ce que l'on sait ouvert.
    open_now: Option<bool>,
    /// Avec `openNow=true` : aussi ce dont on ne sait pas les horaires.
    include_unknown: Option<bool>,
    /// Pharmacies de garde seulement.
    on_duty: Option<bool>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Near<'a> {
    items: Vec<FacilityView<'a>>,
    /// Toujours null : le `limit` et le rayon bornent la réponse.
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
struct TownView {
    name: String,
    location: Option<Location>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct FacilityPage<'a> {
    items: Vec<FacilityView<'a>>,
    next_cursor: Option<String>,
    /// Combien de chaque type, toutes pages comprises.
    counts: BTreeMap<&'static str, usize>,
    total: usize,
    /// Le lieu que la recherche nomme.
    place: Option<TownView>,
}

#[derive(Debug, Serialize, ToSchema)]
struct OneFacility<'a> {
    facility: FacilityView<'a>,
}

kernel::answer!(NearAnswer, Near<'static>);
kernel::answer!(FacilityPageAnswer, FacilityPage<'static>);
kernel::answer!(OneFacilityAnswer, OneFacility<'static>);

/// A point of a query, or which field is wrong.
pub(crate) fn point(lat: f64, lng: f64) -> Result<Place, HealthError> {
    match Place::new(lat, lng) {
        Some(place) => Ok(place),
        None if (-90.0..=90.0).contains(&lat) => Err(HealthError::Field("lng", "out_of_range")),
        None => Err(HealthError::Field("lat", "out_of_range")),
    }
}

/// Kinds of a query: at most as many as there are.
pub(crate) fn kinds(text: Option<&str>) -> Result<Vec<Kind>, HealthError> {
    let mut kinds: Vec<Kind> = Vec::new();
    for code in text.unwrap_or("").split(',').map(str::trim).filter(|code| !code.is_empty()) {
        let kind = Kind::parse(code).ok_or(HealthError::Field("type", "invalid"))?;
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    Ok(kinds)
}

/// Les plus proches
///
/// Par distance vraie sur l'ellipsoïde, partout sur la Terre, sans rayon imposé. Répond même quand la base de données
/// est arrêtée.
#[utoipa::path(
    get, path = "/facilities/nearby", operation_id = "facilitiesNearby", tag = "Carte de santé",
    params(NearbyQuery),
    responses((status = 200, description = "Par distance croissante", body = NearAnswer)),
    security(()), extensions(("x-access" = json!("public")))
)]
async fn nearby(State(health): State<Health>, Query(query): Query<NearbyQuery>) -> Result<Response, Problem> {
    let from = point(query.lat, query.lng)?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Problem::field("limit", "out_of_range"));
    }
    if query.radius.is_some_and(|radius| !(radius > 0.0 && radius <= MAX_RADIUS_M)) {
        return Err(Problem::field("radius", "out_of_range"));
    }
    let wish = Wish {
        kinds: kinds(query.kind.as_deref())?,
        service: query.service.map(|service| normal(&service)),
        speciality: query.speciality.map(|speciality| normal(&speciality)),
        open_now: query.open_now,
        or_unknown: query.include_unknown.unwrap_or(false),
        on_duty: query.on_duty.unwrap_or(false),
        radius_m: query.radius,
    };
    let (atlas, moment) = (health.loaded()?, health.moment());
    let found = atlas.nearest(from, limit as usize, &wish, moment);
    let items = found
        .iter()
        .filter_map(|(index, metres)| Some(FacilityView::of(&atlas, *index, atlas.at(*index)?, Some(*metres), moment)));
    Ok(shared(Reply::ok("health.nearby", Near { items: items.collect(), next_cursor: None })).into_response())
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Ce que l'on cherche : un nom, un type, un lieu, même mal écrits.
    #[param(example = "pharmacie yopougon", max_length = 120)]
    q: Option<String>,
    /// Ouest, sud, est, nord, en degrés.
    #[param(example = "-4.1,5.2,-3.9,5.5")]
    bbox: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    /// Commune, sous-préfecture, département, région ou district sanitaire.
    commune: Option<String>,
    service: Option<String>,
    speciality: Option<String>,
    open_now: Option<bool>,
    on_duty: Option<bool>,
    /// Avec `lng` : d'où mesurer les distances et à côté de quoi chercher.
    lat: Option<f64>,
    lng: Option<f64>,
    limit: Option<u32>,
    cursor: Option<String>,
}

fn bbox(text: &str) -> Result<[f64; 4], HealthError> {
    let wrong = HealthError::Field("bbox", "invalid");
    let parts: Vec<f64> = text
        .split(',')
        .map(|part| part.trim().parse::<f64>())
        .collect::<Result<_, _>>()
        .map_err(|_| HealthError::Field("bbox", "invalid"))?;
    let [west, south, east, north] = parts[..] else { return Err(wrong) };
    let fits = Place::new(south, west).is_some() && Place::new(north, east).is_some() && south <= north;
    if fits { Ok([west, south, east, north]) } else { Err(HealthError::Field("bbox", "out_of_range")) }
}

/// Lister et chercher
///
/// Sans `q`, ce que la carte montre dans `bbox` ou dans une commune, avec le compte par type. Avec `q`, les meilleures
/// réponses d'abord : fautes de frappe, accents et noms familiers (« yop », « II plateaux », « hosto ») sont compris.
#[utoipa::path(
    get, path = "/facilities", operation_id = "listFacilities", tag = "Carte de santé",
    params(ListQuery),
    responses((status = 200, description = "Une page", body = FacilityPageAnswer)),
    security(()), extensions(("x-access" = json!("public")))
)]
async fn list(State(health): State<Health>, Query(query): Query<ListQuery>) -> Result<Response, Problem> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor }.checked::<Uuid>()?;
    let from = match (query.lat, query.lng) {
        (Some(lat), Some(lng)) => Some(point(lat, lng)?),
        (None, None) => None,
        (None, _) => return Err(Problem::field("lat", "required")),
        (_, None) => return Err(Problem::field("lng", "required")),
    };
    if query.q.as_ref().is_some_and(|q| q.chars().count() > MAX_QUERY) {
        return Err(Problem::field("q", "too_long"));
    }
    let filter = Filter {
        bbox: query.bbox.as_deref().map(bbox).transpose()?,
        commune: query.commune.as_deref().map(normal),
        wish: Wish {
            kinds: kinds(query.kind.as_deref())?,
            service: query.service.map(|service| normal(&service)),
            speciality: query.speciality.map(|speciality| normal(&speciality)),
            open_now: query.open_now,
            on_duty: query.on_duty.unwrap_or(false),
            ..Wish::default()
        },
    };
    let (atlas, moment, rows) = (health.loaded()?, health.moment(), page.limit as usize + 1);
    let listed = match query.q.as_deref().map(str::trim).filter(|q| !q.is_empty()) {
        Some(q) => super::search(&atlas, q, from, &filter, page.after, rows, moment),
        None => super::list(&atlas, &filter, page.after, rows, moment),
    };
    let views = listed.indexes.iter().filter_map(|index| {
        let facility = atlas.at(*index)?;
        let metres = from.zip(facility.place).map(|(from, place)| from.metres_to(place));
        Some(FacilityView::of(&atlas, *index, facility, metres, moment))
    });
    let (items, next_cursor) = page.cut(views.collect(), |view: &FacilityView<'_>| view.id);
    let total = listed.counts.values().sum();
    let place = listed.town.map(|town| TownView { name: town.name, location: town.place.map(Location::from) });
    Ok(shared(Reply::ok("health.facilities", FacilityPage { items, next_cursor, counts: listed.counts, total, place }))
        .into_response())
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct FromQuery {
    /// Avec `lng` : d'où mesurer la distance.
    lat: Option<f64>,
    lng: Option<f64>,
}

/// Un établissement
///
/// Un ancien identifiant mène par 301 à l'établissement qui a pris sa place.
#[utoipa::path(
    get, path = "/facilities/{id}", operation_id = "facility", tag = "Carte de santé",
    params(("id" = Uuid, Path, description = "L'établissement"), FromQuery),
    responses(
        (status = 200, description = "L'établissement", body = OneFacilityAnswer),
        (status = 301, description = "Réuni avec un autre : suivez `Location`"),
        (status = 404, description = "Inconnu"),
    ),
    security(()), extensions(("x-access" = json!("public")))
)]
async fn details(
    State(health): State<Health>,
    Path(id): Path<Uuid>,
    Query(query): Query<FromQuery>,
) -> Result<Response, Problem> {
    let (atlas, moment) = (health.loaded()?, health.moment());
    let (index, facility) = atlas.get(id).ok_or(HealthError::NotFound)?;
    if let Some(other) = facility.merged_into {
        let location = HeaderValue::from_str(&other.to_string()).map_err(Problem::internal)?;
        return Ok((StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, location)]).into_response());
    }
    let from = query.lat.zip(query.lng).map(|(lat, lng)| point(lat, lng)).transpose()?;
    let metres = from.zip(facility.place).map(|(from, place)| from.metres_to(place));
    let facility = FacilityView::of(&atlas, index, facility, metres, moment);
    Ok(shared(Reply::ok("health.facility", OneFacility { facility })).into_response())
}
