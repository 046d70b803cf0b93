use std::error::Error as _;

use tokio_postgres::error::SqlState;

use crate::Problem;

/// What is nobody's mistake but ours or the machine's: the database is away, a query is wrong, a bound was hit.
/// It says nothing to the client but "try again" or "we know".
#[derive(Clone, Debug, thiserror::Error)]
pub enum Failure {
    /// It passes by itself: connection lost, too many clients, disk full, deadlock, read-only after a failover.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// It does not.
    #[error("internal: {0}")]
    Internal(String),
}

impl Failure {
    /// Something that cannot happen, and did.
    #[track_caller]
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        Failure::Internal(format!("{cause} (at {})", std::panic::Location::caller()))
    }

    /// A busy or absent part of the system.
    pub fn unavailable(cause: impl std::fmt::Display) -> Self {
        Failure::Unavailable(cause.to_string())
    }

    #[track_caller]
    pub(super) fn from_sqlx(error: sqlx::Error) -> Self {
        let passing = match &error {
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed => {
                true
            }
            sqlx::Error::Database(database) => database.code().is_some_and(|code| passes(&code)),
            _ => false,
        };
        Self::sorted(passing, describe_sqlx(&error))
    }

    #[track_caller]
    fn sorted(passing: bool, cause: String) -> Self {
        if passing { Failure::Unavailable(cause) } else { Failure::internal(cause) }
    }
}

/// SQLSTATE classes of what is worth trying again.
fn passes(code: &str) -> bool {
    let class = code.get(..2).unwrap_or("");
    matches!(class, "08" | "53" | "57" | "58") || matches!(code, "40001" | "40P01" | "25006" | "55P03")
}

/// A constraint's message may hold the row; only its name is told.
fn describe_sqlx(error: &sqlx::Error) -> String {
    match error.as_database_error() {
        Some(database) => {
            let code = database.code().unwrap_or_default();
            format!("{code} {} {}", database.constraint().unwrap_or(""), first_line(database.message()))
        }
        None => error.to_string(),
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or("")
}

impl From<sqlx::Error> for Failure {
    #[track_caller]
    fn from(error: sqlx::Error) -> Self {
        Self::from_sqlx(error)
    }
}

impl From<tokio_postgres::Error> for Failure {
    #[track_caller]
    fn from(error: tokio_postgres::Error) -> Self {
        let cause = match error.as_db_error() {
            Some(database) => {
                format!(
                    "{} {} {}",
                    database.code().code(),
                    database.constraint().unwrap_or(""),
                    first_line(database.message())
                )
            }
            None => format!("{error}: {}", error.source().map(ToString::to_string).unwrap_or_default()),
        };
        let passing = error.is_closed() || error.code().is_none_or(|code| passes(code.code()));
        Self::sorted(passing, cause)
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unavailable(cause) => Problem::unavailable(cause),
            Failure::Internal(cause) => Problem::internal(cause),
        }
    }
}

/// Whether a write was refused by the constraint of this name.
pub fn violates(error: &sqlx::Error, constraint: &str) -> bool {
    error.as_database_error().is_some_and(|database| {
        let known = [
            SqlState::UNIQUE_VIOLATION.code(),
            SqlState::FOREIGN_KEY_VIOLATION.code(),
            SqlState::CHECK_VIOLATION.code(),
        ];
        database.constraint() == Some(constraint) && database.code().is_some_and(|code| known.contains(&code.as_ref()))
    })
}

/// Lets `?` turn database errors into a house's `Failure` variant.
#[macro_export]
macro_rules! failure_into {
    ($error:ty) => {
        impl From<$crate::Failure> for $error {
            fn from(failure: $crate::Failure) -> Self {
                Self::Failure(failure)
            }
        }
        impl From<sqlx::Error> for $error {
            #[track_caller]
            fn from(error: sqlx::Error) -> Self {
                Self::Failure($crate::Failure::from(error))
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_by_itself_is_told_apart() {
        for code in ["08006", "57P01", "53100", "53300", "40P01", "25006"] {
            assert!(passes(code), "{code}");
        }
        for code in ["42P01", "23505", "22001", ""] {
            assert!(!passes(code), "{code}");
        }
    }
}
