use axum::extract::{DefaultBodyLimit, State};
use identity::session::Signed;
use kernel::http::{Body, IdempotencyKey};
use kernel::{Failure, Francs, Problem, Reply};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::error::REPLAYED;
use crate::house::Wallet;
use crate::operation::{Pin, Transaction};

/// A thousand payments with notes, in bytes.
const MAX_BODY: usize = 2 * 1024 * 1024;

pub(crate) fn routes() -> OpenApiRouter<Wallet> {
    OpenApiRouter::new().routes(routes!(create_bulk_transfer)).layer(DefaultBodyLimit::max(MAX_BODY))
}

/// One payment of a group.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct BulkItem {
    /// E-mail address or telephone number of the payee.
    #[schema(examples("0707070742"))]
    pub(crate) to: String,
    pub(crate) amount: Francs,
    #[schema(max_length = 280, examples("Salaire de novembre"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
}

/// Whether one refusal refuses all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BulkMode {
    /// Each payment for itself.
    #[default]
    Each,
    /// All or nothing, in one commit.
    AllOrNothing,
}

/// A group of payments.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct BulkOrder {
    /// 1 to 1,000.
    #[schema(min_items = 1, max_items = 1000)]
    pub(crate) items: Vec<BulkItem>,
    #[serde(default)]
    pub(crate) mode: BulkMode,
    /// When the session was not unlocked within the last five minutes.
    #[serde(skip_serializing)]
    pub(crate) pin: Option<Pin>,
}

impl BulkOrder {
    pub(super) fn all_or_nothing(&self) -> bool {
        self.mode == BulkMode::AllOrNothing
    }
}

/// What became of one payment.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ItemResult {
    /// Its place in the request, from 0.
    #[schema(examples(0))]
    index: usize,
    /// `succeeded` or `failed`
    #[schema(examples("succeeded"))]
    status: String,
    /// Why it failed.
    #[schema(examples("wallet.payee_unknown"))]
    code: Option<String>,
    /// What was done.
    #[schema(value_type = Option<Transaction>)]
    transaction: Option<Value>,
}

impl ItemResult {
    pub(super) fn failed(index: usize, code: &str) -> Self {
        Self { index, status: "failed".to_owned(), code: Some(code.to_owned()), transaction: None }
    }

    pub(super) fn done(index: usize, transaction: &Transaction) -> Result<Self, Failure> {
        let transaction = serde_json::to_value(transaction).map_err(Failure::internal)?;
        Ok(Self { index, status: "succeeded".to_owned(), code: None, transaction: Some(transaction) })
    }
}

/// What became of a group. It is stored as it is answered first.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BulkResult {
    id: Uuid,
    /// `succeeded`, `partial` or `failed`
    #[schema(examples("succeeded"))]
    status: String,
    #[schema(examples(2))]
    succeeded: usize,
    #[schema(examples(0))]
    failed: usize,
    /// Francs that were paid, without fees.
    #[schema(examples(150000))]
    paid: i64,
    items: Vec<ItemResult>,
}

impl BulkResult {
    pub(super) fn of(id: Uuid, order: &BulkOrder, items: Vec<ItemResult>) -> Self {
        let succeeded = items.iter().filter(|item| item.code.is_none()).count();
        let failed = items.len() - succeeded;
        let status = match (succeeded, failed) {
            (_, 0) => "succeeded",
            (0, _) => "failed",
            _ => "partial",
        };
        let done = order.items.iter().zip(&items).filter(|(_, item)| item.code.is_none());
        let paid = done.map(|(item, _)| item.amount.get()).sum();
        Self { id, status: status.to_owned(), succeeded, failed, paid, items }
    }
}

kernel::answer!(BulkAnswer, BulkResult);

/// Pay many people at once.
#[utoipa::path(
    post, path = "/transfers/bulk", operation_id = "create_bulk_transfer", tag = "Payer et recevoir",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    params(("Idempotency-Key" = String, Header, description = "1 to 255 characters; the same key never pays twice")),
    request_body = BulkOrder,
    responses(
        (status = 201, description = "Decided; each item says how", body = BulkAnswer),
        (status = 400, description = "A field or the key is not right, or there are more than 1,000 items"),
        (status = 401, description = "No valid token"),
        (status = 403, description = "Not verified, or the PIN is missing or wrong"),
        (status = 409, description = "The same request is at work at this moment"),
        (status = 413, description = "Too large"),
        (status = 422, description = "The key was used for something else"),
        (status = 423, description = "The PIN is locked"),
    )
)]
async fn create_bulk_transfer(
    State(wallet): State<Wallet>,
    Signed(account): Signed,
    key: IdempotencyKey,
    Body(order): Body<BulkOrder>,
) -> Result<Reply<BulkResult>, Problem> {
    let (result, replayed) = super::pay(&wallet, &account, &key, &order).await?;
    let reply = Reply::created("wallet.bulk_done", result);
    Ok(if replayed { reply.with_header(REPLAYED.0, REPLAYED.1) } else { reply })
}
