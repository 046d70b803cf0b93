use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use kernel::http::{Lexicon, render};
use serde_json::Value;
use std::sync::Arc;
use tower::ServiceExt;

/// Speaks to a router. Sentences are codes here: the wording belongs to the server and is tested there.
#[derive(Clone, Debug)]
pub struct Client {
    router: Router,
    headers: HeaderMap,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as JSON; null when there is none or it is something else.
    pub body: Value,
    /// The body as it came.
    pub bytes: Vec<u8>,
}

impl Client {
    /// A client of a house's router, with the envelope layer around it.
    pub fn new(router: Router) -> Self {
        let lexicon = Arc::new(Lexicon::default());
        let router = router.layer(axum::middleware::from_fn_with_state(lexicon, render::envelope));
        Self { router, headers: HeaderMap::new() }
    }

    /// A client of a router that writes its envelopes itself: the whole server.
    pub fn bare(router: Router) -> Self {
        Self { router, headers: HeaderMap::new() }
    }

    /// The same client, with one more header on every request.
    #[must_use]
    pub fn with(&self, name: &'static str, value: &str) -> Self {
        let mut headers = self.headers.clone();
        headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        Self { router: self.router.clone(), headers }
    }

    /// The same client, signed in.
    #[must_use]
    pub fn bearer(&self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
    }

    /// GET
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    /// POST with a JSON body
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    /// PUT with a JSON body
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, Some(body)).await
    }

    /// PATCH with a JSON body
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(body)).await
    }

    /// DELETE, with or without a body
    pub async fn delete(&self, path: &str, body: Option<Value>) -> Answer {
        self.send(Method::DELETE, path, body).await
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = body.map_or(Body::empty(), |json| Body::from(json.to_string()));
        self.request(request.body(body).unwrap()).await
    }

    /// Any request, with the client's own headers.
    pub async fn request(&self, mut request: Request<Body>) -> Answer {
        request.headers_mut().extend(self.headers.clone());
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let bytes = axum::body::to_bytes(body, 16 << 20).await.unwrap().to_vec();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status: parts.status, headers: parts.headers, body, bytes }
    }
}

impl Answer {
    /// `data` of the envelope, when the status is the expected one; otherwise the test fails with the whole answer.
    #[track_caller]
    pub fn data(self, expected: u16) -> Value {
        assert_eq!(self.status.as_u16(), expected, "{}", self.body);
        self.body.get("data").cloned().unwrap_or(Value::Null)
    }

    /// The code of the refusal, when the status is the expected one.
    #[track_caller]
    pub fn code(self, expected: u16) -> String {
        assert_eq!(self.status.as_u16(), expected, "{}", self.body);
        self.body["code"].as_str().unwrap_or_default().to_owned()
    }
}
