#![expect(unused_qualifications, reason = "the macro that describes parameters names them in full")]

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use kernel::http::Query;
use kernel::{Problem, Reply};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Health;
use crate::facilities::api::{point, shared};
use crate::facilities::view::Location;

pub(crate) fn routes() -> OpenApiRouter<Health> {
    OpenApiRouter::new().routes(routes!(place))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PlaceQuery {
    #[param(example = 7.69)]
    lat: f64,
    #[param(example = -5.03)]
    lng: f64,
}

/// Une unité administrative.
#[derive(Debug, Serialize, ToSchema)]
struct UnitView {
    #[schema(examples("Gbeke"))]
    name: String,
    #[schema(examples("CI18"))]
    code: String,
}

/// Ce dans quoi un point se trouve.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PlaceView {
    location: Location,
    /// Code ISO du pays, null hors de Côte d'Ivoire.
    country: Option<&'static str>,
    region: Option<UnitView>,
    department: Option<UnitView>,
    sub_prefecture: Option<UnitView>,
    /// Null tant qu'aucun polygone importé ne la donne.
    commune: Option<UnitView>,
    health_district: Option<UnitView>,
}

#[derive(Debug, Serialize, ToSchema)]
struct OnePlace {
    place: PlaceView,
}

kernel::answer!(OnePlaceAnswer, OnePlace);

/// D'un point au lieu
#[utoipa::path(
    get, path = "/places", operation_id = "reverseGeocode", tag = "Carte de santé",
    params(PlaceQuery),
    responses((status = 200, description = "Région, département, sous-préfecture, et commune et district sanitaire quand ils sont connus", body = OnePlaceAnswer)),
    security(()), extensions(("x-access" = json!("public")))
)]
async fn place(State(health): State<Health>, Query(query): Query<PlaceQuery>) -> Result<Response, Problem> {
    let at = point(query.lat, query.lng)?;
    let inside = health.loaded()?.units.inside(at);
    let unit = |named: Option<(String, String)>| named.map(|(name, code)| UnitView { name, code });
    let place = PlaceView {
        location: at.into(),
        country: inside.sub_prefecture.is_some().then_some("CI"),
        region: unit(inside.region),
        department: unit(inside.department),
        sub_prefecture: unit(inside.sub_prefecture),
        commune: unit(inside.commune),
        health_district: unit(inside.health_district),
    };
    Ok(shared(Reply::ok("health.place", OnePlace { place })).into_response())
}
