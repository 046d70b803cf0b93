use axum::extract::State;
use identity::session::Signed;
use kernel::{Problem, Reply};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::house::Wallet;

pub(crate) fn routes() -> OpenApiRouter<Wallet> {
    OpenApiRouter::new().routes(routes!(get_wallet))
}

/// One's wallet.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WalletView {
    pub account_id: Uuid,
    /// Francs in the wallet.
    #[schema(examples(50000))]
    pub balance: i64,
    /// Francs that can leave it: the balance without what is held for operations under way.
    #[schema(examples(50000))]
    pub available: i64,
    #[schema(value_type = String, examples("XOF"))]
    pub currency: &'static str,
    /// Verification tier: 0 proved by code, 1 identity verified, 2 business.
    #[schema(examples(0))]
    pub tier: i16,
    /// Nothing moves until the freeze is lifted.
    pub frozen: bool,
    pub limits: Limits,
}

/// Limits in francs; null is none.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// The wallet never holds more.
    #[schema(examples(200000))]
    pub max_balance: Option<i64>,
    /// Deposits of one calendar month; what others send does not count.
    #[schema(examples(200000))]
    pub monthly_loading: Option<i64>,
    #[schema(examples(0))]
    pub loaded_this_month: i64,
    #[schema(examples(200000))]
    pub loading_left_this_month: Option<i64>,
    /// One transfer.
    pub max_transfer: Option<i64>,
    /// Transfers of one day.
    pub daily_transfers: Option<i64>,
}

kernel::answer!(WalletAnswer, WalletView);

/// One's balance and limits.
#[utoipa::path(
    get, path = "/wallet", operation_id = "get_wallet", tag = "Payer et recevoir",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    responses(
        (status = 200, description = "The wallet", body = WalletAnswer),
        (status = 401, description = "No valid token"),
    )
)]
async fn get_wallet(State(wallet): State<Wallet>, Signed(account): Signed) -> Result<Reply<WalletView>, Problem> {
    Ok(Reply::ok("wallet.shown", super::show(&wallet, &account).await?))
}
