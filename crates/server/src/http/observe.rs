//! One log line and one measure a request: the route as it is declared, never the path as it was sent, since paths and
//! queries hold what people type.

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use kernel::http::RequestId;

/// Middleware around the routes.
pub async fn request(request: Request, next: Next) -> Response {
    let started = tokio::time::Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let id = request.extensions().get::<RequestId>().copied();
    let response = next.run(request).await;
    let (status, took) = (response.status().as_u16(), started.elapsed());
    let route = route.unwrap_or_else(|| "unknown".to_owned());
    if tracing::enabled!(tracing::Level::INFO) {
        let id = id.map(|id| id.0).unwrap_or_default();
        tracing::info!(%id, %method, route, status, ms = took.as_secs_f64() * 1e3, "request");
    }
    let labels = [("method", method.as_str().to_owned()), ("route", route), ("status", status.to_string())];
    metrics::counter!("hostolink_requests_total", &labels).increment(1);
    metrics::histogram!("hostolink_request_seconds", &labels[..2]).record(took.as_secs_f64());
    response
}
