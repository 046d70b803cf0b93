//! Which address leads where, on one screen.

use std::num::NonZeroU32;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use identity::{Limits, Mode};
use kernel::Problem;
use kernel::http::render;
use kernel::limits::{self, Budget};
use metrics_exporter_prometheus::PrometheusHandle;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};
use utoipa_axum::router::OpenApiRouter;

use crate::dashboard;
use crate::http::{bodies, client, docs, health, observe};
use crate::openapi;
use crate::wiring::App;

/// A request that takes longer is given up, in seconds: nothing that is written depends on the answer.
const REQUEST_TIMEOUT_S: u64 = 30;
/// Requests a minute of one network. Whole neighbourhoods share one address behind an operator's gateway.
const PER_MINUTE: NonZeroU32 = NonZeroU32::new(6_000).unwrap();
/// Requests of one network at once.
const BURST: NonZeroU32 = NonZeroU32::new(2_000).unwrap();

/// Every route that OpenAPI describes, with its document.
pub fn described(app: &App) -> OpenApiRouter {
    let api = OpenApiRouter::new()
        .merge(identity::routes(app.identity.clone()))
        .merge(wallet::routes(app.wallet.clone()))
        .merge(app.health.routes())
        .merge(notifications::routes(app.notifications.clone(), &app.identity))
        .merge(announcements::routes(app.announcements.clone(), &app.identity))
        .merge(dashboard::routes(app.clone()));
    let root = OpenApiRouter::new().merge(identity::public_root_routes(app.identity.clone()));
    OpenApiRouter::with_openapi(openapi::document()).nest("/api", api).merge(root)
}

/// The whole server.
pub fn build(app: &App, metrics: Option<PrometheusHandle>) -> anyhow::Result<Router> {
    let (routes, mut document) = described(app).split_for_parts();
    openapi::complete(&mut document);
    let budget = match app.config.limits {
        Limits::On => Budget::new("requests", PER_MINUTE, BURST),
        Limits::Off => Budget::unlimited(),
    };
    let (ready_db, readiness) = (app.db.clone(), app.readiness.clone());
    let mut router = routes
        .layer(app.identity.layer())
        .merge(app.health.root_routes())
        .merge(docs::routes(openapi::text(&document)?))
        .layer(from_fn_with_state(budget, limits::guard))
        .route("/healthz", get(health::live))
        .route("/readyz", get(async move || health::ready(&ready_db, &readiness).await));
    if let Some(handle) = metrics {
        router = router.route("/metrics", get(async move || handle.render()));
    }
    let marking = client::Marking {
        trusted: app.config.trusted_proxies.clone().into(),
        clock: app.clock.clone(),
        random: app.random.clone(),
    };
    // From the inside out: what a request meets last stands first.
    Ok(router
        // Bodies are bounded by a layer of our own, further out.
        .layer(DefaultBodyLimit::disable())
        .layer(CatchPanicLayer::custom(|_| panicked()))
        .layer(from_fn(bodies::bounded))
        .layer(from_fn(timed))
        .layer(from_fn_with_state(app.lexicon.clone(), render::envelope))
        .layer(CompressionLayer::new())
        .layer(cors(app))
        .layer(from_fn(observe::request))
        .layer(from_fn_with_state(marking, client::mark)))
}

fn panicked() -> Response {
    Problem::internal("a handler panicked").into_response()
}

async fn timed(request: axum::extract::Request, next: axum::middleware::Next) -> Response {
    match tokio::time::timeout(Duration::from_secs(REQUEST_TIMEOUT_S), next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::unavailable("the request took too long").into_response(),
    }
}

/// Closed unless the configuration names origins; development lets pages of this machine in.
fn cors(app: &App) -> CorsLayer {
    let origins: Vec<HeaderValue> = app.config.cors_origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    let development = app.config.mode == Mode::Development;
    let allowed = AllowOrigin::predicate(move |origin, _| {
        origins.contains(origin) || (development && origin.to_str().is_ok_and(is_local))
    });
    CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::HEAD])
        .allow_headers(
            ["authorization", "content-type", "idempotency-key", "accept-language", "if-none-match"]
                .map(HeaderName::from_static),
        )
        .expose_headers(
            ["x-request-id", "idempotency-replayed", "retry-after", "etag", "ratelimit", "ratelimit-policy"]
                .map(HeaderName::from_static),
        )
}

fn is_local(origin: &str) -> bool {
    let host = origin.split_once("://").map_or("", |(_, rest)| rest.rsplit_once(':').map_or(rest, |(host, _)| host));
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}
