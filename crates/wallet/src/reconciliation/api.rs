use axum::extract::State;
use identity::role::Allowed;
use kernel::http::{Body, Page, PageQuery, Path, Query};
use kernel::{Problem, Reply, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{Decision, store};
use crate::WalletError;
use crate::alert::{AlertQuery, Reconcile};
use crate::house::Wallet;

pub(crate) fn routes() -> OpenApiRouter<Wallet> {
    OpenApiRouter::new().routes(routes!(list_differences)).routes(routes!(close_difference))
}

/// Where a statement and the books differ.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DifferenceView {
    id: Uuid,
    provider: String,
    /// `inconnu_chez_nous`, `absent_du_releve`, `montant_different`, `non_regle`, `en_double`
    #[schema(examples("montant_different"))]
    kind: String,
    /// The deposit or withdrawal that it is about.
    transaction_id: Option<Uuid>,
    /// The provider's transaction.
    provider_transaction: Option<String>,
    /// What the provider has more than the books knew, in francs; negative: less.
    amount: i64,
    /// `ouvert`, `clos`
    status: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    closed_at: Option<Timestamp>,
    reason: Option<String>,
}

impl From<store::Difference> for DifferenceView {
    fn from(row: store::Difference) -> Self {
        Self {
            id: row.id,
            provider: row.operateur,
            kind: row.nature,
            transaction_id: row.id_instruction,
            provider_transaction: row.identifiant,
            amount: row.montant,
            status: row.etat,
            created_at: row.cree_le.into(),
            closed_at: row.clos_le.map(Timestamp),
            reason: row.motif,
        }
    }
}

/// `data` of the list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DifferenceList {
    items: Vec<DifferenceView>,
    next_cursor: Option<String>,
}

kernel::answer!(DifferenceListAnswer, DifferenceList);

/// `data` of one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OneDifference {
    difference: DifferenceView,
}

kernel::answer!(OneDifferenceAnswer, OneDifference);

/// What becomes of a difference.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Ruling {
    decision: Decision,
    /// 1 to 280 characters.
    #[schema(examples("L'opérateur a corrigé son relevé"))]
    reason: String,
}

/// Where statements and the books differ.
#[utoipa::path(
    get, path = "/admin/differences", operation_id = "list_differences", tag = "Administration",
    extensions(("x-access" = json!("permission:wallet.reconcile"))), security(("bearer" = [])),
    params(PageQuery, AlertQuery),
    responses(
        (status = 200, description = "The newest first", body = DifferenceListAnswer),
        (status = 400, description = "A limit or cursor that is not right"),
        (status = 401, description = "No valid token"),
        (status = 403, description = "Permission `wallet.reconcile` is missing"),
    )
)]
async fn list_differences(
    State(wallet): State<Wallet>,
    _: Allowed<Reconcile>,
    Query(page): Query<PageQuery>,
    Query(wanted): Query<AlertQuery>,
) -> Result<Reply<DifferenceList>, Problem> {
    let page: Page<Uuid> = page.checked()?;
    let mut connection = wallet.db.write.acquire().await.map_err(WalletError::from)?;
    let rows =
        store::differences(&mut connection, wanted.open(), page.after, page.rows()).await.map_err(WalletError::from)?;
    let (rows, next_cursor) = page.cut(rows, |row| row.id);
    let items = rows.into_iter().map(DifferenceView::from).collect();
    Ok(Reply::ok("wallet.differences_listed", DifferenceList { items, next_cursor }))
}

/// Close a difference: undone, borne by us, or credited to the customer.
#[utoipa::path(
    post, path = "/admin/differences/{id}/close", operation_id = "close_difference", tag = "Administration",
    extensions(("x-access" = json!("permission:wallet.reconcile"))), security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "Id of the difference")),
    request_body = Ruling,
    responses(
        (status = 200, description = "Closed, and the suspense is empty of it", body = OneDifferenceAnswer),
        (status = 400, description = "No reason, or an unknown decision"),
        (status = 401, description = "No valid token"),
        (status = 403, description = "Permission `wallet.reconcile` is missing"),
        (status = 404, description = "No such open difference"),
        (status = 409, description = "It is about nobody's order: it cannot be credited"),
        (status = 422, description = "The ledger refuses: a frozen account, a ceiling, or another decision came first"),
    )
)]
async fn close_difference(
    State(wallet): State<Wallet>,
    by: Allowed<Reconcile>,
    Path(id): Path<Uuid>,
    Body(ruling): Body<Ruling>,
) -> Result<Reply<OneDifference>, Problem> {
    let row = super::close(&wallet, id, by.account.public_id, ruling.decision, &ruling.reason).await?;
    Ok(Reply::ok("wallet.difference_closed", OneDifference { difference: row.into() }))
}
