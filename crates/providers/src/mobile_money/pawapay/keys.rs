//! pawaPay's public keys, fetched when needed and kept for an hour.

use std::{collections::HashMap, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use tokio::{sync::Mutex, time::Instant};

use crate::mobile_money::sender::{Attempt, Call, Sender};

/// How long keys are believed, in seconds.
const KEYS_LIFE_S: u64 = 3600;
/// Shortest time between two fetches, in seconds: whoever sends us unknown key names cannot make us ask all day.
const MIN_FETCH_INTERVAL_S: u64 = 30;
/// Keys kept.
const MAX_KEYS: usize = 16;

#[derive(Deserialize)]
struct Published {
    id: String,
    key: String,
}

/// A `SubjectPublicKeyInfo`, in DER.
pub(super) type PublicKey = Vec<u8>;

#[derive(Default)]
pub(super) struct Keys {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    keys: HashMap<String, PublicKey>,
    fetched_at: Option<Instant>,
}

impl Keys {
    pub(super) async fn known(&self, id: &str) -> Option<PublicKey> {
        let state = self.state.lock().await;
        let fresh = state.fetched_at.is_some_and(|at| at.elapsed() < Duration::from_secs(KEYS_LIFE_S));
        if fresh { state.keys.get(id).cloned() } else { None }
    }

    /// Fetches all keys and gives the one asked for. The lock is held, so that many callbacks make one request.
    pub(super) async fn fetch(&self, sender: &Sender, id: &str) -> Option<PublicKey> {
        let mut state = self.state.lock().await;
        let recent = state.fetched_at.is_some_and(|at| at.elapsed() < Duration::from_secs(MIN_FETCH_INTERVAL_S));
        if !recent {
            let call = Call::get("webhook.keys", "/v2/public-key/http");
            if let Attempt::Reply(reply) = sender.call(&call, &mut Vec::new()).await
                && reply.status == 200
                && let Ok(published) = serde_json::from_slice::<Vec<Published>>(&reply.body)
            {
                state.fetched_at = Some(Instant::now());
                state.keys = published.into_iter().take(MAX_KEYS).filter_map(decode).collect();
            }
        }
        state.keys.get(id).cloned()
    }
}

fn decode(published: Published) -> Option<(String, PublicKey)> {
    let base64: String = published.key.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(base64.trim()).ok().map(|key| (published.id, key))
}
