//! People, and the steps of signing up: check-user, register-user, define-password, reset-password.

mod api;
mod finder;
mod founding;
mod model;
pub(crate) mod store;

use kernel::http::Lang;
use kernel::{Failure, Identifier, new_id};
use serde_json::json;
use sqlx::PgConnection;
use zeroize::Zeroizing;

use crate::event::{self, Nature};
use crate::message::{self, Notice};
use crate::otp::Purpose;
use crate::session::{self, Origin, SignedIn};
use crate::ticket::{self, Kind};
use crate::{Core, IdentityError, me, otp, password};

pub(crate) use api::routes;
pub(crate) use finder::{Finder, start as start_finder};
pub use founding::Founder;
pub(crate) use model::Person;
pub use model::{Found, NextStep};

use model::{country_of, is_young};

/// Somebody new.
#[derive(Debug)]
pub(crate) struct Registered {
    pub(crate) user: me::User,
    pub(crate) ticket: String,
}

/// Inserts an account without a password.
pub(crate) async fn register(
    core: &Core,
    identifier: &Identifier,
    lang: Lang,
    origin: &Origin,
) -> Result<Registered, IdentityError> {
    let (email, phone) = match identifier {
        Identifier::Email(email) => (Some(email.as_str()), None),
        Identifier::Phone(phone) => (None, Some(phone.as_str())),
    };
    let (public_id, now) = (new_id(&core.clock, &core.random), core.clock.now());
    let mut transaction = core.db.write.begin().await?;
    let inserted =
        store::insert(&mut transaction, public_id, email, phone, country_of(identifier), lang.tag(), now).await?;
    let id_user = inserted.ok_or(IdentityError::AlreadyRegistered)?;
    let ticket = ticket::issue(&mut transaction, core, id_user, Kind::Registration, "", "").await?;
    let details = json!({"genre": identifier.kind()});
    event::record(&mut transaction, core, id_user, Nature::Registered, &origin.network, details).await?;
    let user = me::user(&mut transaction, id_user).await?;
    transaction.commit().await?;
    Ok(Registered { user, ticket })
}

/// A password for an account, as it was asked for.
#[derive(Debug)]
pub(crate) struct NewPassword<'a> {
    pub(crate) identifier: &'a Identifier,
    pub(crate) password: &'a str,
    pub(crate) ticket: Option<&'a str>,
}

/// What allows to define a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Basis {
    /// A proof of the identifier.
    Proof,
    /// The ticket of the registration, or its being a short while ago: nothing is proved, and nothing may have been.
    Registration,
}

/// The first password. The answer signs in, and its ticket is the cookie that shows later who chose the password.
pub(crate) async fn define_password(
    core: &Core,
    asked: NewPassword<'_>,
    origin: &Origin,
) -> Result<(SignedIn, String), IdentityError> {
    password::check(asked.password, [asked.identifier.as_str()])?;
    let mut connection = core.db.write.acquire().await?;
    let person = person(&mut connection, asked.identifier).await?;
    password::check(asked.password, person.identifiers())?;
    // Asked before the hash, which costs, and again under the lock.
    allowed(&mut connection, core, &person, &asked).await?;
    drop(connection);
    let hash = core.hasher.hash(secret(asked.password)).await?;

    let mut transaction = core.db.write.begin().await?;
    let id_user = person.id_user;
    let person = locked(&mut transaction, id_user, asked.identifier).await?;
    let basis = allowed(&mut transaction, core, &person, &asked).await?;
    let unproved = basis == Basis::Registration;
    if !store::define_password(&mut transaction, id_user, &hash, unproved, core.clock.now()).await? {
        return Err(IdentityError::PasswordAlreadySet);
    }
    if let Some(ticket) = asked.ticket
        && !ticket::consume(&mut transaction, core, id_user, ticket).await?
    {
        return Err(IdentityError::TicketInvalid);
    }
    let cookie = ticket::issue(&mut transaction, core, id_user, Kind::Journey, "", "").await?;
    event::record(&mut transaction, core, id_user, Nature::PasswordDefined, &origin.network, json!({})).await?;
    let signed_in = sign_in(&mut transaction, core, id_user, origin).await?;
    transaction.commit().await?;
    Ok((signed_in, cookie))
}

async fn allowed(
    connection: &mut PgConnection,
    core: &Core,
    person: &Person,
    asked: &NewPassword<'_>,
) -> Result<Basis, IdentityError> {
    if person.suspended() {
        return Err(IdentityError::Suspended);
    }
    if person.mdp.is_some() {
        return Err(IdentityError::PasswordAlreadySet);
    }
    let Some(ticket) = asked.ticket else {
        // Once something is proved, the minutes after the registration belong to whoever proved it.
        let young = is_young(person.inscrit_le, core.clock.now()) && !person.proved();
        return if young { Ok(Basis::Registration) } else { Err(IdentityError::ProofRequired) };
    };
    let known = ticket::look(connection, core, person.id_user, ticket).await?.filter(|known| !known.utilise);
    match known {
        Some(known) if known.is(Kind::Proof) && known.destination == asked.identifier.as_str() => Ok(Basis::Proof),
        Some(known) if known.is(Kind::Registration) && !person.proved() => Ok(Basis::Registration),
        _ => Err(IdentityError::TicketInvalid),
    }
}

/// Another password, with a proof that was asked for this. Every other session ends, no money leaves for a day, and every
/// channel is told: if it was not the owner, the owner has time to hear of it.
pub(crate) async fn reset_password(
    core: &Core,
    asked: NewPassword<'_>,
    origin: &Origin,
) -> Result<SignedIn, IdentityError> {
    password::check(asked.password, [asked.identifier.as_str()])?;
    let ticket = asked.ticket.ok_or(IdentityError::TicketInvalid)?;
    let mut connection = core.db.write.acquire().await?;
    let person = person(&mut connection, asked.identifier).await?;
    password::check(asked.password, person.identifiers())?;
    proof_of_reset(&mut connection, core, &person, asked.identifier, ticket).await?;
    drop(connection);
    let hash = core.hasher.hash(secret(asked.password)).await?;

    let mut transaction = core.db.write.begin().await?;
    let id_user = person.id_user;
    let person = locked(&mut transaction, id_user, asked.identifier).await?;
    proof_of_reset(&mut transaction, core, &person, asked.identifier, ticket).await?;
    if !ticket::consume(&mut transaction, core, id_user, ticket).await? {
        return Err(IdentityError::TicketInvalid);
    }
    let now = core.clock.now();
    store::replace_password(&mut transaction, id_user, &hash, now, now + core.config.outgoing_block).await?;
    session::revoke_all(&mut transaction, core, id_user, None, session::Reason::PasswordReset).await?;
    ticket::void_all(&mut transaction, id_user).await?;
    otp::void_all(&mut transaction, id_user).await?;
    event::record(&mut transaction, core, id_user, Nature::PasswordReset, &origin.network, json!({})).await?;
    for destination in person.proved_identifiers() {
        message::notice(&mut transaction, core, destination, Notice::PasswordReset, &person.langue).await?;
    }
    let signed_in = sign_in(&mut transaction, core, id_user, origin).await?;
    transaction.commit().await?;
    Ok(signed_in)
}

async fn proof_of_reset(
    connection: &mut PgConnection,
    core: &Core,
    person: &Person,
    identifier: &Identifier,
    ticket: &str,
) -> Result<(), IdentityError> {
    if person.suspended() {
        return Err(IdentityError::Suspended);
    }
    let known = ticket::look(connection, core, person.id_user, ticket).await?;
    let proves =
        known.is_some_and(|known| known.proves(Purpose::Reset.name()) && known.destination == identifier.as_str());
    if proves { Ok(()) } else { Err(IdentityError::TicketInvalid) }
}

async fn person(connection: &mut PgConnection, identifier: &Identifier) -> Result<Person, IdentityError> {
    store::by_identifier(connection, identifier.as_str()).await?.ok_or(IdentityError::UnknownIdentifier)
}

/// The account under its lock, if it still answers to the identifier.
async fn locked(connection: &mut PgConnection, id_user: i32, identifier: &Identifier) -> Result<Person, IdentityError> {
    let person = store::lock(connection, id_user).await?.filter(|person| person.answers_to(identifier));
    person.ok_or(IdentityError::UnknownIdentifier)
}

fn secret(password: &str) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(password.as_bytes().to_vec())
}

async fn sign_in(
    transaction: &mut PgConnection,
    core: &Core,
    id_user: i32,
    origin: &Origin,
) -> Result<SignedIn, Failure> {
    let tokens = session::open(transaction, core, id_user, origin).await?;
    Ok(tokens.of(me::user(transaction, id_user).await?))
}

#[cfg(test)]
mod tests;
