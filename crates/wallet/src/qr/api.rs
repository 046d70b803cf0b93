use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use identity::session::Signed;
use kernel::http::{Body, IdempotencyKey, Path};
use kernel::money::CURRENCY;
use kernel::{Francs, Problem, Reply, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::emv::{Code, Payee};
use super::image;
use super::model::{State as CodeState, Target};
use super::store::QrRow;
use crate::house::Wallet;
use crate::operation::{Pin, TransactionAnswer, TransactionData, answered};
use crate::people::Counterparty;

pub(crate) fn routes() -> OpenApiRouter<Wallet> {
    OpenApiRouter::new()
        .routes(routes!(create_qr_code))
        .routes(routes!(get_qr_code, close_qr_code))
        .routes(routes!(decode_qr_code))
        .routes(routes!(pay_qr_code))
}

/// What the code should ask for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CodeOrder {
    /// Absent: the payer chooses.
    pub(crate) amount: Option<Francs>,
    /// Shown to the payer, at most 280 characters.
    #[schema(max_length = 280, examples("Facture 2026-114"))]
    pub(crate) note: Option<String>,
    /// Seconds until it expires, a minute to a year; absent: never.
    #[schema(minimum = 60, maximum = 31622400, examples(900))]
    pub(crate) expires_in: Option<i64>,
    /// It can be paid once only.
    pub(crate) single_use: Option<bool>,
}

/// A code that asks for money.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QrCode {
    /// For the pictures: `/qr-codes/{id}.svg` and `.png`.
    pub(crate) id: Uuid,
    /// EMVCo merchant-presented text.
    #[schema(examples("00020101021126510012ci.hostolink0131…6304ABCD"))]
    pub(crate) payload: String,
    /// Francs; null: the payer chooses.
    #[schema(examples(2500))]
    pub(crate) amount: Option<i64>,
    #[schema(value_type = String, examples("XOF"))]
    pub(crate) currency: &'static str,
    pub(crate) note: Option<String>,
    pub(crate) single_use: bool,
    /// Null: never.
    pub(crate) expires_at: Option<Timestamp>,
    /// `active`, `used`, `closed` or `expired`
    #[schema(value_type = String, examples("active"))]
    pub(crate) status: &'static str,
}

impl QrCode {
    /// The code of an account.
    pub(super) fn fixed(id: Uuid, payload: String) -> Self {
        let status = CodeState::Active.name();
        Self { id, payload, amount: None, currency: CURRENCY, note: None, single_use: false, expires_at: None, status }
    }

    /// A code of one request.
    pub(super) fn of(row: QrRow, now: DateTime<Utc>) -> Self {
        Self {
            status: CodeState::of(&row, now).name(),
            id: row.public_id,
            payload: row.payload,
            amount: row.montant,
            currency: CURRENCY,
            note: row.note,
            single_use: row.usage_unique,
            expires_at: row.expire_le.map(Timestamp::from),
        }
    }
}

kernel::answer!(QrCodeAnswer, QrCode);

/// A text that a camera read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ScannedText {
    #[schema(max_length = 512)]
    pub(crate) payload: String,
}

/// What a scanned text says.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Decoded {
    pub(crate) payee: Counterparty,
    /// Francs; null: the payer chooses.
    #[schema(examples(2500))]
    pub(crate) amount: Option<i64>,
    #[schema(value_type = String, examples("XOF"))]
    pub(crate) currency: &'static str,
    pub(crate) note: Option<String>,
    /// The payee's own reference.
    pub(crate) reference: Option<String>,
    /// `hostolink` or `pi_spi`
    #[schema(value_type = String, examples("hostolink"))]
    pub(crate) network: &'static str,
    /// It is of one request, and not the code of an account.
    pub(crate) dynamic: bool,
    pub(crate) single_use: bool,
    pub(crate) expires_at: Option<Timestamp>,
    /// `active`, `used`, `closed` or `expired`: only an active code can be paid.
    #[schema(value_type = String, examples("active"))]
    pub(crate) status: &'static str,
}

impl Decoded {
    pub(super) fn of(payee: Counterparty, target: Target, code: &Code) -> Self {
        Self {
            payee,
            amount: target.amount,
            currency: CURRENCY,
            note: target.note,
            reference: code.reference.clone(),
            network: if matches!(code.payee, Payee::PiSpi { .. }) { "pi_spi" } else { "hostolink" },
            dynamic: code.dynamic,
            single_use: target.single_use.is_some(),
            expires_at: target.expires.map(Timestamp::from),
            status: target.state.name(),
        }
    }
}

kernel::answer!(DecodedAnswer, Decoded);

/// What to pay.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PaymentOrder {
    #[schema(max_length = 512)]
    pub(crate) payload: String,
    /// Required when the code asks for no amount; when it does, the same or absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) amount: Option<Francs>,
    #[schema(max_length = 280)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
    /// When the session was not unlocked within the last five minutes.
    #[serde(skip_serializing)]
    pub(crate) pin: Option<Pin>,
}

/// Make a code that asks for money.
#[utoipa::path(
    post, path = "/qr-codes", operation_id = "create_qr_code", tag = "Payer et recevoir",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    request_body = CodeOrder,
    responses(
        (status = 201, description = "The code", body = QrCodeAnswer),
        (status = 400, description = "A field is not right"),
        (status = 401, description = "No valid token"),
    )
)]
async fn create_qr_code(
    State(wallet): State<Wallet>,
    Signed(account): Signed,
    Body(order): Body<CodeOrder>,
) -> Result<Reply<QrCode>, Problem> {
    Ok(Reply::created("wallet.qr_created", super::create(&wallet, &account, &order).await?))
}

/// How an own code is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json,
    Svg,
    Png,
}

/// `me`, or an id, and behind it `.svg`, `.png` or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Named {
    id: Option<Uuid>,
    form: Form,
}

impl std::str::FromStr for Named {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (name, form) = match text.rsplit_once('.') {
            Some((name, "svg")) => (name, Form::Svg),
            Some((name, "png")) => (name, Form::Png),
            Some(_) => return Err(()),
            None => (text, Form::Json),
        };
        let id = if name == "me" { None } else { Some(Uuid::try_parse(name).map_err(|_| ())?) };
        Ok(Self { id, form })
    }
}

/// One's own code: `me` is that of the account. With `.svg` or `.png` behind the id: its picture.
#[utoipa::path(
    get, path = "/qr-codes/{id}", operation_id = "get_qr_code", tag = "Payer et recevoir",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    params(("id" = String, Path, description = "`me` or the id of a code; `.svg` or `.png` behind it gives the picture", example = "me")),
    responses(
        (status = 200, description = "The code, or its picture", content(
            (QrCodeAnswer = "application/json"), (String = "image/svg+xml"), (String = "image/png"))),
        (status = 401, description = "No valid token"),
        (status = 404, description = "No such code, or somebody else's"),
    )
)]
async fn get_qr_code(
    State(wallet): State<Wallet>,
    Signed(account): Signed,
    Path(named): Path<Named>,
) -> Result<Response, Problem> {
    let code = super::show(&wallet, &account, named.id).await?;
    let picture = |kind: &'static str, bytes: Vec<u8>| {
        ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "private, max-age=300")], bytes).into_response()
    };
    Ok(match named.form {
        Form::Json => Reply::ok("wallet.qr_shown", code).into_response(),
        Form::Svg => picture("image/svg+xml", image::svg(&code.payload)?.into_bytes()),
        Form::Png => picture("image/png", image::png(&code.payload)?),
    })
}

/// Close a code: nobody pays it any more.
#[utoipa::path(
    delete, path = "/qr-codes/{id}", operation_id = "close_qr_code", tag = "Payer et recevoir",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "Id of a code that was made; the code of the account stays")),
    responses(
        (status = 200, description = "Closed, or as it had ended before", body = QrCodeAnswer),
        (status = 401, description = "No valid token"),
        (status = 404, description = "No such code, or somebody else's"),
    )
)]
async fn close_qr_code(
    State(wallet): State<Wallet>,
    Signed(account): Signed,
    Path(id): Path<Uuid>,
) -> Result<Reply<QrCode>, Problem> {
    Ok(Reply::ok("wallet.qr_closed_now", super::close(&wallet, &account, id).await?))
}

/// What a scanned code asks for, and whom it pays.
#[utoipa::path(
    post, path = "/qr-codes/decode", operation_id = "decode_qr_code", tag = "Payer et recevoir",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    request_body = ScannedText,
    responses(
        (status = 200, description = "What it says", body = DecodedAnswer),
        (status = 400, description = "A damaged code; `errors` says how"),
        (status = 401, description = "No valid token"),
        (status = 404, description = "The account of the code does not exist"),
        (status = 422, description = "A code of somebody else's network; `network` says whose"),
    )
)]
async fn decode_qr_code(
    State(wallet): State<Wallet>,
    _signed: Signed,
    Body(scanned): Body<ScannedText>,
) -> Result<Reply<Decoded>, Problem> {
    Ok(Reply::ok("wallet.qr_decoded", super::decode(&wallet, &scanned.payload).await?))
}

/// Pay a scanned code.
#[utoipa::path(
    post, path = "/payments/qr", operation_id = "pay_qr_code", tag = "Payer et recevoir",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    params(("Idempotency-Key" = String, Header, description = "1 to 255 characters; the same key never pays twice")),
    request_body = PaymentOrder,
    responses(
        (status = 201, description = "Paid", body = TransactionAnswer),
        (status = 400, description = "A field, the key or the code is not right"),
        (status = 401, description = "No valid token"),
        (status = 403, description = "Not verified, or the PIN is missing or wrong"),
        (status = 404, description = "The account of the code does not exist"),
        (status = 422, description = "Refused: closed, used or expired code, another amount, funds, limits, oneself"),
        (status = 423, description = "The PIN is locked"),
    )
)]
async fn pay_qr_code(
    State(wallet): State<Wallet>,
    Signed(account): Signed,
    key: IdempotencyKey,
    Body(order): Body<PaymentOrder>,
) -> Result<Reply<TransactionData>, Problem> {
    let (transaction, replayed) = super::pay(&wallet, &account, &key, &order).await?;
    Ok(answered("wallet.qr_paid", transaction, replayed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_codes_are_read() {
        let id = Uuid::from_u128(7);
        assert_eq!("me".parse(), Ok(Named { id: None, form: Form::Json }));
        assert_eq!("me.png".parse(), Ok(Named { id: None, form: Form::Png }));
        assert_eq!(format!("{id}.svg").parse(), Ok(Named { id: Some(id), form: Form::Svg }));
        for wrong in ["", "moi", "me.gif", "me.svg.png"] {
            assert_eq!(wrong.parse::<Named>(), Err(()), "{wrong}");
        }
    }
}
