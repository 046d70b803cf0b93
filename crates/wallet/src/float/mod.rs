//! Our money at the operators: what the books say is there, what each route tells of it, and an alert before it is used up.
//! Once a day a signed report proves that customers' money and where it is are the same francs.

mod api;
mod proof;
mod store;

use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::join_all;
use providers::mobile_money::Outcome;

use crate::WalletError;
use crate::alert::{self, Alert, AlertKind};
use crate::house::Wallet;
use crate::provider::Connector;

pub(crate) use api::routes;
pub use proof::{Proof, Proved, prove};
pub(crate) use store::{Books, Told};

/// Between two looks at the floats.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// A route that does not tell within this time is asked again at the next look.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Looks after the floats and writes the proof of each day that is over; runs as long as the server does. Several processes
/// may do it: each look is claimed.
pub async fn watch(wallet: Wallet) {
    let mut tick = tokio::time::interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Err(error) = look(&wallet).await {
            tracing::warn!(%error, "the floats could not be looked at");
        }
        let yesterday = (wallet.clock.now() - TimeDelta::days(1)).date_naive();
        if let Err(error) = prove(&wallet, yesterday).await {
            tracing::warn!(%error, "the proof of the day could not be written");
        }
    }
}

/// Asks every route for our balance there, and raises an alert for the providers whose float is low.
pub(crate) async fn look(wallet: &Wallet) -> Result<(), WalletError> {
    let mut ways: Vec<&Connector> = Vec::new();
    for way in &wallet.connectors {
        if way.float.is_some() && ways.iter().all(|known| known.route != way.route) {
            ways.push(way);
        }
    }
    join_all(ways.into_iter().map(|way| ask(wallet, way))).await.into_iter().collect::<Result<Vec<()>, _>>()?;
    let mut connection = wallet.db.write.acquire().await?;
    let thresholds = store::thresholds(&mut connection).await?;
    let told = store::told(&mut connection).await?;
    drop(connection);
    for (provider, threshold) in thresholds {
        let routes: Vec<&str> = wallet
            .connectors
            .iter()
            .filter(|way| way.provider.code() == provider && way.payout.is_some())
            .map(|way| way.route)
            .collect();
        // One well filled way is enough: an order that finds the first one empty takes the next.
        let known: Vec<i64> =
            told.iter().filter(|one| routes.contains(&one.route.as_str())).filter_map(|one| one.solde).collect();
        if known.iter().max().is_some_and(|most| *most < threshold) {
            let detail = format!("moins de {threshold} F chez {provider}");
            alert::raise(wallet, Alert { kind: AlertKind::FloatLow, subject: provider, detail, instruction: None })
                .await?;
        }
    }
    Ok(())
}

async fn ask(wallet: &Wallet, way: &Connector) -> Result<(), WalletError> {
    let Some(float) = &way.float else { return Ok(()) };
    let now = wallet.clock.now();
    let since = now - TimeDelta::from_std(LOOK_EVERY / 2).unwrap_or_default();
    if !store::claim(&mut *wallet.db.write.acquire().await?, way.route, now, since).await? {
        return Ok(());
    }
    let balance = match tokio::time::timeout(ANSWER_WITHIN, float.balance()).await {
        Ok(answer) => match answer.outcome {
            Outcome::Known(balance) => balance,
            Outcome::NotExecuted { .. } | Outcome::Unknown { .. } => return Ok(()),
        },
        Err(_) => return Ok(()),
    };
    metrics::gauge!("hostolink_float_francs", "route" => way.route).set(balance as f64);
    Ok(store::keep(&mut *wallet.db.write.acquire().await?, way.route, balance, wallet.clock.now()).await?)
}

/// The books of every provider and what the routes tell.
async fn floats(wallet: &Wallet) -> Result<(Vec<Books>, Vec<Told>), WalletError> {
    let mut connection = wallet.db.write.acquire().await?;
    Ok((store::books(&mut connection).await?, store::told(&mut connection).await?))
}

#[cfg(test)]
mod tests;
