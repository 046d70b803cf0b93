//! Budgets of requests by client network: in memory, per process, forgiving of a burst. What guards money and codes is
//! counted in the database instead, by the house that owns it.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use crate::Problem;
use crate::http::ClientNetwork;

type Buckets =
    RateLimiter<ClientNetwork, DefaultKeyedStateStore<ClientNetwork>, DefaultClock, StateInformationMiddleware>;

/// Above this many networks the idle ones are forgotten.
const MAX_NETWORKS: usize = 100_000;

/// One budget: so many requests a minute, so many at once.
#[derive(Clone)]
pub struct Budget(Option<Arc<Inner>>);

struct Inner {
    policy: HeaderValue,
    burst: u32,
    buckets: Buckets,
}

impl std::fmt::Debug for Budget {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Budget({:?})", self.0.as_ref().map(|inner| &inner.policy))
    }
}

impl Budget {
    /// `per_minute` requests on average, `burst` at once.
    pub fn new(name: &str, per_minute: NonZeroU32, burst: NonZeroU32) -> Self {
        let buckets = RateLimiter::keyed(Quota::per_minute(per_minute).allow_burst(burst)).with_middleware();
        let policy = format!("\"{name}\";q={burst};w={}", 60 * burst.get() / per_minute.get().max(1));
        let policy = HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("\"default\""));
        Self(Some(Arc::new(Inner { policy, burst: burst.get(), buckets })))
    }

    /// No limit at all: load tests in development.
    pub fn unlimited() -> Self {
        Self(None)
    }
}

/// Middleware: `axum::middleware::from_fn_with_state(budget, limits::guard)`.
pub async fn guard(State(budget): State<Budget>, request: Request, next: Next) -> Response {
    let Some(inner) = &budget.0 else { return next.run(request).await };
    let Some(network) = request.extensions().get::<ClientNetwork>().copied() else { return next.run(request).await };
    if inner.buckets.len() > MAX_NETWORKS {
        inner.buckets.retain_recent();
    }
    let (mut response, left, reset) = match inner.buckets.check_key(&network) {
        Ok(snapshot) => {
            let left = snapshot.remaining_burst_capacity();
            let reset = snapshot.quota().replenish_interval() * (inner.burst - left.min(inner.burst));
            (next.run(request).await, left, reset)
        }
        Err(refused) => {
            let wait = refused.wait_time_from(DefaultClock::default().now());
            metrics::counter!("hostolink_requests_limited_total").increment(1);
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "request.too_many").with_retry_after(wait);
            (problem.into_response(), 0, wait)
        }
    };
    told(&mut response, inner, left, reset);
    response
}

/// The fields of the IETF's draft for rate limits.
fn told(response: &mut Response, inner: &Inner, left: u32, reset: Duration) {
    let name = inner.policy.to_str().unwrap_or("").split(';').next().unwrap_or("").to_owned();
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("ratelimit-policy"), inner.policy.clone());
    if let Ok(value) = HeaderValue::from_str(&format!("{name};r={left};t={}", reset.as_secs() + 1)) {
        headers.insert(HeaderName::from_static("ratelimit"), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Body;
    use axum::routing::get;
    use tower::ServiceExt;

    async fn ask(app: &Router, from: &str) -> (StatusCode, bool) {
        let mut request = Request::get("/").body(Body::empty()).unwrap();
        request.extensions_mut().insert(ClientNetwork::of(from.parse().unwrap()));
        let response = app.clone().oneshot(request).await.unwrap();
        (response.status(), response.headers().contains_key("ratelimit"))
    }

    #[tokio::test]
    async fn a_network_has_its_own_budget() {
        let two = NonZeroU32::new(2).unwrap();
        let app = Router::new()
            .route("/", get(async || "ok"))
            .layer(axum::middleware::from_fn_with_state(Budget::new("test", two, two), guard));
        assert_eq!(ask(&app, "10.0.0.1").await, (StatusCode::OK, true));
        assert_eq!(ask(&app, "10.0.0.1").await.0, StatusCode::OK);
        assert_eq!(ask(&app, "10.0.0.1").await, (StatusCode::TOO_MANY_REQUESTS, true));
        assert_eq!(ask(&app, "10.0.0.2").await.0, StatusCode::OK);
    }
}
