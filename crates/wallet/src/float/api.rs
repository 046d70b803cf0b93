use axum::extract::State;
use chrono::NaiveDate;
use identity::role::Allowed;
use kernel::http::Path;
use kernel::{Problem, Reply, Timestamp};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Books, Proof, Told};
use crate::WalletError;
use crate::alert::Reconcile;
use crate::house::Wallet;
use crate::provider::ProviderCode;

pub(crate) fn routes() -> OpenApiRouter<Wallet> {
    OpenApiRouter::new().routes(routes!(list_floats)).routes(routes!(get_proof))
}

/// Our money at one provider, in francs.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FloatView {
    provider: String,
    /// What the books say is there.
    balance: i64,
    /// What is there and is neither the customers' nor ours yet.
    suspense: i64,
    /// What the provider charged us.
    charges: i64,
    /// Below it an alert is raised.
    threshold: i64,
    /// Deposits on their way.
    pending_in: i64,
    /// Withdrawals on their way.
    pending_out: i64,
    /// Orders that wait for a person.
    to_review: i64,
    /// What each route last told of our money there; an aggregator holds that of several providers.
    routes: Vec<RouteView>,
}

/// What a route told.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RouteView {
    #[schema(examples("wave"))]
    route: String,
    /// Null: it never told.
    balance: Option<i64>,
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
}

impl FloatView {
    fn of(wallet: &Wallet, book: Books, told: &[Told]) -> Self {
        let serves = |route: &str| {
            ProviderCode::from_code(&book.operateur).is_some_and(|provider| wallet.way(provider, route).is_some())
        };
        let routes = told
            .iter()
            .filter(|one| serves(&one.route))
            .map(|one| RouteView { route: one.route.clone(), balance: one.solde, at: one.vu_le.map(Timestamp) })
            .collect();
        Self {
            provider: book.operateur,
            balance: book.flottant,
            suspense: book.suspens,
            charges: book.charge,
            threshold: book.seuil,
            pending_in: book.entrees_en_cours,
            pending_out: book.sorties_en_cours,
            to_review: book.a_revoir,
            routes,
        }
    }
}

/// `data` of the list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FloatList {
    items: Vec<FloatView>,
    /// Always null: the list is short.
    next_cursor: Option<String>,
}

kernel::answer!(FloatListAnswer, FloatList);

/// The proof of a day.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProofView {
    #[schema(value_type = String, format = Date)]
    day: NaiveDate,
    /// Sums in francs.
    report: Value,
    /// Both sides are the same francs.
    holds: bool,
    /// HMAC-SHA256, in hexadecimal.
    signature: String,
    /// The report is as it was signed.
    genuine: bool,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

impl From<Proof> for ProofView {
    fn from(proof: Proof) -> Self {
        let Proof { day, report, holds, signature, genuine, at } = proof;
        Self { day, report, holds, signature, genuine, at: at.into() }
    }
}

kernel::answer!(ProofAnswer, ProofView);

/// Our money at every provider.
#[utoipa::path(
    get, path = "/admin/floats", operation_id = "list_floats", tag = "Administration",
    extensions(("x-access" = json!("permission:wallet.reconcile"))), security(("bearer" = [])),
    responses(
        (status = 200, description = "By the books and as the routes tell it", body = FloatListAnswer),
        (status = 401, description = "No valid token"),
        (status = 403, description = "Permission `wallet.reconcile` is missing"),
    )
)]
async fn list_floats(State(wallet): State<Wallet>, _: Allowed<Reconcile>) -> Result<Reply<FloatList>, Problem> {
    let (books, told) = super::floats(&wallet).await?;
    let items = books.into_iter().map(|book| FloatView::of(&wallet, book, &told)).collect();
    Ok(Reply::ok("wallet.floats_listed", FloatList { items, next_cursor: None }))
}

/// The proof that customers' money is where it should be.
#[utoipa::path(
    get, path = "/admin/proofs/{day}", operation_id = "get_proof", tag = "Administration",
    extensions(("x-access" = json!("permission:wallet.reconcile"))), security(("bearer" = [])),
    params(("day" = String, Path, description = "A day that is over, such as `2026-11-21`", example = "2026-11-21")),
    responses(
        (status = 200, description = "The report as it was signed", body = ProofAnswer),
        (status = 400, description = "No day"),
        (status = 401, description = "No valid token"),
        (status = 403, description = "Permission `wallet.reconcile` is missing"),
        (status = 404, description = "No proof of this day"),
    )
)]
async fn get_proof(
    State(wallet): State<Wallet>,
    _: Allowed<Reconcile>,
    Path(day): Path<NaiveDate>,
) -> Result<Reply<ProofView>, Problem> {
    let found = super::proof::read(&wallet, day).await?.ok_or(WalletError::NotFound)?;
    Ok(Reply::ok("wallet.proof_shown", found.into()))
}
