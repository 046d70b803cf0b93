use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, OriginalUri, RawPathParams, State};
use axum::http::{HeaderMap, Method};
use kernel::{Problem, Reply};
use providers::mobile_money::Delivery;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::house::Wallet;

/// The largest webhook, in bytes.
const MAX_BODY: usize = 1024 * 1024;

pub(crate) fn routes() -> OpenApiRouter<Wallet> {
    OpenApiRouter::new()
        .routes(routes!(receive_webhook, receive_webhook_by_put))
        .routes(routes!(receive_addressed_webhook, receive_addressed_webhook_by_put))
        .layer(DefaultBodyLimit::max(MAX_BODY))
}

/// Nothing that anybody could learn from.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct Received {
    received: bool,
}

kernel::answer!(ReceivedAnswer, Received);

/// A webhook as it came.
struct Incoming {
    method: Method,
    uri: OriginalUri,
    params: RawPathParams,
    headers: HeaderMap,
    body: Bytes,
}

async fn receive(wallet: &Wallet, incoming: Incoming) -> Result<Reply<Received>, Problem> {
    let param = |name: &str| incoming.params.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned());
    let route = param("route").ok_or_else(Problem::not_found)?;
    let addressed = match param("secret") {
        None => false,
        // A wrong address is no address; timing tells nothing useful of a MAC of 128 bits compared by its hash.
        Some(given) => {
            let right = super::secret(wallet, &route).unwrap_or_default();
            if kernel::keys::sha256(given.as_bytes()) != kernel::keys::sha256(right.as_bytes()) {
                return Err(Problem::not_found());
            }
            true
        }
    };
    let headers: Vec<(String, String)> = incoming
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
    let path = incoming.uri.path().to_owned();
    let delivery = Delivery { method: incoming.method.as_str(), path: &path, headers: &headers, body: &incoming.body };
    super::take(wallet, &route, addressed, delivery).await?;
    Ok(Reply::ok("wallet.webhook_received", Received { received: true }))
}

/// An operator's webhook.
#[utoipa::path(
    post, path = "/webhooks/{route}", operation_id = "receive_webhook", tag = "Opérateurs",
    extensions(("x-access" = json!("public"))), security(()),
    params(("route" = String, Path, description = "`wave`, `mtn_momo`, `pawapay`, …", example = "wave")),
    request_body(content = String, description = "As the operator writes it", content_type = "application/json"),
    responses(
        (status = 200, description = "Stored; the operator is asked for the state", body = ReceivedAnswer),
        (status = 401, description = "Not signed by the operator"),
        (status = 404, description = "No such route here"),
        (status = 413, description = "Too large"),
    )
)]
async fn receive_webhook(
    State(wallet): State<Wallet>,
    method: Method,
    uri: OriginalUri,
    params: RawPathParams,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Reply<Received>, Problem> {
    receive(&wallet, Incoming { method, uri, params, headers, body }).await
}

/// An operator's webhook, for the operators that use PUT.
#[utoipa::path(
    put, path = "/webhooks/{route}", operation_id = "receive_webhook_by_put", tag = "Opérateurs",
    extensions(("x-access" = json!("public"))), security(()),
    params(("route" = String, Path, description = "`wave`, `mtn_momo`, `pawapay`, …", example = "mtn_momo")),
    request_body(content = String, description = "As the operator writes it", content_type = "application/json"),
    responses(
        (status = 200, description = "Stored; the operator is asked for the state", body = ReceivedAnswer),
        (status = 401, description = "Not signed by the operator"),
        (status = 404, description = "No such route here"),
        (status = 413, description = "Too large"),
    )
)]
async fn receive_webhook_by_put(
    State(wallet): State<Wallet>,
    method: Method,
    uri: OriginalUri,
    params: RawPathParams,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Reply<Received>, Problem> {
    receive(&wallet, Incoming { method, uri, params, headers, body }).await
}

/// A webhook to the address that only this operator was told.
#[utoipa::path(
    post, path = "/webhooks/{route}/{secret}", operation_id = "receive_addressed_webhook", tag = "Opérateurs",
    extensions(("x-access" = json!("public"))), security(()),
    params(
        ("route" = String, Path, description = "`wave`, `mtn_momo`, `pawapay`, …", example = "orange_webpay"),
        ("secret" = String, Path, description = "Part of the address that was given to the operator"),
    ),
    request_body(content = String, description = "As the operator writes it", content_type = "application/json"),
    responses(
        (status = 200, description = "Stored; the operator is asked for the state", body = ReceivedAnswer),
        (status = 401, description = "A signature that is due is missing or wrong"),
        (status = 404, description = "No such route here, or a wrong address"),
        (status = 413, description = "Too large"),
    )
)]
async fn receive_addressed_webhook(
    State(wallet): State<Wallet>,
    method: Method,
    uri: OriginalUri,
    params: RawPathParams,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Reply<Received>, Problem> {
    receive(&wallet, Incoming { method, uri, params, headers, body }).await
}

/// A webhook to the address that only this operator was told, for the operators that use PUT.
#[utoipa::path(
    put, path = "/webhooks/{route}/{secret}", operation_id = "receive_addressed_webhook_by_put", tag = "Opérateurs",
    extensions(("x-access" = json!("public"))), security(()),
    params(
        ("route" = String, Path, description = "`wave`, `mtn_momo`, `pawapay`, …", example = "mtn_momo"),
        ("secret" = String, Path, description = "Part of the address that was given to the operator"),
    ),
    request_body(content = String, description = "As the operator writes it", content_type = "application/json"),
    responses(
        (status = 200, description = "Stored; the operator is asked for the state", body = ReceivedAnswer),
        (status = 401, description = "A signature that is due is missing or wrong"),
        (status = 404, description = "No such route here, or a wrong address"),
        (status = 413, description = "Too large"),
    )
)]
async fn receive_addressed_webhook_by_put(
    State(wallet): State<Wallet>,
    method: Method,
    uri: OriginalUri,
    params: RawPathParams,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Reply<Received>, Problem> {
    receive(&wallet, Incoming { method, uri, params, headers, body }).await
}
