//! Connections, and the faults that strike answers. The connections are ours rather than axum's, because a fault must be
//! able to close one without an answer.

use crate::faults::{Call, Fault, MAX_WAIT_MS, Strike};
use crate::model::Provider;
use crate::{App, desk};
use axum::Router;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use hyper::body::{Frame, Incoming};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::Value;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::Sleep;
use tower::ServiceExt as _;

/// Connections at the same time; more wait to be accepted.
const MAX_CONNECTIONS: usize = 2_048;
/// What a request may weigh, in bytes.
const MAX_BODY_BYTES: usize = 1024 * 1024;
/// How long a client may take to send the head of a request.
const HEAD_WITHIN: Duration = Duration::from_secs(30);
/// How long to wait when the system refuses to accept (too many open files).
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);
/// The state that nobody ever saw.
const UNKNOWN_WORD: &str = "EN_ORBITE";

/// The connection is to be closed without an answer.
#[derive(Debug)]
struct Dropped;

impl std::fmt::Display for Dropped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("closed by a fault that was ordered")
    }
}

impl std::error::Error for Dropped {}

/// Serves operators at the root of addresses of their own: some clients know a host and drop the path that follows it.
pub(crate) async fn accept_roots(mut asked: mpsc::Receiver<(Provider, TcpListener)>, app: Arc<App>, router: Router) {
    let mut roots = JoinSet::new();
    while let Some((provider, listener)) = asked.recv().await {
        roots.spawn(accept(listener, Some(provider), Arc::clone(&app), router.clone()));
    }
}

/// Accepts connections for ever.
pub(crate) async fn accept(listener: TcpListener, root: Option<Provider>, app: Arc<App>, router: Router) {
    let router = router.layer(DefaultBodyLimit::max(MAX_BODY_BYTES));
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let serving = connection(stream, root, Arc::clone(&app), router.clone());
                connections.spawn(async move {
                    serving.await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be accepted");
                tokio::time::sleep(ACCEPT_AGAIN).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(stream: TcpStream, root: Option<Provider>, app: Arc<App>, router: Router) {
    let _ = stream.set_nodelay(true);
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let (app, router) = (Arc::clone(&app), router.clone());
        async move { answer(&app, router, below(root, request.map(Body::new))).await }
    });
    let ended = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// The request as if it had come under the operator's prefix.
fn below(root: Option<Provider>, mut request: Request<Body>) -> Request<Body> {
    let Some(provider) = root else { return request };
    let asked = request.uri().path_and_query().map_or("/", |p| p.as_str());
    // What parsed without the prefix parses with it.
    if let Ok(uri) = format!("/{}{asked}", provider.name()).parse() {
        *request.uri_mut() = uri;
    }
    request
}

async fn answer(app: &Arc<App>, router: Router, request: Request<Body>) -> Result<Response<Body>, Dropped> {
    // Nothing is looked at more closely as long as no fault waits.
    if app.world().faults.is_empty() {
        return Ok(execute(router, request).await);
    }
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, MAX_BODY_BYTES).await.map_err(|_| Dropped)?;
    let strike = desk::operator(parts.uri.path()).and_then(|(provider, path)| {
        let call = (provider.desk().call)(&parts.method, path, &body);
        let strike = app.world().take_fault(provider, call, Fault::strikes_answer)?;
        log(provider, call, strike);
        Some(strike)
    });
    let request = Request::from_parts(parts, Body::from(body));
    match strike {
        Some(strike) => struck(router, request, strike).await,
        None => Ok(execute(router, request).await),
    }
}

fn log(provider: Provider, call: Call, strike: Strike) {
    tracing::info!(provider = provider.name(), ?call, fault = ?strike.kind, "a fault strikes");
}

async fn execute(router: Router, request: Request<Body>) -> Response<Body> {
    // A router answers every request, with an error page if need be.
    router.oneshot(request).await.unwrap_or_else(|never| match never {})
}

async fn struck(router: Router, request: Request<Body>, strike: Strike) -> Result<Response<Body>, Dropped> {
    let wait = Duration::from_millis(strike.ms);
    let done = if strike.kind.executes() { Some(execute(router, request).await) } else { None };
    match strike.kind {
        Fault::TimeoutAfterExecution | Fault::TimeoutBefore => {
            tokio::time::sleep(wait).await;
            Err(Dropped)
        }
        Fault::Reset | Fault::ResetAfterExecution => Err(Dropped),
        Fault::Status500 => Ok(plain(StatusCode::INTERNAL_SERVER_ERROR, "{\"error\":\"internal error\"}")),
        Fault::Status429 => Ok(plain(StatusCode::TOO_MANY_REQUESTS, "{\"error\":\"slow down\"}")),
        Fault::Status503AfterExecution => Ok(plain(StatusCode::SERVICE_UNAVAILABLE, "{\"error\":\"unavailable\"}")),
        Fault::Html502 => Ok(html_502()),
        Fault::Slow => {
            tokio::time::sleep(wait).await;
            Ok(done.unwrap_or_default())
        }
        Fault::HalfOpen => Ok(half(done.unwrap_or_default(), wait).await),
        Fault::UnknownStatus => Ok(rewritten(done.unwrap_or_default()).await),
        Fault::WrongContentType => {
            let mut response = done.unwrap_or_default();
            response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/plain"));
            Ok(response)
        }
        _ => Ok(done.unwrap_or_default()),
    }
}

fn plain(status: StatusCode, body: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}

fn html_502() -> Response<Body> {
    let page = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>";
    let mut response = plain(StatusCode::BAD_GATEWAY, page);
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/html"));
    response
}

/// Announces the whole answer, sends half of it, then falls silent.
async fn half(response: Response<Body>, wait: Duration) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    // One byte is announced even for an empty answer, so that its end stays open.
    parts.headers.insert(header::CONTENT_LENGTH, header::HeaderValue::from(bytes.len().max(1)));
    let first = bytes.slice(..bytes.len() / 2);
    let wait = wait.min(Duration::from_millis(MAX_WAIT_MS));
    Response::from_parts(parts, Body::new(Half { first: Some(first), silence: Box::pin(tokio::time::sleep(wait)) }))
}

/// A body that stops in the middle.
struct Half {
    first: Option<Bytes>,
    silence: Pin<Box<Sleep>>,
}

impl hyper::body::Body for Half {
    type Data = Bytes;
    type Error = Dropped;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Dropped>>> {
        if let Some(first) = self.first.take().filter(|first| !first.is_empty()) {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        self.silence.as_mut().poll(context).map(|()| Some(Err(Dropped)))
    }
}

/// Replaces every state in a JSON or XML answer by a word that nobody ever saw.
async fn rewritten(response: Response<Body>) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let text = match serde_json::from_slice::<Value>(&bytes) {
        Ok(mut json) => {
            replace_states(&mut json);
            json.to_string()
        }
        Err(_) => replace_xml_states(&String::from_utf8_lossy(&bytes)),
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(text))
}

fn replace_states(json: &mut Value) {
    match json {
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                let state = matches!(name.as_str(), "status" | "checkout_status" | "payment_status" | "statut");
                match value {
                    Value::String(word) if state => UNKNOWN_WORD.clone_into(word),
                    Value::Object(_) | Value::Array(_) => replace_states(value),
                    _ => {}
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(replace_states),
        _ => {}
    }
}

fn replace_xml_states(text: &str) -> String {
    let Some((before, rest)) = text.split_once("<status>") else { return text.to_owned() };
    let Some((_, after)) = rest.split_once("</status>") else { return text.to_owned() };
    format!("{before}<status>777</status>{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_replaced_wherever_they_are() {
        let mut json = serde_json::json!({"status": "FOUND", "data": {"status": "COMPLETED", "amount": "5"}, "result": [{"payment_status": "succeeded"}]});
        replace_states(&mut json);
        let word = UNKNOWN_WORD;
        assert_eq!(
            json,
            serde_json::json!({"status": word, "data": {"status": word, "amount": "5"}, "result": [{"payment_status": word}]})
        );
        assert_eq!(replace_xml_states("<a><status>0</status></a>"), "<a><status>777</status></a>");
    }
}
