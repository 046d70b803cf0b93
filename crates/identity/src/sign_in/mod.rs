//! verify-pin: signing in with a password. Same answer, same work and same counting for an account that is not there.

mod api;
pub(crate) mod delay;
mod model;
mod store;
mod turns;

use kernel::keys::sha256;
use kernel::{Failure, Identifier};
use serde_json::json;
use zeroize::Zeroizing;

use crate::event::{self, NOBODY, Nature};
use crate::session::{self, Account, Origin, SignedIn};
use crate::{Core, Identity, IdentityError, me};
use delay::Subject;
use model::Candidate;

pub(crate) use api::routes;
pub(crate) use turns::Turns;

/// No password is longer, in characters (the policy refuses it): the text is not hashed, its time is spent all the same.
const MAX_PASSWORD: usize = 128;

/// A password as it was sent; wiped from memory when it is dropped.
pub(crate) type Secret = Zeroizing<Vec<u8>>;

/// `None` when no account can have this password.
fn plausible(password: &Secret) -> Option<&Secret> {
    let length = std::str::from_utf8(password).map_or(usize::MAX, |text| text.chars().count());
    (1..=MAX_PASSWORD).contains(&length).then_some(password)
}

/// Signs in with a password.
pub(crate) async fn verify_pin(
    core: &Core,
    identifier: &str,
    password: Secret,
    origin: &Origin,
) -> Result<SignedIn, IdentityError> {
    let identifier = Identifier::parse(identifier, &core.config.countries)?;
    let _turn = core.turns.to_sign_in(&turn(&identifier, &origin.network)).await?;
    let candidate = store::candidate(&mut *core.db.write.acquire().await?, &identifier).await?;
    let subject = match &candidate {
        Some(candidate) => Subject::account(core, candidate.id_user)?,
        None => Subject::unknown(core, &identifier)?,
    };
    let reserved = delay::reserve(core, subject, &origin.network).await?;
    let hash = candidate.as_ref().and_then(Candidate::hash).map(str::to_owned);
    let verdict = compare(core, &reserved, &password, hash.clone(), &origin.network).await?;
    match (candidate, hash) {
        (Some(candidate), Some(hash)) if verdict.right => {
            let renewed = if verdict.outdated { renew(core, password).await } else { None };
            enter(core, &candidate, &reserved, &hash, renewed, origin).await
        }
        (candidate, _) => Err(refuse(core, candidate.map_or(NOBODY, |candidate| candidate.id_user), origin).await?),
    }
}

/// Tries with one identifier from one network come one after the other; nobody else waits for them.
fn turn(identifier: &Identifier, network: &str) -> [u8; 32] {
    sha256(format!("{} {network}", identifier.as_str()).as_bytes())
}

async fn compare(
    core: &Core,
    reserved: &delay::Reserved,
    password: &Secret,
    hash: Option<String>,
    network: &str,
) -> Result<crate::password::Verdict, IdentityError> {
    // What cannot be a password is not hashed; something of usual length is, for the time.
    let (secret, hash) = match plausible(password) {
        Some(password) => (password.clone(), hash),
        None => (Zeroizing::new(vec![0; 16]), None),
    };
    let verdict = core.hasher.verify(secret, hash).await;
    if matches!(verdict, Err(IdentityError::Busy)) {
        delay::unused(core, reserved, network).await?;
    }
    verdict
}

/// The hash that replaces an older one; a busy hasher leaves it to the next time.
async fn renew(core: &Core, password: Secret) -> Option<String> {
    core.hasher.hash(password).await.ok()
}

async fn enter(
    core: &Core,
    candidate: &Candidate,
    reserved: &delay::Reserved,
    hash: &str,
    renewed: Option<String>,
    origin: &Origin,
) -> Result<SignedIn, IdentityError> {
    let mut transaction = core.db.write.begin().await?;
    // The account as it is now, not as it was before the hash: a reset may have come between.
    let current = match renewed {
        Some(renewed) => store::upgrade(&mut transaction, candidate.id_user, hash, &renewed).await?,
        None => store::unchanged(&mut transaction, candidate.id_user, hash).await?,
    };
    match current.as_deref() {
        Some("actif") => {}
        Some(_) => {
            delay::right(&mut transaction, core, reserved).await?;
            transaction.commit().await?;
            return Err(IdentityError::Suspended);
        }
        None => return Err(IdentityError::Busy),
    }
    let tokens = session::open(&mut transaction, core, candidate.id_user, origin).await?;
    delay::right(&mut transaction, core, reserved).await?;
    let user = me::user(&mut transaction, candidate.id_user).await?;
    transaction.commit().await?;
    Ok(tokens.of(user))
}

/// The try stays counted; who was tried finds it in the log.
async fn refuse(core: &Core, id_user: i32, origin: &Origin) -> Result<IdentityError, IdentityError> {
    let mut connection = core.db.write.acquire().await?;
    event::record(&mut connection, core, id_user, Nature::SignInFailed, &origin.network, json!({})).await?;
    Ok(IdentityError::WrongCredentials)
}

/// Asks for the password again before something that a found telephone must not be able to do. Counted and delayed
/// like a sign-in.
pub(crate) async fn confirm_password(
    core: &Core,
    account: &Account,
    password: Secret,
    origin: &Origin,
) -> Result<(), IdentityError> {
    let subject = Subject::account(core, account.id_user)?;
    let _turn = core.turns.to_sign_in(&subject.turn(&origin.network)).await?;
    let hash = store::password_of(&mut *core.db.write.acquire().await?, account.id_user).await?;
    let reserved = delay::reserve(core, subject, &origin.network).await?;
    let verdict = compare(core, &reserved, &password, hash, &origin.network).await?;
    if !verdict.right {
        refuse(core, account.id_user, origin).await?;
        return Err(IdentityError::PasswordWrong);
    }
    let mut transaction = core.db.write.begin().await?;
    delay::succeeded(&mut transaction, core, account.id_user, &origin.network).await?;
    delay::right(&mut transaction, core, &reserved).await?;
    transaction.commit().await?;
    Ok(())
}

impl Identity {
    /// Deletes at most `rows` counters of tries that say nothing any more; how many it were. For a periodic task.
    pub async fn sweep_tries(&self, rows: i64) -> Result<u64, Failure> {
        Ok(store::sweep(&mut *self.db.write.acquire().await?, self.clock.now(), rows).await?)
    }
}

#[cfg(test)]
mod tests;
