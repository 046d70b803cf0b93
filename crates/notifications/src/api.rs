use axum::extract::State;
use identity::session::Signed;
use kernel::http::{Body, PageQuery, Query};
use kernel::{Problem, Reply};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::{Notification, Notifications};

pub(crate) fn routes() -> OpenApiRouter<Notifications> {
    OpenApiRouter::new().routes(routes!(list_notifications)).routes(routes!(see_notifications))
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Inbox {
    items: Vec<Notification>,
    /// Pour la page suivante ; null à la dernière.
    next_cursor: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Seen {
    /// Jusqu'à celle-ci, la plus récente qui a été montrée ; toutes si elle manque.
    up_to: Option<Uuid>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Unseen {
    /// Ce qui reste à voir, jusqu'à 100.
    unseen: i64,
}

kernel::answer!(InboxAnswer, Inbox);
kernel::answer!(UnseenAnswer, Unseen);

/// Ses notifications
#[utoipa::path(
    get, path = "/notifications", operation_id = "list_notifications", tag = "Notifications",
    params(PageQuery),
    responses((status = 200, description = "Les plus récentes d'abord", body = InboxAnswer)),
    security(("bearer" = [])),
    extensions(("x-access" = json!("user")))
)]
async fn list_notifications(
    State(house): State<Notifications>,
    Signed(account): Signed,
    Query(page): Query<PageQuery>,
) -> Result<Reply<Inbox>, Problem> {
    let (items, next_cursor) = house.list(account.id_user, &page.checked()?).await?;
    Ok(Reply::ok("notifications.inbox", Inbox { items, next_cursor }))
}

/// Marquer ses notifications comme vues
#[utoipa::path(
    put, path = "/notifications/seen", operation_id = "see_notifications", tag = "Notifications",
    request_body = Seen,
    responses((status = 200, description = "Ce qui reste à voir", body = UnseenAnswer)),
    security(("bearer" = [])),
    extensions(("x-access" = json!("user")))
)]
async fn see_notifications(
    State(house): State<Notifications>,
    Signed(account): Signed,
    Body(seen): Body<Seen>,
) -> Result<Reply<Unseen>, Problem> {
    house.see(account.id_user, seen.up_to).await?;
    let unseen = house.unseen(account.id_user).await?;
    Ok(Reply::ok("notifications.seen", Unseen { unseen }))
}
