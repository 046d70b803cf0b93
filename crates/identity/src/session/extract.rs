//! Extractors. They find [`Identity`] in the request's extensions, so that every house can use them whatever its own
//! state is.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::header::{AUTHORIZATION, USER_AGENT};
use axum::http::request::Parts;
use kernel::Problem;
use kernel::http::ClientNetwork;

use super::Account;
use crate::{Identity, IdentityError};

/// The longest name of a device that is kept, in characters.
const MAX_DEVICE: usize = 120;

/// Who asks, by the access token of the request. As an `Option`, for routes that anybody may call: `None` without a
/// token that is valid at present.
#[derive(Clone, Debug)]
pub struct Signed(pub Account);

/// Where a request comes from, for the list of sessions and the log of security events.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The client's network.
    pub network: String,
    /// What the device calls itself.
    pub device: String,
}

impl<S: Sync> FromRequestParts<S> for Signed {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(signed(parts).await?)
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Signed {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Problem> {
        match signed(parts).await {
            Ok(signed) => Ok(Some(signed)),
            Err(IdentityError::Failure(failure)) => Err(failure.into()),
            // A token that proves nothing is no token: a public route serves its sender like anybody.
            Err(_) => Ok(None),
        }
    }
}

/// Asked once a request, however many extractors want it.
async fn signed(parts: &mut Parts) -> Result<Signed, IdentityError> {
    if let Some(known) = parts.extensions.get::<Signed>() {
        return Ok(known.clone());
    }
    let signed = Signed(identity(parts)?.authenticate(bearer(parts)?).await?);
    parts.extensions.insert(signed.clone());
    Ok(signed)
}

pub(crate) fn identity(parts: &Parts) -> Result<&Identity, IdentityError> {
    let missing = || kernel::Failure::internal("Identity::layer is not around this router").into();
    parts.extensions.get::<Identity>().ok_or_else(missing)
}

fn bearer(parts: &Parts) -> Result<&str, IdentityError> {
    let header = parts.headers.get(AUTHORIZATION).ok_or(IdentityError::TokenMissing)?;
    let text = header.to_str().map_err(|_| IdentityError::TokenInvalid)?;
    let (scheme, token) = text.trim().split_once(' ').ok_or(IdentityError::TokenMissing)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(IdentityError::TokenMissing) }
}

impl<S: Sync> FromRequestParts<S> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let network = ClientNetwork::from_request_parts(parts, state).await?;
        let agent = parts.headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or("");
        Ok(Self { network: network.text(), device: agent.chars().take(MAX_DEVICE).collect() })
    }
}
