//! Hub2's webhooks: `Hub2-Signature: s1=…[,s0=…]` over the raw body; `s0` is made with the secret before, during a rotation.

use serde::Deserialize;
use serde_json::Value;

use super::wire::{Operation, observed};
use crate::{
    Secret,
    mobile_money::{
        Delivery, Direction, Notice, NoticeKind, OperationState, Rejected, Trust,
        notice::MAX_WEBHOOK_BYTES,
        signature::{fingerprint, from_hex, is_signed},
    },
};

/// Signatures read in one header.
const MAX_SIGNATURES: usize = 4;

#[derive(Deserialize)]
struct Event {
    id: Option<String>,
    data: Value,
}

pub(super) fn verify(secrets: &[Secret], delivery: &Delivery<'_>) -> Result<Vec<Notice>, Rejected> {
    if secrets.is_empty() {
        return Err(Rejected::NotConfigured);
    }
    if delivery.body.len() > MAX_WEBHOOK_BYTES {
        return Err(Rejected::TooLarge);
    }
    let header = delivery.header("hub2-signature").ok_or(Rejected::MissingSignature)?;
    let signatures: Vec<Vec<u8>> = header
        .split(',')
        .take(MAX_SIGNATURES)
        .filter_map(|part| part.trim().split_once('='))
        .filter(|(name, _)| matches!(*name, "s1" | "s0"))
        .filter_map(|(_, value)| from_hex(value))
        .collect();
    if !is_signed(secrets, &[delivery.body], &signatures) {
        return Err(Rejected::BadSignature);
    }
    let event: Event = serde_json::from_slice(delivery.body).map_err(|_| Rejected::Unreadable)?;
    Ok(vec![notice(event, delivery.body)])
}

/// The names of events differ between sources: what the object is decides, not what the event is called.
fn notice(event: Event, body: &[u8]) -> Notice {
    let event_id = event.id.unwrap_or_else(|| fingerprint(body));
    // Some events carry the payment; its intent is what we know.
    let intent_id = event.data.get("intentId").and_then(Value::as_str).map(str::to_owned);
    let is_transfer = event.data.get("destination").is_some();
    let direction = if is_transfer { Direction::Payout } else { Direction::Collect };
    match serde_json::from_value::<Operation>(event.data) {
        Ok(operation) => {
            let observed = observed(operation, direction);
            Notice {
                event_id,
                kind: NoticeKind::Operation(direction),
                reference: observed.reference,
                provider_id: intent_id.or(observed.provider_id),
                notify_token: None,
                hint: observed.state,
                trust: Trust::Signed,
            }
        }
        Err(_) => Notice {
            event_id,
            kind: NoticeKind::Other,
            reference: None,
            provider_id: intent_id,
            notify_token: None,
            hint: OperationState::Pending,
            trust: Trust::Signed,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_webhook_is_accepted_under_either_signature() {
        let body = br#"{"id":"evt_1","type":"payment.succeeded","data":{"id":"pi_1","status":"successful","amount":1500,"currency":"XOF"}}"#;
        let signature = "3234674aa94779ce9d33f8d8d4471760cccf7f8edc28f70752f3688e6ad265af";
        let check = |header: String| {
            let headers = [("hub2-signature".to_owned(), header)];
            let delivery = Delivery { method: "POST", path: "/hooks/hub2", headers: &headers, body };
            verify(&[Secret::new("hub2_test_secret")], &delivery)
        };
        let notice = check(format!("s1={signature}")).unwrap().remove(0);
        assert_eq!((notice.event_id.as_str(), notice.hint), ("evt_1", OperationState::Succeeded));
        assert!(check(format!("s1={},s0={signature}", "00".repeat(32))).is_ok());
        assert_eq!(check(format!("s2={signature}")), Err(Rejected::BadSignature));
    }
}
