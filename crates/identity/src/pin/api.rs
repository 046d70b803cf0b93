use axum::extract::State;
use kernel::http::Body;
use kernel::{Problem, Reply, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zeroize::Zeroizing;

use super::Wish;
use crate::Identity;
use crate::session::{Done, DoneAnswer, Origin, Signed};

pub(crate) fn routes() -> OpenApiRouter<Identity> {
    OpenApiRouter::new().routes(routes!(define_pin)).routes(routes!(unlock))
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DefinePin {
    /// Six chiffres, ni suite ni répétition.
    #[schema(examples("270391"))]
    pin: String,
    /// Obligatoire pour le premier code et pour un code oublié.
    #[schema(examples("MonMotDePasse123"))]
    password: Option<String>,
    /// Le code actuel, pour en changer.
    current_pin: Option<String>,
    /// Code oublié ou bloqué : le ticket d'un OTP vérifié.
    flow_ticket: Option<String>,
}

#[derive(Deserialize, ToSchema)]
struct Unlock {
    #[schema(examples("270391"))]
    pin: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Unlocked {
    /// Jusque-là, cette session paie sans redemander le code.
    unlocked_until: Timestamp,
}

kernel::answer!(UnlockedAnswer, Unlocked);

/// Définir ou changer son code de paiement
///
/// Le premier demande le mot de passe ; un changement demande `currentPin` ; un code oublié ou bloqué demande le mot de
/// passe et le ticket d'un OTP, et aucun argent ne sort pendant 24 heures.
#[utoipa::path(
    put, path = "/me/pin", operation_id = "define_pin", tag = "Mon compte",
    request_body = DefinePin,
    responses(
        (status = 200, description = "Code défini", body = DoneAnswer),
        (status = 400, description = "Code trop simple ou mal formé, ou champ manquant"),
        (status = 403, description = "Mot de passe, code actuel ou ticket refusé"),
        (status = 423, description = "Code bloqué : mot de passe et OTP nécessaires"),
        (status = 429, description = "Trop de mots de passe faux : attendre"),
    ),
    security(("bearer" = [])),
    extensions(("x-access" = json!("user")))
)]
async fn define_pin(
    State(identity): State<Identity>,
    Signed(account): Signed,
    origin: Origin,
    Body(body): Body<DefinePin>,
) -> Result<Reply<Done>, Problem> {
    let wish = Wish {
        pin: Zeroizing::new(body.pin),
        password: body.password.map(|password| Zeroizing::new(password.into_bytes())),
        current_pin: body.current_pin.map(Zeroizing::new),
        flow_ticket: body.flow_ticket,
    };
    super::define(&identity, &account, wish, &origin).await?;
    Ok(Reply::ok("identity.pin_defined", Done {}))
}

/// Confirmer son code pour payer pendant cinq minutes
#[utoipa::path(
    post, path = "/me/unlock", operation_id = "unlock", tag = "Mon compte",
    request_body = Unlock,
    responses(
        (status = 200, description = "Session ouverte aux paiements", body = UnlockedAnswer),
        (status = 403, description = "Code faux (`triesLeft`) ou pas encore défini"),
        (status = 423, description = "Cinq codes faux : code bloqué"),
    ),
    security(("bearer" = [])),
    extensions(("x-access" = json!("user")))
)]
async fn unlock(
    State(identity): State<Identity>,
    Signed(account): Signed,
    origin: Origin,
    Body(body): Body<Unlock>,
) -> Result<Reply<Unlocked>, Problem> {
    let pin = Zeroizing::new(body.pin);
    let unlocked_until = super::unlock(&identity, &account, &pin, &origin).await?.into();
    Ok(Reply::ok("identity.unlocked", Unlocked { unlocked_until }))
}
