#![expect(unused_qualifications, reason = "the macro that describes parameters names them in full")]

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use chrono::NaiveDate;
use identity::session::Signed;
use kernel::Problem;
use kernel::http::{Lang, Query};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Format, Period};
use crate::house::Wallet;
use crate::receipt::download;

pub(crate) fn routes() -> OpenApiRouter<Wallet> {
    OpenApiRouter::new().routes(routes!(get_statement))
}

/// Which statement is wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct StatementQuery {
    /// First day; the first of the month of `to` when absent.
    #[param(value_type = Option<String>, format = Date, example = "2026-11-01")]
    from: Option<NaiveDate>,
    /// Last day, included; today when absent. At most 366 days.
    #[param(value_type = Option<String>, format = Date, example = "2026-11-30")]
    to: Option<NaiveDate>,
    /// `csv` or `pdf`, which is what comes when it is absent.
    #[param(example = "pdf")]
    format: Option<String>,
}

/// What happened in a period, from balance to balance.
#[utoipa::path(
    get, path = "/wallet/statement", operation_id = "get_statement", tag = "Payer et recevoir",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    params(StatementQuery),
    responses(
        (status = 200, description = "The statement", content((String = "application/pdf"), (String = "text/csv"))),
        (status = 400, description = "A parameter is not right"),
        (status = 401, description = "No valid token"),
        (status = 422, description = "More lines than one statement holds: ask for a shorter period"),
    )
)]
async fn get_statement(
    State(wallet): State<Wallet>,
    Signed(account): Signed,
    headers: HeaderMap,
    Query(query): Query<StatementQuery>,
) -> Result<Response, Problem> {
    let format = match query.format.as_deref() {
        None | Some("pdf") => Format::Pdf,
        Some("csv") => Format::Csv,
        Some(_) => return Err(Problem::field("format", "invalid")),
    };
    let period = Period::of(query.from, query.to, wallet.clock.now().date_naive())?;
    let file = super::print(&wallet, &account, period, format, Lang::of(&headers)).await?;
    let name = format!("hostolink-{}-{}", period.from, period.to);
    Ok(match format {
        Format::Csv => download("text/csv; charset=utf-8", &format!("{name}.csv"), file),
        Format::Pdf => download("application/pdf", &format!("{name}.pdf"), file),
    })
}
