//! One's own account: what it says, what may be changed, taken away as a file, or erased.

mod model;
mod store;

use kernel::Failure;
use sqlx::PgConnection;

pub use model::User;

/// A person as the answers show it, read with the caller's transaction.
pub(crate) async fn user(connection: &mut PgConnection, id_user: i32) -> Result<User, Failure> {
    Ok(store::user(connection, id_user).await?)
}
