use axum::body::Bytes;
use axum::extract::State;
use identity::session::Signed;
use kernel::http::Path;
use kernel::{Problem, Reply, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::model;
use super::store::Row;
use crate::WalletError;
use crate::house::Wallet;

pub(crate) fn routes() -> OpenApiRouter<Wallet> {
    OpenApiRouter::new().routes(routes!(list_cards, register_card)).routes(routes!(remove_card))
}

/// A card.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Card {
    pub id: Uuid,
    /// `hostolink` or `bank`
    #[schema(value_type = String, examples("hostolink"))]
    pub kind: &'static str,
    /// As it is printed.
    #[schema(examples("Awa Koné"))]
    pub holder: Option<String>,
    #[schema(examples("HL-7K2M9-QX4TD"))]
    pub reference: Option<String>,
    /// What a bank card calls itself.
    pub label: Option<String>,
    /// The account's code: whoever scans it can pay.
    pub qr: Option<CardQr>,
    pub created_at: Timestamp,
}

/// The code on a card.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CardQr {
    /// EMVCo merchant-presented text.
    pub payload: String,
    /// Its picture, under the base address.
    #[schema(value_type = String, examples("/qr-codes/me.svg"))]
    pub svg: &'static str,
    #[schema(value_type = String, examples("/qr-codes/me.png"))]
    pub png: &'static str,
}

impl Card {
    pub(super) fn hostolink(row: Row, holder: String, payload: String) -> Self {
        Self {
            id: row.public_id,
            kind: "hostolink",
            holder: Some(holder),
            reference: row.reference,
            label: None,
            qr: Some(CardQr { payload, svg: "/qr-codes/me.svg", png: "/qr-codes/me.png" }),
            created_at: row.cree_le.into(),
        }
    }

    pub(super) fn bank(row: Row) -> Self {
        Self {
            id: row.public_id,
            kind: "bank",
            holder: None,
            reference: row.reference,
            label: row.type_carte,
            qr: None,
            created_at: row.cree_le.into(),
        }
    }
}

/// `data` of the list.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CardList {
    items: Vec<Card>,
    /// Always null: the list is short.
    next_cursor: Option<String>,
}

kernel::answer!(CardListAnswer, CardList);

/// A bank card, as an acquirer's page registered it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CardOrder {
    /// The acquirer's token; never a card number.
    #[schema(examples("tok_9f8e7d6c"))]
    token: String,
}

/// What is left of a card that was removed.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct Removed {
    id: Uuid,
}

kernel::answer!(RemovedAnswer, Removed);

/// One's cards.
#[utoipa::path(
    get, path = "/cards", operation_id = "list_cards", tag = "Cartes",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    responses(
        (status = 200, description = "The Hostolink card first", body = CardListAnswer),
        (status = 401, description = "No valid token"),
    )
)]
async fn list_cards(State(wallet): State<Wallet>, Signed(account): Signed) -> Result<Reply<CardList>, Problem> {
    let items = super::list(&wallet, &account).await?;
    Ok(Reply::ok("wallet.cards_listed", CardList { items, next_cursor: None }))
}

/// Register a bank card by its token.
#[utoipa::path(
    post, path = "/cards", operation_id = "register_card", tag = "Cartes",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    request_body = CardOrder,
    responses(
        (status = 400, description = "A field is not right"),
        (status = 401, description = "No valid token"),
        (status = 422, description = "It holds what looks like a card number: numbers are never sent here"),
        (status = 503, description = "This installation has no acquirer"),
    )
)]
async fn register_card(
    State(_wallet): State<Wallet>,
    _signed: Signed,
    body: Bytes,
) -> Result<Reply<CardList>, Problem> {
    // Before anything reads, logs or rejects the body by its fields.
    if model::holds_card_number(&String::from_utf8_lossy(&body)) {
        return Err(WalletError::Rule("wallet.card_number_refused").into());
    }
    let order: CardOrder = kernel::http::body::parse(&body)?;
    if order.token.trim().is_empty() {
        return Err(WalletError::Field("token", "required").into());
    }
    // A token is worth something only to the acquirer that made it, and none is connected.
    Err(WalletError::ProviderUnavailable.into())
}

/// Forget a bank card.
#[utoipa::path(
    delete, path = "/cards/{id}", operation_id = "remove_card", tag = "Cartes",
    extensions(("x-access" = json!("user"))), security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "Id of the card")),
    responses(
        (status = 200, description = "Forgotten", body = RemovedAnswer),
        (status = 401, description = "No valid token"),
        (status = 404, description = "No such card, or somebody else's"),
        (status = 409, description = "The Hostolink card stays with its account"),
    )
)]
async fn remove_card(
    State(wallet): State<Wallet>,
    Signed(account): Signed,
    Path(id): Path<Uuid>,
) -> Result<Reply<Removed>, Problem> {
    super::remove(&wallet, &account, id).await?;
    Ok(Reply::ok("wallet.card_removed", Removed { id }))
}
