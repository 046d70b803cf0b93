use axum::extract::State;
use kernel::http::{PageQuery, Path, Query};
use kernel::{Problem, Reply};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::Identity;
use crate::me::{OneUser, OneUserAnswer, User};
use crate::role::{Allowed, UsersRead};
use crate::session::Origin;

pub(crate) fn routes() -> OpenApiRouter<Identity> {
    OpenApiRouter::new().routes(routes!(list_users)).routes(routes!(get_user))
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Users {
    /// `email` et `phoneNumber` sont masqués.
    items: Vec<User>,
    /// Pour la page suivante ; null à la dernière.
    next_cursor: Option<String>,
}

kernel::answer!(UsersAnswer, Users);

/// Tous les utilisateurs
///
/// Réservé aux rôles qui ont `users.read`. Chaque lecture est inscrite au journal de sécurité.
#[utoipa::path(
    get, path = "/users", operation_id = "list_users", tag = "Administration",
    params(PageQuery),
    responses(
        (status = 200, description = "Les plus récents d'abord, identifiants masqués", body = UsersAnswer),
        (status = 403, description = "Permission `users.read` absente"),
    ),
    security(("bearer" = [])),
    extensions(("x-access" = json!("permission:users.read")))
)]
async fn list_users(
    State(identity): State<Identity>,
    reader: Allowed<UsersRead>,
    origin: Origin,
    Query(page): Query<PageQuery>,
) -> Result<Reply<Users>, Problem> {
    let (items, next_cursor) = super::list(&identity, &reader.account, &page.checked()?, &origin).await?;
    Ok(Reply::ok("identity.users", Users { items, next_cursor }))
}

/// Un utilisateur
#[utoipa::path(
    get, path = "/users/{id}", operation_id = "get_user", tag = "Administration",
    params(("id" = Uuid, Path, description = "`id` de la personne")),
    responses(
        (status = 200, description = "La personne, identifiants en clair", body = OneUserAnswer),
        (status = 403, description = "Permission `users.read` absente"),
        (status = 404, description = "Personne n'a cet id, ou le compte est effacé"),
    ),
    security(("bearer" = [])),
    extensions(("x-access" = json!("permission:users.read")))
)]
async fn get_user(
    State(identity): State<Identity>,
    reader: Allowed<UsersRead>,
    origin: Origin,
    Path(id): Path<Uuid>,
) -> Result<Reply<OneUser>, Problem> {
    let user = super::one(&identity, &reader.account, id, &origin).await?;
    Ok(Reply::ok("identity.user", OneUser { user }))
}
