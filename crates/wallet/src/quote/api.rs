use axum::extract::State;
use identity::session::Signed;
use kernel::http::Body;
use kernel::{Francs, Problem, Reply};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::house::Wallet;
use crate::people::Counterparty;
use crate::provider::ProviderCode;

pub(crate) fn routes() -> OpenApiRouter<Wallet> {
    OpenApiRouter::new().routes(routes!(create_quote))
}

/// What would be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum QuoteOperation {
    Transfer,
    QrPayment,
    Deposit,
    Withdrawal,
}

/// What is asked about.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QuoteRequest {
    pub(crate) operation: QuoteOperation,
    pub(crate) amount: Francs,
    /// The payee's identifier for a transfer, the scanned payload for a QR payment.
    #[schema(examples("0707070742"))]
    pub(crate) to: Option<String>,
    /// For a deposit or a withdrawal.
    pub(crate) provider: Option<ProviderCode>,
}

/// What it would cost.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Quote {
    /// Francs that arrive.
    #[schema(examples(1500))]
    pub(crate) amount: i64,
    /// Francs on top.
    #[schema(examples(0))]
    pub(crate) fee: i64,
    /// Francs that leave the wallet (for a deposit: the account at the operator).
    #[schema(examples(1500))]
    pub(crate) total: i64,
    #[schema(value_type = String, examples("XOF"))]
    pub(crate) currency: &'static str,
    /// Who would be paid; null for deposits and withdrawals.
    pub(crate) payee: Option<Counterparty>,
}

kernel::answer!(QuoteAnswer, Quote);

/// The fee, and the name of the payee to confirm.
#[utoipa::path(
    post, path = "/quotes", operation_id = "create_quote", tag = "Payer et recevoir",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    request_body = QuoteRequest,
    responses(
        (status = 200, description = "The price", body = QuoteAnswer),
        (status = 400, description = "A field is not right"),
        (status = 401, description = "No valid token"),
        (status = 404, description = "Nobody can be paid under this identifier"),
        (status = 422, description = "It could not be done: oneself, or outside of the provider's bounds"),
        (status = 503, description = "The provider is not available"),
    )
)]
async fn create_quote(
    State(wallet): State<Wallet>,
    Signed(account): Signed,
    Body(asked): Body<QuoteRequest>,
) -> Result<Reply<Quote>, Problem> {
    Ok(Reply::ok("wallet.quoted", super::quote(&wallet, &account, &asked).await?))
}
