//! The document of the interface: generated from the routes, completed with what is the same everywhere.

use serde_json::json;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, ResponseBuilder};
use utoipa::{OpenApi as _, ToSchema};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Hostolink",
        description = "Le serveur de Hostolink : s'inscrire, prouver son numéro, payer par QR, trouver un établissement de santé. \
                       Chaque réponse JSON a la même enveloppe : `status`, `message`, `data` ; un refus porte un `code` stable.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    servers((url = "http://localhost:3000", description = "Développement")),
    components(schemas(Failure, FieldFailure))
)]
struct Document;

/// Un refus.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described here: kernel::http::render writes it")]
struct Failure {
    /// Toujours `error`.
    #[schema(examples("error"))]
    status: String,
    /// La phrase à montrer, dans la langue demandée.
    message: String,
    /// Null, sauf pour l'erreur 500 de l'OTP des citoyens.
    data: Option<String>,
    /// Stable : c'est sur lui que l'application se décide.
    #[schema(examples("identity.otp_wrong"))]
    code: String,
    /// À donner à l'assistance.
    #[serde(rename = "requestId")]
    request_id: String,
    /// Un par champ refusé.
    errors: Option<Vec<FieldFailure>>,
}

/// Un champ refusé.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described here: kernel::http::render writes it")]
struct FieldFailure {
    /// Le chemin du champ.
    #[schema(examples("amount"))]
    field: String,
    /// Pourquoi.
    #[schema(examples("required"))]
    code: String,
    /// La phrase à montrer près du champ.
    message: String,
}

/// The frame that the routes of the houses are put into.
pub fn document() -> OpenApi {
    Document::openapi()
}

/// Adds what every operation has in common: the refusal, and the way to sign in.
pub fn complete(document: &mut OpenApi) {
    document.info.version = env!("CARGO_PKG_VERSION").to_owned();
    if let Some(components) = &mut document.components {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("hsa_…")
            .description(Some("L'`accessToken` des réponses de connexion."));
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer.build()));
    }
    for operation in document.paths.paths.values_mut().flat_map(operations_mut) {
        let refusal = ResponseBuilder::new()
            .description("Refus : le `code` dit pourquoi, le `message` est à montrer.")
            .content("application/json", Content::new(Some(RefOr::Ref(Ref::from_schema_name("Failure")))))
            .build();
        operation.responses.responses.entry("default".into()).or_insert(RefOr::T(refusal));
    }
}

/// Every operation of a path, whatever its method.
pub fn operations_mut(path: &mut utoipa::openapi::PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut path.get, &mut path.post, &mut path.put, &mut path.patch, &mut path.delete, &mut path.head]
        .into_iter()
        .filter_map(Option::as_mut)
}

/// As it is committed and served.
pub fn text(document: &OpenApi) -> anyhow::Result<String> {
    let mut value = serde_json::to_value(document)?;
    // Generators stop at a contact without an address, and there is none.
    if let Some(info) = value.get_mut("info").and_then(serde_json::Value::as_object_mut) {
        info.remove("contact");
    }
    value["x-language"] = json!("fr");
    Ok(format!("{}\n", serde_json::to_string_pretty(&value)?))
}
