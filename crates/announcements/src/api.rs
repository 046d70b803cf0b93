use axum::extract::State;
use identity::session::Signed;
use kernel::http::{PageQuery, Query};
use kernel::{Problem, Reply};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::{Announcement, Announcements};

pub(crate) fn routes() -> OpenApiRouter<Announcements> {
    OpenApiRouter::new().routes(routes!(list_announcements))
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Board {
    items: Vec<Announcement>,
    /// Pour la page suivante ; null à la dernière.
    next_cursor: Option<String>,
}

kernel::answer!(BoardAnswer, Board);

/// Les annonces en cours
#[utoipa::path(
    get, path = "/announcements", operation_id = "list_announcements", tag = "Annonces",
    params(PageQuery),
    responses((status = 200, description = "Les plus récentes d'abord", body = BoardAnswer)),
    security(("bearer" = [])),
    extensions(("x-access" = json!("user")))
)]
async fn list_announcements(
    State(house): State<Announcements>,
    _: Signed,
    Query(page): Query<PageQuery>,
) -> Result<Reply<Board>, Problem> {
    let (items, next_cursor) = house.list(&page.checked()?).await?;
    Ok(Reply::ok("announcements.board", Board { items, next_cursor }))
}
