use chrono::TimeDelta;
use kernel::identifier::Countries;

/// Whether the program serves people or a developer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `hostolink dev`: codes come back in the answers.
    Development,
    /// `hostolink serve`: nothing of the above exists.
    Production,
}

/// Cooldowns, daily budgets and breakers. The tries of a code, the lock of the PIN and the delays after wrong passwords
/// are never off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limits {
    /// As they are meant.
    On,
    /// For load tests, in development only.
    Off,
}

/// What may differ between installations.
#[derive(Clone, Debug)]
pub struct Config {
    /// Whose telephone numbers are served.
    pub countries: Countries,
    /// Development or production.
    pub mode: Mode,
    /// Cooldowns and budgets.
    pub limits: Limits,
    /// Life of a code.
    pub otp_ttl: TimeDelta,
    /// Codes sent by the whole installation in an hour: the last bound of what SMS may cost.
    pub sends_per_hour: u32,
    /// Life of an access token.
    pub access_ttl: TimeDelta,
    /// Life of a refresh token that is not used.
    pub refresh_idle: TimeDelta,
    /// Life of a session, whatever happens.
    pub refresh_absolute: TimeDelta,
    /// How long a PIN opens the session for payments.
    pub unlock_ttl: TimeDelta,
    /// No money leaves for so long after a reset of the password or of the PIN.
    pub outgoing_block: TimeDelta,
}

impl Config {
    /// The values as shipped.
    pub fn new(mode: Mode) -> Self {
        Self {
            countries: Countries::default(),
            mode,
            limits: Limits::On,
            otp_ttl: TimeDelta::minutes(5),
            sends_per_hour: 3_000,
            access_ttl: TimeDelta::minutes(15),
            refresh_idle: TimeDelta::days(30),
            refresh_absolute: TimeDelta::days(180),
            unlock_ttl: TimeDelta::minutes(5),
            outgoing_block: TimeDelta::hours(24),
        }
    }

    /// Development, with everything else as shipped.
    pub fn test() -> Self {
        Self::new(Mode::Development)
    }

    /// Whether cooldowns, budgets and breakers count.
    pub(crate) fn limited(&self) -> bool {
        self.limits == Limits::On
    }
}
