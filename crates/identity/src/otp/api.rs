use axum::extract::State;
use axum::http::HeaderMap;
use kernel::http::Body;
use kernel::{Identifier, Problem, Reply, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::AskedPurpose;
use super::{Proof, Proved, Sent};
use crate::account::NextStep;
use crate::me::User;
use crate::session::{Origin, Signed};
use crate::{Core, Identity, IdentityError, Mode, message, ticket};

pub(crate) fn routes() -> OpenApiRouter<Identity> {
    OpenApiRouter::new().routes(routes!(generate_otp)).routes(routes!(verify_otp)).routes(routes!(verify_code))
}

/// Par où le code part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Channel {
    Sms,
    Email,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct GenerateOtp {
    /// Une adresse e-mail, ou un numéro dans une écriture courante.
    #[schema(examples("testemail@gmail.com"))]
    identifier: String,
    #[serde(default)]
    purpose: AskedPurpose,
    /// Seul le canal de l'identifiant convient : `sms` pour un numéro, `email` pour une adresse.
    channel: Option<Channel>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CodeSent {
    #[schema(examples("email"))]
    channel: String,
    /// Masquée : juste assez pour que son propriétaire la reconnaisse.
    #[schema(examples("t*******l@gmail.com"))]
    destination: String,
    expires_at: Timestamp,
    /// Secondes à attendre avant de demander un autre code.
    #[schema(examples(30))]
    resend_after: i64,
    /// En mode développement seulement.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(examples("123456"))]
    otp: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct VerifyOtp {
    #[schema(examples("testemail@gmail.com"))]
    identifier: String,
    #[serde(alias = "code")]
    #[schema(examples("123456"))]
    otp_code: String,
    #[serde(default)]
    purpose: AskedPurpose,
    /// Le ticket de l'inscription : il montre que c'est l'appareil qui a choisi le mot de passe.
    flow_ticket: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct VerifyCode {
    #[schema(examples("testemail@gmail.com"))]
    identifier: String,
    #[serde(alias = "otpCode")]
    #[schema(examples("123456"))]
    code: String,
    #[serde(default)]
    purpose: AskedPurpose,
    flow_ticket: Option<String>,
}

impl From<VerifyCode> for VerifyOtp {
    fn from(old: VerifyCode) -> Self {
        Self { identifier: old.identifier, otp_code: old.code, purpose: old.purpose, flow_ticket: old.flow_ticket }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CodeVerified {
    #[schema(examples(true))]
    verified: bool,
    /// Prouve l'identifiant une fois, pendant dix minutes.
    #[schema(examples("hft_0b3kq2rYb1m9cVtq1Kg5X1u0c0mW1yWl0f0a7Wc2n8o"))]
    flow_ticket: String,
    next_step: NextStep,
    /// Avec `purpose: login` seulement, comme les trois suivants.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    /// Secondes.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = User, required = false)]
    user: Option<User>,
}

impl From<Proved> for CodeVerified {
    fn from(proved: Proved) -> Self {
        let Proved { ticket, next_step, signed_in } = proved;
        let mut verified = Self {
            verified: true,
            flow_ticket: ticket,
            next_step,
            access_token: None,
            refresh_token: None,
            expires_in: None,
            user: None,
        };
        if let Some(signed_in) = signed_in {
            verified.access_token = Some(signed_in.access_token);
            verified.refresh_token = Some(signed_in.refresh_token);
            verified.expires_in = Some(signed_in.expires_in);
            verified.user = Some(signed_in.user);
        }
        verified
    }
}

kernel::answer!(CodeSentAnswer, CodeSent);
kernel::answer!(CodeVerifiedAnswer, CodeVerified);

/// Recevoir un code
///
/// Le code part par SMS ou par e-mail et vaut cinq minutes. En mode développement, il revient aussi dans `otp`.
#[utoipa::path(
    post, path = "/generate-otp", operation_id = "generate_otp", tag = "Inscription et connexion",
    request_body = GenerateOtp,
    responses(
        (status = 201, description = "Le code est en route", body = CodeSentAnswer),
        (status = 400, description = "Identifiant, usage ou canal refusé"),
        (status = 404, description = "Personne n'a cet identifiant"),
        (status = 429, description = "Trop de codes demandés : voir `Retry-After`"),
    ),
    security(()),
    extensions(("x-access" = json!("public")))
)]
async fn generate_otp(
    State(identity): State<Identity>,
    origin: Origin,
    Body(body): Body<GenerateOtp>,
) -> Result<Reply<CodeSent>, Problem> {
    let identifier = identity.parse(&body.identifier)?;
    check_channel(&identifier, body.channel)?;
    let sent = super::generate(&identity, &identifier, body.purpose.into(), &origin).await?;
    Ok(Reply::created("identity.code_sent", CodeSent::of(&identity, &identifier, sent)))
}

impl CodeSent {
    pub(crate) fn of(core: &Core, identifier: &Identifier, sent: Sent) -> Self {
        Self {
            channel: message::channel_of(identifier.as_str()).to_owned(),
            destination: identifier.masked(),
            expires_at: sent.expires_at.into(),
            resend_after: sent.resend_after,
            otp: (core.config.mode == Mode::Development).then_some(sent.code),
        }
    }
}

fn check_channel(identifier: &Identifier, channel: Option<Channel>) -> Result<(), IdentityError> {
    let fits = match channel {
        None => true,
        Some(Channel::Sms) => matches!(identifier, Identifier::Phone(_)),
        Some(Channel::Email) => matches!(identifier, Identifier::Email(_)),
    };
    if fits { Ok(()) } else { Err(IdentityError::Field("channel", "invalid")) }
}

/// Vérifier un code
///
/// Un code juste prouve l'identifiant. Si rien n'était encore prouvé, le mot de passe et les sessions du compte sont
/// effacés, sauf si la preuve vient avec le jeton du compte, le ticket de l'inscription ou le cookie de define-password :
/// suivez `nextStep`.
#[utoipa::path(
    post, path = "/verify-otp", operation_id = "verify_otp", tag = "Inscription et connexion",
    request_body = VerifyOtp,
    responses(
        (status = 200, description = "L'identifiant est prouvé", body = CodeVerifiedAnswer),
        (status = 400, description = "Identifiant ou code mal écrit"),
        (status = 401, description = "Code faux : `attemptsLeft` dit combien d'essais restent"),
        (status = 403, description = "Compte suspendu, ou identifiant que seul le titulaire connecté peut prouver"),
        (status = 404, description = "Personne n'a cet identifiant"),
        (status = 410, description = "Code expiré, utilisé, remplacé ou épuisé"),
        (status = 429, description = "Trop d'essais : voir `Retry-After`"),
    ),
    security(()),
    extensions(("x-access" = json!("public")))
)]
async fn verify_otp(
    State(identity): State<Identity>,
    origin: Origin,
    signed: Option<Signed>,
    headers: HeaderMap,
    Body(body): Body<VerifyOtp>,
) -> Result<Reply<CodeVerified>, Problem> {
    verified(&identity, &origin, signed, &headers, &body, "otpCode").await
}

/// Vérifier un code (ancien nom)
///
/// Comme verify-otp ; le code s'appelle `code`.
#[utoipa::path(
    post, path = "/verify-code", operation_id = "verify_code", tag = "Inscription et connexion",
    request_body = VerifyCode,
    responses(
        (status = 200, description = "L'identifiant est prouvé", body = CodeVerifiedAnswer),
        (status = 400, description = "Identifiant ou code mal écrit"),
        (status = 401, description = "Code faux : `attemptsLeft` dit combien d'essais restent"),
        (status = 403, description = "Compte suspendu, ou identifiant que seul le titulaire connecté peut prouver"),
        (status = 404, description = "Personne n'a cet identifiant"),
        (status = 410, description = "Code expiré, utilisé, remplacé ou épuisé"),
        (status = 429, description = "Trop d'essais : voir `Retry-After`"),
    ),
    security(()),
    extensions(("x-access" = json!("public")))
)]
async fn verify_code(
    State(identity): State<Identity>,
    origin: Origin,
    signed: Option<Signed>,
    headers: HeaderMap,
    Body(body): Body<VerifyCode>,
) -> Result<Reply<CodeVerified>, Problem> {
    verified(&identity, &origin, signed, &headers, &body.into(), "code").await
}

async fn verified(
    identity: &Identity,
    origin: &Origin,
    signed: Option<Signed>,
    headers: &HeaderMap,
    body: &VerifyOtp,
    code_field: &'static str,
) -> Result<Reply<CodeVerified>, Problem> {
    let identifier = identity.parse(&body.identifier)?;
    let code = body.otp_code.trim();
    if !super::has_form(code) {
        return Err(Problem::field(code_field, "code_invalid"));
    }
    let cookie = ticket::from_cookie(headers);
    let proof = Proof {
        identifier: &identifier,
        purpose: body.purpose.into(),
        code,
        tickets: [body.flow_ticket.as_deref(), cookie.as_deref()],
        signed: signed.as_ref().map(|signed| &signed.0),
        origin,
    };
    Ok(Reply::ok("identity.code_verified", super::verify(identity, proof).await?.into()))
}
