#![expect(unused_qualifications, reason = "the macro that describes parameters names them in full")]

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use kernel::http::{PageQuery, Query};
use kernel::{Problem, Reply};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::Placed;
use crate::atlas::{Atlas, Moment};
use crate::facilities::api::{point, shared};
use crate::facilities::view::{Location, PhoneView, directions, phones, whole};
use crate::{Health, HealthError};

pub(crate) fn routes() -> OpenApiRouter<Health> {
    OpenApiRouter::new().routes(routes!(on_duty))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct DutyQuery {
    /// La zone de la liste : « Yopougon » prend tous ses secteurs.
    #[param(example = "Yopougon")]
    area: Option<String>,
    /// `lat,lng` : les plus proches d'abord.
    #[param(example = "5.34,-4.08")]
    near: Option<String>,
    /// Un autre jour que maintenant.
    #[param(value_type = Option<String>, example = "2026-02-21")]
    on: Option<NaiveDate>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Une pharmacie de garde.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DutyView<'a> {
    id: Uuid,
    area: &'a str,
    name: &'a str,
    /// Comme la liste l'écrit.
    address: &'a str,
    phones: Vec<PhoneView<'a>>,
    #[schema(value_type = String)]
    start: NaiveDate,
    /// Dernier jour, compris.
    #[schema(value_type = String)]
    end: NaiveDate,
    /// De la pharmacie quand on sait où elle est, sinon du centre de la zone.
    distance_meters: Option<i64>,
    /// Faux : la distance est celle de la zone.
    distance_exact: bool,
    /// L'établissement de la carte, quand un seul porte ce nom.
    facility_id: Option<Uuid>,
    location: Option<Location>,
    directions_uri: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DutyPage<'a> {
    items: Vec<DutyView<'a>>,
    next_cursor: Option<String>,
    total: usize,
    /// Les zones de la liste, pour choisir.
    areas: Vec<&'a str>,
    /// Dernier jour couvert par une liste.
    #[schema(value_type = Option<String>)]
    covered_until: Option<NaiveDate>,
}

kernel::answer!(DutyPageAnswer, DutyPage<'static>);

/// Les pharmacies de garde
///
/// Toutes celles de la liste, qu'on sache ou non où elles sont.
#[utoipa::path(
    get, path = "/pharmacies/on-duty", operation_id = "pharmaciesOnDuty", tag = "Carte de santé",
    params(DutyQuery),
    responses((status = 200, description = "Une page de la liste", body = DutyPageAnswer)),
    security(()), extensions(("x-access" = json!("public")))
)]
async fn on_duty(State(health): State<Health>, Query(query): Query<DutyQuery>) -> Result<Response, Problem> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor }.checked::<Uuid>()?;
    let from = query.near.as_deref().map(pair).transpose()?;
    let atlas = health.loaded()?;
    let moment = match query.on.and_then(|day| day.and_hms_opt(12, 0, 0)) {
        Some(noon) => Moment::new(noon.and_utc(), 0),
        None => health.moment(),
    };
    let rows = super::list(&atlas, moment, query.area.as_deref(), from);
    let total = rows.len();
    let start =
        page.after.map_or(0, |after| rows.iter().position(|row| row.duty.id == after).map_or(total, |at| at + 1));
    let views = rows.iter().skip(start).take(page.limit as usize + 1).map(|row| view(&atlas, row)).collect();
    let (items, next_cursor) = page.cut(views, |view: &DutyView<'_>| view.id);
    let mut areas: Vec<&str> = atlas.on_duty(moment).map(|duty| duty.area.as_str()).collect();
    areas.dedup();
    let data = DutyPage { items, next_cursor, total, areas, covered_until: atlas.duty_until() };
    Ok(shared(Reply::ok("health.on_duty", data)).into_response())
}

fn pair(text: &str) -> Result<crate::geo::Place, HealthError> {
    let numbers: Vec<f64> = text.split(',').filter_map(|part| part.trim().parse().ok()).collect();
    match numbers[..] {
        [lat, lng] if text.split(',').count() == 2 => {
            point(lat, lng).map_err(|_| HealthError::Field("near", "out_of_range"))
        }
        _ => Err(HealthError::Field("near", "invalid")),
    }
}

fn view<'a>(atlas: &'a Atlas, row: &Placed<'a>) -> DutyView<'a> {
    let duty = row.duty;
    let facility = duty.facility.and_then(|index| atlas.at(index));
    let place = facility.and_then(|facility| facility.place);
    let mut phones = phones(&duty.phones);
    if phones.is_empty() {
        phones = facility.map(|facility| crate::facilities::view::phones(&facility.phones)).unwrap_or_default();
    }
    DutyView {
        id: duty.id,
        area: &duty.area,
        name: &duty.name,
        address: &duty.address,
        phones,
        start: duty.start,
        end: duty.end,
        distance_meters: row.metres.map(whole),
        distance_exact: row.exact && row.metres.is_some(),
        facility_id: facility.map(|facility| facility.id),
        location: place.map(Location::from),
        directions_uri: place.map(directions),
    }
}
