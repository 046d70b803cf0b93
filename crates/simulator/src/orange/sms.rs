//! SMS: accepted here, delivered later; a receipt tells. The last two digits of the number choose what happens.

use super::{ORANGE, oauth};
use crate::App;
use crate::callbacks::{Callback, Policy, unsigned};
use crate::wire;
use crate::world::{Message, World};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// After how long the receipt comes.
const RECEIPT_AFTER: Duration = Duration::from_millis(300);
/// Characters of a text.
const MAX_TEXT: usize = 1_600;

fn service(status: StatusCode, id: &str, text: &str) -> Response {
    let exception = json!({"messageId": id, "text": text, "variables": []});
    (status, Json(json!({"requestError": {"serviceException": exception}}))).into_response()
}

fn policy(id: &str, text: &str) -> Response {
    let exception = json!({"messageId": id, "text": text, "variables": []});
    (StatusCode::FORBIDDEN, Json(json!({"requestError": {"policyException": exception}}))).into_response()
}

/// `POST /smsmessaging/v1/outbound/{sender}/requests`
pub(super) async fn send(
    Path(sender): Path<String>,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let accepted = {
        let mut world = app.world();
        accept(&mut world, &sender, &headers, &body)
    };
    match accepted {
        Ok((answer, receipt)) => {
            app.send(receipt.into_iter().collect());
            (StatusCode::CREATED, Json(answer)).into_response()
        }
        Err(refused) => refused,
    }
}

fn accept(
    world: &mut World,
    sender: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(Value, Option<Callback>), Response> {
    oauth::admit(world, headers)?;
    let invalid = |what: &str| service(StatusCode::BAD_REQUEST, "SVC0002", &format!("Invalid input value for {what}"));
    let body: Value = serde_json::from_slice(body).map_err(|_| invalid("message part body"))?;
    let Some(request) = body.get("outboundSMSMessageRequest") else {
        return Err(invalid("outboundSMSMessageRequest"));
    };
    let text = |v: &Value| v.as_str().map(str::to_owned);
    let address = request.get("address").and_then(text).unwrap_or_default();
    let number = address.strip_prefix("tel:").filter(|n| wire::is_e164(n)).ok_or_else(|| invalid("address"))?;
    if request.get("senderAddress").and_then(Value::as_str) != Some(sender) {
        return Err(service(StatusCode::BAD_REQUEST, "SVC0004", "No valid addresses: senderAddress and path differ"));
    }
    let name = request.get("senderName").and_then(Value::as_str).unwrap_or("");
    if name.len() > 11 {
        return Err(invalid("senderName"));
    }
    let message = request.pointer("/outboundSMSTextMessage/message").and_then(text).unwrap_or_default();
    if message.is_empty() || message.chars().count() > MAX_TEXT {
        return Err(invalid("message"));
    }
    let status = match number.get(number.len() - 2..).unwrap_or("") {
        "91" => return Err(service(StatusCode::TOO_MANY_REQUESTS, "SVC0009", "Too many requests")),
        "92" => "DeliveryImpossible",
        "93" => return Err(policy("POL0050", "No credit left")),
        "94" => return Err(policy("POL1009", "The application is not subscribed")),
        "95" => "DeliveryUncertain",
        _ => "DeliveredToTerminal",
    };
    let id = wire::random_uuid();
    let at_ms = world.now_ms();
    let from = if name.is_empty() { sender.to_owned() } else { name.to_owned() };
    world.remember_message(Message {
        provider: ORANGE,
        id: id.clone(),
        to: number.to_owned(),
        from,
        text: message,
        at_ms,
    });
    let mut echo = request.clone();
    let sender_path = sender.replace(':', "%3A").replace('+', "%2B");
    echo["resourceURL"] =
        json!(format!("{}/orange/smsmessaging/v1/outbound/{sender_path}/requests/{id}", world.settings.base_url));
    let receipt = world.callbacks.0.get(&ORANGE).map(|url| receipt(url, &id, &address, status));
    Ok((json!({"outboundSMSMessageRequest": echo}), receipt))
}

fn receipt(url: &str, id: &str, address: &str, status: &str) -> Callback {
    let info = json!({"address": address, "deliveryStatus": status});
    Callback {
        provider: ORANGE,
        operation: id.to_owned(),
        url: url.to_owned(),
        method: Method::POST,
        content_type: "application/json",
        body: json!({"deliveryInfoNotification": {"callbackData": id, "deliveryInfo": info}}).to_string(),
        sign: unsigned(),
        policy: Policy::retried(3),
        delay: RECEIPT_AFTER,
    }
}

/// `GET /sms/admin/v1/contracts`
pub(super) async fn contracts(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let world = app.world();
    if let Err(refused) = oauth::admit(&world, &headers) {
        return refused;
    }
    let contract = json!({"product": "SMS_CI", "country": "CIV", "availableUnits": 10_000, "status": "ACTIVE"});
    Json(json!({"partnerContracts": {"partnerId": "simulator", "contracts": [{"service": "SMS_OCB", "serviceContracts": [contract]}]}})).into_response()
}
