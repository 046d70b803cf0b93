//! Bodies are read here, once, within their bound. What is too large is read to its end and thrown away before the
//! refusal is sent: a client that is still writing when the connection closes never sees the answer.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use kernel::Problem;

/// The largest body of a request, in bytes.
const MAX_BODY: usize = 64 * 1024;
/// The largest callback of an operator, in bytes.
const MAX_CALLBACK: usize = 1024 * 1024;
/// The largest group of payments, in bytes: a thousand with their notes.
const MAX_GROUP: usize = 2 * 1024 * 1024;
/// Beyond this nobody is waited for: the connection is closed.
const MAX_DRAINED: usize = 32 * 1024 * 1024;

/// Middleware: hands on requests whose body is complete and within bounds.
pub async fn bounded(request: Request, next: Next) -> Response {
    let most = match request.uri().path() {
        "/api/transfers/bulk" => MAX_GROUP,
        path if path.starts_with("/api/webhooks/") => MAX_CALLBACK,
        _ => MAX_BODY,
    };
    if announced(&request) > MAX_DRAINED {
        return too_large();
    }
    let (parts, body) = request.into_parts();
    match read(body, most).await {
        Read::Whole(bytes) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Read::TooLarge => too_large(),
        Read::Broken => Problem::new(StatusCode::BAD_REQUEST, "request.unreadable").into_response(),
    }
}

fn announced(request: &Request) -> usize {
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    length.and_then(|length| length.parse().ok()).unwrap_or(0)
}

fn too_large() -> Response {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "request.too_large").into_response()
}

enum Read {
    Whole(Vec<u8>),
    TooLarge,
    Broken,
}

async fn read(body: Body, most: usize) -> Read {
    let (mut stream, mut bytes, mut seen) = (body.into_data_stream(), Vec::new(), 0);
    while let Some(chunk) = stream.next().await {
        let Ok(chunk) = chunk else { return Read::Broken };
        seen += chunk.len();
        if seen > MAX_DRAINED {
            break;
        }
        if seen <= most {
            bytes.extend_from_slice(&chunk);
        }
    }
    if seen > most { Read::TooLarge } else { Read::Whole(bytes) }
}
