//! The document of the interface and the page to read and try it; both come from the program itself.

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use kernel::http::render::{etag, matches_tag};
use utoipa_swagger_ui::{Config, SwaggerUi};

/// `/api/openapi.json` and `/api/docs`.
pub fn routes(document: String) -> Router {
    let tag = etag(document.as_bytes());
    let document: std::sync::Arc<str> = document.into();
    let page = SwaggerUi::new("/api/docs")
        .config(Config::from("/api/openapi.json").persist_authorization(true).validator_url("none"));
    let read = async move |headers: HeaderMap| openapi(&document, &tag, &headers);
    Router::new().route("/api/openapi.json", get(read)).merge(Router::from(page))
}

fn openapi(document: &str, tag: &HeaderValue, headers: &HeaderMap) -> Response {
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| matches_tag(known, tag)) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, tag.clone())]).into_response();
    }
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json")), (header::ETAG, tag.clone())];
    (headers, document.to_owned()).into_response()
}
