use axum::extract::State;
use axum::http::{HeaderMap, header};
use kernel::http::{Body, Lang};
use kernel::{Problem, Reply};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{NewPassword, NextStep};
use crate::me::User;
use crate::session::{Origin, SignedIn};
use crate::{Identity, password, ticket};

pub(crate) fn routes() -> OpenApiRouter<Identity> {
    OpenApiRouter::new()
        .routes(routes!(check_user))
        .routes(routes!(register_user))
        .routes(routes!(define_password))
        .routes(routes!(reset_password))
}

#[derive(Deserialize, ToSchema)]
struct Identified {
    /// Une adresse e-mail, ou un numéro dans une écriture courante.
    #[schema(examples("testemail@gmail.com"))]
    identifier: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UserChecked {
    exists: bool,
    has_password: bool,
    /// Cet identifiant est prouvé.
    verified: bool,
    /// `email` ou `phone`.
    #[schema(examples("email"))]
    identifier_type: String,
    next_step: NextStep,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UserRegistered {
    user: User,
    /// Sert à define-password pendant quinze minutes, et montre ensuite à verify-otp que c'est le même appareil.
    #[schema(examples("hft_0b3kq2rYb1m9cVtq1Kg5X1u0c0mW1yWl0f0a7Wc2n8o"))]
    flow_ticket: String,
    next_step: NextStep,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DefinePassword {
    #[schema(examples("testemail@gmail.com"))]
    identifier: String,
    /// 8 à 128 caractères, pas parmi les plus courants, sans l'identifiant.
    #[schema(min_length = 8, max_length = 128, examples("MonMotDePasse123"))]
    password: String,
    /// S'il est envoyé, il doit être le même.
    #[schema(examples("MonMotDePasse123"))]
    confirm_password: Option<String>,
    /// Celui de register-user ou d'un code vérifié.
    flow_ticket: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ResetPassword {
    #[schema(examples("testemail@gmail.com"))]
    identifier: String,
    /// Celui d'un code vérifié avec `purpose: reset`.
    #[schema(examples("hft_0b3kq2rYb1m9cVtq1Kg5X1u0c0mW1yWl0f0a7Wc2n8o"))]
    flow_ticket: String,
    #[schema(min_length = 8, max_length = 128, examples("UnAutreMotDePasse456"))]
    password: String,
    #[schema(examples("UnAutreMotDePasse456"))]
    confirm_password: String,
}

kernel::answer!(UserCheckedAnswer, UserChecked);
kernel::answer!(UserRegisteredAnswer, UserRegistered);
kernel::answer!(PasswordDefinedAnswer, SignedIn);

/// Vérifier si un utilisateur existe
///
/// `nextStep` dit à l'application ce qui vient ensuite pour cet identifiant.
#[utoipa::path(
    post, path = "/check-user", operation_id = "check_user", tag = "Inscription et connexion",
    request_body = Identified,
    responses(
        (status = 200, description = "Ce qui est connu de cet identifiant", body = UserCheckedAnswer),
        (status = 400, description = "Ce n'est pas un identifiant"),
    ),
    security(()),
    extensions(("x-access" = json!("public")))
)]
async fn check_user(
    State(identity): State<Identity>,
    Body(body): Body<Identified>,
) -> Result<Reply<UserChecked>, Problem> {
    let identifier = identity.parse(&body.identifier)?;
    let found = identity.find(&identifier).await?;
    let now = identity.clock.now();
    let data = UserChecked {
        exists: found.is_some(),
        has_password: found.as_ref().is_some_and(|found| found.has_password),
        verified: found.as_ref().is_some_and(|found| found.verified),
        identifier_type: identifier.kind().to_owned(),
        next_step: found.map_or(NextStep::RegisterUser, |found| found.next_step(now)),
    };
    Ok(Reply::ok("identity.user_checked", data))
}

/// Enregistrer un utilisateur (sans mot de passe)
#[utoipa::path(
    post, path = "/register-user", operation_id = "register_user", tag = "Inscription et connexion",
    request_body = Identified,
    responses(
        (status = 201, description = "Inscrit ; le mot de passe reste à définir", body = UserRegisteredAnswer),
        (status = 400, description = "Ce n'est pas un identifiant"),
        (status = 409, description = "Déjà inscrit"),
    ),
    security(()),
    extensions(("x-access" = json!("public")))
)]
async fn register_user(
    State(identity): State<Identity>,
    origin: Origin,
    headers: HeaderMap,
    Body(body): Body<Identified>,
) -> Result<Reply<UserRegistered>, Problem> {
    let identifier = identity.parse(&body.identifier)?;
    let registered = super::register(&identity, &identifier, Lang::of(&headers), &origin).await?;
    let data =
        UserRegistered { user: registered.user, flow_ticket: registered.ticket, next_step: NextStep::DefinePassword };
    Ok(Reply::created("identity.registered", data))
}

/// Définir un mot de passe après l'inscription
///
/// Sans ticket, seulement dans les quinze minutes qui suivent l'inscription, pour un compte sans mot de passe dont rien
/// n'est prouvé. La réponse connecte et pose le cookie `hostolink_flow`, qui montre ensuite à verify-otp que c'est le même
/// appareil.
#[utoipa::path(
    post, path = "/define-password", operation_id = "define_password", tag = "Inscription et connexion",
    request_body = DefinePassword,
    responses(
        (status = 200, description = "Mot de passe défini : voici les jetons", body = PasswordDefinedAnswer),
        (status = 400, description = "Mot de passe trop faible, ou différent de sa confirmation"),
        (status = 403, description = "Ticket refusé, ou preuve nécessaire"),
        (status = 404, description = "Personne n'a cet identifiant"),
        (status = 409, description = "Un mot de passe existe déjà"),
        (status = 503, description = "Trop de connexions à la fois : voir `Retry-After`"),
    ),
    security(()),
    extensions(("x-access" = json!("public")))
)]
async fn define_password(
    State(identity): State<Identity>,
    origin: Origin,
    Body(body): Body<DefinePassword>,
) -> Result<Reply<SignedIn>, Problem> {
    let identifier = identity.parse(&body.identifier)?;
    if let Some(confirmation) = &body.confirm_password {
        password::confirmed(&body.password, confirmation)?;
    }
    let asked = NewPassword { identifier: &identifier, password: &body.password, ticket: body.flow_ticket.as_deref() };
    let (signed_in, journey) = super::define_password(&identity, asked, &origin).await?;
    let cookie = ticket::cookie(&journey, identity.config.mode)?;
    Ok(Reply::ok("identity.password_defined", signed_in).with_header(header::SET_COOKIE, cookie))
}

/// Choisir un nouveau mot de passe
///
/// Avec le ticket d'un code vérifié pour `reset`. Toutes les autres sessions se ferment, aucun argent ne sort pendant
/// vingt-quatre heures, et chaque canal prouvé est prévenu.
#[utoipa::path(
    post, path = "/reset-password", operation_id = "reset_password", tag = "Inscription et connexion",
    request_body = ResetPassword,
    responses(
        (status = 200, description = "Mot de passe changé : voici les jetons", body = PasswordDefinedAnswer),
        (status = 400, description = "Mot de passe trop faible, ou différent de sa confirmation"),
        (status = 403, description = "Ticket refusé, ou compte suspendu"),
        (status = 404, description = "Personne n'a cet identifiant"),
        (status = 503, description = "Trop de connexions à la fois : voir `Retry-After`"),
    ),
    security(()),
    extensions(("x-access" = json!("public")))
)]
async fn reset_password(
    State(identity): State<Identity>,
    origin: Origin,
    Body(body): Body<ResetPassword>,
) -> Result<Reply<SignedIn>, Problem> {
    let identifier = identity.parse(&body.identifier)?;
    password::confirmed(&body.password, &body.confirm_password)?;
    let asked = NewPassword { identifier: &identifier, password: &body.password, ticket: Some(&body.flow_ticket) };
    Ok(Reply::ok("identity.password_reset", super::reset_password(&identity, asked, &origin).await?))
}
