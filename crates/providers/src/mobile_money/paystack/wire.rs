//! What Paystack's interface looks like, as pure functions.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha512;

use super::PaystackConfig;
use crate::{
    Secret,
    mobile_money::{
        Action, Blame, CollectOrder, Delivery, Direction, Handle, Notice, NoticeKind, Observed, OperationState,
        Outcome, Party, Rejected, SavedCard, Started, Trust,
        model::CURRENCY,
        notice::MAX_WEBHOOK_BYTES,
        sender::Reply,
        signature::{fingerprint, from_hex},
        text,
    },
};

/// "Subunits" of a franc on the wire.
const SUBUNITS: i64 = 100;
/// Characters of the opaque name of a payer.
const CUSTOMER_CHARS: usize = 24;

#[derive(Serialize)]
struct Initialize<'a> {
    email: String,
    amount: i64,
    currency: &'a str,
    reference: &'a str,
    callback_url: &'a str,
    channels: [&'a str; 1],
}

#[derive(Serialize)]
struct Charge<'a> {
    authorization_code: &'a str,
    email: String,
    amount: i64,
    currency: &'a str,
    reference: &'a str,
}

#[derive(Serialize)]
struct Deactivate<'a> {
    authorization_code: &'a str,
}

#[derive(Deserialize)]
struct Answered<T> {
    status: bool,
    data: Option<T>,
}

#[derive(Deserialize)]
struct Refusal {
    status: bool,
    code: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    authorization_url: String,
    reference: String,
}

#[derive(Deserialize)]
struct Transaction {
    id: Option<serde_json::Value>,
    status: String,
    reference: Option<String>,
    amount: Option<i64>,
    currency: Option<String>,
    fees: Option<i64>,
    authorization: Option<Authorization>,
}

#[derive(Deserialize)]
struct Authorization {
    authorization_code: Option<Secret>,
    brand: Option<String>,
    last4: Option<String>,
    exp_month: Option<String>,
    exp_year: Option<String>,
    #[serde(default)]
    reusable: bool,
}

#[derive(Deserialize)]
struct Event {
    event: String,
    data: Transaction,
}

#[derive(Deserialize)]
struct Balance {
    currency: String,
    balance: i64,
}

pub(super) fn initialize(order: &CollectOrder, config: &PaystackConfig) -> Result<Vec<u8>, &'static str> {
    encode(&Initialize {
        email: email(&order.payer, config),
        amount: subunits(order.amount_francs)?,
        currency: CURRENCY,
        reference: &order.reference,
        callback_url: &order.success_url,
        channels: ["card"],
    })
}

pub(super) fn charge(order: &CollectOrder, token: &Secret, config: &PaystackConfig) -> Result<Vec<u8>, &'static str> {
    encode(&Charge {
        authorization_code: token.expose(),
        email: email(&order.payer, config),
        amount: subunits(order.amount_francs)?,
        currency: CURRENCY,
        reference: &order.reference,
    })
}

pub(super) fn deactivate(token: &Secret) -> Option<Vec<u8>> {
    serde_json::to_vec(&Deactivate { authorization_code: token.expose() }).ok()
}

fn encode(request: &impl Serialize) -> Result<Vec<u8>, &'static str> {
    serde_json::to_vec(request).map_err(|_| "unsendable")
}

fn subunits(francs: i64) -> Result<i64, &'static str> {
    francs.checked_mul(SUBUNITS).ok_or("amount_too_large")
}

fn francs(subunits: i64) -> Option<i64> {
    (subunits % SUBUNITS == 0).then_some(subunits / SUBUNITS)
}

/// A name that stays the same for a payer, because cards are tied to it, and tells nothing of him to the acquirer.
fn email(payer: &Party, config: &PaystackConfig) -> String {
    let who = match payer {
        Party::Phone(text) | Party::Alias(text) | Party::Account { iban: text, .. } => text,
    };
    // Keyed, because numbers are few enough to be tried one after the other.
    let mac = Hmac::<Sha512>::new_from_slice(config.secret_key.expose().as_bytes());
    let name = mac.map_or_else(
        |_| String::new(),
        |mut mac| {
            mac.update(b"hostolink paystack customer ");
            mac.update(who.as_bytes());
            hex::encode(mac.finalize().into_bytes())
        },
    );
    let short: String = name.chars().take(CUSTOMER_CHARS).collect();
    config.email_template.replace("{customer}", &short)
}

pub(super) fn initialized(reply: &Reply, handle: Handle) -> Outcome<Started> {
    created(reply, handle, |page: Page| {
        let observed = Observed { reference: Some(page.reference), ..Observed::new(OperationState::Pending) };
        (observed, Action::OpenPage { url: page.authorization_url })
    })
}

pub(super) fn charged(reply: &Reply, handle: Handle) -> Outcome<Started> {
    created(reply, handle, |transaction: Transaction| (observed(transaction), Action::None))
}

fn created<T: for<'de> Deserialize<'de>>(
    reply: &Reply,
    mut handle: Handle,
    read: impl FnOnce(T) -> (Observed, Action),
) -> Outcome<Started> {
    match reply.status {
        200 | 201 => match serde_json::from_slice::<Answered<T>>(&reply.body) {
            Ok(Answered { status: true, data: Some(data) }) => {
                let (observed, action) = read(data);
                handle.provider_id.clone_from(&observed.provider_id);
                Outcome::Known(Started { observed, handle, action })
            }
            Ok(_) | Err(_) => Outcome::unknown("unreadable_answer"),
        },
        401 | 403 => reply.refused_at_the_door(),
        400 | 422 => match refusal(reply).as_deref() {
            // The reference was used: an earlier attempt did arrive, its state is to be read.
            Some("duplicate_reference") => {
                let observed = Observed::new(OperationState::Pending);
                Outcome::Known(Started { observed, handle, action: Action::None })
            }
            Some(code) => {
                let observed = Observed::new(OperationState::failed(code, Blame::Route));
                Outcome::Known(Started { observed, handle, action: Action::None })
            }
            None => reply.doubt(),
        },
        _ => reply.doubt(),
    }
}

/// The code of an error in Paystack's own shape; a gateway's page has none.
fn refusal(reply: &Reply) -> Option<String> {
    let refusal: Refusal = serde_json::from_slice(&reply.body).ok()?;
    let code = refusal.code.as_deref().and_then(text::code);
    (!refusal.status).then_some(code).flatten()
}

pub(super) fn read(reply: &Reply) -> Outcome<Option<Observed>> {
    found(reply).map_known(|transaction| transaction.map(observed))
}

pub(super) fn saved_card(reply: &Reply) -> Outcome<Option<SavedCard>> {
    found(reply).map_known(|transaction| {
        let transaction = transaction.filter(|one| one.status == "success")?;
        card(transaction.authorization.filter(|authorization| authorization.reusable)?)
    })
}

fn found(reply: &Reply) -> Outcome<Option<Transaction>> {
    match reply.status {
        200 => match serde_json::from_slice(&reply.body) {
            Ok(Answered { status: true, data: Some(transaction) }) => Outcome::Known(Some(transaction)),
            Ok(_) | Err(_) => Outcome::unknown("unreadable_answer"),
        },
        400 | 404 if refusal(reply).as_deref() == Some("transaction_not_found") => Outcome::Known(None),
        _ => reply.doubt(),
    }
}

impl<T> Outcome<T> {
    fn map_known<U>(self, change: impl FnOnce(T) -> U) -> Outcome<U> {
        match self {
            Self::Known(value) => Outcome::Known(change(value)),
            Self::NotExecuted { code } => Outcome::NotExecuted { code },
            Self::Unknown { code } => Outcome::Unknown { code },
        }
    }
}

fn card(authorization: Authorization) -> Option<SavedCard> {
    Some(SavedCard {
        token: authorization.authorization_code?,
        brand: authorization.brand?.trim().to_owned(),
        last4: authorization.last4.filter(|digits| digits.len() == 4)?,
        expiry_month: authorization.exp_month?.parse().ok().filter(|month| (1..=12).contains(month))?,
        expiry_year: authorization.exp_year?.parse().ok()?,
    })
}

fn observed(transaction: Transaction) -> Observed {
    let state = state(&transaction.status);
    let id = transaction.id.map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned));
    Observed {
        provider_id: id.clone(),
        transaction_id: id,
        reference: transaction.reference,
        // A fraction of a franc is nobody's order: reading it as nothing would hide it.
        amount_francs: transaction.amount.map(|amount| francs(amount).unwrap_or(-1)),
        currency: transaction.currency,
        fee_francs: transaction.fees.map(|fees| fees.div_euclid(SUBUNITS) + i64::from(fees % SUBUNITS != 0)),
        ..Observed::new(state)
    }
}

fn state(word: &str) -> OperationState {
    match word {
        // A reversal is a movement of its own: the payment itself did succeed.
        "success" | "reversed" => OperationState::Succeeded,
        "failed" => OperationState::failed("failed", Blame::Customer),
        // "abandoned" is also the word for a page that was not opened yet: our own deadline ends it, not this.
        _ => OperationState::Pending,
    }
}

pub(super) fn forgotten(reply: &Reply) -> Outcome<()> {
    match reply.status {
        200 => Outcome::Known(()),
        // Not known any more is forgotten as well.
        400 if refusal(reply).as_deref() == Some("invalid_authorization") => Outcome::Known(()),
        401 | 403 => reply.refused_at_the_door(),
        _ => reply.doubt(),
    }
}

pub(super) fn balance(reply: &Reply) -> Outcome<i64> {
    if reply.status != 200 {
        return reply.doubt();
    }
    let Ok(Answered { status: true, data: Some(balances) }) =
        serde_json::from_slice::<Answered<Vec<Balance>>>(&reply.body)
    else {
        return Outcome::unknown("unreadable_answer");
    };
    let ours = balances.into_iter().find(|balance| balance.currency == CURRENCY);
    match ours {
        Some(balance) => Outcome::Known(balance.balance.div_euclid(SUBUNITS)),
        None => Outcome::unknown("no_balance_in_francs"),
    }
}

/// `X-Paystack-Signature`: hexadecimal HMAC-SHA512 of the raw body under the secret key.
pub(super) fn verify(key: &Secret, delivery: &Delivery<'_>) -> Result<Vec<Notice>, Rejected> {
    if delivery.body.len() > MAX_WEBHOOK_BYTES {
        return Err(Rejected::TooLarge);
    }
    let header = delivery.header("x-paystack-signature").ok_or(Rejected::MissingSignature)?;
    let signature = from_hex(header).ok_or(Rejected::BadSignature)?;
    let mut mac = Hmac::<Sha512>::new_from_slice(key.expose().as_bytes()).map_err(|_| Rejected::NotConfigured)?;
    mac.update(delivery.body);
    mac.verify_slice(&signature).map_err(|_| Rejected::BadSignature)?;
    let event: Event = serde_json::from_slice(delivery.body).map_err(|_| Rejected::Unreadable)?;
    let kind = match event.event.as_str() {
        "charge.success" => NoticeKind::Operation(Direction::Collect),
        _ => NoticeKind::Other,
    };
    let observed = observed(event.data);
    Ok(vec![Notice {
        event_id: fingerprint(delivery.body),
        kind,
        reference: observed.reference,
        provider_id: observed.provider_id,
        notify_token: None,
        hint: observed.state,
        trust: Trust::Signed,
    }])
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::mobile_money::SenderLimits;

    fn reply(status: u16, body: &str) -> Reply {
        Reply { status, body: Bytes::copy_from_slice(body.as_bytes()) }
    }

    #[test]
    fn amounts_are_a_hundredfold_on_the_wire_only() {
        assert_eq!((subunits(1500), francs(150_000), francs(150_050)), (Ok(150_000), Some(1500), None));
        let body = r#"{"status":true,"data":{"id":7,"status":"success","reference":"R","amount":150000,"currency":"XOF","fees":2250}}"#;
        let Outcome::Known(Some(observed)) = read(&reply(200, body)) else { panic!() };
        assert_eq!((observed.amount_francs, observed.fee_francs), (Some(1500), Some(23)));
    }

    #[test]
    fn an_abandoned_page_is_not_an_end_and_absence_is_said_by_paystack_only() {
        assert_eq!(state("abandoned"), OperationState::Pending);
        let absent = r#"{"status":false,"message":"Transaction reference not found.","code":"transaction_not_found"}"#;
        assert_eq!(read(&reply(404, absent)), Outcome::Known(None));
        assert_eq!(read(&reply(404, "<html>")), Outcome::unknown("http_404"));
    }

    #[test]
    fn a_payer_keeps_his_opaque_name_and_shows_no_number() {
        let config = PaystackConfig {
            base_url: String::new(),
            secret_key: Secret::new("sk"),
            email_template: "{customer}@cartes.hostolink.ci".to_owned(),
            limits: SenderLimits::default(),
        };
        let name = |number: &str| email(&Party::Phone(number.to_owned()), &config);
        assert_eq!(name("+2250708091011"), name("+2250708091011"));
        assert_ne!(name("+2250708091011"), name("+2250708091012"));
        assert!(
            !name("+2250708091011").contains("0708091011") && name("+2250708091011").ends_with("@cartes.hostolink.ci")
        );
    }
}
