//! What a request must hold, and with which words it is refused.

use super::failure;
use crate::wire;
use axum::response::Response;
use http::StatusCode;
use serde_json::{Map, Value, json};

/// Metadata fields of one operation.
const MAX_METADATA: usize = 10;
/// The bounds of an amount, in francs.
const LEAST: i64 = 100;
const MOST: i64 = 2_000_000;

/// Which kind of operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resource {
    Deposit,
    Payout,
    Refund,
}

impl Resource {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Deposit => "deposit",
            Self::Payout => "payout",
            Self::Refund => "refund",
        }
    }

    pub(super) const fn id_field(self) -> &'static str {
        match self {
            Self::Deposit => "depositId",
            Self::Payout => "payoutId",
            Self::Refund => "refundId",
        }
    }
}

/// How a request is refused: as a bad request, or politely with 200 and `REJECTED`.
pub(super) enum Refused {
    Bad(Response),
    Rejected { code: &'static str, message: String },
}

fn bad(code: &str, message: &str) -> Refused {
    Refused::Bad(failure(StatusCode::BAD_REQUEST, code, message))
}

fn missing(field: &str) -> Refused {
    bad("MISSING_PARAMETER", &format!("{field} is required"))
}

fn rejected(code: &'static str, message: &str) -> Refused {
    Refused::Rejected { code, message: message.to_owned() }
}

fn text<'v>(body: &'v Value, pointer: &str) -> Option<&'v str> {
    body.pointer(pointer).and_then(Value::as_str)
}

/// The client's UUID, without which nothing can be answered.
pub(super) fn id(body: &Value, resource: Resource) -> Result<String, Refused> {
    let field = resource.id_field();
    let id = body.get(field).and_then(Value::as_str).ok_or_else(|| missing(field))?;
    match uuid::Uuid::try_parse(id) {
        Ok(parsed) if id.len() == 36 && parsed.get_version_num() == 4 => Ok(parsed.to_string()),
        _ => Err(bad("INVALID_PARAMETER", &format!("{field} must be a UUID of version 4"))),
    }
}

/// Who pays or is paid, through which operator.
pub(super) struct Party {
    pub(super) phone: String,
    pub(super) provider: String,
}

pub(super) fn party(body: &Value, resource: Resource) -> Result<Party, Refused> {
    let side = if resource == Resource::Deposit { "payer" } else { "recipient" };
    if text(body, &format!("/{side}/type")) != Some("MMO") {
        return Err(bad("INVALID_PARAMETER", &format!("{side}.type must be MMO")));
    }
    let field = |name: &str| text(body, &format!("/{side}/accountDetails/{name}")).ok_or_else(|| missing(name));
    let (phone, provider) = (field("phoneNumber")?, field("provider")?);
    if !["MTN_MOMO_CIV", "ORANGE_CIV", "WAVE_CIV"].contains(&provider) {
        return Err(rejected("INVALID_PROVIDER", "The provider is not configured for this account"));
    }
    if !wire::is_msisdn(phone) || phone.len() != 13 || !phone.starts_with("225") {
        return Err(rejected("INVALID_PHONE_NUMBER", "The phone number is not valid for the provider"));
    }
    Ok(Party { phone: phone.to_owned(), provider: provider.to_owned() })
}

pub(super) fn amount(body: &Value) -> Result<i64, Refused> {
    let given = text(body, "/amount").ok_or_else(|| missing("amount"))?;
    if text(body, "/currency").ok_or_else(|| missing("currency"))? != "XOF" {
        return Err(rejected("INVALID_CURRENCY", "The currency is not supported by the provider"));
    }
    match wire::parse_amount(given) {
        None => Err(rejected("INVALID_AMOUNT", "The provider accepts no decimals")),
        Some(amount) if (LEAST..=MOST).contains(&amount) => Ok(amount),
        Some(_) => Err(rejected("AMOUNT_OUT_OF_BOUNDS", "The amount is out of the provider's bounds")),
    }
}

/// What only one operator needs, and no other may be sent.
pub(super) fn extras(body: &Value, provider: &str) -> Result<(), Refused> {
    let has = |field: &str| body.get(field).is_some_and(|v| !v.is_null());
    let code = has("preAuthorisationCode");
    let urls = has("successfulUrl") || has("failedUrl");
    match provider {
        "ORANGE_CIV" if !code => Err(missing("preAuthorisationCode")),
        "WAVE_CIV" if !(has("successfulUrl") && has("failedUrl")) => Err(missing("successfulUrl and failedUrl")),
        "MTN_MOMO_CIV" | "WAVE_CIV" if code => {
            Err(bad("UNSUPPORTED_PARAMETER", "preAuthorisationCode is not supported by the provider"))
        }
        "MTN_MOMO_CIV" | "ORANGE_CIV" if urls => {
            Err(bad("UNSUPPORTED_PARAMETER", "successfulUrl and failedUrl are not supported by the provider"))
        }
        _ => Ok(()),
    }
}

/// What the statement shows: 4 to 22 letters, digits and spaces.
pub(super) fn message(body: &Value) -> Result<Option<String>, Refused> {
    let Some(message) = body.get("customerMessage").filter(|m| !m.is_null()) else { return Ok(None) };
    let plain = |m: &&str| (4..=22).contains(&m.len()) && m.chars().all(|c| c.is_ascii_alphanumeric() || c == ' ');
    let message = message.as_str().filter(plain);
    message
        .map(|m| Some(m.to_owned()))
        .ok_or_else(|| bad("INVALID_PARAMETER", "customerMessage: 4 to 22 alphanumeric characters"))
}

/// A list of one-field objects becomes one object.
pub(super) fn metadata(body: &Value) -> Result<Value, Refused> {
    let list = match body.get("metadata") {
        None | Some(Value::Null) => return Ok(Value::Null),
        Some(Value::Array(list)) if list.len() <= MAX_METADATA => list,
        Some(_) => return Err(bad("INVALID_PARAMETER", "metadata must be a list of at most 10 fields")),
    };
    let mut merged = Map::new();
    for field in list.iter().filter_map(Value::as_object).flatten() {
        let (name, value) = field;
        if name != "isPII" && merged.insert(name.clone(), json!(value)).is_some() {
            return Err(bad("DUPLICATE_METADATA_FIELD", "metadata fields must differ"));
        }
    }
    Ok(Value::Object(merged))
}
