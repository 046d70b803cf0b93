#![expect(unused_qualifications, reason = "the macro that describes parameters names them in full")]

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use kernel::Problem;
use kernel::http::{Path, Query};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{PackArea, delta, whole};
use crate::{Health, HealthError, raw};

pub(crate) fn routes() -> OpenApiRouter<Health> {
    OpenApiRouter::new().routes(routes!(pack))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PackQuery {
    /// La `version` du dernier paquet : seul ce qui a changé depuis est envoyé.
    #[param(minimum = 0)]
    since: Option<i64>,
}

/// L'annuaire hors connexion
///
/// `ci` pour tout le pays, ou le code d'une région (`CI18`). Une ligne par établissement, dans l'ordre de `fields` ; les
/// valeurs absentes à la fin sont omises ; `lat` et `lng` sont à diviser par `scale` ; un numéro qui commence par « ? » est
/// à vérifier ; `+225` est sous-entendu devant dix chiffres.
#[utoipa::path(
    get, path = "/facilities/packs/{area}", operation_id = "facilityPack", tag = "Carte de santé",
    params(("area" = String, Path, description = "`ci` ou le code d'une région", example = "ci"), PackQuery),
    responses((status = 200, description = "Le paquet, ou ce qui a changé", content_type = "application/json"), (status = 304, description = "Le même")),
    security(()), extensions(("x-access" = json!("public")))
)]
async fn pack(
    State(health): State<Health>,
    Path(area): Path<String>,
    Query(query): Query<PackQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let atlas = health.loaded()?;
    let area = PackArea::parse(&atlas, &area).ok_or(HealthError::NotFound)?;
    let pack = match query.since {
        Some(since) if since < 0 => return Err(Problem::field("since", "out_of_range")),
        // A version of another database: the client starts again.
        Some(since) if since > 0 && since <= atlas.version => delta(&atlas, &area, since).map_err(Problem::internal)?,
        _ => {
            let health = health.clone();
            // Packing a country takes a tenth of a second: not on a thread that answers.
            let made = tokio::task::spawn_blocking(move || whole(health.packs(), &atlas, &area))
                .await
                .map_err(Problem::internal)?;
            made.map_err(Problem::internal)?.as_ref().clone()
        }
    };
    Ok(raw::packed(&headers, pack.tag, "application/json", "public, max-age=300", pack.gzip, || pack.plain)
        .into_response())
}
