//! Twilio's messages, as far as a sender of codes needs them.

use crate::App;
use crate::books::Short;
use crate::callbacks::{Callback, Policy, Sign};
use crate::desk::Desk;
use crate::faults::Call;
use crate::model::{Operation, Outcome, Provider};
use crate::wire::{self, BASE64};
use crate::world::{Message, World};
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use sha1::Sha1;
use std::sync::Arc;
use std::time::Duration;

pub(crate) static DESK: Desk = Desk {
    routes,
    call: |method, path, _| match *method {
        Method::POST if path.ends_with("/Messages.json") => Call::Message,
        Method::GET => Call::Read,
        _ => Call::Other,
    },
    callbacks: |_, _, _| Vec::new(),
    short: |_: &Operation, _: Short| Outcome::Refuse("no_money_here".to_owned()),
    refused: |_| Outcome::Refuse("no_money_here".to_owned()),
    expired: "expired",
    transaction_id: |_| wire::random_id(12),
};

const TWILIO: Provider = Provider::Twilio;
/// Between the steps of a delivery.
const STEP: Duration = Duration::from_millis(200);
/// Characters of a text.
const MAX_TEXT: usize = 1_600;

fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/2010-04-01/Accounts/{sid}/Messages.json", post(send))
        .route("/2010-04-01/Accounts/{sid}/Messages/{id}", get(read))
        .fallback(|| async { error(StatusCode::NOT_FOUND, 20_404, "The requested resource was not found") })
}

fn error(status: StatusCode, code: u32, message: &str) -> Response {
    let more = format!("https://www.twilio.com/docs/errors/{code}");
    let body = json!({"code": code, "message": message, "more_info": more, "status": status.as_u16()});
    (status, Json(body)).into_response()
}

fn admit(world: &World, sid: &str, headers: &HeaderMap) -> Result<(), Response> {
    let keys = &world.settings.credentials.twilio;
    let known = wire::basic(headers).is_some_and(|(user, password)| {
        (wire::same(&user, &keys.account_sid), wire::same(&password, &keys.auth_token)) == (true, true)
    });
    if known && sid == keys.account_sid { Ok(()) } else { Err(error(StatusCode::UNAUTHORIZED, 20_003, "Authenticate")) }
}

/// Base64 of HMAC-SHA1 over the whole address and the sorted fields.
fn signature(token: &str, url: &str, form: &[(String, String)]) -> String {
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(token.as_bytes()) else { return String::new() };
    mac.update(url.as_bytes());
    let mut sorted = form.to_vec();
    sorted.sort();
    for (name, value) in &sorted {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    BASE64.encode(mac.finalize().into_bytes())
}

/// `POST /2010-04-01/Accounts/{sid}/Messages.json`
async fn send(Path(sid): Path<String>, State(app): State<Arc<App>>, headers: HeaderMap, body: String) -> Response {
    let accepted = {
        let mut world = app.world();
        accept(&mut world, &sid, &headers, &body)
    };
    match accepted {
        Ok((answer, receipts)) => {
            app.send(receipts);
            (StatusCode::CREATED, Json(answer)).into_response()
        }
        Err(refused) => refused,
    }
}

fn accept(world: &mut World, sid: &str, headers: &HeaderMap, body: &str) -> Result<(Value, Vec<Callback>), Response> {
    admit(world, sid, headers)?;
    let form: Vec<(String, String)> = serde_urlencoded::from_str(body).unwrap_or_default();
    let field = |name: &str| form.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.as_str());
    let (to, text) = (field("To"), field("Body"));
    let from = if field("From").is_empty() { field("MessagingServiceSid") } else { field("From") };
    if from.is_empty() {
        return Err(error(StatusCode::BAD_REQUEST, 21_603, "A 'From' phone number is required."));
    }
    if text.is_empty() || text.chars().count() > MAX_TEXT {
        return Err(error(StatusCode::BAD_REQUEST, 21_602, "Message body is required."));
    }
    if !wire::is_e164(to) {
        return Err(error(StatusCode::BAD_REQUEST, 21_211, "Invalid 'To' Phone Number"));
    }
    let last = match to.get(to.len() - 2..).unwrap_or("") {
        "91" => return Err(error(StatusCode::TOO_MANY_REQUESTS, 20_429, "Too Many Requests")),
        "93" => {
            return Err(error(
                StatusCode::BAD_REQUEST,
                21_408,
                "Permission to send has not been enabled for the region",
            ));
        }
        "94" => return Err(error(StatusCode::BAD_REQUEST, 21_610, "Attempt to send to unsubscribed recipient")),
        "92" => "undelivered",
        _ => "delivered",
    };
    let id = format!("SM{}", wire::random_text(b"0123456789abcdef", 32));
    let at_ms = world.now_ms();
    let kept = Message {
        provider: TWILIO,
        id: id.clone(),
        to: to.to_owned(),
        from: from.to_owned(),
        text: text.to_owned(),
        at_ms,
    };
    world.remember_message(kept);
    let mut answer = shown(&id, to, from, text, at_ms, "queued");
    answer["account_sid"] = json!(sid);
    let token = world.settings.credentials.twilio.auth_token.clone();
    let receipts = match field("StatusCallback") {
        "" => Vec::new(),
        url => receipts(url, &id, to, from, last, &token),
    };
    Ok((answer, receipts))
}

fn shown(id: &str, to: &str, from: &str, text: &str, at_ms: i64, status: &str) -> Value {
    json!({
        "sid": id,
        "to": to,
        "from": from,
        "body": text,
        "status": status,
        "num_segments": "1",
        "direction": "outbound-api",
        "date_created": wire::iso(at_ms),
        "error_code": null,
        "error_message": null,
    })
}

fn receipts(url: &str, id: &str, to: &str, from: &str, last: &'static str, token: &str) -> Vec<Callback> {
    let one = |status: &str, delay: Duration| {
        let mut form: Vec<(String, String)> =
            [("MessageSid", id), ("MessageStatus", status), ("To", to), ("From", from)]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec();
        if status == "undelivered" {
            form.push(("ErrorCode".to_owned(), "30003".to_owned()));
        }
        let body = serde_urlencoded::to_string(&form).unwrap_or_default();
        let header = signature(token, url, &form);
        let sign: Sign = Arc::new(move |_| vec![("x-twilio-signature", header.clone())]);
        Callback {
            provider: TWILIO,
            operation: id.to_owned(),
            url: url.to_owned(),
            method: Method::POST,
            content_type: "application/x-www-form-urlencoded",
            body,
            sign,
            policy: Policy::retried(1),
            delay,
        }
    };
    vec![one("sent", STEP), one(last, STEP * 2)]
}

/// `GET /2010-04-01/Accounts/{sid}/Messages/{id}.json`
async fn read(Path((sid, id)): Path<(String, String)>, State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let world = app.world();
    if let Err(refused) = admit(&world, &sid, &headers) {
        return refused;
    }
    let id = id.trim_end_matches(".json");
    let found = world.messages.iter().find(|m| m.provider == TWILIO && m.id == id);
    match found {
        Some(m) => {
            let step = i64::try_from(STEP.as_millis()).unwrap_or(0);
            let failing = m.to.ends_with("92");
            let status = match world.now_ms() - m.at_ms {
                age if age < step => "queued",
                age if age < 2 * step => "sent",
                _ if failing => "undelivered",
                _ => "delivered",
            };
            Json(shown(&m.id, &m.to, &m.from, &m.text, m.at_ms, status)).into_response()
        }
        None => error(StatusCode::NOT_FOUND, 20_404, "The requested resource was not found"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_example() {
        let form = [
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", "+12349013030"),
            ("Digits", "1234"),
            ("From", "+12349013030"),
            ("To", "+18005551212"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
        assert_eq!(signature("12345", url, &form), "0/KCTR6DLpKmkAf8muzZqo1nDgQ=");
    }
}
