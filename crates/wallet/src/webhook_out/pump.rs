//! From sealed batches to messages: the reader's position and the messages share one transaction, so that a crash makes
//! none twice and loses none.

use std::future::Future;
use std::time::Duration;

use serde_json::json;

use super::{deliver, model, store};
use crate::WalletError;
use crate::house::Wallet;

/// How often the seals are looked at.
const EVERY: Duration = Duration::from_millis(500);
/// Seals that are read in one transaction.
const AT_ONCE: i64 = 200;

/// Makes messages for merchants until `stop` resolves. Several processes may run it: one at a time moves on.
pub async fn tell_merchants(wallet: Wallet, stop: impl Future<Output = ()>) {
    let mut stop = std::pin::pin!(stop);
    loop {
        match pump(&wallet).await {
            // A full look means that more may be waiting.
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "messages to merchants wait"),
        }
        tokio::select! {
            () = &mut stop => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// One step; true when there may be more.
pub(super) async fn pump(wallet: &Wallet) -> Result<bool, WalletError> {
    let mut transaction = wallet.db.write.begin().await?;
    let Some((from, last)) = store::position(&mut transaction).await? else { return Ok(false) };
    let to = last.min(from + AT_ONCE);
    if to <= from || !store::moved(&mut transaction, from, to).await? {
        return Ok(false);
    }
    let heard = store::heard(&mut transaction, from, to).await?;
    let now = wallet.clock.now();
    for one in heard {
        let Some(event) = model::event(&one.faite, &one.operation.statut) else { continue };
        let mut shown = wallet.shown_rows(&mut transaction, one.compte, vec![one.operation]).await?;
        let Some(told) = shown.pop() else { continue };
        let payload = json!({"type": event, "timestamp": kernel::Timestamp(now), "data": {"transaction": told}});
        let id = kernel::new_id(&wallet.clock, &wallet.random);
        if store::write(&mut transaction, id, (one.webhook, one.sujet), event, &payload, now).await? {
            deliver::enqueue(wallet, &mut transaction, id).await?;
        }
    }
    transaction.commit().await?;
    Ok(to < last)
}
