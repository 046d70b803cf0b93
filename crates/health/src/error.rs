use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kernel::{Failure, Problem};

/// Why a request of this house is refused.
#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    /// No such facility, suggestion, tile or pack.
    #[error("not found")]
    NotFound,
    /// A field of the request: its name and the code.
    #[error("field {0}: {1}")]
    Field(&'static str, &'static str),
    /// The tables were not read yet.
    #[error("the directory is being read")]
    NotLoaded,
    /// Corrections come from people whose number or address is proved.
    #[error("not verified")]
    NotVerified,
    /// The same correction from the same person waits already.
    #[error("already suggested")]
    AlreadySuggested,
    /// More corrections in a day than one person makes.
    #[error("too many suggestions")]
    TooManySuggestions,
    /// A moderator decided before.
    #[error("already decided")]
    AlreadyDecided,
    /// Something newer was published over it.
    #[error("cannot be undone")]
    NotReversible,
    /// The database, or we.
    #[error(transparent)]
    Failure(Failure),
}

kernel::failure_into!(HealthError);

impl HealthError {
    /// `health.…`
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "request.not_found",
            Self::Field(..) => "request.invalid",
            Self::NotLoaded => "health.not_loaded",
            Self::NotVerified => "health.not_verified",
            Self::AlreadySuggested => "health.already_suggested",
            Self::TooManySuggestions => "health.too_many_suggestions",
            Self::AlreadyDecided => "health.already_decided",
            Self::NotReversible => "health.not_reversible",
            Self::Failure(_) => "server.internal",
        }
    }
}

impl From<HealthError> for Problem {
    fn from(error: HealthError) -> Self {
        let code = error.code();
        match error {
            HealthError::NotFound => Problem::not_found(),
            HealthError::Field(field, code) => Problem::field(field, code),
            HealthError::NotLoaded => {
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, code).with_retry_after(std::time::Duration::from_secs(2))
            }
            HealthError::NotVerified => Problem::new(StatusCode::FORBIDDEN, code),
            HealthError::AlreadySuggested | HealthError::AlreadyDecided | HealthError::NotReversible => {
                Problem::new(StatusCode::CONFLICT, code)
            }
            HealthError::TooManySuggestions => {
                Problem::new(StatusCode::TOO_MANY_REQUESTS, code).with_retry_after(std::time::Duration::from_secs(3600))
            }
            HealthError::Failure(failure) => failure.into(),
        }
    }
}

impl IntoResponse for HealthError {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}
