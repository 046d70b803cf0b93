#![expect(unused_qualifications, reason = "the macro that describes parameters names them in full")]

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse, Response};
use identity::session::Signed;
use kernel::http::{Lang, Path, Query};
use kernel::{Problem, Reply, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::house::Wallet;
use crate::people::Counterparty;

pub(crate) fn routes() -> OpenApiRouter<Wallet> {
    OpenApiRouter::new().routes(routes!(get_receipt)).routes(routes!(check_receipt))
}

/// A file to keep.
pub(crate) fn download(kind: &'static str, name: &str, bytes: Vec<u8>) -> Response {
    let headers: [(HeaderName, String); 3] = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
    ];
    (headers, bytes).into_response()
}

/// The proof that stands on the receipt.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ProofQuery {
    /// 28 hexadecimal digits.
    code: String,
}

/// What a true receipt is about.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Checked {
    pub(crate) id: Uuid,
    #[serde(rename = "type")]
    #[schema(value_type = String, examples("transfer"))]
    pub(crate) kind: &'static str,
    #[schema(value_type = String, examples("succeeded"))]
    pub(crate) status: &'static str,
    /// Francs.
    #[schema(examples(1500))]
    pub(crate) amount: i64,
    #[schema(examples(0))]
    pub(crate) fee: i64,
    /// Francs that were given back since.
    #[schema(examples(0))]
    pub(crate) refunded: i64,
    #[schema(value_type = String, examples("XOF"))]
    pub(crate) currency: &'static str,
    pub(crate) payer: Counterparty,
    pub(crate) payee: Counterparty,
    pub(crate) created_at: Timestamp,
    pub(crate) settled_at: Option<Timestamp>,
}

/// `data` of an answer about a receipt.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct CheckedData {
    receipt: Checked,
}

kernel::answer!(CheckedAnswer, CheckedData);

/// A receipt as a PDF, with a code by which anybody can check it.
#[utoipa::path(
    get, path = "/transactions/{id}/receipt", operation_id = "get_receipt", tag = "Payer et recevoir",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "Id of an operation that one is part of")),
    responses(
        (status = 200, description = "The receipt", content_type = "application/pdf", body = String),
        (status = 401, description = "No valid token"),
        (status = 404, description = "No such operation, or one is no part of it"),
    )
)]
async fn get_receipt(
    State(wallet): State<Wallet>,
    Signed(account): Signed,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
) -> Result<Response, Problem> {
    let file = super::print(&wallet, &account, id, Lang::of(&headers)).await?;
    Ok(download("application/pdf", &format!("hostolink-{id}.pdf"), file))
}

/// Whether a receipt is true: for whoever holds it.
#[utoipa::path(
    get, path = "/receipts/{id}", operation_id = "check_receipt", tag = "Payer et recevoir",
    extensions(("x-access" = json!("public"))), security(()),
    params(("id" = Uuid, Path, description = "Number of the receipt"), ProofQuery),
    responses(
        (status = 200, description = "It is true, and this is what it is about", body = CheckedAnswer),
        (status = 400, description = "No proof was given"),
        (status = 404, description = "There is no such receipt, or the proof is not right"),
    )
)]
async fn check_receipt(
    State(wallet): State<Wallet>,
    Path(id): Path<Uuid>,
    Query(query): Query<ProofQuery>,
) -> Result<Reply<CheckedData>, Problem> {
    let receipt = super::check(&wallet, id, &query.code).await?;
    Ok(Reply::ok("wallet.receipt_true", CheckedData { receipt }))
}
