//! The page at `/map`: MapLibre, our own tiles, nothing from elsewhere.

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;

use crate::raw;

const PAGE: &str = include_str!("../../assets/map.html");
const FILES: [(&str, &str, &[u8]); 5] = [
    ("/map/map.js", "text/javascript; charset=utf-8", include_bytes!("../../assets/map.js")),
    ("/map/map.css", "text/css; charset=utf-8", include_bytes!("../../assets/map.css")),
    ("/map/maplibre-gl.mjs", "text/javascript; charset=utf-8", include_bytes!("../../assets/maplibre-gl.mjs")),
    (
        "/map/maplibre-gl-worker.mjs",
        "text/javascript; charset=utf-8",
        include_bytes!("../../assets/maplibre-gl-worker.mjs"),
    ),
    ("/map/maplibre-gl.css", "text/css; charset=utf-8", include_bytes!("../../assets/maplibre-gl.css")),
];
/// The page talks to its own server and to nobody else.
const POLICY: &str = "default-src 'none'; script-src 'self'; worker-src 'self' blob:; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(crate) fn routes() -> Router {
    let mut router = Router::new().route("/map", get(page));
    for (path, kind, bytes) in FILES {
        router = router.route(
            path,
            get(async move |headers: HeaderMap| {
                raw::answer(&headers, Bytes::from_static(bytes), kind, "public, max-age=3600")
            }),
        );
    }
    router
}

async fn page(headers: HeaderMap) -> Response {
    let mut response =
        raw::answer(&headers, Bytes::from_static(PAGE.as_bytes()), "text/html; charset=utf-8", "public, max-age=300")
            .into_response();
    let set = response.headers_mut();
    set.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    set.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Where somebody looks for a doctor is nobody else's business.
    set.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
