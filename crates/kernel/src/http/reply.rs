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
    data: T,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl<T: Serialize> Reply<T> {
    /// 200
    pub fn ok(code: &'static str, data: T) -> Self {
        Self { status: StatusCode::OK, code, data, headers: Vec::new() }
    }

    /// 201
    pub fn created(code: &'static str, data: T) -> Self {
        Self { status: StatusCode::CREATED, ..Self::ok(code, data) }
    }

    /// 202: the outcome comes later.
    pub fn accepted(code: &'static str, data: T) -> Self {
        Self { status: StatusCode::ACCEPTED, ..Self::ok(code, data) }
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
        response.extensions_mut().insert(Envelope { code: self.code, data: data.into() });
        response
    }
}
