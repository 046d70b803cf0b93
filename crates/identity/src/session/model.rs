use chrono::{DateTime, Utc};
use kernel::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::IdentityError;
use crate::me::User;

/// Whose token it was, and what that person may do now. Read from the database for each request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The key of all tables; never shown.
    pub id_user: i32,
    /// The visible id.
    pub public_id: Uuid,
    /// The session of the token.
    pub session_id: Uuid,
    /// At least one identifier is proved.
    pub verified: bool,
    /// `utilisateur.palier`: 0 proved by OTP at most, 1 identity verified, 2 business.
    pub tier: i16,
    /// The PIN was confirmed on this session; money may leave until then.
    pub unlocked_until: Option<DateTime<Utc>>,
    /// No money leaves before: a password or PIN was reset.
    pub outgoing_blocked_until: Option<DateTime<Utc>>,
    /// `utilisateur.statut`.
    pub status: String,
    /// The language of messages to this person.
    pub lang: String,
}

impl Account {
    /// Whether the PIN was confirmed on this session a short while ago.
    pub fn unlocked(&self, now: DateTime<Utc>) -> bool {
        self.unlocked_until.is_some_and(|until| until > now)
    }

    /// Whether a reset still keeps money from leaving.
    pub fn outgoing_blocked(&self, now: DateTime<Utc>) -> bool {
        self.outgoing_blocked_until.is_some_and(|until| until > now)
    }

    /// Refuses who has not proved an identifier.
    pub fn require_verified(&self) -> Result<(), IdentityError> {
        if self.verified { Ok(()) } else { Err(IdentityError::NotVerified) }
    }
}

/// What the database knows of an access token.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) account: Account,
    pub(crate) access_expires: DateTime<Utc>,
    pub(crate) session_expires: DateTime<Utc>,
    pub(crate) revoked: bool,
    /// The token was seen before.
    pub(crate) used: bool,
}

impl Known {
    /// Whether it still opens anything; suspended accounts are told apart later.
    pub(crate) fn alive(&self, now: DateTime<Utc>) -> bool {
        !self.revoked && self.session_expires > now && self.access_expires > now && self.account.status != "supprime"
    }

    /// Lets the account in, or says why not.
    pub(crate) fn admit(self, now: DateTime<Utc>) -> Result<Account, IdentityError> {
        if self.revoked || self.session_expires <= now || self.account.status == "supprime" {
            return Err(IdentityError::TokenInvalid);
        }
        if self.access_expires <= now {
            return Err(IdentityError::TokenExpired);
        }
        // Whatever is not plainly active is refused.
        if self.account.status == "actif" { Ok(self.account) } else { Err(IdentityError::Suspended) }
    }
}

/// A pair of tokens, as their owner gets them.
#[derive(Debug)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
    /// Seconds until the access token has to be refreshed.
    pub(crate) expires_in: i64,
}

impl Tokens {
    /// The answer of every sign-in.
    pub(crate) fn of(self, user: User) -> SignedIn {
        SignedIn { access_token: self.access, refresh_token: self.refresh, expires_in: self.expires_in, user }
    }
}

/// La réponse de chaque connexion.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignedIn {
    /// À envoyer dans `Authorization: Bearer …`.
    #[schema(examples("hsa_5X1u0c0mW1yWl0f0a7Wc2n0bqB3kq2rYb1m9cVtq1Kg4f3aBQ"))]
    pub access_token: String,
    /// S'échange une fois contre la paire suivante.
    #[schema(examples("hsr_q2rYb1m9cVtq1Kg5X1u0c0mW1yWl0f0a7Wc2n0bqB3k7d9eFA"))]
    pub refresh_token: String,
    /// Secondes de vie de l'accessToken.
    #[schema(examples(900))]
    pub expires_in: i64,
    pub user: User,
}

/// Une connexion sur un appareil.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionView {
    pub id: Uuid,
    /// Le nom que l'appareil s'est donné.
    #[schema(examples("Hostolink/1.0 (Android 15)"))]
    pub device: String,
    /// Le réseau de la dernière connexion ou du dernier échange de jetons.
    #[schema(examples("196.47.128.10"))]
    pub network: String,
    pub created_at: Timestamp,
    /// À la durée d'un accessToken près.
    pub last_seen_at: Timestamp,
    pub expires_at: Timestamp,
    /// C'est la session qui pose la question.
    pub current: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    fn known(status: &str, now: DateTime<Utc>) -> Known {
        let account = Account {
            id_user: 1,
            public_id: Uuid::nil(),
            session_id: Uuid::nil(),
            verified: false,
            tier: 0,
            unlocked_until: None,
            outgoing_blocked_until: None,
            status: status.to_owned(),
            lang: "fr".to_owned(),
        };
        let (access_expires, session_expires) = (now + TimeDelta::minutes(15), now + TimeDelta::days(30));
        Known { account, access_expires, session_expires, revoked: false, used: true }
    }

    #[test]
    fn each_reason_has_its_refusal() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let refusal = |known: Known, at| known.admit(at).err().map(|error| error.code());
        assert_eq!(refusal(known("actif", now), now), None);
        assert_eq!(refusal(known("actif", now), now + TimeDelta::minutes(15)), Some("identity.token_expired"));
        assert_eq!(refusal(known("actif", now), now + TimeDelta::days(31)), Some("identity.token_invalid"));
        assert_eq!(refusal(known("suspendu", now), now), Some("identity.suspended"));
        assert_eq!(refusal(known("inconnu", now), now), Some("identity.suspended"));
        assert_eq!(refusal(known("supprime", now), now), Some("identity.token_invalid"));
        assert_eq!(refusal(Known { revoked: true, ..known("actif", now) }, now), Some("identity.token_invalid"));
    }
}
