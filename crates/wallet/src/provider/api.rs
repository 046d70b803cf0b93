use axum::extract::State;
use identity::session::Signed;
use kernel::{Problem, Reply};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{Format, Product, ProviderCode};
use crate::house::Wallet;
use crate::ledger::{Bracket, Schedule};

pub(crate) fn routes() -> OpenApiRouter<Wallet> {
    OpenApiRouter::new().routes(routes!(list_providers))
}

/// A way in and out.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Provider {
    code: ProviderCode,
    #[schema(examples("Wave"))]
    name: String,
    /// How `account` is written.
    account_format: Format,
    /// An example of `account`.
    #[schema(value_type = String, examples("+2250707070742"))]
    account_example: &'static str,
    #[schema(value_type = String, examples("XOF"))]
    currency: &'static str,
    /// It can be used at present, in or out.
    available: bool,
    deposit: Way,
    withdrawal: Way,
}

impl Provider {
    pub(super) fn of(product: &Product, deposit: Way, withdrawal: Way) -> Self {
        Self {
            code: product.code,
            name: product.label.clone(),
            account_format: product.format,
            account_example: match product.format {
                Format::Phone => "+2250707070742",
                Format::Iban => "CI93CI0080111301134291200589",
                Format::Card => crate::instruction::NEW_CARD,
            },
            currency: kernel::money::CURRENCY,
            available: deposit.available || withdrawal.available,
            deposit,
            withdrawal,
        }
    }
}

/// One direction.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Way {
    pub(super) available: bool,
    /// Least, in francs.
    #[schema(examples(100))]
    pub(super) minimum: i64,
    /// Most, in francs.
    #[schema(examples(2000000))]
    pub(super) maximum: i64,
    pub(super) fees: Fees,
}

/// What it costs on top; ask for a quote to know it for an amount.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Fees {
    /// Least, in francs.
    minimum: i64,
    /// Most, in francs.
    maximum: Option<i64>,
    /// Empty: nothing.
    brackets: Vec<FeeBracket>,
    /// Tax on the fee, in basis points.
    tax_basis_points: i64,
}

/// From this amount on.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FeeBracket {
    /// In francs.
    from: i64,
    /// In francs.
    fixed: i64,
    /// Of the amount, in basis points.
    rate_basis_points: i64,
}

impl Fees {
    pub(super) fn of(schedule: &Schedule) -> Self {
        let bracket = |it: &Bracket| FeeBracket { from: it.from, fixed: it.fixed, rate_basis_points: it.rate_bp };
        Self {
            minimum: schedule.minimum,
            maximum: schedule.maximum,
            brackets: schedule.brackets.iter().map(bracket).collect(),
            tax_basis_points: schedule.tax_bp,
        }
    }
}

/// `data` of the list.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProviderList {
    items: Vec<Provider>,
    /// Always null: the list is short.
    next_cursor: Option<String>,
}

kernel::answer!(ProviderListAnswer, ProviderList);

/// Ways to deposit and to withdraw.
#[utoipa::path(
    get, path = "/providers", operation_id = "list_providers", tag = "Déposer et retirer",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    responses(
        (status = 200, description = "All that this installation knows", body = ProviderListAnswer),
        (status = 401, description = "No valid token"),
    )
)]
async fn list_providers(State(wallet): State<Wallet>, _signed: Signed) -> Result<Reply<ProviderList>, Problem> {
    Ok(Reply::ok("wallet.providers_listed", ProviderList { items: super::list(&wallet).await?, next_cursor: None }))
}
