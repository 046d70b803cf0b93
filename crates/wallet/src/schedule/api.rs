use axum::extract::State;
use chrono::{DateTime, Utc};
use identity::session::Signed;
use kernel::http::{Body, PageQuery, Path, Query};
use kernel::money::CURRENCY;
use kernel::{Francs, Problem, Reply, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::model::Cadence;
use super::store::Row;
use crate::house::Wallet;
use crate::operation::Pin;
use crate::people::Counterparty;

pub(crate) fn routes() -> OpenApiRouter<Wallet> {
    OpenApiRouter::new().routes(routes!(create_plan, list_plans)).routes(routes!(cancel_plan))
}

/// What is to be paid, and when.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PlanOrder {
    /// E-mail address or telephone number of the payee.
    #[schema(examples("0707070742"))]
    pub(crate) to: String,
    pub(crate) amount: Francs,
    #[schema(max_length = 280, examples("Loyer"))]
    pub(crate) note: Option<String>,
    pub(crate) cadence: Cadence,
    /// The first payment, within a year; at once when absent. Monthly plans keep its day.
    pub(crate) start_at: Option<DateTime<Utc>>,
    /// No payment after this.
    pub(crate) end_at: Option<DateTime<Utc>>,
    /// 1 to 1,000 payments.
    #[schema(minimum = 1, maximum = 1000, examples(12))]
    pub(crate) occurrences: Option<i32>,
    /// When the session was not unlocked within the last five minutes.
    #[serde(skip_serializing)]
    pub(crate) pin: Option<Pin>,
}

/// A plan.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Plan {
    id: Uuid,
    payee: Counterparty,
    /// Francs of each payment.
    #[schema(examples(45000))]
    amount: i64,
    #[schema(value_type = String, examples("XOF"))]
    currency: &'static str,
    note: Option<String>,
    #[schema(value_type = Cadence)]
    cadence: String,
    /// `active`, `finished` or `cancelled`
    #[schema(value_type = String, examples("active"))]
    status: &'static str,
    /// Null when there is none any more.
    next_at: Option<Timestamp>,
    end_at: Option<Timestamp>,
    /// Payments that were tried so far.
    #[schema(examples(0))]
    done: i32,
    /// Why the last one was refused; null when it was paid.
    #[schema(examples("wallet.insufficient_funds"))]
    last_code: Option<String>,
    last_transaction_id: Option<Uuid>,
    created_at: Timestamp,
}

impl Plan {
    pub(super) fn of(row: Row, payee: Counterparty) -> Self {
        Self {
            id: row.id,
            payee,
            amount: row.montant,
            currency: CURRENCY,
            note: row.note,
            cadence: row.cadence,
            status: match row.etat.as_str() {
                "actif" => "active",
                "termine" => "finished",
                _ => "cancelled",
            },
            next_at: row.prochaine_le.map(Timestamp::from),
            end_at: row.fin_le.map(Timestamp::from),
            done: row.occurrence,
            last_code: row.dernier_code,
            last_transaction_id: row.derniere_operation,
            created_at: row.cree_le.into(),
        }
    }
}

/// `data` of an answer about one plan.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlanData {
    scheduled_transfer: Plan,
}

kernel::answer!(PlanAnswer, PlanData);

/// `data` of the list.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlanList {
    items: Vec<Plan>,
    next_cursor: Option<String>,
}

kernel::answer!(PlanListAnswer, PlanList);

/// Plan payments on a date, once or again and again.
#[utoipa::path(
    post, path = "/scheduled-transfers", operation_id = "create_plan", tag = "Payer et recevoir",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    request_body = PlanOrder,
    responses(
        (status = 201, description = "Planned", body = PlanAnswer),
        (status = 400, description = "A field is not right"),
        (status = 401, description = "No valid token"),
        (status = 403, description = "Not verified, or the PIN is missing or wrong"),
        (status = 404, description = "Nobody can be paid under this identifier"),
        (status = 422, description = "Oneself, or too many plans"),
        (status = 423, description = "The PIN is locked"),
    )
)]
async fn create_plan(
    State(wallet): State<Wallet>,
    Signed(account): Signed,
    Body(order): Body<PlanOrder>,
) -> Result<Reply<PlanData>, Problem> {
    let scheduled_transfer = super::create(&wallet, &account, &order).await?;
    Ok(Reply::created("wallet.plan_created", PlanData { scheduled_transfer }))
}

/// One's plans, newest first.
#[utoipa::path(
    get, path = "/scheduled-transfers", operation_id = "list_plans", tag = "Payer et recevoir",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    params(PageQuery),
    responses(
        (status = 200, description = "A page", body = PlanListAnswer),
        (status = 400, description = "A parameter is not right"),
        (status = 401, description = "No valid token"),
    )
)]
async fn list_plans(
    State(wallet): State<Wallet>,
    Signed(account): Signed,
    Query(query): Query<PageQuery>,
) -> Result<Reply<PlanList>, Problem> {
    let (items, next_cursor) = super::list(&wallet, &account, &query.checked()?).await?;
    Ok(Reply::ok("wallet.plans_listed", PlanList { items, next_cursor }))
}

/// End a plan.
#[utoipa::path(
    delete, path = "/scheduled-transfers/{id}", operation_id = "cancel_plan", tag = "Payer et recevoir",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "Id of the plan")),
    responses(
        (status = 200, description = "Ended, or as it had ended before", body = PlanAnswer),
        (status = 401, description = "No valid token"),
        (status = 404, description = "No such plan, or somebody else's"),
    )
)]
async fn cancel_plan(
    State(wallet): State<Wallet>,
    Signed(account): Signed,
    Path(id): Path<Uuid>,
) -> Result<Reply<PlanData>, Problem> {
    let scheduled_transfer = super::cancel(&wallet, &account, id).await?;
    Ok(Reply::ok("wallet.plan_cancelled", PlanData { scheduled_transfer }))
}
