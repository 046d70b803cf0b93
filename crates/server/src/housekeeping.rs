//! What is done again and again beside requests: forgetting what nobody can use any more, and raising alarms.

use std::time::Duration;

use kernel::Failure;
use tokio::sync::watch;

use crate::wiring::App;

/// Between two rounds.
const EVERY: Duration = Duration::from_secs(600);
/// Rows of a kind that are forgotten in one round.
const ROWS: i64 = 5_000;

/// Works until it is told to stop.
pub async fn run(app: App, mut stop: watch::Receiver<bool>) {
    loop {
        if let Err(failure) = round(&app).await {
            tracing::warn!(%failure, "housekeeping did not finish");
        }
        tokio::select! {
            _ = stop.wait_for(|stopping| *stopping) => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

async fn round(app: &App) -> Result<(), Failure> {
    let swept = app.identity.sweep_journeys(ROWS).await?
        + app.identity.sweep_sessions(ROWS).await?
        + app.identity.sweep_tries(ROWS).await?;
    metrics::counter!("hostolink_rows_swept_total").increment(swept);
    if let Some(day) = app.health.duty_missing() {
        tracing::warn!(%day, "no list of pharmacies on duty covers this day: import the coming week");
        metrics::gauge!("hostolink_duty_list_missing").set(1.0);
    } else {
        metrics::gauge!("hostolink_duty_list_missing").set(0.0);
    }
    Ok(())
}
