//! Delays after wrong passwords. A try is counted before it is evaluated and given back when it was right, so that a
//! hundred guesses at once are a hundred guesses. Counted by account and network: who guesses slows down himself; the
//! owner goes on from networks that signed in before, and a code by SMS or e-mail makes any network such a one.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use kernel::keys::Purpose;
use kernel::{Failure, Identifier};
use sqlx::PgConnection;

use super::{model, store};
use crate::{Core, IdentityError, Mode};

/// The counter of all networks that are strangers to an account.
const STRANGERS: &str = "*";

/// What tries are counted for: an account, or an identifier that nobody has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject([u8; 32]);

impl Subject {
    pub(crate) fn account(core: &Core, id_user: i32) -> Result<Self, Failure> {
        Self::of(core, b"account", &id_user.to_be_bytes())
    }

    pub(crate) fn unknown(core: &Core, identifier: &Identifier) -> Result<Self, Failure> {
        Self::of(core, b"unknown", identifier.as_str().as_bytes())
    }

    fn of(core: &Core, kind: &[u8], name: &[u8]) -> Result<Self, Failure> {
        let mac = core.keys.mac(Purpose::Token, core.keys.current(), &[b"sign-in", kind, name]);
        mac.map(Self).ok_or_else(|| Failure::internal("the current key is missing"))
    }

    /// Where this subject waits for its turn, by network: a guesser does not make the owner wait.
    pub(crate) fn turn(&self, network: &str) -> [u8; 32] {
        kernel::keys::sha256(&[self.0.as_slice(), network.as_bytes()].concat())
    }
}

/// A try that is counted, until it turns out right.
#[derive(Debug)]
#[must_use]
pub(crate) struct Reserved {
    subject: Subject,
    /// It was counted among the strangers', too.
    stranger: bool,
}

/// Counts a try, or says how long to wait.
pub(crate) async fn reserve(core: &Core, subject: Subject, network: &str) -> Result<Reserved, IdentityError> {
    let mut transaction = core.db.write.begin().await?;
    let now = core.clock.now();
    not_spraying(&mut transaction, core, subject, network, now).await?;
    let stranger = match store::reserve(&mut transaction, &subject.0, network, model::FREE_TRIES, now).await? {
        Some(known) => !known,
        None => return Err(delayed(&mut transaction, subject, network, now).await?),
    };
    let strangers_free = model::FREE_TRIES_OF_STRANGERS;
    if stranger && store::reserve(&mut transaction, &subject.0, STRANGERS, strangers_free, now).await?.is_none() {
        // Not committed: what was refused is not counted.
        return Err(delayed(&mut transaction, subject, STRANGERS, now).await?);
    }
    transaction.commit().await?;
    Ok(Reserved { subject, stranger })
}

async fn not_spraying(
    connection: &mut PgConnection,
    core: &Core,
    subject: Subject,
    network: &str,
    now: DateTime<Utc>,
) -> Result<(), IdentityError> {
    if !core.config.limited() {
        return Ok(());
    }
    let factor = if core.config.mode == Mode::Development { model::DEVELOPMENT_FACTOR } else { 1 };
    let bound = model::SPRAYED_ACCOUNTS * factor;
    let spread = store::spread(connection, &subject.0, network, now, model::SPRAY_WINDOW, bound).await?;
    match model::spray_wait(spread.sujets, bound, spread.dernier, now).filter(|_| !spread.connu) {
        Some(wait) => Err(too_many(wait)),
        None => Ok(()),
    }
}

async fn delayed(
    connection: &mut PgConnection,
    subject: Subject,
    network: &str,
    now: DateTime<Utc>,
) -> Result<IdentityError, IdentityError> {
    let until = store::delayed_until(connection, &subject.0, network).await?;
    Ok(too_many(until.map_or(TimeDelta::zero(), |until| until - now)))
}

fn too_many(wait: TimeDelta) -> IdentityError {
    IdentityError::TooMany { retry_after: wait.to_std().unwrap_or(Duration::from_secs(1)) }
}

/// The try was right: strangers are not counted for it, with the caller's transaction. The network's own counter is
/// cleared by [`succeeded`], which comes first: counters are always locked in one order.
pub(crate) async fn right(connection: &mut PgConnection, core: &Core, reserved: &Reserved) -> Result<(), Failure> {
    if reserved.stranger {
        store::give_back(connection, &reserved.subject.0, STRANGERS, core.clock.now()).await?;
    }
    Ok(())
}

/// The try was not evaluated after all: it does not count.
pub(crate) async fn unused(core: &Core, reserved: &Reserved, network: &str) -> Result<(), Failure> {
    let mut transaction = core.db.write.begin().await?;
    store::give_back(&mut transaction, &reserved.subject.0, network, core.clock.now()).await?;
    right(&mut transaction, core, reserved).await?;
    Ok(transaction.commit().await?)
}

/// Somebody proved the account from this network, by whatever means.
pub(crate) async fn succeeded(
    connection: &mut PgConnection,
    core: &Core,
    id_user: i32,
    network: &str,
) -> Result<(), Failure> {
    let subject = Subject::account(core, id_user)?;
    Ok(store::succeeded(connection, &subject.0, network, core.clock.now()).await?)
}
