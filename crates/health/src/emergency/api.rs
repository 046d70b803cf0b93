use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use kernel::Reply;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::BUILT_IN;
use crate::Health;
use crate::atlas::EmergencyNumber;

pub(crate) fn routes() -> OpenApiRouter<Health> {
    OpenApiRouter::new().routes(routes!(emergency_numbers))
}

/// Un numéro d'urgence.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EmergencyView<'a> {
    #[schema(examples("185"))]
    number: &'a str,
    #[schema(examples("SAMU (urgences médicales)"))]
    label: &'a str,
    #[schema(examples("tel:185"))]
    tel_uri: &'a str,
    /// `medical`, `fire`, `police`, `health`, `child`, `violence`, `info`, `utility`.
    category: &'a str,
    /// `national`, ou une ville.
    scope: &'a str,
    free: Option<bool>,
    around_the_clock: Option<bool>,
    /// `high` ou `medium`.
    certainty: &'a str,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct EmergencyNumbers<'a> {
    items: Vec<EmergencyView<'a>>,
    next_cursor: Option<String>,
}

kernel::answer!(EmergencyNumbersAnswer, EmergencyNumbers<'static>);

pub(crate) fn views(numbers: &[EmergencyNumber]) -> Vec<EmergencyView<'_>> {
    numbers.iter().filter_map(view).collect()
}

fn view(one: &EmergencyNumber) -> Option<EmergencyView<'_>> {
    Some(EmergencyView {
        number: &one.number.written,
        label: one.number.label.as_deref().unwrap_or(""),
        tel_uri: one.number.uri.as_deref()?,
        category: &one.category,
        scope: &one.scope,
        free: one.free,
        around_the_clock: one.around_the_clock,
        certainty: one.number.certainty,
    })
}

/// Les numéros d'urgence
///
/// Répond toujours, même quand la base de données est arrêtée. Un numéro dont on n'est pas sûr n'y est pas.
#[utoipa::path(
    get, path = "/emergency-numbers", operation_id = "emergencyNumbers", tag = "Carte de santé",
    responses((status = 200, description = "Le SAMU d'abord", body = EmergencyNumbersAnswer)),
    security(()), extensions(("x-access" = json!("public")))
)]
async fn emergency_numbers(State(health): State<Health>) -> Response {
    let atlas = health.atlas();
    let numbers = if atlas.numbers.is_empty() { &*BUILT_IN } else { &atlas.numbers };
    let data = EmergencyNumbers { items: views(numbers), next_cursor: None };
    // A telephone keeps them for a day: no network is the very moment when they are needed.
    Reply::ok("health.emergency_numbers", data)
        .with_header(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600, stale-if-error=86400"))
        .into_response()
}
