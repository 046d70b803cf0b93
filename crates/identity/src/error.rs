use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use kernel::identifier::NotAnIdentifier;
use kernel::{Failure, Problem};

/// Every way in which identity refuses. A variant is a stable code, `identity.<reason>`.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A field that does not fit; the code is that of the field.
    #[error("{0}: {1}")]
    Field(&'static str, &'static str),
    /// register-user of someone who is there.
    #[error("already registered")]
    AlreadyRegistered,
    /// No account has this identifier.
    #[error("unknown identifier")]
    UnknownIdentifier,
    /// define-password of an account that has one.
    #[error("the account has a password")]
    PasswordAlreadySet,
    /// define-password without a ticket, 15 minutes or more after the registration.
    #[error("a proof is needed")]
    ProofRequired,
    /// A ticket that is wrong, used, expired, or of another account or purpose.
    #[error("wrong ticket")]
    TicketInvalid,
    /// A wrong code, and how many tries are left.
    #[error("wrong code")]
    OtpWrong {
        /// Tries left for this code.
        attempts_left: u32,
    },
    /// Expired, used, exhausted or never sent: one answer.
    #[error("no such code any more")]
    OtpGone,
    /// Too many sends or tries.
    #[error("too many")]
    TooMany {
        /// When to try again.
        retry_after: Duration,
    },
    /// verify-pin: wrong password or unknown account, one answer.
    #[error("wrong credentials")]
    WrongCredentials,
    /// No token where one is needed.
    #[error("no token")]
    TokenMissing,
    /// A token that is not ours, or was revoked.
    #[error("invalid token")]
    TokenInvalid,
    /// An access token that has to be refreshed.
    #[error("expired token")]
    TokenExpired,
    /// A permission that the account lacks.
    #[error("not allowed")]
    NotAllowed,
    /// The account is suspended.
    #[error("suspended")]
    Suspended,
    /// Another request replaced this refresh token while this one was on its way.
    #[error("refreshed by another request")]
    RefreshRaced,
    /// A wrong password where a signed-in person is asked for it again.
    #[error("wrong password")]
    PasswordWrong,
    /// The operation needs a proved identifier.
    #[error("not verified")]
    NotVerified,
    /// A wrong PIN, and how many tries are left.
    #[error("wrong PIN")]
    PinWrong {
        /// Tries left before it locks.
        tries_left: u32,
    },
    /// No PIN was defined.
    #[error("no PIN")]
    PinNotSet,
    /// Five wrong PINs.
    #[error("PIN locked")]
    PinLocked,
    /// The hasher has as much to do as it may.
    #[error("busy")]
    Busy,
    /// The identifier of someone else.
    #[error("identifier taken")]
    IdentifierTaken,
    /// What another house or the kernel refused, as it said it.
    #[error("refused: {}", .0.code)]
    Refused(Box<Problem>),
    /// The database's or the machine's fault.
    #[error(transparent)]
    Failure(Failure),
}

kernel::failure_into!(IdentityError);

impl From<NotAnIdentifier> for IdentityError {
    fn from(refused: NotAnIdentifier) -> Self {
        Self::Field("identifier", refused.code())
    }
}

impl From<Problem> for IdentityError {
    fn from(problem: Problem) -> Self {
        Self::Refused(Box::new(problem))
    }
}

/// When the hasher refused, its queue is short again after so long.
const BUSY_RETRY: Duration = Duration::from_secs(2);

impl From<IdentityError> for Problem {
    fn from(error: IdentityError) -> Self {
        use IdentityError as E;
        let code = error.code();
        let of = |status| Problem::new(status, code);
        match error {
            E::Field(field, reason) => Problem::field(field, reason),
            E::AlreadyRegistered | E::PasswordAlreadySet | E::IdentifierTaken | E::RefreshRaced => {
                of(StatusCode::CONFLICT)
            }
            E::UnknownIdentifier => of(StatusCode::NOT_FOUND),
            E::ProofRequired
            | E::TicketInvalid
            | E::NotAllowed
            | E::Suspended
            | E::NotVerified
            | E::PinNotSet
            | E::PasswordWrong => of(StatusCode::FORBIDDEN),
            E::OtpWrong { attempts_left } => of(StatusCode::UNAUTHORIZED)
                .with_member("attemptsLeft", attempts_left)
                .with_param("attemptsLeft", attempts_left),
            E::OtpGone => of(StatusCode::GONE),
            E::TooMany { retry_after } => of(StatusCode::TOO_MANY_REQUESTS).with_retry_after(retry_after),
            E::WrongCredentials => of(StatusCode::UNAUTHORIZED),
            E::TokenMissing => challenged(of(StatusCode::UNAUTHORIZED), "Bearer"),
            E::TokenInvalid | E::TokenExpired => {
                challenged(of(StatusCode::UNAUTHORIZED), "Bearer error=\"invalid_token\"")
            }
            E::PinWrong { tries_left } => {
                of(StatusCode::FORBIDDEN).with_member("triesLeft", tries_left).with_param("triesLeft", tries_left)
            }
            E::PinLocked => of(StatusCode::LOCKED),
            E::Busy => of(StatusCode::SERVICE_UNAVAILABLE).with_retry_after(BUSY_RETRY),
            E::Refused(problem) => *problem,
            E::Failure(failure) => failure.into(),
        }
    }
}

/// RFC 6750: which scheme, and whether the token was the reason.
fn challenged(problem: Problem, challenge: &'static str) -> Problem {
    problem.with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
}

impl IdentityError {
    /// What a client branches on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Field(..) => "request.invalid",
            Self::AlreadyRegistered => "identity.already_registered",
            Self::UnknownIdentifier => "identity.unknown_identifier",
            Self::PasswordAlreadySet => "identity.password_already_set",
            Self::ProofRequired => "identity.proof_required",
            Self::TicketInvalid => "identity.ticket_invalid",
            Self::OtpWrong { .. } => "identity.otp_wrong",
            Self::OtpGone => "identity.otp_gone",
            Self::TooMany { .. } => "identity.too_many",
            Self::WrongCredentials => "identity.wrong_credentials",
            Self::TokenMissing => "identity.token_missing",
            Self::TokenInvalid => "identity.token_invalid",
            Self::TokenExpired => "identity.token_expired",
            Self::NotAllowed => "identity.not_allowed",
            Self::Suspended => "identity.suspended",
            Self::RefreshRaced => "identity.refresh_raced",
            Self::PasswordWrong => "identity.password_wrong",
            Self::NotVerified => "identity.not_verified",
            Self::PinWrong { .. } => "identity.pin_wrong",
            Self::PinNotSet => "identity.pin_not_set",
            Self::PinLocked => "identity.pin_locked",
            Self::Busy => "identity.busy",
            Self::IdentifierTaken => "identity.identifier_taken",
            Self::Refused(problem) => problem.code,
            Self::Failure(_) => "server.internal",
        }
    }
}
