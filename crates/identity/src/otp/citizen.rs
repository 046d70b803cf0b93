//! The citizens' document, letter for letter: `POST /otp` with `create` and `resend`. Its messages are not translated, and
//! it asks for no header, so the body is read here and not by the usual extractor.

use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use bytes::Bytes;
use kernel::{Failure, Identifier, Problem, Reply, Timestamp};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::engine::{self, Ask, Sending, Sent};
use super::model::{Live, Purpose, Way};
use crate::session::Origin;
use crate::{Core, Identity, IdentityError, Mode, account};

/// Under `/api`.
pub(crate) fn routes() -> OpenApiRouter<Identity> {
    OpenApiRouter::new().routes(routes!(citizen_otp))
}

/// At the root, where the document has it.
pub(crate) fn root_routes() -> OpenApiRouter<Identity> {
    OpenApiRouter::new().routes(routes!(citizen_otp_at_root))
}

/// The refusals of the document.
#[derive(Debug)]
enum CitizenError {
    FieldsMissing,
    TypeInvalid,
    UnknownCitizen,
    OtpExists,
    NoOtp,
    /// Beyond the document.
    Other(IdentityError),
}

impl<E: Into<IdentityError>> From<E> for CitizenError {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}

const SERVER_ERROR: &str = "Erreur serveur lors de la gestion de l'OTP";
/// The envelope's layer puts the request's id in.
const SERVER_ERROR_DATA: &str = "L'erreur est enregistrée sous la référence {requestId}.";

impl From<CitizenError> for Problem {
    fn from(error: CitizenError) -> Self {
        let (code, message) = match error {
            CitizenError::FieldsMissing => ("identity.citizen_fields_missing", "Champs requis manquants"),
            CitizenError::TypeInvalid => {
                ("identity.citizen_type_invalid", "Type d'opération invalide. Utilisez 'create' ou 'resend'.")
            }
            CitizenError::UnknownCitizen => {
                ("identity.citizen_unknown", "Numéro de téléphone introuvable ou non associé à un Citoyen")
            }
            CitizenError::OtpExists => (
                "identity.citizen_otp_exists",
                "Un OTP existe déjà pour ce numéro. Utilisez le type 'resend' pour régénérer.",
            ),
            CitizenError::NoOtp => (
                "identity.citizen_otp_none",
                "Aucun OTP n'existe pour ce numéro. Utilisez le type 'create' pour en générer un.",
            ),
            CitizenError::Other(error) => return server_side(error.into()),
        };
        let mut problem = Problem::new(StatusCode::BAD_REQUEST, code);
        problem.fixed_message = Some(message);
        problem
    }
}

fn server_side(mut problem: Problem) -> Problem {
    if problem.status.is_server_error() {
        problem.fixed_message = Some(SERVER_ERROR);
        problem.data = Value::from(SERVER_ERROR_DATA);
    }
    problem
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[allow(dead_code, reason = "a schema only: the body is read as the document wants it")]
struct CitizenOtp {
    /// `create` pour un premier code, `resend` pour en régénérer un.
    #[schema(examples("create"))]
    r#type: String,
    #[schema(examples("0123456789"))]
    phone_number: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CitizenOtpSent {
    /// Tel qu'il a été envoyé.
    #[schema(examples("0123456789"))]
    phone_number: String,
    /// En mode développement seulement.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(examples("12345"))]
    otp: Option<String>,
    expires_at: Timestamp,
}

kernel::answer!(CitizenOtpAnswer, CitizenOtpSent);

/// Créer ou régénérer le code d'un citoyen
///
/// Cinq chiffres, cinq minutes. `create` est refusé tant qu'un code ni expiré ni utilisé existe ; `resend` remplace le code
/// qui existe. Le code se vérifie par verify-otp avec `purpose: citizen`.
#[utoipa::path(
    post, path = "/otp", operation_id = "citizen_otp", tag = "Code des citoyens",
    request_body = CitizenOtp,
    responses(
        (status = 200, description = "OTP régénéré avec succès", body = CitizenOtpAnswer),
        (status = 201, description = "OTP créé avec succès", body = CitizenOtpAnswer),
        (status = 400, description = "Champs manquants, type invalide, numéro inconnu, code déjà là ou pas encore là"),
        (status = 429, description = "Trop de codes demandés : voir `Retry-After`"),
        (status = 500, description = "Erreur serveur lors de la gestion de l'OTP"),
    ),
    security(()),
    extensions(("x-access" = json!("public")))
)]
async fn citizen_otp(
    State(identity): State<Identity>,
    origin: Origin,
    body: Result<Bytes, BytesRejection>,
) -> Result<Reply<CitizenOtpSent>, Problem> {
    answer(&identity, &origin, body).await
}

/// Créer ou régénérer le code d'un citoyen (adresse du document)
///
/// La même opération que `/api/otp`, à l'adresse de la première documentation.
#[utoipa::path(
    post, path = "/otp", operation_id = "citizen_otp_at_root", tag = "Code des citoyens",
    request_body = CitizenOtp,
    responses(
        (status = 200, description = "OTP régénéré avec succès", body = CitizenOtpAnswer),
        (status = 201, description = "OTP créé avec succès", body = CitizenOtpAnswer),
        (status = 400, description = "Champs manquants, type invalide, numéro inconnu, code déjà là ou pas encore là"),
        (status = 429, description = "Trop de codes demandés : voir `Retry-After`"),
        (status = 500, description = "Erreur serveur lors de la gestion de l'OTP"),
    ),
    security(()),
    extensions(("x-access" = json!("public")))
)]
async fn citizen_otp_at_root(
    State(identity): State<Identity>,
    origin: Origin,
    body: Result<Bytes, BytesRejection>,
) -> Result<Reply<CitizenOtpSent>, Problem> {
    answer(&identity, &origin, body).await
}

async fn answer(
    identity: &Identity,
    origin: &Origin,
    body: Result<Bytes, BytesRejection>,
) -> Result<Reply<CitizenOtpSent>, Problem> {
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "request.too_large"),
        _ => Problem::new(StatusCode::BAD_REQUEST, "request.unreadable"),
    })?;
    let request = read(&body)?;
    let sent = handle(identity, &request, &origin.network).await?;
    let data = CitizenOtpSent {
        phone_number: request.phone_number,
        otp: (identity.config.mode == Mode::Development).then_some(sent.code),
        expires_at: sent.expires_at.into(),
    };
    Ok(match request.way {
        Way::Resend => Reply::ok("identity.citizen_otp_resent", data).with_fixed_message("OTP régénéré avec succès"),
        Way::Create | Way::Any => {
            Reply::created("identity.citizen_otp_created", data).with_fixed_message("OTP créé avec succès")
        }
    })
}

#[derive(Debug)]
struct Request {
    way: Way,
    phone_number: String,
}

/// What is no JSON, of another type or empty counts as missing.
fn read(body: &[u8]) -> Result<Request, CitizenError> {
    let json: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let field = |name| json.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    let (Some(kind), Some(phone_number)) = (field("type"), field("phoneNumber")) else {
        return Err(CitizenError::FieldsMissing);
    };
    let way = match kind {
        "create" => Way::Create,
        "resend" => Way::Resend,
        _ => return Err(CitizenError::TypeInvalid),
    };
    Ok(Request { way, phone_number: phone_number.to_owned() })
}

async fn handle(core: &Core, request: &Request, network: &str) -> Result<Sent, CitizenError> {
    let parsed = Identifier::parse(&request.phone_number, &core.config.countries);
    let Ok(identifier @ Identifier::Phone(_)) = parsed else { return Err(CitizenError::UnknownCitizen) };
    let mut connection = core.db.write.acquire().await?;
    let person = account::store::by_identifier(&mut connection, identifier.as_str()).await?;
    let citizen = person.filter(|person| super::is_citizen(person, &identifier));
    let citizen = citizen.ok_or(CitizenError::UnknownCitizen)?;
    engine::admit(&mut connection, core, identifier.as_str()).await?;
    drop(connection);

    let mut transaction = core.db.write.begin().await?;
    let (id_user, destination, purpose) = (citizen.id_user, identifier.as_str(), Purpose::Citizen);
    let ask = Ask { id_user, lang: &citizen.langue, destination, purpose, network };
    match engine::send(&mut transaction, core, ask, request.way).await? {
        Sending::Sent(sent) => {
            transaction.commit().await?;
            Ok(sent)
        }
        Sending::Refused(live) => Err(refusal(core, request.way, live)),
    }
}

fn refusal(core: &Core, way: Way, live: Option<Live>) -> CitizenError {
    match (way, live) {
        (Way::Resend, None) => CitizenError::NoOtp,
        (Way::Resend, Some(live)) => CitizenError::Other(engine::too_soon(core, &live, way)),
        (Way::Create | Way::Any, Some(_)) => CitizenError::OtpExists,
        // It stood in the way, and was used before it could be read: as good as a code that exists.
        (Way::Create | Way::Any, None) => {
            CitizenError::Other(Failure::unavailable("the code changed meanwhile").into())
        }
    }
}
