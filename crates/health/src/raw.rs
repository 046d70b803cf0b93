//! Answers without the envelope: tiles, packs, FHIR, the page. Each has a tag, so that the same thing travels once.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use bytes::Bytes;
use kernel::http::render;

/// A body with its kind and how long anybody may keep it.
pub(crate) fn answer(asked: &HeaderMap, body: Bytes, kind: &'static str, cache: &'static str) -> Response<Body> {
    let tag = render::etag(&body);
    tagged(asked, tag, kind, cache, None, body)
}

/// The same for what is packed already: the tag belongs to the content, not to its packing.
pub(crate) fn packed(
    asked: &HeaderMap,
    tag: HeaderValue,
    kind: &'static str,
    cache: &'static str,
    gzip: Bytes,
    plain: impl FnOnce() -> Bytes,
) -> Response<Body> {
    let takes = asked.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()).any(accepts_gzip);
    if takes {
        tagged(asked, tag, kind, cache, Some("gzip"), gzip)
    } else {
        tagged(asked, tag, kind, cache, None, plain())
    }
}

fn accepts_gzip(text: &str) -> bool {
    text.split(',').map(str::trim).any(|range| {
        let (name, weight) =
            range.split_once(';').map_or((range, "q=1"), |(name, weight)| (name.trim(), weight.trim()));
        matches!(name, "gzip" | "*") && !matches!(weight, "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}

fn tagged(
    asked: &HeaderMap,
    tag: HeaderValue,
    kind: &'static str,
    cache: &'static str,
    encoding: Option<&'static str>,
    body: Bytes,
) -> Response<Body> {
    let same = asked.get(header::IF_NONE_MATCH).is_some_and(|known| render::matches_tag(known, &tag));
    let mut response = Response::new(if same { Body::empty() } else { Body::from(body) });
    let headers = response.headers_mut();
    headers.insert(header::ETAG, tag);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if same {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}
