use axum::extract::State;
use axum::http::HeaderMap;
use identity::session::Signed;
use kernel::http::{Body, IdempotencyKey, Lang, Path};
use kernel::{Francs, Problem, Reply};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::error::REPLAYED;
use crate::house::Wallet;
use crate::instruction::NextAction;
use crate::operation::Transaction;
use crate::provider::ProviderCode;

pub(crate) fn routes() -> OpenApiRouter<Wallet> {
    OpenApiRouter::new().routes(routes!(create_deposit)).routes(routes!(get_deposit)).routes(routes!(give_deposit_code))
}

/// Where the money comes from.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct DepositOrder {
    pub(crate) provider: ProviderCode,
    /// Francs that arrive in the wallet.
    pub(crate) amount: Francs,
    /// The account at the provider: a mobile number; for `bank` the alias of instant payments (for a withdrawal also an
    /// IBAN); for `card` the word `nouvelle`: the number is entered on the acquirer's page, never here.
    #[schema(examples("0707070742"))]
    pub(crate) account: String,
    /// Confirm with a code that the operator gives by USSD (Orange Money) instead of its page: `nextAction` asks for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) with_code: bool,
}

/// An operation that goes on elsewhere.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Started {
    pub(crate) transaction: Transaction,
    /// What the customer has to do; null: nothing.
    pub(crate) next_action: Option<NextAction>,
}

kernel::answer!(StartedAnswer, Started);

/// 202, and whether it is a first answer given again.
pub(crate) fn started(code: &'static str, data: Started, replayed: bool) -> Reply<Started> {
    let reply = Reply::accepted(code, data);
    if replayed { reply.with_header(REPLAYED.0, REPLAYED.1) } else { reply }
}

/// A code that the operator gave the customer.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct OperatorCode {
    /// 4 to 10 digits.
    #[schema(examples("4821"))]
    code: String,
}

impl std::fmt::Debug for OperatorCode {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("OperatorCode(***)")
    }
}

/// Put money into one's wallet.
#[utoipa::path(
    post, path = "/deposits", operation_id = "create_deposit", tag = "Déposer et retirer",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    params(("Idempotency-Key" = String, Header, description = "1 to 255 characters; the same key never asks twice")),
    request_body = DepositOrder,
    responses(
        (status = 202, description = "Asked for; `nextAction` says what to do", body = StartedAnswer),
        (status = 400, description = "A field or the key is not right"),
        (status = 401, description = "No valid token"),
        (status = 403, description = "Not verified"),
        (status = 422, description = "Refused: bounds of the provider, limits of the tier, frozen account, or the key was used for something else"),
        (status = 503, description = "The provider is not available"),
    )
)]
async fn create_deposit(
    State(wallet): State<Wallet>,
    Signed(account): Signed,
    key: IdempotencyKey,
    headers: HeaderMap,
    Body(order): Body<DepositOrder>,
) -> Result<Reply<Started>, Problem> {
    let (data, replayed) = super::start(&wallet, &account, &key, &order, Lang::of(&headers)).await?;
    Ok(started("wallet.deposit_started", data, replayed))
}

/// How a deposit or a withdrawal stands, and what is left to do.
#[utoipa::path(
    get, path = "/deposits/{id}", operation_id = "get_deposit", tag = "Déposer et retirer",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "Id of the transaction")),
    responses(
        (status = 200, description = "The operation", body = StartedAnswer),
        (status = 401, description = "No valid token"),
        (status = 404, description = "No such operation, or somebody else's"),
    )
)]
async fn get_deposit(
    State(wallet): State<Wallet>,
    Signed(account): Signed,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
) -> Result<Reply<Started>, Problem> {
    Ok(Reply::ok("wallet.deposit_shown", super::show(&wallet, &account, id, Lang::of(&headers)).await?))
}

/// Hand on the code that the operator gave.
#[utoipa::path(
    post, path = "/deposits/{id}/code", operation_id = "give_deposit_code", tag = "Déposer et retirer",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "Id of the transaction")),
    request_body = OperatorCode,
    responses(
        (status = 202, description = "Handed on", body = StartedAnswer),
        (status = 400, description = "No code of an operator"),
        (status = 401, description = "No valid token"),
        (status = 404, description = "No such operation, or somebody else's"),
        (status = 409, description = "This operation waits for no code"),
    )
)]
async fn give_deposit_code(
    State(wallet): State<Wallet>,
    Signed(account): Signed,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
    Body(given): Body<OperatorCode>,
) -> Result<Reply<Started>, Problem> {
    let data = super::give_code(&wallet, &account, id, &given.code, Lang::of(&headers)).await?;
    Ok(started("wallet.deposit_code_given", data, false))
}
