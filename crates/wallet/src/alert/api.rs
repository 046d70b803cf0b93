use axum::extract::State;
use identity::role::{Allowed, Permission};
use kernel::http::{Body, PageQuery, Path, Query};
use kernel::{Problem, Reply, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::Row;
use crate::house::Wallet;

pub(crate) fn routes() -> OpenApiRouter<Wallet> {
    OpenApiRouter::new().routes(routes!(list_alerts)).routes(routes!(close_alert))
}

/// Looking after floats, statements and what does not fit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reconcile;

impl Permission for Reconcile {
    const NAME: &'static str = "wallet.reconcile";
}

/// Something to look at.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AlertView {
    id: Uuid,
    #[schema(examples("rappel_falsifie"))]
    kind: String,
    /// `info`, `avertissement`, `critique`
    #[schema(examples("critique"))]
    severity: String,
    /// A route, a provider or an operation.
    subject: String,
    detail: String,
    /// The deposit or withdrawal that it is about.
    transaction_id: Option<Uuid>,
    /// How often it happened since it was opened.
    count: i32,
    #[schema(value_type = String, format = DateTime)]
    first_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    last_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    closed_at: Option<Timestamp>,
    reason: Option<String>,
}

impl AlertView {
    fn of(row: Row) -> Self {
        Self {
            id: row.id,
            kind: row.nature,
            severity: row.gravite,
            subject: row.sujet,
            detail: row.detail,
            transaction_id: row.id_instruction,
            count: row.nombre,
            first_at: row.premier_le.into(),
            last_at: row.dernier_le.into(),
            closed_at: row.traite_le.map(Timestamp),
            reason: row.motif,
        }
    }
}

/// `data` of the list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AlertList {
    items: Vec<AlertView>,
    next_cursor: Option<String>,
}

kernel::answer!(AlertListAnswer, AlertList);

/// `data` of one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OneAlert {
    alert: AlertView,
}

kernel::answer!(OneAlertAnswer, OneAlert);

/// Open or closed ones.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AlertQuery {
    /// `false` shows the closed ones.
    #[param(default = true)]
    open: Option<bool>,
}

impl AlertQuery {
    /// The open ones, unless asked otherwise.
    pub(crate) fn open(&self) -> bool {
        self.open.unwrap_or(true)
    }
}

/// Why it is closed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Closing {
    /// 1 to 280 characters.
    #[schema(examples("Vérifié avec l'opérateur"))]
    pub(crate) reason: String,
}

/// What has to be looked at about money.
#[utoipa::path(
    get, path = "/admin/money-alerts", operation_id = "list_money_alerts", tag = "Administration",
    extensions(("x-access" = json!("permission:wallet.reconcile"))), security(("bearer" = [])),
    params(PageQuery, AlertQuery),
    responses(
        (status = 200, description = "The newest first", body = AlertListAnswer),
        (status = 400, description = "A limit or cursor that is not right"),
        (status = 401, description = "No valid token"),
        (status = 403, description = "Permission `wallet.reconcile` is missing"),
    )
)]
async fn list_alerts(
    State(wallet): State<Wallet>,
    _: Allowed<Reconcile>,
    Query(page): Query<PageQuery>,
    Query(wanted): Query<AlertQuery>,
) -> Result<Reply<AlertList>, Problem> {
    let (rows, next_cursor) = super::list(&wallet, wanted.open(), &page.checked()?).await?;
    let items = rows.into_iter().map(AlertView::of).collect();
    Ok(Reply::ok("wallet.alerts_listed", AlertList { items, next_cursor }))
}

/// Close an alert that was looked into.
#[utoipa::path(
    post, path = "/admin/money-alerts/{id}/close", operation_id = "close_money_alert", tag = "Administration",
    extensions(("x-access" = json!("permission:wallet.reconcile"))), security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "Id of the alert")),
    request_body = Closing,
    responses(
        (status = 200, description = "Closed", body = OneAlertAnswer),
        (status = 400, description = "No reason"),
        (status = 401, description = "No valid token"),
        (status = 403, description = "Permission `wallet.reconcile` is missing"),
        (status = 404, description = "No such open alert"),
    )
)]
async fn close_alert(
    State(wallet): State<Wallet>,
    by: Allowed<Reconcile>,
    Path(id): Path<Uuid>,
    Body(closing): Body<Closing>,
) -> Result<Reply<OneAlert>, Problem> {
    let row = super::close(&wallet, id, by.account.public_id, &closing.reason).await?;
    Ok(Reply::ok("wallet.alert_closed", OneAlert { alert: AlertView::of(row) }))
}
