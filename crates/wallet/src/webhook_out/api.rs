use axum::extract::{RawPathParams, State};
use identity::session::Signed;
use kernel::http::{Body, PageQuery, Path, Query};
use kernel::{Problem, Reply, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::house::Wallet;

pub(crate) fn routes() -> OpenApiRouter<Wallet> {
    OpenApiRouter::new()
        .routes(routes!(create_webhook_endpoint, list_webhook_endpoints))
        .routes(routes!(remove_webhook_endpoint))
        .routes(routes!(rotate_webhook_secret))
        .routes(routes!(list_webhook_deliveries))
        .routes(routes!(resend_webhook_delivery))
}

/// Where messages go.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct EndpointOrder {
    /// A public https address, at most 500 characters.
    #[schema(max_length = 500, examples("https://boutique.example.ci/hostolink"))]
    url: String,
}

/// An address that is told what happens on one's account.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Endpoint {
    pub(crate) id: Uuid,
    #[schema(examples("https://boutique.example.ci/hostolink"))]
    pub(crate) url: String,
    /// False after several messages were given up, or when it answered 410; a new secret wakes it.
    pub(crate) active: bool,
    /// Messages given up in a row.
    #[schema(examples(0))]
    pub(crate) failures: i32,
    pub(crate) created_at: Timestamp,
}

/// An address with its signing secret, which is shown once.
#[derive(Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EndpointWithSecret {
    pub(crate) endpoint: Endpoint,
    /// For the libraries of standardwebhooks.com.
    #[schema(examples("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))]
    pub(crate) secret: String,
}

impl std::fmt::Debug for EndpointWithSecret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "EndpointWithSecret({}, ***)", self.endpoint.id)
    }
}

kernel::answer!(EndpointWithSecretAnswer, EndpointWithSecret);

/// `data` of the list.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EndpointList {
    items: Vec<Endpoint>,
    /// Always null: the list is short.
    next_cursor: Option<String>,
}

kernel::answer!(EndpointListAnswer, EndpointList);

/// What is left of an address that was removed.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct RemovedEndpoint {
    id: Uuid,
}

kernel::answer!(RemovedEndpointAnswer, RemovedEndpoint);

/// A message and how far it is.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Delivery {
    pub(crate) id: Uuid,
    #[schema(examples("transaction.succeeded"))]
    pub(crate) event: String,
    /// `pending`, `delivered` or `failed`
    #[schema(value_type = String, examples("delivered"))]
    pub(crate) status: &'static str,
    #[schema(examples(1))]
    pub(crate) attempts: i16,
    /// HTTP status of the last answer.
    #[schema(examples(200))]
    pub(crate) last_status: Option<i16>,
    /// Why there was none.
    pub(crate) last_error: Option<String>,
    /// What is sent.
    #[schema(value_type = Object)]
    pub(crate) payload: Value,
    pub(crate) created_at: Timestamp,
    pub(crate) ended_at: Option<Timestamp>,
}

/// `data` of an answer about one message.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct DeliveryData {
    delivery: Delivery,
}

kernel::answer!(DeliveryAnswer, DeliveryData);

/// `data` of the list.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeliveryList {
    items: Vec<Delivery>,
    next_cursor: Option<String>,
}

kernel::answer!(DeliveryListAnswer, DeliveryList);

/// Register an address for signed messages.
#[utoipa::path(
    post, path = "/webhook-endpoints", operation_id = "create_webhook_endpoint", tag = "Webhooks",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    request_body = EndpointOrder,
    responses(
        (status = 201, description = "Registered; the secret is shown once", body = EndpointWithSecretAnswer),
        (status = 400, description = "Not a public https address"),
        (status = 401, description = "No valid token"),
        (status = 403, description = "Not verified"),
        (status = 422, description = "Too many addresses"),
    )
)]
async fn create_webhook_endpoint(
    State(wallet): State<Wallet>,
    Signed(account): Signed,
    Body(order): Body<EndpointOrder>,
) -> Result<Reply<EndpointWithSecret>, Problem> {
    Ok(Reply::created("wallet.webhook_created", super::create(&wallet, &account, &order.url).await?))
}

/// One's addresses.
#[utoipa::path(
    get, path = "/webhook-endpoints", operation_id = "list_webhook_endpoints", tag = "Webhooks",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    responses(
        (status = 200, description = "All of them", body = EndpointListAnswer),
        (status = 401, description = "No valid token"),
    )
)]
async fn list_webhook_endpoints(
    State(wallet): State<Wallet>,
    Signed(account): Signed,
) -> Result<Reply<EndpointList>, Problem> {
    let items = super::list(&wallet, &account).await?;
    Ok(Reply::ok("wallet.webhooks_listed", EndpointList { items, next_cursor: None }))
}

/// Forget an address and its messages.
#[utoipa::path(
    delete, path = "/webhook-endpoints/{id}", operation_id = "remove_webhook_endpoint", tag = "Webhooks",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "Id of the address")),
    responses(
        (status = 200, description = "Forgotten", body = RemovedEndpointAnswer),
        (status = 401, description = "No valid token"),
        (status = 404, description = "No such address, or somebody else's"),
    )
)]
async fn remove_webhook_endpoint(
    State(wallet): State<Wallet>,
    Signed(account): Signed,
    Path(id): Path<Uuid>,
) -> Result<Reply<RemovedEndpoint>, Problem> {
    super::remove(&wallet, &account, id).await?;
    Ok(Reply::ok("wallet.webhook_removed", RemovedEndpoint { id }))
}

/// A new signing secret; the one before goes on signing for 24 hours.
#[utoipa::path(
    post, path = "/webhook-endpoints/{id}/secret", operation_id = "rotate_webhook_secret", tag = "Webhooks",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "Id of the address")),
    responses(
        (status = 201, description = "The new secret, shown once", body = EndpointWithSecretAnswer),
        (status = 401, description = "No valid token"),
        (status = 404, description = "No such address, or somebody else's"),
    )
)]
async fn rotate_webhook_secret(
    State(wallet): State<Wallet>,
    Signed(account): Signed,
    Path(id): Path<Uuid>,
) -> Result<Reply<EndpointWithSecret>, Problem> {
    Ok(Reply::created("wallet.webhook_rotated", super::rotate(&wallet, &account, id).await?))
}

/// What was sent to an address, newest first.
#[utoipa::path(
    get, path = "/webhook-endpoints/{id}/deliveries", operation_id = "list_webhook_deliveries", tag = "Webhooks",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "Id of the address"), PageQuery),
    responses(
        (status = 200, description = "A page", body = DeliveryListAnswer),
        (status = 400, description = "A parameter is not right"),
        (status = 401, description = "No valid token"),
        (status = 404, description = "No such address, or somebody else's"),
    )
)]
async fn list_webhook_deliveries(
    State(wallet): State<Wallet>,
    Signed(account): Signed,
    Path(id): Path<Uuid>,
    Query(query): Query<PageQuery>,
) -> Result<Reply<DeliveryList>, Problem> {
    let (items, next_cursor) = super::deliveries(&wallet, &account, id, &query.checked()?).await?;
    Ok(Reply::ok("wallet.deliveries_listed", DeliveryList { items, next_cursor }))
}

/// Send a message once more, as it was.
#[utoipa::path(
    post, path = "/webhook-endpoints/{id}/deliveries/{delivery}/resend", operation_id = "resend_webhook_delivery", tag = "Webhooks",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "Id of the address"),
        ("delivery" = Uuid, Path, description = "Id of the message"),
    ),
    responses(
        (status = 202, description = "It is sent again", body = DeliveryAnswer),
        (status = 401, description = "No valid token"),
        (status = 404, description = "No such message, or somebody else's"),
    )
)]
async fn resend_webhook_delivery(
    State(wallet): State<Wallet>,
    Signed(account): Signed,
    params: RawPathParams,
) -> Result<Reply<DeliveryData>, Problem> {
    let id = |name: &str| {
        let text = params.iter().find(|(key, _)| *key == name).map(|(_, value)| value);
        text.and_then(|text| Uuid::try_parse(text).ok()).ok_or_else(Problem::not_found)
    };
    let delivery = super::resend(&wallet, &account, id("id")?, id("delivery")?).await?;
    Ok(Reply::accepted("wallet.delivery_again", DeliveryData { delivery }))
}
