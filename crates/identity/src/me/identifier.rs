//! Another e-mail address or telephone number: proved by a code before it counts, told to those that counted before.

use kernel::Identifier;
use kernel::db::violates;
use serde_json::json;
use sqlx::PgConnection;

use super::{User, store, user};
use crate::account::{Person, store as accounts};
use crate::event::{self, Nature};
use crate::message::{self, Notice};
use crate::otp::{self, Ask, Checked, Purpose, Sent};
use crate::session::{Account, Origin};
use crate::{Core, IdentityError, ticket};

/// Sends a code to an identifier that the account wants to have.
pub(super) async fn ask(
    core: &Core,
    account: &Account,
    identifier: &Identifier,
    origin: &Origin,
) -> Result<Sent, IdentityError> {
    free(&mut *core.db.write.acquire().await?, account.id_user, identifier).await?;
    otp::send_any(core, code_of(account, identifier, origin)).await
}

fn code_of<'a>(account: &'a Account, identifier: &'a Identifier, origin: &'a Origin) -> Ask<'a> {
    Ask {
        id_user: account.id_user,
        lang: &account.lang,
        destination: identifier.as_str(),
        purpose: Purpose::Identifier,
        network: &origin.network,
    }
}

/// Nobody has it, or this very account without having proved it.
async fn free(connection: &mut PgConnection, id_user: i32, identifier: &Identifier) -> Result<(), IdentityError> {
    match accounts::by_identifier(connection, identifier.as_str()).await? {
        None => Ok(()),
        Some(person) if person.id_user == id_user && !person.has_proved(identifier) => Ok(()),
        Some(_) => Err(IdentityError::IdentifierTaken),
    }
}

/// Takes the identifier over with its code.
pub(super) async fn prove(
    core: &Core,
    account: &Account,
    identifier: &Identifier,
    code: &str,
    origin: &Origin,
) -> Result<User, IdentityError> {
    let mut transaction = core.db.write.begin().await?;
    let person = accounts::lock(&mut transaction, account.id_user).await?.ok_or(IdentityError::TokenInvalid)?;
    let refusal = match otp::check(&mut transaction, core, code_of(account, identifier, origin), code).await? {
        Checked::Right => None,
        Checked::Wrong { left } => Some(IdentityError::OtpWrong { attempts_left: left }),
        Checked::Gone => Some(IdentityError::OtpGone),
    };
    if let Some(refusal) = refusal {
        // A wrong code has to count.
        transaction.commit().await?;
        return Err(refusal);
    }
    free(&mut transaction, account.id_user, identifier).await?;
    let written = store::set_identifier(&mut transaction, account.id_user, identifier, core.clock.now()).await;
    written.map_err(|error| if is_taken(&error) { IdentityError::IdentifierTaken } else { error.into() })?;
    tell(&mut transaction, core, &person, identifier).await?;
    // Codes and tickets of the identifier that was replaced prove nothing any more.
    otp::void_all(&mut transaction, account.id_user).await?;
    ticket::void_all(&mut transaction, account.id_user).await?;
    let details = json!({"kind": identifier.kind()});
    event::record(&mut transaction, core, account.id_user, Nature::IdentifierChanged, &origin.network, details).await?;
    let user = user(&mut transaction, account.id_user).await?;
    transaction.commit().await?;
    Ok(user)
}

/// Somebody was faster than the check.
fn is_taken(error: &sqlx::Error) -> bool {
    violates(error, "UQ_80273015241cbddf8152908bd5b") || violates(error, "UQ_e1136325a6b28e2a02b81b2f5e1")
}

/// Those that were proved before learn of it, the replaced one among them: whoever is robbed reads it there.
async fn tell(
    transaction: &mut PgConnection,
    core: &Core,
    before: &Person,
    new: &Identifier,
) -> Result<(), IdentityError> {
    for to in before.proved_identifiers().filter(|to| *to != new.as_str()) {
        message::notice(transaction, core, to, Notice::IdentifierChanged, &before.langue).await?;
    }
    Ok(())
}
