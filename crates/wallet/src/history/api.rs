#![expect(unused_qualifications, reason = "the macro that describes parameters names them in full")]

use axum::extract::State;
use chrono::{DateTime, Utc};
use identity::session::Signed;
use kernel::http::{PageQuery, Path, Query};
use kernel::{Problem, Reply};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::model::Filter;
use crate::house::Wallet;
use crate::ledger::{Kind, Status};
use crate::operation::{Direction, Transaction, TransactionAnswer, TransactionData};

pub(crate) fn routes() -> OpenApiRouter<Wallet> {
    OpenApiRouter::new().routes(routes!(list_transactions)).routes(routes!(get_transaction))
}

/// Which part of the history is wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HistoryQuery {
    /// How many, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
    /// `transfer`, `qr_payment`, `deposit`, …
    #[serde(rename = "type")]
    kind: Option<String>,
    /// `in` or `out`
    direction: Option<String>,
    /// `pending`, `succeeded`, `failed` or `expired`
    status: Option<String>,
    /// From this instant on.
    from: Option<DateTime<Utc>>,
    /// Before this instant.
    to: Option<DateTime<Utc>>,
}

impl HistoryQuery {
    fn page(&self) -> PageQuery {
        PageQuery { limit: self.limit, cursor: self.cursor.clone() }
    }

    fn filter(&self) -> Result<Filter, Problem> {
        let invalid = |field: &'static str| Problem::field(field, "invalid");
        let kind = match self.kind.as_deref() {
            None => None,
            Some(text) => Some(kind(text).ok_or_else(|| invalid("type"))?),
        };
        let direction = match self.direction.as_deref() {
            None => None,
            Some("in") => Some(Direction::In),
            Some("out") => Some(Direction::Out),
            Some(_) => return Err(invalid("direction")),
        };
        let status = match self.status.as_deref() {
            None => None,
            Some("pending") => Some(Status::Pending),
            Some("succeeded") => Some(Status::Succeeded),
            Some("failed") => Some(Status::Failed),
            Some("expired") => Some(Status::Expired),
            Some(_) => return Err(invalid("status")),
        };
        Ok(Filter { kind, direction, status: status.map(Status::stored), from: self.from, to: self.to })
    }
}

/// The kinds that a history can show.
fn kind(text: &str) -> Option<Kind> {
    use Kind::{Adjustment, Deposit, Fee, Opening, QrPayment, Refund, Reversal, Transfer, Withdrawal};
    let shown = [Transfer, QrPayment, Deposit, Withdrawal, Refund, Fee, Opening, Adjustment, Reversal];
    shown.into_iter().find(|kind| kind.api() == text)
}

/// `data` of the list.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TransactionList {
    items: Vec<Transaction>,
    next_cursor: Option<String>,
}

kernel::answer!(TransactionListAnswer, TransactionList);

/// One's history, newest first.
#[utoipa::path(
    get, path = "/transactions", operation_id = "list_transactions", tag = "Payer et recevoir",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    params(HistoryQuery),
    responses(
        (status = 200, description = "A page", body = TransactionListAnswer),
        (status = 400, description = "A parameter is not right"),
        (status = 401, description = "No valid token"),
    )
)]
async fn list_transactions(
    State(wallet): State<Wallet>,
    Signed(account): Signed,
    Query(query): Query<HistoryQuery>,
) -> Result<Reply<TransactionList>, Problem> {
    let (page, filter) = (query.page().checked()?, query.filter()?);
    let (items, next_cursor) = super::list(&wallet, &account, &filter, &page).await?;
    Ok(Reply::ok("wallet.transactions_listed", TransactionList { items, next_cursor }))
}

/// One operation.
#[utoipa::path(
    get, path = "/transactions/{id}", operation_id = "get_transaction", tag = "Payer et recevoir",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "Id of the operation, the same for both parties")),
    responses(
        (status = 200, description = "The operation as one sees it", body = TransactionAnswer),
        (status = 401, description = "No valid token"),
        (status = 404, description = "No such operation, or one is no part of it"),
    )
)]
async fn get_transaction(
    State(wallet): State<Wallet>,
    Signed(account): Signed,
    Path(id): Path<Uuid>,
) -> Result<Reply<TransactionData>, Problem> {
    let transaction = super::show(&wallet, &account, id).await?;
    Ok(Reply::ok("wallet.transaction_shown", TransactionData { transaction }))
}
