use chrono::{DateTime, TimeDelta, Utc};
use kernel::Identifier;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A new account may be given a password without a proof for so long; it stays unverified.
pub(crate) const REGISTRATION_WINDOW: TimeDelta = TimeDelta::minutes(15);

/// The step that comes next, in the words of the routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NextStep {
    /// Nobody has this identifier.
    RegisterUser,
    /// There is no password yet.
    DefinePassword,
    /// The identifier has to be proved.
    VerifyOtp,
    /// The password is asked for.
    VerifyPin,
    /// A new password may be chosen with the ticket.
    ResetPassword,
    /// Signed in.
    Dashboard,
}

/// An account that somebody's identifier leads to: what signing in and paying have to know.
#[derive(Clone, Debug)]
pub struct Found {
    /// The number inside of the database, never shown.
    pub id_user: i32,
    /// The id that is shown.
    pub public_id: Uuid,
    /// `nom`
    pub last_name: Option<String>,
    /// `prenom`
    pub first_name: Option<String>,
    /// The identifier that was asked for is proved.
    pub verified: bool,
    /// The account's other identifier is proved.
    pub other_verified: bool,
    /// Some password is defined.
    pub has_password: bool,
    /// Came from the first backend.
    pub adopted: bool,
    /// Unknown for some accounts of the first backend.
    pub registered_at: Option<DateTime<Utc>>,
    /// Verification tier: 0, 1 or 2.
    pub tier: i16,
    /// `actif`, `suspendu` or `supprime`.
    pub status: String,
    /// `type_utilisateur`: `CITIZEN` unless somebody decided otherwise.
    pub user_type: String,
    /// `fr` or `en`.
    pub lang: String,
}

impl Found {
    /// What an application should do with this identifier.
    pub(crate) fn next_step(&self, now: DateTime<Utc>) -> NextStep {
        let proved = self.verified || self.other_verified;
        match (self.has_password, self.verified) {
            (false, _) if !proved && is_young(self.registered_at, now) => NextStep::DefinePassword,
            (false, _) => NextStep::VerifyOtp,
            (true, true) => NextStep::VerifyPin,
            // People of the first backend sign in with what they have, as long as nothing was proved.
            (true, false) if self.adopted && !self.other_verified => NextStep::VerifyPin,
            (true, false) => NextStep::VerifyOtp,
        }
    }
}

/// Registered less than 15 minutes ago.
pub(crate) fn is_young(registered_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    registered_at.is_some_and(|at| now - at < REGISTRATION_WINDOW)
}

/// An account under the eyes of a transaction.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Person {
    pub(crate) id_user: i32,
    pub(crate) email: Option<String>,
    pub(crate) telephone: Option<String>,
    pub(crate) email_verifie: bool,
    pub(crate) telephone_verifie: bool,
    pub(crate) mdp: Option<String>,
    pub(crate) statut: String,
    pub(crate) langue: String,
    pub(crate) type_utilisateur: String,
    pub(crate) adopte: bool,
    pub(crate) inscrit_le: Option<DateTime<Utc>>,
}

impl Person {
    /// Some identifier of the account is proved.
    pub(crate) fn proved(&self) -> bool {
        self.email_verifie || self.telephone_verifie
    }

    /// This identifier of the account is proved.
    pub(crate) fn has_proved(&self, identifier: &Identifier) -> bool {
        match identifier {
            Identifier::Email(_) => self.email_verifie,
            Identifier::Phone(_) => self.telephone_verifie,
        }
    }

    /// This identifier proves nothing as long as the account's other one does: it signs nobody in.
    pub(crate) fn is_mute(&self, identifier: &Identifier) -> bool {
        self.proved() && !self.has_proved(identifier)
    }

    /// Still the account of this identifier: it may have changed since it was found.
    pub(crate) fn answers_to(&self, identifier: &Identifier) -> bool {
        let own = match identifier {
            Identifier::Email(_) => &self.email,
            Identifier::Phone(_) => &self.telephone,
        };
        own.as_deref() == Some(identifier.as_str())
    }

    /// Beside a proof of this identifier the account's other one may not stay: it was typed here and never proved, and
    /// its owner could not sign up with it. People of the first backend keep theirs, which were in use before.
    pub(crate) fn releases_other_than(&self, proved: &Identifier) -> bool {
        let (other, other_proved) = match proved {
            Identifier::Email(_) => (&self.telephone, self.telephone_verifie),
            Identifier::Phone(_) => (&self.email, self.email_verifie),
        };
        other.is_some() && !other_proved && !self.adopte
    }

    /// Whoever proves this identifier may take it away to another account. Not from people of the first backend: the
    /// same proof gives its owner that account, with the money in it. Not from a suspended account: its person would be
    /// back under the same number.
    pub(crate) fn gives_up(&self, identifier: &Identifier) -> bool {
        !self.has_proved(identifier) && !self.adopte && !self.suspended()
    }

    pub(crate) fn suspended(&self) -> bool {
        self.statut != "actif"
    }

    /// Every identifier that the account has.
    pub(crate) fn identifiers(&self) -> impl Iterator<Item = &str> {
        [self.email.as_deref(), self.telephone.as_deref()].into_iter().flatten()
    }

    /// The identifiers that were proved: where notices go.
    pub(crate) fn proved_identifiers(&self) -> impl Iterator<Item = &str> {
        let email = self.email.as_deref().filter(|_| self.email_verifie);
        let phone = self.telephone.as_deref().filter(|_| self.telephone_verifie);
        [email, phone].into_iter().flatten()
    }
}

/// The country of a new account, where the number tells it.
pub(crate) fn country_of(identifier: &Identifier) -> Option<&'static str> {
    identifier.as_str().starts_with("+225").then_some("CI")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(has_password: bool, verified: bool, other_verified: bool, adopted: bool, minutes: i64) -> Found {
        Found {
            id_user: 1,
            public_id: Uuid::nil(),
            last_name: None,
            first_name: None,
            verified,
            other_verified,
            has_password,
            adopted,
            registered_at: Some(now() - TimeDelta::minutes(minutes)),
            tier: 0,
            status: "actif".to_owned(),
            user_type: "CITIZEN".to_owned(),
            lang: "fr".to_owned(),
        }
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    #[test]
    fn each_state_has_its_next_step() {
        let cases = [
            (found(false, false, false, false, 1), NextStep::DefinePassword),
            (found(false, false, false, false, 15), NextStep::VerifyOtp),
            (found(false, true, false, false, 1), NextStep::VerifyOtp),
            (found(false, false, true, false, 1), NextStep::VerifyOtp),
            (found(true, true, false, false, 1), NextStep::VerifyPin),
            (found(true, false, false, false, 1), NextStep::VerifyOtp),
            (found(true, false, false, true, 900), NextStep::VerifyPin),
            (found(true, false, true, true, 900), NextStep::VerifyOtp),
        ];
        for (found, expected) in cases {
            assert_eq!(found.next_step(now()), expected, "{found:?}");
        }
        let unknown_date = Found { registered_at: None, ..found(false, false, false, true, 0) };
        assert_eq!(unknown_date.next_step(now()), NextStep::VerifyOtp);
    }
}
