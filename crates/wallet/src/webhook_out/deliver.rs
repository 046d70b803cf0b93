//! One message to one merchant.

use std::time::Duration;

use jobs::{Job, NewJob, Outcome, Policy, Worker};
use kernel::Failure;
use kernel::keys::Purpose;
use providers::outbound::{Outbound, Refused, Silence};
use serde_json::json;
use uuid::Uuid;

use super::{model, store};
use crate::WalletError;
use crate::house::Wallet;

const SEND: &str = "wallet.webhook.send";
/// With the queue's back-off (2 s, doubling, a quarter of an hour at most) a merchant has three days to come back.
const MAX_TRIES: i16 = 290;
const POLICY: Policy = Policy { max_tries: MAX_TRIES, lease: Duration::from_secs(40) };
/// A merchant answers within so long.
const PATIENCE: Duration = Duration::from_secs(15);
/// Messages given up in a row after which an address is switched off.
const MAX_FAILURES: i32 = 3;

/// The client of an installation.
pub(super) fn client(wallet: &Wallet) -> Result<Outbound, Failure> {
    Outbound::new(PATIENCE, wallet.config.private_webhooks).map_err(Failure::internal)
}

/// The code of a field error about an address.
pub(super) fn code(refused: Refused) -> &'static str {
    match refused {
        Refused::NotHttps => "not_https",
        Refused::NotPublic => "not_public",
    }
}

/// With the caller's transaction.
pub(super) async fn enqueue(
    wallet: &Wallet,
    transaction: &mut sqlx::PgConnection,
    delivery: Uuid,
) -> Result<(), Failure> {
    let id = kernel::new_id(&wallet.clock, &wallet.random);
    let job = NewJob {
        id,
        kind: SEND,
        payload: json!({"delivery": delivery}),
        secret: None,
        run_at: wallet.clock.now(),
        expires_at: None,
    };
    jobs::enqueue(transaction, &job).await
}

/// Gives the messages' jobs to a worker.
#[must_use]
pub(crate) fn jobs(wallet: &Wallet, worker: Worker) -> Worker {
    let wallet = wallet.clone();
    worker.handle(SEND, POLICY, move |job| {
        let wallet = wallet.clone();
        async move {
            match run(&wallet, &job).await {
                Ok(outcome) => outcome,
                Err(error) => Outcome::Retry(error.to_string()),
            }
        }
    })
}

async fn run(wallet: &Wallet, job: &Job) -> Result<Outcome, WalletError> {
    let Some(id) = job.payload.get("delivery").and_then(|id| id.as_str()).and_then(|id| Uuid::parse_str(id).ok())
    else {
        return Ok(Outcome::GiveUp("no message is named".into()));
    };
    let waiting = store::to_send(&mut *wallet.db.write.acquire().await?, id).await?;
    // Received by another run, withdrawn, or its address is switched off.
    let Some(message) = waiting else { return Ok(Outcome::Done) };
    let heard = send(wallet, id, &message).await?;
    let (status, error) = match heard {
        Ok(status) => (i16::try_from(status).ok(), None),
        Err(silence) => (None, Some(silence_code(silence))),
    };
    let received = status.is_some_and(|status| (200..300).contains(&status));
    // 410: nobody wants to hear of this any more.
    let gone = status == Some(410);
    let over = gone || job.tries >= MAX_TRIES;
    let state = if received {
        "recu"
    } else if over {
        "abandonne"
    } else {
        "attente"
    };
    let mut connection = wallet.db.write.acquire().await?;
    store::tried(&mut connection, id, state, status, error, wallet.clock.now()).await?;
    if received {
        store::received(&mut connection, message.webhook).await?;
        return Ok(Outcome::Done);
    }
    let reason = status.map_or_else(|| error.unwrap_or("silence").to_owned(), |status| format!("http_{status}"));
    if !over {
        return Ok(Outcome::Retry(reason));
    }
    if !store::failed(&mut connection, message.webhook, MAX_FAILURES, gone).await? {
        tracing::warn!(webhook = %message.webhook, "a merchant's address is switched off");
    }
    Ok(Outcome::GiveUp(reason))
}

async fn send(wallet: &Wallet, id: Uuid, message: &store::ToSend) -> Result<Result<u16, Silence>, WalletError> {
    let now = wallet.clock.now();
    let opened = |sealed: &[u8]| -> Result<String, Failure> {
        let clear = wallet.keys.open(Purpose::Vault, message.webhook.as_bytes(), sealed);
        let clear = clear.ok_or_else(|| Failure::internal("a webhook's secret cannot be unsealed"))?;
        String::from_utf8(clear.to_vec()).map_err(Failure::internal)
    };
    let mut secrets = vec![opened(&message.secret)?];
    if let Some(before) =
        message.secret_precedent.as_deref().filter(|_| message.precedent_jusqu.is_some_and(|until| until > now))
    {
        secrets.push(opened(before)?);
    }
    let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
    let body = serde_json::to_vec(&message.charge).map_err(Failure::internal)?;
    let (message_id, unix_s) = (model::message_id(id), now.timestamp());
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("webhook-signature", model::signatures(&secrets, &message_id, unix_s, &body)),
        ("webhook-id", message_id),
        ("webhook-timestamp", unix_s.to_string()),
    ];
    Ok(client(wallet)?.post(&message.url, &headers, body).await)
}

fn silence_code(silence: Silence) -> &'static str {
    match silence {
        Silence::Refused(refused) => code(refused),
        Silence::Unreachable => "unreachable",
        Silence::Timeout => "timeout",
        Silence::Broken => "broken",
    }
}
