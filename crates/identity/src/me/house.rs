//! What the houses above add to export and erasure. The server gives them at construction: identity knows their shape,
//! not their names.

use std::fmt::Debug;

use futures_util::future::BoxFuture;
use kernel::Problem;
use serde_json::Value;
use sqlx::PgConnection;

/// A house that keeps something about people, and may have a reason against an erasure (money that is left).
pub trait AccountErased: Debug + Send + Sync {
    /// Refuses, or erases its part with the transaction that erases the account.
    fn check_and_erase<'a>(
        &'a self,
        transaction: &'a mut PgConnection,
        id_user: i32,
    ) -> BoxFuture<'a, Result<(), Problem>>;
}

/// A house that keeps something that a person may ask for.
pub trait ExportPart: Debug + Send + Sync {
    /// The member of the export, and its content.
    fn export<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        id_user: i32,
    ) -> BoxFuture<'a, Result<(&'static str, Value), Problem>>;
}
