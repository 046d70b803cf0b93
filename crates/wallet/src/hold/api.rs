use axum::extract::State;
use identity::session::Signed;
use kernel::http::{Body, IdempotencyKey, Path};
use kernel::{Francs, Problem, Reply, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::error::REPLAYED;
use crate::house::Wallet;
use crate::operation::Pin;
use crate::people::Counterparty;

pub(crate) fn routes() -> OpenApiRouter<Wallet> {
    OpenApiRouter::new()
        .routes(routes!(create_hold))
        .routes(routes!(get_hold))
        .routes(routes!(capture_hold))
        .routes(routes!(release_hold))
}

/// What is set aside, and for whom.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct HoldOrder {
    /// E-mail address or telephone number of who may take it.
    #[schema(examples("0707070742"))]
    pub(crate) to: String,
    /// The most that can be taken.
    pub(crate) amount: Francs,
    #[schema(max_length = 280, examples("Caution de la chambre"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
    /// Seconds until it goes back by itself, a minute to 30 days; a week when absent.
    #[schema(minimum = 60, maximum = 2592000, examples(86400))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires_in: Option<i64>,
    /// When the session was not unlocked within the last five minutes.
    #[serde(skip_serializing)]
    pub(crate) pin: Option<Pin>,
}

/// How much is taken.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CaptureOrder {
    /// Absent: all that is left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) amount: Option<Francs>,
    /// Nothing more will be taken: the rest goes back. False unless all is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last: Option<bool>,
}

/// Money that is set aside, as one of its two sides sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Hold {
    pub(crate) id: Uuid,
    /// `out` for the payer, `in` for who may take it
    #[schema(value_type = String, examples("out"))]
    pub(crate) direction: &'static str,
    pub(crate) counterparty: Counterparty,
    /// Francs that were set aside.
    #[schema(examples(20000))]
    pub(crate) amount: i64,
    /// Francs that were taken.
    #[schema(examples(0))]
    pub(crate) captured: i64,
    /// Francs that went back.
    #[schema(examples(0))]
    pub(crate) released: i64,
    /// Francs that can still be taken.
    #[schema(examples(20000))]
    pub(crate) remaining: i64,
    #[schema(value_type = String, examples("XOF"))]
    pub(crate) currency: &'static str,
    /// `open`, `captured`, `released` or `expired`
    #[schema(value_type = String, examples("open"))]
    pub(crate) status: &'static str,
    pub(crate) note: Option<String>,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) created_at: Timestamp,
}

/// `data` of an answer about one hold.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct HoldData {
    hold: Hold,
}

kernel::answer!(HoldAnswer, HoldData);

fn created(code: &'static str, hold: Hold, replayed: bool) -> Reply<HoldData> {
    let reply = Reply::created(code, HoldData { hold });
    if replayed { reply.with_header(REPLAYED.0, REPLAYED.1) } else { reply }
}

/// Set money aside for somebody.
#[utoipa::path(
    post, path = "/holds", operation_id = "create_hold", tag = "Payer et recevoir",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    params(("Idempotency-Key" = String, Header, description = "1 to 255 characters; the same key never holds twice")),
    request_body = HoldOrder,
    responses(
        (status = 201, description = "Set aside", body = HoldAnswer),
        (status = 400, description = "A field or the key is not right"),
        (status = 401, description = "No valid token"),
        (status = 403, description = "Not verified, or the PIN is missing or wrong"),
        (status = 404, description = "Nobody can be paid under this identifier"),
        (status = 422, description = "Refused: funds, limits, oneself, frozen account, or the key was used for something else"),
        (status = 423, description = "The PIN is locked"),
    )
)]
async fn create_hold(
    State(wallet): State<Wallet>,
    Signed(account): Signed,
    key: IdempotencyKey,
    Body(order): Body<HoldOrder>,
) -> Result<Reply<HoldData>, Problem> {
    let (hold, replayed) = super::create(&wallet, &account, &key, &order).await?;
    Ok(created("wallet.hold_created", hold, replayed))
}

/// Money that is set aside.
#[utoipa::path(
    get, path = "/holds/{id}", operation_id = "get_hold", tag = "Payer et recevoir",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "Id of the hold")),
    responses(
        (status = 200, description = "The hold", body = HoldAnswer),
        (status = 401, description = "No valid token"),
        (status = 404, description = "No such hold, or one is no part of it"),
    )
)]
async fn get_hold(
    State(wallet): State<Wallet>,
    Signed(account): Signed,
    Path(id): Path<Uuid>,
) -> Result<Reply<HoldData>, Problem> {
    let hold = super::show(&wallet, &account, id).await?;
    Ok(Reply::ok("wallet.hold_shown", HoldData { hold }))
}

/// Take what was set aside for oneself.
#[utoipa::path(
    post, path = "/holds/{id}/captures", operation_id = "capture_hold", tag = "Payer et recevoir",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "Id of the hold"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 characters; the same key never takes twice"),
    ),
    request_body(content = Option<CaptureOrder>, description = "Without a body: all that is left"),
    responses(
        (status = 201, description = "Taken", body = HoldAnswer),
        (status = 400, description = "A field or the key is not right"),
        (status = 401, description = "No valid token"),
        (status = 404, description = "No such hold, or it is not for oneself"),
        (status = 422, description = "Refused: more than what is left, or nothing is left"),
    )
)]
async fn capture_hold(
    State(wallet): State<Wallet>,
    Signed(account): Signed,
    key: IdempotencyKey,
    Path(id): Path<Uuid>,
    body: Option<Body<CaptureOrder>>,
) -> Result<Reply<HoldData>, Problem> {
    let order = body.map(|Body(order)| order).unwrap_or_default();
    let (hold, replayed) = super::capture(&wallet, &account, &key, id, &order).await?;
    Ok(created("wallet.hold_captured", hold, replayed))
}

/// Let go what was set aside for oneself.
#[utoipa::path(
    post, path = "/holds/{id}/release", operation_id = "release_hold", tag = "Payer et recevoir",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "Id of the hold")),
    responses(
        (status = 200, description = "What was left went back, or had before", body = HoldAnswer),
        (status = 401, description = "No valid token"),
        (status = 404, description = "No such hold, or it is not for oneself"),
    )
)]
async fn release_hold(
    State(wallet): State<Wallet>,
    Signed(account): Signed,
    Path(id): Path<Uuid>,
) -> Result<Reply<HoldData>, Problem> {
    let hold = super::release(&wallet, &account, id).await?;
    Ok(Reply::ok("wallet.hold_released", HoldData { hold }))
}
