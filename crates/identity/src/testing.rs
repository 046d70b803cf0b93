//! For the tests of this house and, with the feature `testing`, of the others: identity on a test's database, and people
//! who are signed up and in without going through the seven requests again.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has to fail")]

use axum::Router;
use chrono::TimeDelta;
use kernel::http::Lang;
use kernel::{Clock, Db, Keys, Random};
use zeroize::Zeroizing;

use crate::account::{self, NewPassword};
use crate::otp::{self, Proof, Purpose};
use crate::session::{self, Account, Origin, SignedIn};
use crate::{Config, Deps, Identity, pin};

/// The password of everybody here.
pub const PASSWORD: &str = "MonMotDePasse123";
/// The PIN of everybody who has one here.
pub const PIN: &str = "274951";

/// Somebody who signed up.
#[derive(Debug)]
pub struct Someone {
    /// The key of all tables.
    pub id_user: i32,
    /// What an access token of theirs leads to.
    pub account: Account,
    /// The answer of the sign-in: `tokens.access_token` goes to `Client::bearer`.
    pub tokens: SignedIn,
}

/// What identity needs, in development mode, with a clock that moves and no other house.
pub fn deps(db: &Db, clock: &Clock) -> Deps {
    Deps {
        db: db.clone(),
        clock: clock.clone(),
        random: Random::system(),
        keys: Keys::new([7; 32], None),
        config: Config::test(),
        erasers: Vec::new(),
        export_parts: Vec::new(),
    }
}

/// Identity on a test's database.
pub fn identity(db: &Db, clock: &Clock) -> Identity {
    Identity::new(deps(db, clock)).unwrap()
}

/// The house's own router, as the server nests it: `/api/…`, and `/otp` beside.
pub fn router(identity: &Identity) -> Router {
    let api = crate::routes(identity.clone()).split_for_parts().0;
    Router::new().nest("/api", api).merge(crate::public_root_routes(identity.clone()).split_for_parts().0)
}

/// Registers somebody and defines [`PASSWORD`]; nothing is proved.
pub async fn sign_up_unverified(identity: &Identity, identifier: &str) -> Someone {
    let (parsed, origin) = (identity.parse(identifier).unwrap(), origin());
    let registered = account::register(identity, &parsed, Lang::Fr, &origin).await.unwrap();
    let asked = NewPassword { identifier: &parsed, password: PASSWORD, ticket: Some(&registered.ticket) };
    let (tokens, _) = account::define_password(identity, asked, &origin).await.unwrap();
    someone(identity, tokens).await
}

/// Signs somebody up who has proved the identifier.
pub async fn sign_up(identity: &Identity, identifier: &str) -> Someone {
    let someone = sign_up_unverified(identity, identifier).await;
    let (parsed, origin, purpose) = (identity.parse(identifier).unwrap(), origin(), Purpose::Verify);
    let sent = otp::generate(identity, &parsed, purpose, &origin).await.unwrap();
    let proof = Proof {
        identifier: &parsed,
        purpose,
        code: &sent.code,
        tickets: [None, None],
        signed: Some(&someone.account),
        origin: &origin,
    };
    otp::verify(identity, proof).await.unwrap();
    self::someone(identity, someone.tokens).await
}

/// Signs somebody up who may pay: proved, with [`PIN`], unlocked for some minutes.
pub async fn sign_up_unlocked(identity: &Identity, identifier: &str) -> Someone {
    let someone = sign_up(identity, identifier).await;
    let wish = pin::Wish {
        pin: Zeroizing::new(PIN.to_owned()),
        password: Some(Zeroizing::new(PASSWORD.as_bytes().to_vec())),
        current_pin: None,
        flow_ticket: None,
    };
    pin::define(identity, &someone.account, wish, &origin()).await.unwrap();
    pin::unlock(identity, &someone.account, PIN, &origin()).await.unwrap();
    self::someone(identity, someone.tokens).await
}

/// What the token of an answer leads to now.
pub async fn someone(identity: &Identity, tokens: SignedIn) -> Someone {
    let account = identity.authenticate(&tokens.access_token).await.unwrap();
    Someone { id_user: account.id_user, account, tokens }
}

/// The access token of one more session of somebody.
pub async fn token(identity: &Identity, account: &Account) -> String {
    let mut transaction = identity.db.write.begin().await.unwrap();
    let tokens = session::open(&mut transaction, identity, account.id_user, &origin()).await.unwrap();
    transaction.commit().await.unwrap();
    tokens.access
}

/// Moves the clock over the longest cooldown of codes.
pub fn after_cooldowns(clock: &Clock) {
    clock.shift(TimeDelta::minutes(6));
}

fn origin() -> Origin {
    Origin { network: "192.0.2.1".to_owned(), device: "test".to_owned() }
}
