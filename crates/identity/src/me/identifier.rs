//! Another e-mail address or telephone number: proved by a code before it counts, told to those that counted before.
//! What was typed and never proved stands in nobody's way: it goes when something else is proved, or to whoever proves it.

use kernel::Identifier;
use kernel::db::violates;
use serde_json::json;
use sqlx::PgConnection;

use super::{User, store, takeover, user};
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
    let holder = accounts::by_identifier(&mut *core.db.write.acquire().await?, identifier.as_str()).await?;
    may_have(holder.as_ref(), account.id_user, identifier)?;
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

/// Nobody has it, or this very account without having proved it, or another one that would have to give it up.
fn may_have(holder: Option<&Person>, id_user: i32, identifier: &Identifier) -> Result<(), IdentityError> {
    match holder {
        None => Ok(()),
        Some(own) if own.id_user == id_user && !own.has_proved(identifier) => Ok(()),
        Some(other) if other.id_user != id_user && other.gives_up(identifier) => Ok(()),
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
    let locked = accounts::lock_beside_holder(&mut transaction, account.id_user, identifier.as_str()).await?;
    // Its last identifier may have been taken, and the account erased, since the token was read.
    let person = locked.iter().find(|person| person.id_user == account.id_user && !person.suspended());
    let person = person.ok_or(IdentityError::TokenInvalid)?;
    let holder = locked.iter().find(|person| person.answers_to(identifier));
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
    may_have(holder, account.id_user, identifier)?;
    if let Some(other) = holder.filter(|holder| holder.id_user != account.id_user) {
        takeover::take_from(&mut transaction, core, other, identifier, &origin.network).await?;
    }
    let (alone, now) = (person.releases_other_than(identifier), core.clock.now());
    let written = store::set_identifier(&mut transaction, account.id_user, identifier, alone, now).await;
    written.map_err(|error| if is_taken(&error) { IdentityError::IdentifierTaken } else { error.into() })?;
    tell(&mut transaction, core, person, identifier).await?;
    if alone {
        let reached = std::iter::once(identifier.as_str());
        takeover::tell_released(&mut transaction, core, person, reached, &origin.network).await?;
    }
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
