#![expect(unused_qualifications, reason = "the macro that describes parameters names them in full")]

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use kernel::Problem;
use kernel::http::Query;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Layer, Tile, cut};
use crate::facilities::api::kinds;
use crate::{Health, HealthError, raw};

pub(crate) fn routes() -> OpenApiRouter<Health> {
    OpenApiRouter::new().routes(routes!(facility_tile)).routes(routes!(boundary_tile))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct TileQuery {
    /// Un ou plusieurs types séparés par des virgules.
    #[serde(rename = "type")]
    kind: Option<String>,
}

const KIND: &str = "application/vnd.mapbox-vector-tile";
const CACHE: &str = "public, max-age=300";

/// The last part is `123.mvt`; the router knows only whole parts.
fn tile(layer: Layer, path: &(u8, u32, String), kind: Option<&str>) -> Result<Tile, HealthError> {
    let y = path.2.strip_suffix(".mvt").and_then(|y| y.parse().ok()).ok_or(HealthError::NotFound)?;
    Tile::new(layer, path.0, path.1, y, kinds(kind)?).ok_or(HealthError::NotFound)
}

type Position = Result<Path<(u8, u32, String)>, axum::extract::rejection::PathRejection>;

/// Une tuile des établissements
///
/// Mapbox Vector Tile : la couche `facilities` (`id`, `name`, `type`, `always`) ou, jusqu'au zoom 8, `clusters` (`count`).
#[utoipa::path(
    get, path = "/tiles/facilities/{z}/{x}/{y}", operation_id = "facilityTile", tag = "Carte de santé",
    params(("z" = u8, Path, description = "0 à 16", example = 12), ("x" = u32, Path, description = "Colonne", example = 2002), ("y" = String, Path, description = "Ligne, suivie de `.mvt`", example = "1987.mvt"), TileQuery),
    responses((status = 200, description = "La tuile", content_type = KIND), (status = 304, description = "La même")),
    security(()), extensions(("x-access" = json!("public")))
)]
async fn facility_tile(
    State(health): State<Health>,
    position: Position,
    Query(query): Query<TileQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Path(path) = position.map_err(|_| Problem::not_found())?;
    let bytes = cut(&health, tile(Layer::Facilities, &path, query.kind.as_deref())?).await?;
    Ok(raw::answer(&headers, bytes, KIND, CACHE).into_response())
}

/// Une tuile des limites administratives
///
/// Couches `regions`, `departments` (dès le zoom 7), `sub_prefectures` (dès le zoom 9) et `names`. © CNTIG, OCHA ROWCA (CC BY 3.0 IGO).
#[utoipa::path(
    get, path = "/tiles/boundaries/{z}/{x}/{y}", operation_id = "boundaryTile", tag = "Carte de santé",
    params(("z" = u8, Path, description = "0 à 16", example = 6), ("x" = u32, Path, description = "Colonne", example = 31), ("y" = String, Path, description = "Ligne, suivie de `.mvt`", example = "30.mvt")),
    responses((status = 200, description = "La tuile", content_type = KIND), (status = 304, description = "La même")),
    security(()), extensions(("x-access" = json!("public")))
)]
async fn boundary_tile(
    State(health): State<Health>,
    position: Position,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Path(path) = position.map_err(|_| Problem::not_found())?;
    let bytes = cut(&health, tile(Layer::Boundaries, &path, None)?).await?;
    Ok(raw::answer(&headers, bytes, KIND, CACHE).into_response())
}
