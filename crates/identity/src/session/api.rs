use axum::extract::State;
use kernel::http::{Body, PageQuery, Path, Query};
use kernel::{Problem, Reply};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{Origin, SessionView, Signed, SignedIn};
use crate::Identity;

pub(crate) fn routes() -> OpenApiRouter<Identity> {
    OpenApiRouter::new()
        .routes(routes!(refresh))
        .routes(routes!(logout))
        .routes(routes!(list_sessions))
        .routes(routes!(revoke_session))
}

/// Rien de plus que le message.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Done {}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Sessions {
    items: Vec<SessionView>,
    /// Pour la page suivante ; null à la dernière.
    next_cursor: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Refresh {
    /// Le dernier `refreshToken` reçu.
    #[schema(examples("hsr_q2rYb1m9cVtq1Kg5X1u0c0mW1yWl0f0a7Wc2n0bqB3k7d9eFA"))]
    refresh_token: String,
}

kernel::answer!(SignedInAnswer, SignedIn);
kernel::answer!(DoneAnswer, Done);
kernel::answer!(SessionsAnswer, Sessions);

/// Échanger son refreshToken contre une nouvelle paire
///
/// Chaque jeton sert une fois. Si la réponse s'est perdue, le même jeton est encore accepté une fois, tant que la paire
/// perdue n'a pas servi ; au-delà, il passe pour volé et la session est fermée. 409 : une autre requête vient de
/// l'échanger, prenez sa réponse.
#[utoipa::path(
    post, path = "/auth/refresh", operation_id = "refresh", tag = "Inscription et connexion",
    request_body = Refresh,
    responses(
        (status = 200, description = "La nouvelle paire de jetons", body = SignedInAnswer),
        (status = 401, description = "Jeton inconnu, expiré, révoqué ou déjà échangé"),
        (status = 409, description = "Échangé à l'instant par une autre requête"),
    ),
    security(()),
    extensions(("x-access" = json!("public")))
)]
async fn refresh(
    State(identity): State<Identity>,
    origin: Origin,
    Body(body): Body<Refresh>,
) -> Result<Reply<SignedIn>, Problem> {
    let signed_in = super::refresh(&identity, &body.refresh_token, &origin).await?;
    Ok(Reply::ok("identity.refreshed", signed_in))
}

/// Se déconnecter de cet appareil
#[utoipa::path(
    post, path = "/auth/logout", operation_id = "logout", tag = "Inscription et connexion",
    responses((status = 200, description = "Déconnecté", body = DoneAnswer), (status = 401, description = "Jeton absent ou refusé")),
    security(("bearer" = [])),
    extensions(("x-access" = json!("user")))
)]
async fn logout(
    State(identity): State<Identity>,
    Signed(account): Signed,
    origin: Origin,
) -> Result<Reply<Done>, Problem> {
    super::sign_out(&identity, &account, &origin).await?;
    Ok(Reply::ok("identity.signed_out", Done {}))
}

/// Les appareils connectés à son compte
#[utoipa::path(
    get, path = "/me/sessions", operation_id = "list_sessions", tag = "Mon compte",
    params(PageQuery),
    responses((status = 200, description = "Les sessions vivantes, la plus récente d'abord", body = SessionsAnswer)),
    security(("bearer" = [])),
    extensions(("x-access" = json!("user")))
)]
async fn list_sessions(
    State(identity): State<Identity>,
    Signed(account): Signed,
    Query(page): Query<PageQuery>,
) -> Result<Reply<Sessions>, Problem> {
    let (items, next_cursor) = super::list(&identity, &account, &page.checked()?).await?;
    Ok(Reply::ok("identity.sessions", Sessions { items, next_cursor }))
}

/// Déconnecter un appareil
#[utoipa::path(
    delete, path = "/me/sessions/{id}", operation_id = "revoke_session", tag = "Mon compte",
    params(("id" = Uuid, Path, description = "`id` de la session")),
    responses(
        (status = 200, description = "Session fermée", body = DoneAnswer),
        (status = 404, description = "Session inconnue, déjà fermée, ou de quelqu'un d'autre"),
    ),
    security(("bearer" = [])),
    extensions(("x-access" = json!("user")))
)]
async fn revoke_session(
    State(identity): State<Identity>,
    Signed(account): Signed,
    origin: Origin,
    Path(id): Path<Uuid>,
) -> Result<Reply<Done>, Problem> {
    super::revoke(&identity, &account, id, &origin).await?;
    Ok(Reply::ok("identity.session_revoked", Done {}))
}
