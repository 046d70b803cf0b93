//! Codes by SMS and e-mail: generate-otp, verify-otp and its old name verify-code, and the citizens' document.

mod api;
mod citizen;
pub(crate) mod engine;
mod limits;
pub(crate) mod model;
mod store;

use kernel::{Failure, Identifier};
use serde_json::json;
use sqlx::PgConnection;

use crate::account::{self, NextStep, Person};
use crate::event::{self, Nature};
use crate::message::{self, Notice};
use crate::session::{self, Account, Origin, SignedIn};
use crate::{Core, IdentityError, me, ticket};

pub(crate) use api::{CodeSent, CodeSentAnswer, routes};
pub(crate) use citizen::{root_routes, routes as citizen_routes};
pub(crate) use engine::{Ask, Checked, Sent, check, send_any, void_all};
pub(crate) use model::{Purpose, has_form};
pub(crate) use store::forget_old;

use model::{Consequence, consequence, next_step};

/// Sends a code to an account.
pub(crate) async fn generate(
    core: &Core,
    identifier: &Identifier,
    purpose: Purpose,
    origin: &Origin,
) -> Result<Sent, IdentityError> {
    let person = known(&mut *core.db.write.acquire().await?, identifier).await?;
    if purpose == Purpose::Citizen && !is_citizen(&person, identifier) {
        return Err(IdentityError::Field("purpose", "invalid"));
    }
    let (destination, network) = (identifier.as_str(), origin.network.as_str());
    let ask = Ask { id_user: person.id_user, lang: &person.langue, destination, purpose, network };
    send_any(core, ask).await
}

async fn known(connection: &mut PgConnection, identifier: &Identifier) -> Result<Person, IdentityError> {
    account::store::by_identifier(connection, identifier.as_str()).await?.ok_or(IdentityError::UnknownIdentifier)
}

/// Five digits are for telephone numbers of citizens only.
fn is_citizen(person: &Person, identifier: &Identifier) -> bool {
    person.type_utilisateur == "CITIZEN" && matches!(identifier, Identifier::Phone(_))
}

/// A code, and what came with it that shows whose account it is.
#[derive(Debug)]
pub(crate) struct Proof<'a> {
    pub(crate) identifier: &'a Identifier,
    pub(crate) purpose: Purpose,
    pub(crate) code: &'a str,
    /// From the body and from the cookie.
    pub(crate) tickets: [Option<&'a str>; 2],
    pub(crate) signed: Option<&'a Account>,
    pub(crate) origin: &'a Origin,
}

/// Where a right code led.
#[derive(Debug)]
pub(crate) struct Proved {
    pub(crate) ticket: String,
    pub(crate) next_step: NextStep,
    pub(crate) signed_in: Option<SignedIn>,
}

/// Checks a code; a right one proves its destination, in one transaction with all that follows from it.
pub(crate) async fn verify(core: &Core, proof: Proof<'_>) -> Result<Proved, IdentityError> {
    let mut transaction = core.db.write.begin().await?;
    let id_user = known(&mut transaction, proof.identifier).await?.id_user;
    let locked = account::store::lock(&mut transaction, id_user).await?;
    let person = locked.filter(|person| person.answers_to(proof.identifier)).ok_or(IdentityError::UnknownIdentifier)?;

    let ask = Ask {
        id_user,
        lang: &person.langue,
        destination: proof.identifier.as_str(),
        purpose: proof.purpose,
        network: &proof.origin.network,
    };
    match check(&mut transaction, core, ask, proof.code).await? {
        Checked::Right => {}
        Checked::Gone => return Err(IdentityError::OtpGone),
        Checked::Wrong { left } => {
            transaction.commit().await?;
            return Err(IdentityError::OtpWrong { attempts_left: left });
        }
    }
    let proved = settle(&mut transaction, core, &person, &proof).await;
    // A refusal does not give the code back: it was used.
    if matches!(proved, Ok(_) | Err(IdentityError::Suspended | IdentityError::ProofRequired)) {
        transaction.commit().await?;
    }
    proved
}

/// What a right code does.
async fn settle(
    transaction: &mut PgConnection,
    core: &Core,
    person: &Person,
    proof: &Proof<'_>,
) -> Result<Proved, IdentityError> {
    if person.suspended() {
        return Err(IdentityError::Suspended);
    }
    let signed_in = proof.signed.is_some_and(|account| account.id_user == person.id_user);
    let owner = signed_in || shows_ticket(transaction, core, person.id_user, &proof.tickets).await?;
    let consequence = consequence(person, person.is_mute(proof.identifier), owner, signed_in);
    match consequence {
        Consequence::Refuse => return Err(IdentityError::ProofRequired),
        Consequence::TakeOver => take_over(transaction, core, person, proof).await?,
        Consequence::Keep => {}
    }
    let (id_user, purpose, destination) = (person.id_user, proof.purpose.name(), proof.identifier.as_str());
    account::store::mark_proved(transaction, id_user, destination, core.clock.now()).await?;
    ticket::void_all(transaction, id_user).await?;
    let ticket = ticket::issue(transaction, core, id_user, ticket::Kind::Proof, purpose, destination).await?;
    event::record(
        transaction,
        core,
        id_user,
        Nature::IdentifierProved,
        &proof.origin.network,
        json!({"objet": purpose}),
    )
    .await?;

    let signed_in = match proof.purpose {
        Purpose::Login => Some(sign_in(transaction, core, id_user, proof.origin).await?),
        _ => None,
    };
    let has_password = person.mdp.is_some() && consequence != Consequence::TakeOver;
    Ok(Proved { ticket, next_step: next_step(proof.purpose, has_password, owner), signed_in })
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

/// Whether this device registered the account or chose its password: the ticket of the registration, used or not, or the
/// cookie of define-password.
async fn shows_ticket(
    connection: &mut PgConnection,
    core: &Core,
    id_user: i32,
    tickets: &[Option<&str>],
) -> Result<bool, Failure> {
    for ticket in tickets.iter().flatten() {
        if let Some(known) = ticket::look(connection, core, id_user, ticket).await?
            && (known.is(ticket::Kind::Registration) || known.is(ticket::Kind::Journey))
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Nothing was proved before: whoever chose the password and opened the sessions may have typed somebody else's number.
/// All of it goes, and who proves starts afresh.
async fn take_over(
    transaction: &mut PgConnection,
    core: &Core,
    person: &Person,
    proof: &Proof<'_>,
) -> Result<(), IdentityError> {
    let id_user = person.id_user;
    // An account of the first backend may hold money: its owner gets a day to hear of it.
    let blocked_until = person.adopte.then(|| core.clock.now() + core.config.outgoing_block);
    account::store::wipe_password(transaction, id_user, blocked_until).await?;
    session::revoke_all(transaction, core, id_user, None, session::Reason::TakenOver).await?;
    account::store::forget_pin(transaction, id_user).await?;
    void_all(transaction, id_user).await?;
    if person.mdp.is_some() {
        event::record(transaction, core, id_user, Nature::TakenOver, &proof.origin.network, json!({})).await?;
    }
    if person.adopte {
        for other in person.identifiers().filter(|other| *other != proof.identifier.as_str()) {
            message::notice(transaction, core, other, Notice::TakenOver, &person.langue).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
