use axum::extract::State;
use kernel::http::Body;
use kernel::{Problem, Reply};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zeroize::Zeroizing;

use super::{Names, User, identifier};
use crate::Identity;
use crate::otp::{self, CodeSent, CodeSentAnswer};
use crate::session::{Done, DoneAnswer, Origin, SessionView, Signed};

pub(crate) fn routes() -> OpenApiRouter<Identity> {
    OpenApiRouter::new()
        .routes(routes!(get_me, update_me, delete_me))
        .routes(routes!(export_me))
        .routes(routes!(ask_identifier))
        .routes(routes!(prove_identifier))
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OneUser {
    pub(crate) user: User,
}

kernel::answer!(OneUserAnswer, OneUser);

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UpdateMe {
    /// Null ou vide pour l'effacer.
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<String>, max_length = 80, examples("Koné"))]
    last_name: Option<Option<String>>,
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<String>, max_length = 80, examples("Awa"))]
    first_name: Option<Option<String>>,
    /// ISO 3166-1 alpha-2.
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<String>, min_length = 2, max_length = 2, examples("CI"))]
    country: Option<Option<String>>,
}

/// Tells `null` from a field that was not sent.
fn sent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

#[derive(Deserialize, ToSchema)]
struct DeleteMe {
    #[schema(examples("MonMotDePasse123"))]
    password: String,
}

#[derive(Deserialize, ToSchema)]
struct AskIdentifier {
    /// La nouvelle adresse e-mail, ou le nouveau numéro.
    #[schema(examples("+2250708091011"))]
    identifier: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ProveIdentifier {
    #[schema(examples("+2250708091011"))]
    identifier: String,
    #[schema(examples("123456"))]
    otp_code: String,
}

/// Un évènement de sécurité de son compte.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a schema only: the export is written as JSON by each house")]
struct SecurityEvent {
    #[schema(examples("connexion"))]
    kind: String,
    network: String,
    #[schema(value_type = String, format = DateTime)]
    at: String,
}

/// Tout ce que le serveur garde sur une personne ; chaque domaine ajoute son membre (`wallet`, …).
#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "a schema only: the export is written as JSON by each house")]
struct Export {
    user: User,
    sessions: Vec<SessionView>,
    /// Les mille derniers.
    security_events: Vec<SecurityEvent>,
}

kernel::answer!(ExportAnswer, Export);

/// Mon compte
#[utoipa::path(
    get, path = "/me", operation_id = "get_me", tag = "Mon compte",
    responses((status = 200, description = "Le compte du jeton", body = OneUserAnswer)),
    security(("bearer" = [])),
    extensions(("x-access" = json!("user")))
)]
async fn get_me(State(identity): State<Identity>, Signed(account): Signed) -> Result<Reply<OneUser>, Problem> {
    let user = super::read(&identity, &account).await?;
    Ok(Reply::ok("identity.me", OneUser { user }))
}

/// Changer son nom ou son pays
///
/// Un champ absent reste comme il est. Les identifiants ne changent pas ici : voir `/me/identifiers`.
#[utoipa::path(
    patch, path = "/me", operation_id = "update_me", tag = "Mon compte",
    request_body = UpdateMe,
    responses(
        (status = 200, description = "Le compte après le changement", body = OneUserAnswer),
        (status = 400, description = "Nom ou pays refusé"),
    ),
    security(("bearer" = [])),
    extensions(("x-access" = json!("user")))
)]
async fn update_me(
    State(identity): State<Identity>,
    Signed(account): Signed,
    Body(body): Body<UpdateMe>,
) -> Result<Reply<OneUser>, Problem> {
    let names = Names { last_name: body.last_name, first_name: body.first_name, country: body.country };
    let user = super::rename(&identity, &account, names).await?;
    Ok(Reply::ok("identity.me_updated", OneUser { user }))
}

/// Effacer son compte
///
/// Le porte-monnaie doit être vide. Les écritures comptables restent, sans nom.
#[utoipa::path(
    delete, path = "/me", operation_id = "delete_me", tag = "Mon compte",
    request_body = DeleteMe,
    responses(
        (status = 200, description = "Compte effacé", body = DoneAnswer),
        (status = 403, description = "Mot de passe faux"),
        (status = 422, description = "Il reste de l'argent"),
        (status = 429, description = "Trop de mots de passe faux : attendre"),
    ),
    security(("bearer" = [])),
    extensions(("x-access" = json!("user")))
)]
async fn delete_me(
    State(identity): State<Identity>,
    Signed(account): Signed,
    origin: Origin,
    Body(body): Body<DeleteMe>,
) -> Result<Reply<Done>, Problem> {
    super::erase(&identity, &account, Zeroizing::new(body.password.into_bytes()), &origin).await?;
    Ok(Reply::ok("identity.erased", Done {}))
}

/// Tout ce que le serveur garde sur moi
#[utoipa::path(
    get, path = "/me/export", operation_id = "export_me", tag = "Mon compte",
    responses((status = 200, description = "Un membre par domaine", body = ExportAnswer)),
    security(("bearer" = [])),
    extensions(("x-access" = json!("user")))
)]
async fn export_me(
    State(identity): State<Identity>,
    Signed(account): Signed,
    origin: Origin,
) -> Result<Reply<Map<String, Value>>, Problem> {
    Ok(Reply::ok("identity.export", super::export(&identity, &account, &origin).await?))
}

/// Ajouter ou remplacer son e-mail ou son numéro
///
/// Un code part au nouvel identifiant. Rien ne change avant qu'il soit prouvé.
#[utoipa::path(
    post, path = "/me/identifiers", operation_id = "ask_identifier", tag = "Mon compte",
    request_body = AskIdentifier,
    responses(
        (status = 201, description = "Le code est en route", body = CodeSentAnswer),
        (status = 400, description = "Identifiant refusé"),
        (status = 409, description = "Identifiant d'un autre compte, ou déjà prouvé"),
        (status = 429, description = "Trop de codes demandés : voir `Retry-After`"),
    ),
    security(("bearer" = [])),
    extensions(("x-access" = json!("user")))
)]
async fn ask_identifier(
    State(identity): State<Identity>,
    Signed(account): Signed,
    origin: Origin,
    Body(body): Body<AskIdentifier>,
) -> Result<Reply<CodeSent>, Problem> {
    let wanted = identity.parse(&body.identifier)?;
    let sent = identifier::ask(&identity, &account, &wanted, &origin).await?;
    Ok(Reply::created("identity.code_sent", CodeSent::of(&identity, &wanted, sent)))
}

/// Prouver son nouvel e-mail ou numéro
///
/// Il remplace celui de même nature ; les identifiants prouvés jusque-là en sont avertis. L'autre identifiant du compte,
/// s'il n'a jamais été prouvé, en est retiré ; un compte qui n'avait pas prouvé cet identifiant le perd.
#[utoipa::path(
    post, path = "/me/identifiers/verify", operation_id = "prove_identifier", tag = "Mon compte",
    request_body = ProveIdentifier,
    responses(
        (status = 200, description = "Le compte avec son nouvel identifiant", body = OneUserAnswer),
        (status = 400, description = "Identifiant ou code mal écrit"),
        (status = 401, description = "Code faux : `attemptsLeft` dit combien d'essais restent"),
        (status = 409, description = "Identifiant d'un autre compte, ou déjà prouvé"),
        (status = 410, description = "Code expiré, utilisé, remplacé ou épuisé"),
    ),
    security(("bearer" = [])),
    extensions(("x-access" = json!("user")))
)]
async fn prove_identifier(
    State(identity): State<Identity>,
    Signed(account): Signed,
    origin: Origin,
    Body(body): Body<ProveIdentifier>,
) -> Result<Reply<OneUser>, Problem> {
    let wanted = identity.parse(&body.identifier)?;
    let code = body.otp_code.trim();
    if !otp::has_form(code) {
        return Err(Problem::field("otpCode", "code_invalid"));
    }
    let user = identifier::prove(&identity, &account, &wanted, code, &origin).await?;
    Ok(Reply::ok("identity.identifier_changed", OneUser { user }))
}
