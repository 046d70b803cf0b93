//! The payment PIN: six digits, kept as argon2id over a keyed hash, so that a copy of the database alone gives none of
//! the million. Tries are counted before they are evaluated; the fifth wrong one in a row locks it.

mod api;
mod model;
mod store;

use chrono::{DateTime, Utc};
use kernel::Failure;
use kernel::keys::{Purpose, sha256};
use serde_json::json;
use sqlx::PgConnection;
use zeroize::Zeroizing;

use crate::event::{self, Nature};
use crate::message::{self, Notice};
use crate::session::{self, Account, Origin};
use crate::sign_in::{self, Secret};
use crate::{Core, Identity, IdentityError, account, ticket};
use model::Way;
use store::NewPin;

pub(crate) use api::routes;

impl Identity {
    /// Confirms the PIN of a person who is about to move money: right, or an error that says why not. Wrong ones are
    /// counted, whatever becomes of the caller's transaction.
    pub async fn confirm_pin(&self, account: &Account, pin: &str) -> Result<(), IdentityError> {
        confirm(self, account.id_user, "pin", pin, "").await?;
        Ok(())
    }
}

/// What somebody sends to get a new PIN.
pub(crate) struct Wish {
    pub(crate) pin: Zeroizing<String>,
    pub(crate) password: Option<Secret>,
    pub(crate) current_pin: Option<Zeroizing<String>>,
    pub(crate) flow_ticket: Option<String>,
}

/// Opens this session for payments for some minutes.
pub(crate) async fn unlock(
    core: &Core,
    account: &Account,
    pin: &str,
    origin: &Origin,
) -> Result<DateTime<Utc>, IdentityError> {
    confirm(core, account.id_user, "pin", pin, &origin.network).await?;
    let until = core.clock.now() + core.config.unlock_ttl;
    let mut connection = core.db.write.acquire().await?;
    if session::unlock(&mut connection, account.id_user, account.session_id, until).await? {
        Ok(until)
    } else {
        // It was revoked while the PIN was being compared.
        Err(IdentityError::TokenInvalid)
    }
}

/// Defines, changes or replaces the PIN.
pub(crate) async fn define(core: &Core, account: &Account, wish: Wish, origin: &Origin) -> Result<(), IdentityError> {
    let state = store::state(&mut *core.db.write.acquire().await?, account.id_user).await?;
    model::strong(&wish.pin, state.telephone.as_deref())?;
    let way = model::way(state.defini, wish.current_pin.is_some(), wish.flow_ticket.is_some())?;
    if way == Way::Forgotten {
        known_proof(core, account.id_user, wish.flow_ticket.as_deref()).await?;
    }
    match wish.password {
        Some(password) => sign_in::confirm_password(core, account, password, origin).await?,
        None if way == Way::Change => {}
        None => return Err(IdentityError::Field("password", "required")),
    }
    let seen = match &wish.current_pin {
        Some(current) if way == Way::Change => {
            Some(confirm(core, account.id_user, "currentPin", current, &origin.network).await?)
        }
        _ => None,
    };
    let generation = core.keys.current();
    let secret = peppered(core, generation, account.id_user, &wish.pin);
    let hash = core.hasher.hash(secret.ok_or_else(|| Failure::internal("the current key is missing"))?).await?;

    let mut transaction = core.db.write.begin().await?;
    let person = account::store::lock(&mut transaction, account.id_user).await?.ok_or(IdentityError::TokenInvalid)?;
    let now = core.clock.now();
    let new = NewPin { id_user: account.id_user, hash: &hash, generation, now };
    let written = match way {
        Way::First => store::insert(&mut transaction, &new).await?,
        Way::Change => store::replace(&mut transaction, &new, seen.as_deref()).await?,
        Way::Forgotten => {
            use_proof(&mut transaction, core, account.id_user, wish.flow_ticket.as_deref()).await?;
            store::block_outgoing(&mut transaction, account.id_user, now + core.config.outgoing_block).await?;
            for to in person.proved_identifiers() {
                message::notice(&mut transaction, core, to, Notice::PinReset, &person.langue).await?;
            }
            store::replace(&mut transaction, &new, None).await?
        }
    };
    if !written {
        // Another request defined one meanwhile: this one does not know it.
        return Err(IdentityError::Field("currentPin", "required"));
    }
    session::lock_all(&mut transaction, account.id_user).await?;
    let details = json!({"way": format!("{way:?}").to_lowercase()});
    event::record(&mut transaction, core, account.id_user, Nature::PinDefined, &origin.network, details).await?;
    Ok(transaction.commit().await?)
}

/// Looks at the ticket before the work of a password is spent on it.
async fn known_proof(core: &Core, id_user: i32, ticket: Option<&str>) -> Result<(), IdentityError> {
    let mut connection = core.db.write.acquire().await?;
    proof(&mut connection, core, id_user, ticket).await.map(|_| ())
}

async fn use_proof(
    transaction: &mut PgConnection,
    core: &Core,
    id_user: i32,
    ticket: Option<&str>,
) -> Result<(), IdentityError> {
    let ticket = proof(transaction, core, id_user, ticket).await?;
    if ticket::consume(transaction, core, id_user, ticket).await? { Ok(()) } else { Err(IdentityError::TicketInvalid) }
}

/// A proof of any purpose: whoever holds it had the telephone or the mailbox a few minutes ago.
async fn proof<'a>(
    connection: &mut PgConnection,
    core: &Core,
    id_user: i32,
    ticket: Option<&'a str>,
) -> Result<&'a str, IdentityError> {
    let ticket = ticket.ok_or(IdentityError::TicketInvalid)?;
    let known = ticket::look(connection, core, id_user, ticket).await?.ok_or(IdentityError::TicketInvalid)?;
    if known.is(ticket::Kind::Proof) && !known.utilise { Ok(ticket) } else { Err(IdentityError::TicketInvalid) }
}

/// Compares a PIN; gives the stored hash that it fits.
async fn confirm(
    core: &Core,
    id_user: i32,
    field: &'static str,
    pin: &str,
    network: &str,
) -> Result<String, IdentityError> {
    model::well_formed(field, pin)?;
    let _turn = core.turns.of(&sha256(format!("pin {id_user}").as_bytes())).await?;
    let Some(tried) = store::reserve(&mut *core.db.write.acquire().await?, id_user, core.clock.now()).await? else {
        let defined = store::is_defined(&mut *core.db.write.acquire().await?, id_user).await?;
        return Err(if defined { IdentityError::PinLocked } else { IdentityError::PinNotSet });
    };
    // Kept with a secret that is gone: only password and OTP lead on.
    let secret = peppered(core, tried.generation_cle, id_user, pin).ok_or(IdentityError::PinLocked)?;
    let verdict = match core.hasher.verify(secret, Some(tried.empreinte.clone())).await {
        Err(IdentityError::Busy) => {
            store::give_back(&mut *core.db.write.acquire().await?, id_user, &tried.empreinte).await?;
            return Err(IdentityError::Busy);
        }
        verdict => verdict?,
    };
    if verdict.right {
        store::clear(&mut *core.db.write.acquire().await?, id_user, &tried.empreinte).await?;
        return Ok(tried.empreinte);
    }
    Err(wrong(core, id_user, tried.echecs, network).await?)
}

async fn wrong(core: &Core, id_user: i32, tries: i16, network: &str) -> Result<IdentityError, IdentityError> {
    let tries_left = u32::try_from(model::MAX_WRONG - tries).unwrap_or(0);
    let nature = if tries_left == 0 { Nature::PinLocked } else { Nature::PinWrong };
    let mut connection = core.db.write.acquire().await?;
    event::record(&mut connection, core, id_user, nature, network, json!({"triesLeft": tries_left})).await?;
    Ok(IdentityError::PinWrong { tries_left })
}

/// The PIN under our key, bound to its person. A generation whose secret is gone cannot be verified any more.
fn peppered(core: &Core, generation: i16, id_user: i32, pin: &str) -> Option<Secret> {
    let mac = core.keys.mac(Purpose::Pin, generation, &[&id_user.to_be_bytes(), pin.as_bytes()])?;
    Some(Zeroizing::new(mac.to_vec()))
}

#[cfg(test)]
mod tests;
