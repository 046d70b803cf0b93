//! What `dev` and `serve` share: the listener, the worker, and an orderly end.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::wiring::{App, ways_out};
use crate::{housekeeping, router};

/// Requests in flight may take so long to end after a signal.
const DRAIN: Duration = Duration::from_secs(10);

/// Opens the port, or says why it cannot.
pub(super) async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}: is another program there? (--port chooses another)"))
}

/// Serves until a signal comes, then ends in order: no new requests, running ones, durable work.
pub(super) async fn serve(app: &App, listener: TcpListener, stop: watch::Receiver<bool>) -> anyhow::Result<()> {
    let handle = recorder()?;
    let (mail, sms) = ways_out(&app.config)?;
    let worker = tokio::spawn(app.worker(mail, sms).run(stopped(stop.clone())));
    tokio::spawn(housekeeping::run(app.clone(), stop.clone()));
    tokio::spawn(wallet::tell_merchants(app.wallet.clone(), stopped(stop.clone())));
    let floats = tokio::spawn(wallet::float::watch(app.wallet.clone()));
    let own_metrics = app.config.metrics;
    let router = router::build(app, own_metrics.is_none().then(|| handle.clone()))?;
    if let Some(address) = own_metrics {
        let metrics = Router::new().route("/metrics", axum::routing::get(async move || handle.render()));
        let listener = listen(address).await?;
        tokio::spawn(axum::serve(listener, metrics).with_graceful_shutdown(stopped(stop.clone())).into_future());
    }
    let readiness = app.readiness.clone();
    let mut ending = stop.clone();
    tokio::spawn(async move {
        if ending.wait_for(|stopping| *stopping).await.is_ok() {
            readiness.set_stopping();
        }
    });
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service).with_graceful_shutdown(stopped(stop.clone()));
    tokio::select! {
        result = server => result?,
        () = async { stopped(stop).await; tokio::time::sleep(DRAIN).await } => tracing::warn!("some connections did not end in time"),
    }
    floats.abort();
    if tokio::time::timeout(DRAIN, worker).await.is_err() {
        tracing::warn!("durable work did not end in time: it goes on at the next start");
    }
    Ok(())
}

/// Resolves when the channel says so, or when its sender is gone.
pub(super) async fn stopped(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|stopping| *stopping).await;
}

fn recorder() -> anyhow::Result<PrometheusHandle> {
    Ok(PrometheusBuilder::new()
        .set_buckets(&[0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0])?
        .install_recorder()?)
}

/// Ctrl-C or SIGTERM.
pub(super) async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let (terminate, interrupt) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    match (terminate, interrupt) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! { _ = terminate.recv() => {} _ = interrupt.recv() => {} }
        }
        _ => std::future::pending().await,
    }
}

/// The runtime of a server.
pub(super) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}
