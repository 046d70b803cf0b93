//! Wave's webhooks: `Wave-Signature: t=…,v1=…[,v1=…]` over the time and the body, one after the other, without a dot.

use serde::Deserialize;

use super::wire::{Session, session_state};
use crate::{
    Secret,
    mobile_money::{
        Delivery, Direction, Notice, NoticeKind, OperationState, Rejected, Trust,
        notice::MAX_WEBHOOK_BYTES,
        signature::{from_hex, is_signed},
    },
};

/// How far the signed time may be from ours, in seconds.
const MAX_AGE_S: u64 = 300;
/// Signatures read in one header.
const MAX_SIGNATURES: usize = 4;

#[derive(Deserialize)]
struct Envelope<'a> {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(borrow)]
    data: &'a serde_json::value::RawValue,
}

#[derive(Deserialize)]
struct Identified {
    id: Option<String>,
    client_reference: Option<String>,
}

pub(super) fn verify(secrets: &[Secret], delivery: &Delivery<'_>, now_unix_s: i64) -> Result<Vec<Notice>, Rejected> {
    if secrets.is_empty() {
        return Err(Rejected::NotConfigured);
    }
    if delivery.body.len() > MAX_WEBHOOK_BYTES {
        return Err(Rejected::TooLarge);
    }
    let header = delivery.header("wave-signature").ok_or(Rejected::MissingSignature)?;
    let (time, signatures) = parse(header).ok_or(Rejected::BadSignature)?;
    if !is_signed(secrets, &[time.as_bytes(), delivery.body], &signatures) {
        return Err(Rejected::BadSignature);
    }
    let signed_at: i64 = time.parse().map_err(|_| Rejected::BadSignature)?;
    if now_unix_s.abs_diff(signed_at) > MAX_AGE_S {
        return Err(Rejected::TooOld);
    }
    Ok(vec![notice(delivery.body).ok_or(Rejected::Unreadable)?])
}

fn parse(header: &str) -> Option<(&str, Vec<Vec<u8>>)> {
    let mut time = None;
    let mut signatures = Vec::new();
    for part in header.split(',').take(MAX_SIGNATURES + 1) {
        match part.trim().split_once('=')? {
            ("t", value) => time = Some(value),
            ("v1", value) => signatures.push(from_hex(value)?),
            _ => {}
        }
    }
    time.filter(|time| time.bytes().all(|digit| digit.is_ascii_digit())).map(|time| (time, signatures))
}

fn notice(body: &[u8]) -> Option<Notice> {
    let envelope: Envelope<'_> = serde_json::from_slice(body).ok()?;
    let data = envelope.data.get();
    let identified: Identified = serde_json::from_str(data).ok()?;
    let (kind, hint) = match envelope.kind.as_str() {
        "checkout.session.completed" | "checkout.session.payment_failed" => {
            let session: Session = serde_json::from_str(data).ok()?;
            (NoticeKind::Operation(Direction::Collect), session_state(&session))
        }
        "merchant.payment_received" | "b2b.payment_received" => (NoticeKind::MoneyReceived, OperationState::Succeeded),
        _ => (NoticeKind::Other, OperationState::Pending),
    };
    Some(Notice {
        event_id: envelope.id,
        kind,
        reference: identified.client_reference,
        provider_id: identified.id,
        notify_token: None,
        hint,
        trust: Trust::Signed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mobile_money::signature::hmac_sha256;

    const TIME: i64 = 1_795_305_600;
    const BODY: &[u8] = br#"{"id":"EV_TEST0001","type":"checkout.session.completed","data":{"id":"cos-test0001","amount":"1500","currency":"XOF","payment_status":"succeeded"}}"#;
    const SIGNATURE: &str = "38f8b0ce2e14510981f86a98ed355a0ce727aadc7115a0d85165fd6ff767f2d9";

    fn check(header: Option<String>, body: &[u8], now: i64) -> Result<Vec<Notice>, Rejected> {
        let headers: Vec<(String, String)> =
            header.into_iter().map(|value| ("wave-signature".to_owned(), value)).collect();
        let delivery = Delivery { method: "POST", path: "/hooks/wave", headers: &headers, body };
        verify(&[Secret::new("next"), Secret::new("wave_ci_WHS_testsecret")], &delivery, now)
    }

    fn signed() -> Option<String> {
        Some(format!("t={TIME},v1={SIGNATURE}"))
    }

    #[test]
    fn the_known_answer_is_accepted_with_either_of_two_secrets_and_either_case() {
        let notices = check(signed(), BODY, TIME + 299).unwrap();
        assert_eq!(notices[0].event_id, "EV_TEST0001");
        assert_eq!(notices[0].kind, NoticeKind::Operation(Direction::Collect));
        assert_eq!(notices[0].provider_id.as_deref(), Some("cos-test0001"));
        let rotated = format!("t={TIME},v1={},v1={}", "00".repeat(32), SIGNATURE.to_uppercase());
        assert!(check(Some(rotated), BODY, TIME).is_ok());
    }

    #[test]
    fn everything_else_is_refused() {
        let altered = String::from_utf8_lossy(BODY).replace("1500", "9500");
        assert_eq!(check(signed(), altered.as_bytes(), TIME), Err(Rejected::BadSignature));
        assert_eq!(check(signed(), BODY, TIME + 301), Err(Rejected::TooOld));
        assert_eq!(check(signed(), BODY, TIME - 301), Err(Rejected::TooOld));
        assert_eq!(check(None, BODY, TIME), Err(Rejected::MissingSignature));
        assert_eq!(check(Some(String::new()), BODY, TIME), Err(Rejected::BadSignature));
        assert_eq!(check(Some(format!("v1={SIGNATURE}")), BODY, TIME), Err(Rejected::BadSignature));
        assert_eq!(check(signed(), &vec![b' '; MAX_WEBHOOK_BYTES + 1], TIME), Err(Rejected::TooLarge));
        // A signature made the way other providers do it, with a dot.
        let dotted = hmac_sha256(&Secret::new("wave_ci_WHS_testsecret"), &[TIME.to_string().as_bytes(), b".", BODY]);
        let header = format!("t={TIME},v1={}", hex::encode(dotted.unwrap()));
        assert_eq!(check(Some(header), BODY, TIME), Err(Rejected::BadSignature));
    }

    #[test]
    fn without_a_secret_nothing_is_believed() {
        let headers = [("wave-signature".to_owned(), signed().unwrap())];
        let delivery = Delivery { method: "POST", path: "/hooks/wave", headers: &headers, body: BODY };
        assert_eq!(verify(&[], &delivery, TIME), Err(Rejected::NotConfigured));
    }
}
