use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::account::{NextStep, Person};

/// Wrong codes that a code outlives, less one.
pub(crate) const MAX_TRIES: i16 = 5;

/// What a code is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AskedPurpose {
    /// Prouver que l'identifiant est à soi.
    #[default]
    Verify,
    /// Se connecter par un code.
    Login,
    /// Choisir un nouveau mot de passe.
    Reset,
    /// Le code à cinq chiffres des citoyens.
    Citizen,
}

/// What a code may be used for; part of its keyed hash, so that a code of one purpose is worth nothing for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Verify,
    Login,
    Reset,
    Citizen,
    /// A new identifier of an account that is signed in.
    Identifier,
}

impl From<AskedPurpose> for Purpose {
    fn from(asked: AskedPurpose) -> Self {
        match asked {
            AskedPurpose::Verify => Purpose::Verify,
            AskedPurpose::Login => Purpose::Login,
            AskedPurpose::Reset => Purpose::Reset,
            AskedPurpose::Citizen => Purpose::Citizen,
        }
    }
}

impl Purpose {
    /// The name in the database, in the hash and in tickets.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Purpose::Verify => "verify",
            Purpose::Login => "login",
            Purpose::Reset => "reset",
            Purpose::Citizen => "citizen",
            Purpose::Identifier => "identifier",
        }
    }

    pub(crate) fn template(self) -> &'static str {
        match self {
            Purpose::Verify => "otp_verify",
            Purpose::Login => "otp_login",
            Purpose::Reset => "otp_reset",
            Purpose::Citizen => "otp_citizen",
            Purpose::Identifier => "otp_identifier",
        }
    }

    /// Digits of its codes; the citizens' document has five.
    pub(crate) fn digits(self) -> u32 {
        if self == Purpose::Citizen { 5 } else { 6 }
    }
}

/// Which code may be replaced by a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Any, after its cooldown.
    Any,
    /// Only one that is expired.
    Create,
    /// Only one that exists; the first time at once, then after cooldowns.
    Resend,
}

/// Seconds to wait after the first, second, third and any later message.
const COOLDOWNS_S: [i32; 4] = [30, 60, 120, 300];
/// "Resend" asks for a second message: that one is given at once.
const RESEND_COOLDOWNS_S: [i32; 5] = [0, 30, 60, 120, 300];
/// After so long without a message the cooldowns start again at the first.
pub(crate) const COOLDOWN_MEMORY: TimeDelta = TimeDelta::hours(1);

impl Way {
    /// The cooldowns after each message; none when limits are off.
    pub(crate) fn cooldowns(self, limited: bool) -> &'static [i32] {
        match (limited, self) {
            (false, _) => &[],
            (true, Way::Resend) => &RESEND_COOLDOWNS_S,
            (true, Way::Any | Way::Create) => &COOLDOWNS_S,
        }
    }
}

/// How long to wait after so many messages.
pub(crate) fn cooldown(cooldowns: &[i32], sends: i16) -> TimeDelta {
    let nth = usize::try_from(sends).unwrap_or(1).max(1).min(cooldowns.len().max(1));
    TimeDelta::seconds(cooldowns.get(nth - 1).copied().unwrap_or(0).into())
}

/// What has the form of a code: digits, few of them. Everything else is a mistake of typing, not a try.
pub(crate) fn has_form(code: &str) -> bool {
    (4..=8).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_digit())
}

/// What a right code does to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consequence {
    /// Nothing was proved before, and nothing shows that who proves now is who chose the password: it is wiped.
    TakeOver,
    /// The password stays.
    Keep,
    /// The identifier of an account that proved another one: who holds it is not who owns the account.
    Refuse,
}

/// `owner` showed a ticket, the cookie or a token of this account; `signed_in` showed its token.
pub(crate) fn consequence(person: &Person, mute: bool, owner: bool, signed_in: bool) -> Consequence {
    match (mute, person.proved()) {
        (true, _) if !signed_in => Consequence::Refuse,
        (false, false) if !owner => Consequence::TakeOver,
        _ => Consequence::Keep,
    }
}

/// Where a right code leads.
pub(crate) fn next_step(purpose: Purpose, has_password: bool, owner: bool) -> NextStep {
    match purpose {
        _ if !has_password => NextStep::DefinePassword,
        Purpose::Login => NextStep::Dashboard,
        Purpose::Reset => NextStep::ResetPassword,
        Purpose::Verify | Purpose::Citizen | Purpose::Identifier if owner => NextStep::Dashboard,
        Purpose::Verify | Purpose::Citizen | Purpose::Identifier => NextStep::VerifyPin,
    }
}

/// A code that was not used yet, expired or not, exhausted or not.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Live {
    pub(crate) id: i32,
    pub(crate) sel: Vec<u8>,
    pub(crate) generation_cle: i16,
    pub(crate) envois: i16,
    pub(crate) dernier_envoi_le: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(email_proved: bool) -> Person {
        Person {
            id_user: 1,
            email: Some("a@b.ci".to_owned()),
            telephone: None,
            email_verifie: email_proved,
            telephone_verifie: false,
            mdp: Some("x".to_owned()),
            statut: "actif".to_owned(),
            langue: "fr".to_owned(),
            type_utilisateur: "CITIZEN".to_owned(),
            adopte: false,
            inscrit_le: None,
        }
    }

    #[test]
    fn only_an_owner_keeps_an_unproved_password() {
        assert_eq!(consequence(&person(false), false, false, false), Consequence::TakeOver);
        assert_eq!(consequence(&person(false), false, true, false), Consequence::Keep);
        assert_eq!(consequence(&person(true), false, false, false), Consequence::Keep);
        assert_eq!(consequence(&person(true), true, true, false), Consequence::Refuse, "a cookie is not enough");
        assert_eq!(consequence(&person(true), true, true, true), Consequence::Keep);
    }

    #[test]
    fn cooldowns_grow_and_stay_at_the_last() {
        let after = |way: Way, sends| cooldown(way.cooldowns(true), sends).num_seconds();
        assert_eq!([1, 2, 3, 4, 5, 90].map(|sends| after(Way::Any, sends)), [30, 60, 120, 300, 300, 300]);
        assert_eq!([1, 2, 3].map(|sends| after(Way::Resend, sends)), [0, 30, 60]);
        assert_eq!(cooldown(Way::Any.cooldowns(false), 3).num_seconds(), 0);
    }

    #[test]
    fn codes_have_a_form() {
        assert!(has_form("12345") && has_form("000000"));
        for other in ["", "123", "12345a", "１２３４５６", "123456789", " 123456", "-12345"] {
            assert!(!has_form(other), "{other}");
        }
    }
}
