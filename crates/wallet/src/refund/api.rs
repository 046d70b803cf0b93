use axum::extract::State;
use identity::session::Signed;
use kernel::http::{Body, IdempotencyKey, Path};
use kernel::{Francs, Problem, Reply};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::house::Wallet;
use crate::operation::{Pin, TransactionAnswer, TransactionData, answered};

pub(crate) fn routes() -> OpenApiRouter<Wallet> {
    OpenApiRouter::new().routes(routes!(create_refund))
}

/// How much is given back.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RefundOrder {
    /// Absent: all that is left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) amount: Option<Francs>,
    #[schema(max_length = 280, examples("Article manquant"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
    /// When the session was not unlocked within the last five minutes.
    #[serde(skip_serializing)]
    pub(crate) pin: Option<Pin>,
}

/// Give back what one received.
#[utoipa::path(
    post, path = "/transactions/{id}/refunds", operation_id = "create_refund", tag = "Payer et recevoir",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "Id of a transfer or QR payment that one received"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 characters; the same key never refunds twice"),
    ),
    request_body(content = Option<RefundOrder>, description = "Without a body: all that is left"),
    responses(
        (status = 201, description = "Given back", body = TransactionAnswer),
        (status = 400, description = "A field or the key is not right"),
        (status = 401, description = "No valid token"),
        (status = 403, description = "Not verified, or the PIN is missing or wrong"),
        (status = 404, description = "No such operation, or one did not receive it"),
        (status = 422, description = "Refused: more than was paid, not refundable, funds, or the key was used for something else"),
        (status = 423, description = "The PIN is locked"),
    )
)]
async fn create_refund(
    State(wallet): State<Wallet>,
    Signed(account): Signed,
    key: IdempotencyKey,
    Path(id): Path<Uuid>,
    body: Option<Body<RefundOrder>>,
) -> Result<Reply<TransactionData>, Problem> {
    let order = body.map(|Body(order)| order).unwrap_or_default();
    let (transaction, replayed) = super::give_back(&wallet, &account, &key, id, &order).await?;
    Ok(answered("wallet.refund_done", transaction, replayed))
}
