//! The back office's view of people. Every read is written to the log under the name of who read.

mod api;

use kernel::Problem;
use kernel::http::Page;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::event::{self, Nature};
use crate::me::{User, store};
use crate::session::{Account, Origin};
use crate::{Core, IdentityError};

pub(crate) use api::routes;

/// Everybody, the newest first, with masked identifiers.
pub(crate) async fn list(
    core: &Core,
    reader: &Account,
    page: &Page<Uuid>,
    origin: &Origin,
) -> Result<(Vec<User>, Option<String>), IdentityError> {
    let rows = store::page(&mut *core.db.read.acquire().await?, page.after, page.rows()).await?;
    let (users, next) = page.cut(rows, |user| user.id);
    audit(core, reader, json!({"list": users.len()}), origin).await?;
    Ok((users.into_iter().map(|user| user.masked(&core.config.countries)).collect(), next))
}

/// One person, with identifiers: to answer somebody who calls.
pub(crate) async fn one(core: &Core, reader: &Account, id: Uuid, origin: &Origin) -> Result<User, IdentityError> {
    let user = store::by_public_id(&mut *core.db.read.acquire().await?, id).await?.ok_or_else(Problem::not_found)?;
    audit(core, reader, json!({"user": id}), origin).await?;
    Ok(user)
}

/// Before the answer: what was not logged is not shown.
async fn audit(core: &Core, reader: &Account, details: Value, origin: &Origin) -> Result<(), IdentityError> {
    let mut connection = core.db.write.acquire().await?;
    event::record(&mut connection, core, reader.id_user, Nature::AccountsRead, &origin.network, details).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
