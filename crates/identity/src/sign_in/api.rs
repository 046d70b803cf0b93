use axum::extract::State;
use kernel::http::Body;
use kernel::{Problem, Reply};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zeroize::Zeroizing;

use crate::session::{Origin, SignedIn, SignedInAnswer};
use crate::{Identity, IdentityError};

pub(crate) fn routes() -> OpenApiRouter<Identity> {
    OpenApiRouter::new().routes(routes!(verify_pin))
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct VerifyPin {
    /// Adresse e-mail ou numéro de téléphone.
    #[schema(examples("testemail@gmail.com"))]
    identifier: String,
    /// Le mot de passe.
    #[schema(examples("MonMotDePasse123"))]
    password: Option<String>,
    /// Autre nom de `password`.
    pin: Option<String>,
    /// Autre nom de `password`, celui des premières requêtes.
    otp_code: Option<String>,
}

/// Se connecter avec son mot de passe
///
/// La réponse et sa durée sont les mêmes pour un compte qui n'existe pas. Après cinq mots de passe faux, chaque essai
/// de ce réseau attend deux fois plus longtemps que le précédent.
#[utoipa::path(
    post, path = "/verify-pin", operation_id = "verify_pin", tag = "Inscription et connexion",
    request_body = VerifyPin,
    responses(
        (status = 200, description = "Connecté", body = SignedInAnswer),
        (status = 400, description = "Identifiant illisible ou champ manquant"),
        (status = 401, description = "Identifiant ou mot de passe incorrect"),
        (status = 403, description = "Compte suspendu"),
        (status = 429, description = "Trop de mots de passe faux : attendre"),
        (status = 503, description = "Trop de connexions en même temps : réessayer"),
    ),
    security(()),
    extensions(("x-access" = json!("public")))
)]
async fn verify_pin(
    State(identity): State<Identity>,
    origin: Origin,
    Body(body): Body<VerifyPin>,
) -> Result<Reply<SignedIn>, Problem> {
    let password = body.password.or(body.pin).or(body.otp_code).ok_or(IdentityError::Field("password", "required"))?;
    let password = Zeroizing::new(password.into_bytes());
    let signed_in = super::verify_pin(&identity, &body.identifier, password, &origin).await?;
    Ok(Reply::ok("identity.signed_in", signed_in))
}
