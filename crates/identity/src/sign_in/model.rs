use chrono::{DateTime, TimeDelta, Utc};

/// Wrong passwords of one account from one network before the next try has to wait.
pub(super) const FREE_TRIES: i32 = 5;
/// Wrong passwords of one account from all networks that never signed in to it, before these have to wait.
pub(super) const FREE_TRIES_OF_STRANGERS: i32 = 20;
/// The longest wait between two tries, in seconds: 15 minutes.
pub(super) const MAX_DELAY_S: i32 = 900;
/// A subject that nobody tried for so long starts anew.
pub(super) const FORGOTTEN_AFTER: TimeDelta = TimeDelta::hours(24);
/// A network stays known to an account for so long after a sign-in.
pub(super) const KNOWN_FOR: TimeDelta = TimeDelta::days(90);

/// A network from which so many accounts were tried in vain …
pub(super) const SPRAYED_ACCOUNTS: i64 = 15;
/// … within this time …
pub(super) const SPRAY_WINDOW: TimeDelta = TimeDelta::hours(3);
/// … may try one account in this time, except those that it signed in to before.
pub(super) const SPRAY_PACE: TimeDelta = TimeDelta::seconds(10);
/// In development all clients share the address of the machine.
pub(super) const DEVELOPMENT_FACTOR: i64 = 20;

/// An account that somebody wants to sign in to.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Candidate {
    pub(super) id_user: i32,
    pub(super) mdp: Option<String>,
    pub(super) statut: String,
    /// This identifier is proved.
    pub(super) prouve: bool,
    /// The account's other identifier is proved.
    pub(super) autre_prouve: bool,
}

impl Candidate {
    /// The hash that the password has to fit; `None` when nothing fits. An identifier that was not proved does not open
    /// an account whose other one was: it may have been typed by somebody else.
    pub(super) fn hash(&self) -> Option<&str> {
        let usable = self.statut != "supprime" && (self.prouve || !self.autre_prouve);
        self.mdp.as_deref().filter(|_| usable)
    }
}

/// How long a network that tries many accounts has to wait; `None` when it may go on.
pub(super) fn spray_wait(
    accounts: i64,
    bound: i64,
    last: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Option<TimeDelta> {
    let next = last? + SPRAY_PACE;
    (accounts >= bound && next > now).then(|| next - now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_that_was_not_proved_opens_nothing_beside_a_proved_one() {
        let of = |prouve, autre_prouve, statut: &str| {
            let candidate =
                Candidate { id_user: 1, mdp: Some("h".into()), statut: statut.into(), prouve, autre_prouve };
            candidate.hash().is_some()
        };
        assert!(
            of(true, true, "actif")
                && of(true, false, "actif")
                && of(false, false, "actif")
                && of(true, true, "suspendu")
        );
        assert!(!of(false, true, "actif") && !of(true, true, "supprime"));
    }

    #[test]
    fn a_network_that_sprays_goes_slowly() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        assert_eq!(spray_wait(14, 15, Some(now), now), None);
        assert_eq!(spray_wait(15, 15, Some(now - TimeDelta::seconds(4)), now), Some(TimeDelta::seconds(6)));
        assert_eq!(spray_wait(15, 15, Some(now - TimeDelta::seconds(10)), now), None);
    }
}
