use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Serialize;

use super::Problem;

/// A success: the data of the envelope and the code of its sentence. [`super::render`] writes the body.
#[derive(Debug)]
pub struct Reply<T> {
    status: StatusCode,
    code: &'static str,
    fixed: Option<&'static str>,
    data: T,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl<T: Serialize> Reply<T> {
    /// 200
    pub fn ok(code: &'static str, data: T) -> Self {
        Self { status: StatusCode::OK, code, fixed: None, data, headers: Vec::new() }
    }

    /// 201
    pub fn created(code: &'static str, data: T) -> Self {
        Self { status: StatusCode::CREATED, ..Self::ok(code, data) }
    }

    /// 202: the outcome comes later.
    pub fn accepted(code: &'static str, data: T) -> Self {
        Self { status: StatusCode::ACCEPTED, ..Self::ok(code, data) }
    }

    /// The citizens' document fixes its messages letter for letter: they are not translated.
    #[must_use]
    pub fn with_fixed_message(mut self, message: &'static str) -> Self {
        self.fixed = Some(message);
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// What a response carries until its envelope is written.
#[derive(Clone, Debug)]
pub(super) struct Envelope {
    pub(super) code: &'static str,
    pub(super) fixed: Option<&'static str>,
    pub(super) data: Bytes,
}

impl<T: Serialize> IntoResponse for Reply<T> {
    fn into_response(self) -> Response {
        let data = match serde_json::to_vec(&self.data) {
            Ok(data) => data,
            Err(error) => return Problem::internal(error).into_response(),
        };
        let mut response = self.status.into_response();
        response.headers_mut().extend(self.headers);
        response.extensions_mut().insert(Envelope { code: self.code, fixed: self.fixed, data: data.into() });
        response
    }
}

/// Documents the envelope of a success: `answer!(UserCheckedAnswer, UserChecked)` is the schema whose `data` is the second.
#[macro_export]
macro_rules! answer {
    ($name:ident, $data:ty) => {
        #[doc = concat!("The answer whose data is `", stringify!($data), "`.")]
        #[derive(utoipa::ToSchema)]
        #[allow(dead_code, reason = "a schema only: the envelope is written by the outermost layer")]
        pub(crate) struct $name {
            #[schema(examples("success"))]
            status: String,
            message: String,
            data: $data,
        }
    };
}
