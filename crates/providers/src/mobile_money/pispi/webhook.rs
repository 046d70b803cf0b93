//! PI-SPI's webhooks: a list of events under one signature (`X-Signature`, hexadecimal HMAC-SHA256 of the raw body). Nothing
//! signed dates the message, so a repeat is recognised for ever by what the event says of itself.

use serde::Deserialize;

use crate::{
    Secret,
    mobile_money::{
        Delivery, Direction, Notice, NoticeKind, OperationState, Rejected, Trust,
        notice::MAX_WEBHOOK_BYTES,
        signature::{fingerprint, from_hex, is_signed},
    },
};

/// Events read of one message.
const MAX_EVENTS: usize = 1000;

#[derive(Deserialize)]
struct Message {
    data: Vec<Event>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    ev_code: String,
    tx_id: Option<String>,
    end2end_id: Option<String>,
}

pub(super) fn verify(secrets: &[Secret], delivery: &Delivery<'_>) -> Result<Vec<Notice>, Rejected> {
    if secrets.is_empty() {
        return Err(Rejected::NotConfigured);
    }
    if delivery.body.len() > MAX_WEBHOOK_BYTES {
        return Err(Rejected::TooLarge);
    }
    let header = delivery.header("x-signature").ok_or(Rejected::MissingSignature)?;
    let signature = from_hex(header).ok_or(Rejected::BadSignature)?;
    if !is_signed(secrets, &[delivery.body], &[signature]) {
        return Err(Rejected::BadSignature);
    }
    let message: Message = serde_json::from_slice(delivery.body).map_err(|_| Rejected::Unreadable)?;
    if message.data.len() > MAX_EVENTS {
        return Err(Rejected::TooLarge);
    }
    let message_id = fingerprint(delivery.body);
    let numbered = message.data.into_iter().enumerate();
    Ok(numbered.map(|(place, event)| notice(event, &format!("{message_id}:{place}"))).collect())
}

fn notice(event: Event, fallback: &str) -> Notice {
    let event_id = identity(&event, fallback);
    let (kind, hint) = match event.ev_code.as_str() {
        // Money came in: in answer to a request of ours when we know its reference, unasked for otherwise.
        "PAIEMENT_RECU" => (NoticeKind::MoneyReceived, OperationState::Succeeded),
        "PAIEMENT_ENVOYE" => (NoticeKind::Operation(Direction::Payout), OperationState::Succeeded),
        "PAIEMENT_REJETE" => (NoticeKind::Operation(Direction::Payout), OperationState::Pending),
        "RTP_REJETE" => (NoticeKind::Operation(Direction::Collect), OperationState::Pending),
        _ => (NoticeKind::Other, OperationState::Pending),
    };
    Notice {
        event_id,
        kind,
        reference: event.tx_id,
        provider_id: event.end2end_id,
        notify_token: None,
        hint,
        trust: Trust::Signed,
    }
}

/// Real events carry no identifier of their own and only one of the two references. One without either is known by the
/// message that brought it and its place there.
fn identity(event: &Event, fallback: &str) -> String {
    match event.tx_id.as_ref().or(event.end2end_id.as_ref()) {
        Some(id) => format!("{}:{id}", event.ev_code),
        None => format!("{}:{fallback}", event.ev_code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"{"data":[{"evCode":"PAIEMENT_RECU","evDate":"2026-11-22T10:00:00.000Z","txId":"HSTL000001","end2endId":"ECIC00120261122100000ABCDEFGHIJKLMN","montant":5000}],"meta":{"total":1}}"#;

    #[test]
    fn the_known_message_is_accepted_in_either_case_and_split_into_events() {
        let signature = "41fee67f99fd2f4b83ebb6774774b659329ca219874c2640523ab9454a048e2a";
        let check = |signature: &str, body: &str| {
            let headers = [("x-signature".to_owned(), signature.to_owned())];
            let delivery = Delivery { method: "POST", path: "/", headers: &headers, body: body.as_bytes() };
            verify(&[Secret::new("pispi_test_secret")], &delivery)
        };
        let notices = check(&signature.to_uppercase(), BODY).unwrap();
        assert_eq!(notices.len(), 1);
        assert_eq!(notices[0].event_id, "PAIEMENT_RECU:HSTL000001");
        assert_eq!(notices[0].kind, NoticeKind::MoneyReceived);
        assert_eq!(check(signature, &BODY.replace("5000", "9000")), Err(Rejected::BadSignature));
    }
}
