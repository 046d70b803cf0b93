//! What the tests of signed-in people add to [`House`].

use uuid::Uuid;

use crate::testing::{self, Someone};
use crate::tests::House;

/// Somebody who proved an identifier and is signed in, from a network of their own.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) id_user: i32,
    pub(crate) public_id: Uuid,
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl House {
    /// Signs somebody up.
    pub(crate) async fn member(&self, identifier: &str) -> Member {
        let Someone { id_user, account, tokens } = testing::sign_up(&self.identity, identifier).await;
        Member { id_user, public_id: account.public_id, access: tokens.access_token, refresh: tokens.refresh_token }
    }

    /// Changes rows behind the program's back.
    pub(crate) async fn execute(&self, sql: &'static str) {
        sqlx::query(sql).execute(self.pool()).await.unwrap();
    }
}
