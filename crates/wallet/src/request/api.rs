#![expect(unused_qualifications, reason = "the macro that describes parameters names them in full")]

use axum::extract::State;
use identity::session::Signed;
use kernel::http::{Body, IdempotencyKey, PageQuery, Path, Query};
use kernel::{Francs, Problem, Reply, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::Role;
use crate::house::Wallet;
use crate::operation::{Pin, TransactionAnswer, TransactionData, answered};
use crate::people::Counterparty;

pub(crate) fn routes() -> OpenApiRouter<Wallet> {
    OpenApiRouter::new()
        .routes(routes!(create_payment_request, list_payment_requests))
        .routes(routes!(get_payment_request))
        .routes(routes!(pay_payment_request))
        .routes(routes!(decline_payment_request))
        .routes(routes!(cancel_payment_request))
}

/// Whom to ask, and for how much.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RequestOrder {
    /// E-mail address or telephone number of who should pay.
    #[schema(examples("0707070742"))]
    pub(crate) from: String,
    pub(crate) amount: Francs,
    #[schema(max_length = 280, examples("Ta part du cadeau"))]
    pub(crate) note: Option<String>,
    /// Seconds until it expires, an hour to 90 days; a week when absent.
    #[schema(minimum = 3600, maximum = 7776000, examples(604800))]
    pub(crate) expires_in: Option<i64>,
}

/// A request for money, as one of its two sides sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PaymentRequest {
    pub(crate) id: Uuid,
    /// `sent` or `received`
    #[schema(value_type = String, examples("received"))]
    pub(crate) direction: &'static str,
    pub(crate) counterparty: Counterparty,
    /// Francs.
    #[schema(examples(2500))]
    pub(crate) amount: i64,
    #[schema(value_type = String, examples("XOF"))]
    pub(crate) currency: &'static str,
    pub(crate) note: Option<String>,
    /// `pending`, `paid`, `declined`, `cancelled` or `expired`
    #[schema(value_type = String, examples("pending"))]
    pub(crate) status: &'static str,
    /// What paid it.
    pub(crate) transaction_id: Option<Uuid>,
    pub(crate) expires_at: Timestamp,
    pub(crate) created_at: Timestamp,
}

/// `data` of an answer about one request.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PaymentRequestData {
    payment_request: PaymentRequest,
}

kernel::answer!(PaymentRequestAnswer, PaymentRequestData);

/// `data` of the list.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PaymentRequestList {
    items: Vec<PaymentRequest>,
    next_cursor: Option<String>,
}

kernel::answer!(PaymentRequestListAnswer, PaymentRequestList);

/// Which requests are wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RequestsQuery {
    /// How many, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
    /// `sent` or `received`; both when absent.
    direction: Option<String>,
}

/// The confirmation.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PayOrder {
    /// When the session was not unlocked within the last five minutes.
    #[serde(skip_serializing)]
    pub(crate) pin: Option<Pin>,
}

/// Ask somebody for money.
#[utoipa::path(
    post, path = "/payment-requests", operation_id = "create_payment_request", tag = "Demandes d'argent",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    request_body = RequestOrder,
    responses(
        (status = 201, description = "Asked", body = PaymentRequestAnswer),
        (status = 400, description = "A field is not right"),
        (status = 401, description = "No valid token"),
        (status = 403, description = "Not verified"),
        (status = 404, description = "Nobody is known under this identifier"),
        (status = 422, description = "Oneself, or too many open requests to this person"),
    )
)]
async fn create_payment_request(
    State(wallet): State<Wallet>,
    Signed(account): Signed,
    Body(order): Body<RequestOrder>,
) -> Result<Reply<PaymentRequestData>, Problem> {
    let payment_request = super::create(&wallet, &account, &order).await?;
    Ok(Reply::created("wallet.request_created", PaymentRequestData { payment_request }))
}

/// Requests that one made or got, newest first.
#[utoipa::path(
    get, path = "/payment-requests", operation_id = "list_payment_requests", tag = "Demandes d'argent",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    params(RequestsQuery),
    responses(
        (status = 200, description = "A page", body = PaymentRequestListAnswer),
        (status = 400, description = "A parameter is not right"),
        (status = 401, description = "No valid token"),
    )
)]
async fn list_payment_requests(
    State(wallet): State<Wallet>,
    Signed(account): Signed,
    Query(query): Query<RequestsQuery>,
) -> Result<Reply<PaymentRequestList>, Problem> {
    let role = match query.direction.as_deref() {
        None => None,
        Some("sent") => Some(Role::Sent),
        Some("received") => Some(Role::Received),
        Some(_) => return Err(Problem::field("direction", "invalid")),
    };
    let page = PageQuery { limit: query.limit, cursor: query.cursor }.checked()?;
    let (items, next_cursor) = super::list(&wallet, &account, role, &page).await?;
    Ok(Reply::ok("wallet.requests_listed", PaymentRequestList { items, next_cursor }))
}

/// One request.
#[utoipa::path(
    get, path = "/payment-requests/{id}", operation_id = "get_payment_request", tag = "Demandes d'argent",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "Id of the request")),
    responses(
        (status = 200, description = "The request", body = PaymentRequestAnswer),
        (status = 401, description = "No valid token"),
        (status = 404, description = "No such request, or one is no part of it"),
    )
)]
async fn get_payment_request(
    State(wallet): State<Wallet>,
    Signed(account): Signed,
    Path(id): Path<Uuid>,
) -> Result<Reply<PaymentRequestData>, Problem> {
    let payment_request = super::show(&wallet, &account, id).await?;
    Ok(Reply::ok("wallet.request_shown", PaymentRequestData { payment_request }))
}

/// Pay a request that one got.
#[utoipa::path(
    post, path = "/payment-requests/{id}/pay", operation_id = "pay_payment_request", tag = "Demandes d'argent",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "Id of the request"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 characters; the same key never pays twice"),
    ),
    request_body(content = Option<PayOrder>, description = "Nothing, or the PIN"),
    responses(
        (status = 201, description = "Paid", body = TransactionAnswer),
        (status = 400, description = "A field or the key is not right"),
        (status = 401, description = "No valid token"),
        (status = 403, description = "Not verified, or the PIN is missing or wrong"),
        (status = 404, description = "No such request, or one is not asked by it"),
        (status = 422, description = "Refused: paid, declined, withdrawn or expired request, funds, limits"),
        (status = 423, description = "The PIN is locked"),
    )
)]
async fn pay_payment_request(
    State(wallet): State<Wallet>,
    Signed(account): Signed,
    key: IdempotencyKey,
    Path(id): Path<Uuid>,
    body: Option<Body<PayOrder>>,
) -> Result<Reply<TransactionData>, Problem> {
    let order = body.map(|Body(order)| order).unwrap_or_default();
    let (transaction, replayed) = super::pay(&wallet, &account, &key, id, &order).await?;
    Ok(answered("wallet.request_paid_now", transaction, replayed))
}

/// Decline a request that one got.
#[utoipa::path(
    post, path = "/payment-requests/{id}/decline", operation_id = "decline_payment_request", tag = "Demandes d'argent",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "Id of the request")),
    responses(
        (status = 200, description = "Declined, or as it had ended before", body = PaymentRequestAnswer),
        (status = 401, description = "No valid token"),
        (status = 404, description = "No such request, or one is not asked by it"),
        (status = 409, description = "It was paid"),
    )
)]
async fn decline_payment_request(
    State(wallet): State<Wallet>,
    Signed(account): Signed,
    Path(id): Path<Uuid>,
) -> Result<Reply<PaymentRequestData>, Problem> {
    let payment_request = super::close(&wallet, &account, id, Role::Received).await?;
    Ok(Reply::ok("wallet.request_declined", PaymentRequestData { payment_request }))
}

/// Withdraw a request that one made.
#[utoipa::path(
    post, path = "/payment-requests/{id}/cancel", operation_id = "cancel_payment_request", tag = "Demandes d'argent",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "Id of the request")),
    responses(
        (status = 200, description = "Withdrawn, or as it had ended before", body = PaymentRequestAnswer),
        (status = 401, description = "No valid token"),
        (status = 404, description = "No such request, or one did not make it"),
        (status = 409, description = "It was paid"),
    )
)]
async fn cancel_payment_request(
    State(wallet): State<Wallet>,
    Signed(account): Signed,
    Path(id): Path<Uuid>,
) -> Result<Reply<PaymentRequestData>, Problem> {
    let payment_request = super::close(&wallet, &account, id, Role::Sent).await?;
    Ok(Reply::ok("wallet.request_cancelled", PaymentRequestData { payment_request }))
}
