//! Roles and permissions: `role_permission` says what a role may, `utilisateur_role` who has it. An extractor asks for
//! each request, so that a role that is taken away is gone at once.

mod store;

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use kernel::{Identifier, Problem};
use serde_json::json;

use crate::account;
use crate::event::{self, Nature};
use crate::session::{Account, Signed, identity};
use crate::{Core, Identity, IdentityError};

/// What somebody may do. A type, so that the extractor of a handler shows it: `_: Allowed<UsersRead>`.
pub trait Permission: Send + Sync + 'static {
    /// The name in `role_permission`, and in the document of the interface.
    const NAME: &'static str;
}

/// Reading the accounts of other people.
#[derive(Clone, Copy, Debug)]
pub struct UsersRead;

impl Permission for UsersRead {
    const NAME: &'static str = "users.read";
}

/// Who asks, and has the permission.
#[derive(Debug)]
pub struct Allowed<P: Permission> {
    /// Who asks.
    pub account: Account,
    permission: PhantomData<P>,
}

impl<P: Permission, S: Sync> FromRequestParts<S> for Allowed<P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Signed(account) = <Signed as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        identity(parts)?.require(&account, P::NAME).await?;
        Ok(Self { account, permission: PhantomData })
    }
}

impl Identity {
    /// Refuses who lacks a permission.
    pub async fn require(&self, account: &Account, permission: &str) -> Result<(), IdentityError> {
        let mut connection = self.db.write.acquire().await?;
        let may = store::may(&mut connection, account.id_user, permission).await?;
        if may { Ok(()) } else { Err(IdentityError::NotAllowed) }
    }

    /// Gives a role to the account of an identifier, for `hostolink admin grant`. False when it had it already.
    pub async fn admin_grant(&self, identifier: &str, role: &str) -> Result<bool, IdentityError> {
        grant(self, identifier, role).await
    }
}

async fn grant(core: &Core, identifier: &str, role: &str) -> Result<bool, IdentityError> {
    let identifier = Identifier::parse(identifier, &core.config.countries)?;
    let mut transaction = core.db.write.begin().await?;
    if !store::is_role(&mut transaction, role).await? {
        return Err(IdentityError::Field("role", "unknown_role"));
    }
    let person = account::store::by_identifier(&mut transaction, identifier.as_str()).await?;
    let person = person.ok_or(IdentityError::UnknownIdentifier)?;
    let new = store::grant(&mut transaction, person.id_user, role, core.clock.now()).await?;
    if new {
        event::record(&mut transaction, core, person.id_user, Nature::RoleGranted, "", json!({"role": role})).await?;
    }
    transaction.commit().await?;
    Ok(new)
}

#[cfg(test)]
mod tests;
