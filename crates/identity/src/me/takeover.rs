//! An identifier that somebody typed and never proved goes to whoever proves it for another account.

use kernel::Identifier;
use serde_json::json;
use sqlx::{Connection, PgConnection};

use super::store;
use crate::account::{Person, store as accounts};
use crate::event::{self, Nature};
use crate::message::{self, Notice};
use crate::session::{self, Reason};
use crate::{Core, IdentityError, otp, ticket};

/// Takes an identifier from an account that has to give it up, which the caller's transaction has locked. `network` is
/// that of the proof.
pub(super) async fn take_from(
    transaction: &mut PgConnection,
    core: &Core,
    holder: &Person,
    identifier: &Identifier,
    network: &str,
) -> Result<(), IdentityError> {
    let id_user = holder.id_user;
    let other = holder.identifiers().any(|own| own != identifier.as_str());
    // Erased before anything else is written: houses lock their rows first, as in every erasure.
    if !other && erased(transaction, core, id_user, network).await? {
        return Ok(());
    }
    store::release(transaction, id_user, identifier).await?;
    otp::void_all(transaction, id_user).await?;
    ticket::void_all(transaction, id_user).await?;
    if other {
        return tell_released(transaction, core, holder, holder.proved_identifiers(), network).await;
    }
    close(transaction, core, id_user, network).await
}

/// Whether the account could be erased. Where a house refuses, since there is money, nothing was changed.
async fn erased(
    transaction: &mut PgConnection,
    core: &Core,
    id_user: i32,
    network: &str,
) -> Result<bool, IdentityError> {
    let mut attempt = transaction.begin().await?;
    match super::erase_locked(&mut attempt, core, id_user, network).await {
        Ok(()) => {
            attempt.commit().await?;
            Ok(true)
        }
        Err(IdentityError::Refused(problem)) if problem.status.is_client_error() => {
            attempt.rollback().await?;
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// The account stays for the money in it, and nobody signs in to it: whoever chose its password proved nothing.
async fn close(transaction: &mut PgConnection, core: &Core, id_user: i32, network: &str) -> Result<(), IdentityError> {
    accounts::wipe_password(transaction, id_user, None).await?;
    accounts::forget_pin(transaction, id_user).await?;
    session::revoke_all(transaction, core, id_user, None, Reason::TakenOver).await?;
    event::record(transaction, core, id_user, Nature::TakenOver, network, json!({})).await?;
    tracing::warn!(id_user, "an account that holds money lost its only identifier, which it never proved");
    Ok(())
}

/// Notes that an identifier went from an account, and tells it where the account is reached still.
pub(super) async fn tell_released(
    transaction: &mut PgConnection,
    core: &Core,
    person: &Person,
    reached: impl Iterator<Item = &str>,
    network: &str,
) -> Result<(), IdentityError> {
    event::record(transaction, core, person.id_user, Nature::IdentifierReleased, network, json!({})).await?;
    for to in reached {
        message::notice(transaction, core, to, Notice::IdentifierReleased, &person.langue).await?;
    }
    Ok(())
}
