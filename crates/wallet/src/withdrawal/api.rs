use axum::extract::State;
use axum::http::HeaderMap;
use identity::session::Signed;
use kernel::http::{Body, IdempotencyKey, Lang};
use kernel::{Francs, Problem, Reply};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::deposit::{Started, StartedAnswer, started};
use crate::house::Wallet;
use crate::operation::Pin;
use crate::provider::ProviderCode;

pub(crate) fn routes() -> OpenApiRouter<Wallet> {
    OpenApiRouter::new().routes(routes!(create_withdrawal))
}

/// Where the money goes.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct WithdrawalOrder {
    pub(crate) provider: ProviderCode,
    /// Francs that arrive at the provider.
    pub(crate) amount: Francs,
    /// The account at the provider: a mobile number, or an IBAN for `bank`.
    #[schema(examples("0707070742"))]
    pub(crate) account: String,
    /// When the session was not unlocked within the last five minutes.
    #[serde(skip_serializing)]
    pub(crate) pin: Option<Pin>,
}

/// Take money out of one's wallet.
#[utoipa::path(
    post, path = "/withdrawals", operation_id = "create_withdrawal", tag = "Déposer et retirer",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    params(("Idempotency-Key" = String, Header, description = "1 to 255 characters; the same key never pays twice")),
    request_body = WithdrawalOrder,
    responses(
        (status = 202, description = "Held and ordered", body = StartedAnswer),
        (status = 400, description = "A field or the key is not right"),
        (status = 401, description = "No valid token"),
        (status = 403, description = "Not verified, or the PIN is missing or wrong"),
        (status = 422, description = "Refused: funds, bounds of the provider, limits, frozen account, or the key was used for something else"),
        (status = 423, description = "The PIN is locked"),
        (status = 503, description = "The provider is not available"),
    )
)]
async fn create_withdrawal(
    State(wallet): State<Wallet>,
    Signed(account): Signed,
    key: IdempotencyKey,
    headers: HeaderMap,
    Body(order): Body<WithdrawalOrder>,
) -> Result<Reply<Started>, Problem> {
    let (data, replayed) = super::start(&wallet, &account, &key, &order, Lang::of(&headers)).await?;
    Ok(started("wallet.withdrawal_started", data, replayed))
}
