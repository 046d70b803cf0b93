use axum::extract::State;
use identity::session::Signed;
use kernel::http::{Body, IdempotencyKey};
use kernel::{Francs, Problem, Reply};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::house::Wallet;
use crate::operation::{Pin, TransactionAnswer, TransactionData, answered};

pub(crate) fn routes() -> OpenApiRouter<Wallet> {
    OpenApiRouter::new().routes(routes!(create_transfer))
}

/// Whom to pay, and how much.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TransferOrder {
    /// E-mail address or telephone number of the payee.
    #[schema(examples("0707070742"))]
    pub(crate) to: String,
    pub(crate) amount: Francs,
    /// A word to the payee, at most 280 characters.
    #[schema(max_length = 280, examples("Loyer de novembre"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
    /// When the session was not unlocked within the last five minutes.
    #[serde(skip_serializing)]
    pub(crate) pin: Option<Pin>,
}

/// Send money to somebody.
#[utoipa::path(
    post, path = "/transfers", operation_id = "create_transfer", tag = "Payer et recevoir",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    params(("Idempotency-Key" = String, Header, description = "1 to 255 characters; the same key never pays twice")),
    request_body = TransferOrder,
    responses(
        (status = 201, description = "Paid", body = TransactionAnswer),
        (status = 400, description = "A field or the key is not right"),
        (status = 401, description = "No valid token"),
        (status = 403, description = "Not verified, or the PIN is missing or wrong"),
        (status = 404, description = "Nobody can be paid under this identifier"),
        (status = 422, description = "Refused: funds, limits, oneself, frozen account, or the key was used for something else"),
        (status = 423, description = "The PIN is locked"),
    )
)]
async fn create_transfer(
    State(wallet): State<Wallet>,
    Signed(account): Signed,
    key: IdempotencyKey,
    Body(order): Body<TransferOrder>,
) -> Result<Reply<TransactionData>, Problem> {
    let (transaction, replayed) = super::send(&wallet, &account, &key, &order).await?;
    Ok(answered("wallet.transfer_done", transaction, replayed))
}
