//! `/healthz`: the process answers. `/readyz`: a client could be served, told within a second even when the database hangs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kernel::Db;
use serde_json::json;

/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// What readiness depends on beside the database; each starts as not ready.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Flags>);

#[derive(Debug, Default)]
struct Flags {
    loaded: AtomicBool,
    simulator: AtomicBool,
    stopping: AtomicBool,
}

impl Readiness {
    /// The houses have read what they need before the first answer.
    pub fn set_loaded(&self) {
        self.0.loaded.store(true, Ordering::Release);
    }

    /// The simulated operators run (or none are needed).
    pub fn set_simulator(&self, runs: bool) {
        self.0.simulator.store(runs, Ordering::Release);
    }

    /// The program ends: no new client should be sent here.
    pub fn set_stopping(&self) {
        self.0.stopping.store(true, Ordering::Release);
    }
}

/// `GET /healthz`
pub async fn live() -> Response {
    Json(json!({"status": "ok"})).into_response()
}

/// `GET /readyz`
pub async fn ready(db: &Db, readiness: &Readiness) -> Response {
    let flag = |flag: &AtomicBool| flag.load(Ordering::Acquire);
    let database = matches!(tokio::time::timeout(PATIENCE, ping(db)).await, Ok(Ok(())));
    let (loaded, simulator) = (flag(&readiness.0.loaded), flag(&readiness.0.simulator));
    let ready = database && loaded && simulator && !flag(&readiness.0.stopping);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({"status": if ready { "ready" } else { "not ready" }, "database": database, "loaded": loaded, "simulator": simulator});
    (status, Json(body)).into_response()
}

async fn ping(db: &Db) -> Result<(), kernel::Failure> {
    let line = db.hot.client().await?;
    let statement = line.prepared("SELECT 1").await?;
    line.client().query_one(&statement, &[]).await?;
    Ok(())
}
