//! The log of security events: what somebody would ask for after a theft. Append-only, kept when the account is gone.

mod store;

use chrono::{DateTime, Utc};
use kernel::{Failure, new_id};
use serde_json::Value;
use sqlx::PgConnection;

use crate::Core;

/// Wrong sign-ins with an identifier that nobody has are logged under this account number, which nobody has either.
pub(crate) const NOBODY: i32 = 0;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nature {
    Registered,
    PasswordDefined,
    PasswordReset,
    /// A proof wiped the password and the sessions of an account that was not proved.
    TakenOver,
    CodeSent,
    CodeWrong,
    IdentifierProved,
    IdentifierChanged,
    /// An identifier that was never proved went from the account.
    IdentifierReleased,
    SignedIn,
    SignInFailed,
    SignedOut,
    SessionRevoked,
    /// A replaced refresh token came back.
    TokenReused,
    PinDefined,
    PinWrong,
    PinLocked,
    RoleGranted,
    /// Somebody with the permission read other people's accounts.
    AccountsRead,
    Exported,
    Erased,
}

impl Nature {
    /// The name in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Nature::Registered => "inscription",
            Nature::PasswordDefined => "mdp_defini",
            Nature::PasswordReset => "mdp_reinitialise",
            Nature::TakenOver => "compte_repris",
            Nature::CodeSent => "code_envoye",
            Nature::CodeWrong => "code_faux",
            Nature::IdentifierProved => "identifiant_prouve",
            Nature::IdentifierChanged => "identifiant_change",
            Nature::IdentifierReleased => "identifiant_libere",
            Nature::SignedIn => "connexion",
            Nature::SignInFailed => "connexion_refusee",
            Nature::SignedOut => "deconnexion",
            Nature::SessionRevoked => "session_revoquee",
            Nature::TokenReused => "jeton_rejoue",
            Nature::PinDefined => "pin_defini",
            Nature::PinWrong => "pin_faux",
            Nature::PinLocked => "pin_verrouille",
            Nature::RoleGranted => "role_accorde",
            Nature::AccountsRead => "comptes_lus",
            Nature::Exported => "donnees_exportees",
            Nature::Erased => "compte_supprime",
        }
    }
}

/// Writes an event with the caller's transaction. `details` hold no number, code or token.
pub(crate) async fn record(
    connection: &mut PgConnection,
    core: &Core,
    id_user: i32,
    nature: Nature,
    network: &str,
    details: Value,
) -> Result<(), Failure> {
    let id = new_id(&core.clock, &core.random);
    Ok(store::insert(connection, id_user, id, nature.name(), network, &details, core.clock.now()).await?)
}

/// An event as its person gets it in the export.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Event {
    pub(crate) nature: String,
    pub(crate) reseau: String,
    pub(crate) cree_le: DateTime<Utc>,
}

/// The latest events of an account, newest first.
pub(crate) async fn latest(connection: &mut PgConnection, id_user: i32, limit: i64) -> Result<Vec<Event>, Failure> {
    Ok(store::latest(connection, id_user, limit).await?)
}
