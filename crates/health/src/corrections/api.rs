use axum::extract::State;
use identity::role::{Allowed, Permission};
use identity::session::Signed;
use kernel::http::{Body, PageQuery, Path, Query};
use kernel::{Problem, Reply, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{Change, Proposal, Suggestion, duplicates, store};
use crate::{Health, HealthError};

/// Corrections, duplicates and their history.
#[derive(Clone, Copy, Debug)]
pub struct HealthModerate;

impl Permission for HealthModerate {
    const NAME: &'static str = "health.moderate";
}

pub(crate) fn routes() -> OpenApiRouter<Health> {
    OpenApiRouter::new()
        .routes(routes!(suggest))
        .routes(routes!(suggestions))
        .routes(routes!(accept))
        .routes(routes!(reject))
        .routes(routes!(history))
        .routes(routes!(revert))
        .routes(routes!(pairs))
        .routes(routes!(decide_pair))
        .routes(routes!(duty_status))
}

/// Une correction.
#[derive(Debug, Deserialize, ToSchema)]
struct Suggest {
    /// `name`, `type`, `address`, `landmark`, `openingHours`, `emergency`, `state`, `location`, `phone` (un numéro qui
    /// manque) ou `deadPhone` (un numéro qui ne répond plus).
    #[schema(examples("openingHours"))]
    field: String,
    /// Du texte, vrai ou faux pour `emergency`, `{lat, lng}` pour `location`.
    #[schema(value_type = Object, examples("Mo-Fr 08:00-18:00"))]
    value: Value,
    #[schema(max_length = 250)]
    comment: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SuggestionView {
    id: Uuid,
    facility_id: Uuid,
    facility_name: Option<String>,
    field: String,
    #[schema(value_type = Object)]
    value: Value,
    comment: String,
    /// `pending`, `accepted`, `rejected` ou `undone`.
    state: &'static str,
    /// Ce qui a été publié, pour l'annuler.
    change_id: Option<Uuid>,
    #[schema(value_type = String)]
    created_at: Timestamp,
}

impl From<Suggestion> for SuggestionView {
    fn from(row: Suggestion) -> Self {
        let state = match row.state.as_str() {
            "accepte" => "accepted",
            "refuse" => "rejected",
            "annule" => "undone",
            _ => "pending",
        };
        let value = row.value.map_or(Value::Null, |value| value.0);
        Self {
            id: row.id,
            facility_id: row.facility_id,
            facility_name: row.facility_name,
            field: row.field,
            value,
            comment: row.comment,
            state,
            change_id: row.change_id,
            created_at: Timestamp(row.created_at),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
struct OneSuggestion {
    suggestion: SuggestionView,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Suggestions {
    items: Vec<SuggestionView>,
    next_cursor: Option<String>,
}

/// Une modification publiée.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ChangeView {
    id: Uuid,
    field: String,
    #[schema(value_type = Object)]
    before: Value,
    #[schema(value_type = Object)]
    after: Value,
    /// Null : par accord de plusieurs personnes.
    moderator_id: Option<Uuid>,
    #[schema(value_type = String)]
    made_at: Timestamp,
    #[schema(value_type = Option<String>)]
    undone_at: Option<Timestamp>,
}

impl From<Change> for ChangeView {
    fn from(change: Change) -> Self {
        // The keys of a merge are the tables' own and stay inside.
        let merge = change.field == "merge";
        let shown = |value: Value| if merge { Value::Null } else { value };
        Self {
            id: change.id,
            before: shown(change.before),
            after: shown(change.after),
            field: change.field,
            moderator_id: change.author,
            made_at: Timestamp(change.made_at),
            undone_at: change.undone_at.map(Timestamp),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Changes {
    items: Vec<ChangeView>,
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
struct OneChange {
    change: Option<ChangeView>,
}

/// Deux fiches qui décrivent peut-être le même lieu.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PairView {
    id: Uuid,
    first_id: Uuid,
    first_name: Option<String>,
    second_id: Uuid,
    second_name: Option<String>,
    /// 0 à 1.
    score: f32,
    distance_meters: Option<f64>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Pairs {
    items: Vec<PairView>,
    next_cursor: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
struct DecidePair {
    /// L'établissement qui reste ; absent ou null : ce sont deux lieux.
    keep: Option<Uuid>,
}

/// L'état des listes de garde.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DutyStatus {
    /// Dernier jour couvert.
    #[schema(value_type = Option<String>)]
    covered_until: Option<chrono::NaiveDate>,
    /// Le premier jour sans liste alors qu'il devrait y en avoir une ; null : tout va bien.
    #[schema(value_type = Option<String>)]
    missing: Option<chrono::NaiveDate>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Nothing {}

kernel::answer!(OneSuggestionAnswer, OneSuggestion);
kernel::answer!(SuggestionsAnswer, Suggestions);
kernel::answer!(ChangesAnswer, Changes);
kernel::answer!(OneChangeAnswer, OneChange);
kernel::answer!(PairsAnswer, Pairs);
kernel::answer!(NothingAnswer, Nothing);
kernel::answer!(DutyStatusAnswer, DutyStatus);

/// Proposer une correction
///
/// Un modérateur décide ; des horaires, un repère ou un numéro mort sont pris en compte dès que deux personnes vérifiées,
/// dont le compte n'est pas nouveau, disent la même chose. Un numéro d'urgence national ne bouge jamais ainsi.
#[utoipa::path(
    post, path = "/facilities/{id}/suggestions", operation_id = "suggestCorrection", tag = "Carte de santé",
    params(("id" = Uuid, Path, description = "L'établissement")), request_body = Suggest,
    responses(
        (status = 201, description = "La correction, en attente ou déjà prise en compte", body = OneSuggestionAnswer),
        (status = 403, description = "Compte non vérifié"),
        (status = 409, description = "Vous l'avez déjà proposée"),
        (status = 429, description = "Trop de corrections aujourd'hui"),
    ),
    security(("bearer" = [])), extensions(("x-access" = json!("user")))
)]
async fn suggest(
    State(health): State<Health>,
    Signed(account): Signed,
    Path(id): Path<Uuid>,
    Body(body): Body<Suggest>,
) -> Result<Reply<OneSuggestion>, Problem> {
    let proposal = Proposal { facility: id, field: &body.field, value: &body.value, comment: body.comment.as_deref() };
    let suggestion = super::suggest(&health, &account, proposal).await?;
    Ok(Reply::created("health.suggested", OneSuggestion { suggestion: suggestion.into() }))
}

/// Les corrections en attente
#[utoipa::path(
    get, path = "/admin/health/suggestions", operation_id = "healthSuggestions", tag = "Administration",
    params(PageQuery),
    responses((status = 200, description = "Les plus anciennes d'abord", body = SuggestionsAnswer)),
    security(("bearer" = [])), extensions(("x-access" = json!("permission:health.moderate")))
)]
async fn suggestions(
    State(health): State<Health>,
    _: Allowed<HealthModerate>,
    Query(query): Query<PageQuery>,
) -> Result<Reply<Suggestions>, Problem> {
    let page = query.checked::<Uuid>()?;
    let mut connection = health.db().read.acquire().await.map_err(HealthError::from)?;
    let rows = store::waiting(&mut connection, page.after, page.rows()).await.map_err(HealthError::from)?;
    let (rows, next_cursor) = page.cut(rows, |row| row.id);
    Ok(Reply::ok(
        "health.suggestions",
        Suggestions { items: rows.into_iter().map(SuggestionView::from).collect(), next_cursor },
    ))
}

/// Accepter une correction
#[utoipa::path(
    post, path = "/admin/health/suggestions/{id}/accept", operation_id = "acceptSuggestion", tag = "Administration",
    params(("id" = Uuid, Path, description = "La correction")),
    responses((status = 200, description = "Publiée", body = OneSuggestionAnswer), (status = 409, description = "Déjà décidée")),
    security(("bearer" = [])), extensions(("x-access" = json!("permission:health.moderate")))
)]
async fn accept(
    State(health): State<Health>,
    moderator: Allowed<HealthModerate>,
    Path(id): Path<Uuid>,
) -> Result<Reply<OneSuggestion>, Problem> {
    let suggestion = super::decide(&health, moderator.account.public_id, id, true).await?;
    Ok(Reply::ok("health.suggestion_accepted", OneSuggestion { suggestion: suggestion.into() }))
}

/// Refuser une correction
#[utoipa::path(
    post, path = "/admin/health/suggestions/{id}/reject", operation_id = "rejectSuggestion", tag = "Administration",
    params(("id" = Uuid, Path, description = "La correction")),
    responses((status = 200, description = "Refusée", body = OneSuggestionAnswer), (status = 409, description = "Déjà décidée")),
    security(("bearer" = [])), extensions(("x-access" = json!("permission:health.moderate")))
)]
async fn reject(
    State(health): State<Health>,
    moderator: Allowed<HealthModerate>,
    Path(id): Path<Uuid>,
) -> Result<Reply<OneSuggestion>, Problem> {
    let suggestion = super::decide(&health, moderator.account.public_id, id, false).await?;
    Ok(Reply::ok("health.suggestion_rejected", OneSuggestion { suggestion: suggestion.into() }))
}

/// Ce qui a changé dans une fiche
#[utoipa::path(
    get, path = "/admin/health/facilities/{id}/changes", operation_id = "facilityChanges", tag = "Administration",
    params(("id" = Uuid, Path, description = "L'établissement")),
    responses((status = 200, description = "Le plus récent d'abord, 200 au plus", body = ChangesAnswer)),
    security(("bearer" = [])), extensions(("x-access" = json!("permission:health.moderate")))
)]
async fn history(
    State(health): State<Health>,
    _: Allowed<HealthModerate>,
    Path(id): Path<Uuid>,
) -> Result<Reply<Changes>, Problem> {
    let mut connection = health.db().read.acquire().await.map_err(HealthError::from)?;
    let rows = store::history(&mut connection, id).await.map_err(HealthError::from)?;
    Ok(Reply::ok(
        "health.changes",
        Changes { items: rows.into_iter().map(ChangeView::from).collect(), next_cursor: None },
    ))
}

/// Annuler une modification
///
/// Remet ce qui était là avant ; 409 si autre chose a été publié depuis. Une fusion annulée redevient deux fiches.
#[utoipa::path(
    post, path = "/admin/health/changes/{id}/revert", operation_id = "revertChange", tag = "Administration",
    params(("id" = Uuid, Path, description = "La modification")),
    responses((status = 200, description = "Annulée", body = OneChangeAnswer), (status = 409, description = "Trop tard")),
    security(("bearer" = [])), extensions(("x-access" = json!("permission:health.moderate")))
)]
async fn revert(
    State(health): State<Health>,
    _: Allowed<HealthModerate>,
    Path(id): Path<Uuid>,
) -> Result<Reply<OneChange>, Problem> {
    let change = super::undo(&health, id).await?;
    Ok(Reply::ok("health.change_reverted", OneChange { change: change.map(ChangeView::from) }))
}

/// Les doublons possibles
#[utoipa::path(
    get, path = "/admin/health/duplicates", operation_id = "healthDuplicates", tag = "Administration",
    params(PageQuery),
    responses((status = 200, description = "Une page", body = PairsAnswer)),
    security(("bearer" = [])), extensions(("x-access" = json!("permission:health.moderate")))
)]
async fn pairs(
    State(health): State<Health>,
    _: Allowed<HealthModerate>,
    Query(query): Query<PageQuery>,
) -> Result<Reply<Pairs>, Problem> {
    let page = query.checked::<Uuid>()?;
    let (rows, next_cursor) = page.cut(duplicates::waiting(&health, page.after, page.rows()).await?, |row| row.id);
    let view = |row: duplicates::Pair| PairView {
        id: row.id,
        first_id: row.first_id,
        first_name: row.first_name,
        second_id: row.second_id,
        second_name: row.second_name,
        score: row.score,
        distance_meters: row.distance_meters,
    };
    Ok(Reply::ok("health.duplicates", Pairs { items: rows.into_iter().map(view).collect(), next_cursor }))
}

/// Décider d'un doublon
#[utoipa::path(
    post, path = "/admin/health/duplicates/{id}", operation_id = "decideDuplicate", tag = "Administration",
    params(("id" = Uuid, Path, description = "La paire")), request_body = DecidePair,
    responses((status = 200, description = "Réunis, ou reconnus distincts", body = NothingAnswer), (status = 409, description = "Déjà décidé")),
    security(("bearer" = [])), extensions(("x-access" = json!("permission:health.moderate")))
)]
async fn decide_pair(
    State(health): State<Health>,
    moderator: Allowed<HealthModerate>,
    Path(id): Path<Uuid>,
    Body(body): Body<DecidePair>,
) -> Result<Reply<Nothing>, Problem> {
    duplicates::decide(&health, moderator.account.public_id, id, body.keep).await?;
    Ok(Reply::ok("health.duplicate_decided", Nothing {}))
}

/// Les listes de garde sont-elles à jour ?
#[utoipa::path(
    get, path = "/admin/health/duty-lists", operation_id = "dutyLists", tag = "Administration",
    responses((status = 200, description = "Jusqu'à quand les listes vont", body = DutyStatusAnswer)),
    security(("bearer" = [])), extensions(("x-access" = json!("permission:health.moderate")))
)]
async fn duty_status(State(health): State<Health>, _: Allowed<HealthModerate>) -> Result<Reply<DutyStatus>, Problem> {
    let covered_until = health.loaded()?.duty_until();
    Ok(Reply::ok("health.duty_lists", DutyStatus { covered_until, missing: health.duty_missing() }))
}
