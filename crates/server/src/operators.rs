//! The ways to the operators that this installation has: by keys of the environment, or to the simulated operators of
//! development mode. What has no keys is not offered.

use std::net::SocketAddr;
use std::sync::Arc;

use kernel::Clock;
use providers::UnixSeconds;
use providers::mobile_money::{Rail, WalletKind, rails};
use providers::vars::Lookup;
use simulator::Credentials;
use wallet::{Connector, ProviderCode};

/// Everything that can be reached, in the order of preference of development mode: each operator's own route first, then
/// the aggregators that also serve it.
const SIMULATED: &str = "wave,mtn,djamo,orange,hub2,pawapay,cinetpay,moov,pispi,paystack";

/// Whose wallet is which provider of ours.
const PROVIDERS: [(WalletKind, ProviderCode); 7] = [
    (WalletKind::Orange, ProviderCode::OrangeMoney),
    (WalletKind::Mtn, ProviderCode::MtnMomo),
    (WalletKind::Moov, ProviderCode::MoovMoney),
    (WalletKind::Wave, ProviderCode::Wave),
    (WalletKind::Djamo, ProviderCode::Djamo),
    (WalletKind::Bank, ProviderCode::Bank),
    (WalletKind::Card, ProviderCode::Card),
];

/// What the environment configures (`HOSTOLINK_MONEY_ROUTES`); every fault of what it half configures is named.
pub fn configured(clock: &Clock, lookup: Lookup<'_>) -> anyhow::Result<Vec<Connector>> {
    let rails = rails::from_vars(lookup, &now(clock)).map_err(|faults| anyhow::anyhow!("{faults}"))?;
    Ok(rails.iter().flat_map(connectors).collect())
}

/// All routes, towards the simulator. `ours` is where its signed callbacks come in: pawaPay's signatures cover the host.
pub fn simulated(
    clock: &Clock,
    keys: &Credentials,
    simulator: SocketAddr,
    ours: SocketAddr,
) -> anyhow::Result<Vec<Connector>> {
    configured(clock, &|key| simulated_key(key, keys, simulator, ours))
}

/// One connector a provider that the rail reaches.
fn connectors(rail: &Rail) -> Vec<Connector> {
    let reached = |kind: &WalletKind| rail.collects.contains(kind) || rail.pays.contains(kind);
    PROVIDERS
        .iter()
        .filter(|(kind, _)| reached(kind))
        .map(|(kind, provider)| connector(rail, *kind, *provider))
        .collect()
}

fn connector(rail: &Rail, kind: WalletKind, provider: ProviderCode) -> Connector {
    Connector {
        collect: rail.collect.clone().filter(|_| rail.collects.contains(&kind)),
        payout: rail.payout.clone().filter(|_| rail.pays.contains(&kind)),
        webhook: rail.webhook.clone(),
        statement: rail.statement.clone(),
        float: rail.float.clone(),
        cards: rail.cards.clone(),
        // Aggregators pass on the code that Orange's customers get by USSD; Orange's own page asks for it itself.
        needs_code: kind == WalletKind::Orange && rail.name != "orange",
        ..Connector::new(provider, address(rail.name))
    }
}

/// The route's name in the address of its webhooks.
fn address(rail: &'static str) -> &'static str {
    match rail {
        "mtn" => "mtn_momo",
        "orange" => "orange_webpay",
        "pispi" => "pi_spi",
        other => other,
    }
}

/// Where the simulated operators that take a registered address send their callbacks.
pub fn callback_paths() -> impl Iterator<Item = (simulator::Provider, &'static str)> {
    use simulator::Provider as Operator;
    [
        (Operator::Wave, "wave"),
        (Operator::Djamo, "djamo"),
        (Operator::Pawapay, "pawapay"),
        (Operator::Hub2, "hub2"),
        (Operator::Pispi, "pi_spi"),
        (Operator::Paystack, "paystack"),
    ]
    .into_iter()
}

fn simulated_key(key: &str, keys: &Credentials, simulator: SocketAddr, ours: SocketAddr) -> Option<String> {
    let at = |path: &str| format!("http://{simulator}/{path}");
    let hook = |route: &str| format!("http://{ours}/api/webhooks/{route}");
    Some(match key {
        "HOSTOLINK_MONEY_ROUTES" => SIMULATED.to_owned(),
        "HOSTOLINK_WAVE_BASE_URL" => at("wave"),
        "HOSTOLINK_WAVE_API_KEY" => keys.wave.api_key.clone(),
        "HOSTOLINK_WAVE_WEBHOOK_SECRETS" => keys.wave.webhook_secrets.join(","),
        "HOSTOLINK_MTN_BASE_URL" => at("mtn"),
        "HOSTOLINK_MTN_COLLECTION_SUBSCRIPTION_KEY" => keys.mtn.collection.subscription_key.clone(),
        "HOSTOLINK_MTN_COLLECTION_API_USER" => keys.mtn.collection.api_user.clone(),
        "HOSTOLINK_MTN_COLLECTION_API_KEY" => keys.mtn.collection.api_key.clone(),
        "HOSTOLINK_MTN_DISBURSEMENT_SUBSCRIPTION_KEY" => keys.mtn.disbursement.subscription_key.clone(),
        "HOSTOLINK_MTN_DISBURSEMENT_API_USER" => keys.mtn.disbursement.api_user.clone(),
        "HOSTOLINK_MTN_DISBURSEMENT_API_KEY" => keys.mtn.disbursement.api_key.clone(),
        "HOSTOLINK_DJAMO_BASE_URL" => at("djamo"),
        "HOSTOLINK_DJAMO_ACCESS_TOKEN" => keys.djamo.access_token.clone(),
        "HOSTOLINK_DJAMO_COMPANY_ID" => keys.djamo.company_id.clone(),
        "HOSTOLINK_DJAMO_WEBHOOK_SECRETS" => keys.djamo.webhook_secret.clone(),
        "HOSTOLINK_ORANGE_MONEY_BASE_URL" => at("orange"),
        "HOSTOLINK_ORANGE_MONEY_CLIENT_ID" => keys.orange.client_id.clone(),
        "HOSTOLINK_ORANGE_MONEY_CLIENT_SECRET" => keys.orange.client_secret.clone(),
        "HOSTOLINK_ORANGE_MONEY_MERCHANT_KEY" => keys.orange.merchant_key.clone(),
        "HOSTOLINK_ORANGE_MONEY_NOTIFY_URL" => hook("orange_webpay"),
        "HOSTOLINK_HUB2_BASE_URL" => at("hub2"),
        "HOSTOLINK_HUB2_API_KEY" => keys.hub2.api_key.clone(),
        "HOSTOLINK_HUB2_MERCHANT_ID" => keys.hub2.merchant_id.clone(),
        "HOSTOLINK_HUB2_ENVIRONMENT" => "sandbox".to_owned(),
        "HOSTOLINK_HUB2_WEBHOOK_SECRETS" => keys.hub2.webhook_secret.clone(),
        "HOSTOLINK_PAWAPAY_BASE_URL" => at("pawapay"),
        "HOSTOLINK_PAWAPAY_TOKEN" => keys.pawapay.token.clone(),
        "HOSTOLINK_PAWAPAY_PUBLIC_AUTHORITY" => ours.to_string(),
        "HOSTOLINK_CINETPAY_BASE_URL" => at("cinetpay"),
        "HOSTOLINK_CINETPAY_API_KEY" => keys.cinetpay.api_key.clone(),
        "HOSTOLINK_CINETPAY_API_PASSWORD" => keys.cinetpay.api_password.clone(),
        "HOSTOLINK_CINETPAY_CONTACT_EMAIL" => "paiements@hostolink.ci".to_owned(),
        "HOSTOLINK_CINETPAY_NOTIFY_URL" => hook("cinetpay"),
        "HOSTOLINK_MOOV_ENDPOINT" => at("moov/com.tlc.merchant.api/UssdPush"),
        "HOSTOLINK_MOOV_USERNAME" => keys.moov.username.clone(),
        "HOSTOLINK_MOOV_PASSWORD" => keys.moov.password.clone(),
        "HOSTOLINK_MOOV_AES_KEY" => keys.moov.aes_key.clone(),
        "HOSTOLINK_PISPI_BASE_URL" => at("pispi/CIC001"),
        "HOSTOLINK_PISPI_TOKEN_URL" => at("pispi/oauth2/token"),
        "HOSTOLINK_PISPI_CLIENT_ID" => keys.pispi.client_id.clone(),
        "HOSTOLINK_PISPI_CLIENT_SECRET" => keys.pispi.client_secret.clone(),
        "HOSTOLINK_PISPI_API_KEY" => keys.pispi.api_key.clone(),
        "HOSTOLINK_PISPI_WEBHOOK_SECRETS" => keys.pispi.webhook_secret.clone(),
        "HOSTOLINK_PISPI_SCOPES" => {
            "piz/paiement.write piz/paiement.read piz/demande_paiement.write piz/demande_paiement.read piz/compte.read"
                .to_owned()
        }
        // The simulated bank knows one business account, and any UUID is somebody's alias.
        "HOSTOLINK_PISPI_ALIAS" => "9b1b3499-3e50-435b-b757-ac7a83d8aa96".to_owned(),
        "HOSTOLINK_PISPI_ACCOUNT" => "CI93CI0080111301134291200589".to_owned(),
        "HOSTOLINK_PAYSTACK_BASE_URL" => at("paystack"),
        "HOSTOLINK_PAYSTACK_SECRET_KEY" => keys.paystack.secret_key.clone(),
        "HOSTOLINK_PAYSTACK_EMAIL_TEMPLATE" => "{customer}@cartes.hostolink.ci".to_owned(),
        _ => return None,
    })
}

fn now(clock: &Clock) -> UnixSeconds {
    let clock = clock.clone();
    Arc::new(move || clock.now().timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn development() -> Vec<Connector> {
        let address = SocketAddr::from(([127, 0, 0, 1], 9));
        simulated(&Clock::system(), &Credentials::default(), address, address).unwrap()
    }

    #[test]
    fn development_reaches_every_provider_both_ways_but_cards() {
        let all = development();
        for (_, provider) in PROVIDERS {
            let of: Vec<&Connector> = all.iter().filter(|connector| connector.provider == provider).collect();
            assert!(of.iter().any(|connector| connector.collect.is_some()), "{provider:?} in");
            assert_eq!(
                of.iter().any(|connector| connector.payout.is_some()),
                provider != ProviderCode::Card,
                "{provider:?} out"
            );
        }
        let first = |provider| all.iter().find(|connector| connector.provider == provider).map(|found| found.route);
        assert_eq!(first(ProviderCode::OrangeMoney), Some("orange_webpay"));
        assert_eq!(first(ProviderCode::MoovMoney), Some("hub2"));
        assert_eq!(all.iter().filter(|connector| connector.needs_code).count(), 3, "the aggregators' Orange");
    }

    #[test]
    fn without_routes_nothing_is_offered() {
        assert!(configured(&Clock::system(), &|_| None).unwrap().is_empty());
    }
}
