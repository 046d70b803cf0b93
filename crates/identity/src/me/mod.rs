//! One's own account: what it says, what may be changed, taken away as a file, or erased.

mod api;
mod country;
mod house;
mod identifier;
mod model;
pub(crate) mod store;
mod takeover;

use kernel::{Failure, Timestamp};
use serde_json::{Map, Value, json};
use sqlx::PgConnection;

use crate::event::{self, Nature};
use crate::session::{self, Account, Origin};
use crate::sign_in::{self, Secret};
use crate::{Core, IdentityError, account};

pub(crate) use api::{OneUser, OneUserAnswer, routes};
pub use house::{AccountErased, ExportPart};
pub(crate) use model::Names;
pub use model::User;

/// Security events in an export, the newest.
const EXPORTED_EVENTS: i64 = 1_000;

/// A person as the answers show it, read with the caller's transaction.
pub(crate) async fn user(connection: &mut PgConnection, id_user: i32) -> Result<User, Failure> {
    Ok(store::user(connection, id_user).await?)
}

/// One's own account.
pub(crate) async fn read(core: &Core, account: &Account) -> Result<User, IdentityError> {
    Ok(user(&mut *core.db.write.acquire().await?, account.id_user).await?)
}

/// Changes names and country; never an identifier.
pub(crate) async fn rename(core: &Core, account: &Account, names: Names) -> Result<User, IdentityError> {
    let names = names.checked()?;
    let mut transaction = core.db.write.begin().await?;
    store::rename(&mut transaction, account.id_user, &names).await?;
    let user = user(&mut transaction, account.id_user).await?;
    transaction.commit().await?;
    Ok(user)
}

/// Everything that is kept about a person, of every house.
pub(crate) async fn export(
    core: &Core,
    account: &Account,
    origin: &Origin,
) -> Result<Map<String, Value>, IdentityError> {
    let mut transaction = core.db.write.begin().await?;
    let mut all = Map::new();
    all.insert("user".into(), json!(user(&mut transaction, account.id_user).await?));
    all.insert("sessions".into(), json!(session::all(&mut transaction, core, account).await?));
    let events = event::latest(&mut transaction, account.id_user, EXPORTED_EVENTS).await?;
    all.insert("securityEvents".into(), events.iter().map(event_view).collect());
    for part in &core.export_parts {
        let (name, value) = part.export(&mut transaction, account.id_user).await?;
        all.insert(name.to_owned(), value);
    }
    event::record(&mut transaction, core, account.id_user, Nature::Exported, &origin.network, json!({})).await?;
    transaction.commit().await?;
    Ok(all)
}

fn event_view(event: &event::Event) -> Value {
    json!({"kind": event.nature, "network": event.reseau, "at": Timestamp(event.cree_le)})
}

/// Erases the account when every house agrees: one transaction, so that a refusal of one leaves all as it was.
pub(crate) async fn erase(
    core: &Core,
    account: &Account,
    password: Secret,
    origin: &Origin,
) -> Result<(), IdentityError> {
    sign_in::confirm_password(core, account, password, origin).await?;
    let mut transaction = core.db.write.begin().await?;
    account::store::lock(&mut transaction, account.id_user).await?.ok_or(IdentityError::TokenInvalid)?;
    erase_locked(&mut transaction, core, account.id_user, &origin.network).await?;
    Ok(transaction.commit().await?)
}

/// Erases an account that the caller's transaction has locked; on any refusal it has to be rolled back.
async fn erase_locked(
    transaction: &mut PgConnection,
    core: &Core,
    id_user: i32,
    network: &str,
) -> Result<(), IdentityError> {
    for house in &core.erasers {
        house.check_and_erase(transaction, id_user).await?;
    }
    store::anonymise(transaction, id_user, core.clock.now()).await?;
    Ok(event::record(transaction, core, id_user, Nature::Erased, network, json!({})).await?)
}

#[cfg(test)]
mod tests;
