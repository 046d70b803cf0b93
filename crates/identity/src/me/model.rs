use kernel::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A person, as that person sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct User {
    #[schema(examples("01930e4b-7c1a-7c3e-9d52-0d5f5f0c9a11"))]
    pub id: Uuid,
    #[schema(examples("testemail@gmail.com"))]
    pub email: Option<String>,
    #[schema(examples("+2250707070707"))]
    pub phone_number: Option<String>,
    /// The e-mail address was proved by a code.
    pub email_verified: bool,
    /// The telephone number was proved by a code.
    pub phone_verified: bool,
    #[schema(examples("Koné"))]
    pub last_name: Option<String>,
    #[schema(examples("Awa"))]
    pub first_name: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[schema(examples("CI"))]
    pub country: Option<String>,
    pub photo_url: Option<String>,
    #[schema(examples("CITIZEN"))]
    pub user_type: String,
    /// Roles of the back office; empty for nearly everybody.
    pub roles: Vec<String>,
    /// Unknown for some accounts of the first backend.
    pub created_at: Option<Timestamp>,
}
