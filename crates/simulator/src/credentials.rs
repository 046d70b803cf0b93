//! The keys that the simulated operators know. The parent process gives them; those below are for a simulator that is
//! started by hand, and open nothing but it.

use serde::{Deserialize, Serialize};

/// The keys of every operator.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Credentials {
    /// Wave Business.
    pub wave: WaveKeys,
    /// MTN MoMo.
    pub mtn: MtnKeys,
    /// Orange.
    pub orange: OrangeKeys,
    /// Djamo.
    pub djamo: DjamoKeys,
    /// pawaPay.
    pub pawapay: PawapayKeys,
    /// Hub2.
    pub hub2: Hub2Keys,
    /// CinetPay.
    pub cinetpay: CinetpayKeys,
    /// PI-SPI, at the participant whose client we are.
    pub pispi: PispiKeys,
    /// The generic interface.
    pub gsma: GsmaKeys,
    /// Moov.
    pub moov: MoovKeys,
    /// Paystack.
    pub paystack: PaystackKeys,
    /// Twilio.
    pub twilio: TwilioKeys,
}

/// The keys of a Wave wallet.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WaveKeys {
    /// Bearer key of every call.
    pub api_key: String,
    /// When given, every call must be signed with it.
    pub request_signing_secret: Option<String>,
    /// Each signs every webhook: two of them during a rotation.
    pub webhook_secrets: Vec<String>,
}

impl Default for WaveKeys {
    fn default() -> Self {
        Self {
            api_key: "wave_ci_test_simulator".to_owned(),
            request_signing_secret: None,
            webhook_secrets: vec!["wave_ci_WHS_simulator".to_owned()],
        }
    }
}

/// The keys of MTN's products.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MtnKeys {
    /// Collection.
    pub collection: MtnProductKeys,
    /// Disbursement.
    pub disbursement: MtnProductKeys,
    /// Remittance.
    pub remittance: MtnProductKeys,
    /// The host that was registered for callbacks; any when `None`.
    pub callback_host: Option<String>,
}

impl Default for MtnKeys {
    fn default() -> Self {
        let product = |name: &str, user: &str| MtnProductKeys {
            subscription_key: format!("simulator-{name}-subscription"),
            api_user: user.to_owned(),
            api_key: format!("simulator-{name}-api-key"),
        };
        Self {
            collection: product("collection", "6f1c1f0e-5d7a-4a51-9b1e-2f2f6f1c1f01"),
            disbursement: product("disbursement", "6f1c1f0e-5d7a-4a51-9b1e-2f2f6f1c1f02"),
            remittance: product("remittance", "6f1c1f0e-5d7a-4a51-9b1e-2f2f6f1c1f03"),
            callback_host: None,
        }
    }
}

/// The keys of one product of MTN.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MtnProductKeys {
    /// `Ocp-Apim-Subscription-Key`.
    pub subscription_key: String,
    /// The API user, a UUID.
    pub api_user: String,
    /// The API user's key.
    pub api_key: String,
}

/// The keys of an Orange application and of its merchant account.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OrangeKeys {
    /// OAuth client.
    pub client_id: String,
    /// OAuth secret.
    pub client_secret: String,
    /// The merchant key of Web Payment.
    pub merchant_key: String,
}

impl Default for OrangeKeys {
    fn default() -> Self {
        Self {
            client_id: "simulator-client".to_owned(),
            client_secret: "simulator-secret".to_owned(),
            merchant_key: "simulator-merchant".to_owned(),
        }
    }
}

/// The keys of a Djamo company.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DjamoKeys {
    /// Bearer token.
    pub access_token: String,
    /// `X-Company-Id`.
    pub company_id: String,
    /// Signs the webhooks.
    pub webhook_secret: String,
}

impl Default for DjamoKeys {
    fn default() -> Self {
        Self {
            access_token: "at_simulator".to_owned(),
            company_id: "5d1d3c52-6a4e-4f0e-9a42-0d7a4c1b9e10".to_owned(),
            webhook_secret: "djamo_simulator".to_owned(),
        }
    }
}

/// The keys of a pawaPay account.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PawapayKeys {
    /// Bearer token.
    pub token: String,
    /// Signs callbacks in the standard's raw form instead of the DER that pawaPay really sends.
    pub raw_signatures: bool,
}

impl Default for PawapayKeys {
    fn default() -> Self {
        Self { token: "pawapay-simulator-token".to_owned(), raw_signatures: false }
    }
}

/// The keys of a Hub2 merchant.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hub2Keys {
    /// `ApiKey`.
    pub api_key: String,
    /// `MerchantId`.
    pub merchant_id: String,
    /// Signs the webhooks of the address that the parent process gave.
    pub webhook_secret: String,
    /// The secret before it, while a rotation lasts.
    pub previous_webhook_secret: Option<String>,
}

impl Default for Hub2Keys {
    fn default() -> Self {
        Self {
            api_key: "sk_hub2_simulator".to_owned(),
            merchant_id: "hub2-simulator".to_owned(),
            webhook_secret: "hub2_simulator".to_owned(),
            previous_webhook_secret: None,
        }
    }
}

/// The keys of a CinetPay account in Côte d'Ivoire.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CinetpayKeys {
    /// `api_key`.
    pub api_key: String,
    /// `api_password`.
    pub api_password: String,
}

impl Default for CinetpayKeys {
    fn default() -> Self {
        Self { api_key: "sk_test_simulator".to_owned(), api_password: "simulator-password".to_owned() }
    }
}

/// The keys of a business client of PI-SPI.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PispiKeys {
    /// `x-api-key`.
    pub api_key: String,
    /// OAuth client.
    pub client_id: String,
    /// OAuth secret.
    pub client_secret: String,
    /// Signs the webhooks of the address that the parent process gave.
    pub webhook_secret: String,
}

impl Default for PispiKeys {
    fn default() -> Self {
        Self {
            api_key: "pispi-simulator-key".to_owned(),
            client_id: "pispi-simulator".to_owned(),
            client_secret: "pispi-simulator-secret".to_owned(),
            webhook_secret: "pispi_simulator".to_owned(),
        }
    }
}

/// The keys of a client of the GSMA interface.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GsmaKeys {
    /// `X-API-Key`.
    pub api_key: String,
    /// Basic authentication.
    pub username: String,
    /// Basic authentication.
    pub password: String,
}

impl Default for GsmaKeys {
    fn default() -> Self {
        Self {
            api_key: "gsma-simulator-key".to_owned(),
            username: "gsma-simulator".to_owned(),
            password: "gsma-simulator-password".to_owned(),
        }
    }
}

/// The keys of a merchant of Moov.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MoovKeys {
    /// Encrypted in the token.
    pub username: String,
    /// Encrypted in the token.
    pub password: String,
    /// Encrypts the token: 32 bytes of ASCII.
    pub aes_key: String,
}

impl Default for MoovKeys {
    fn default() -> Self {
        Self {
            username: "simulator".to_owned(),
            password: "simulator".to_owned(),
            aes_key: "simulator-simulator-simulator-32".to_owned(),
        }
    }
}

/// The key of a Paystack business.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PaystackKeys {
    /// Opens the interface and signs the webhooks.
    pub secret_key: String,
}

impl Default for PaystackKeys {
    fn default() -> Self {
        Self { secret_key: "sk_test_paystack_simulator".to_owned() }
    }
}

/// The keys of a Twilio account.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TwilioKeys {
    /// The account.
    pub account_sid: String,
    /// Its token, which signs the receipts as well.
    pub auth_token: String,
}

impl Default for TwilioKeys {
    fn default() -> Self {
        Self { account_sid: "ACsimulator".to_owned(), auth_token: "twilio-simulator-token".to_owned() }
    }
}

/// A `Debug` that shows that there is something, and not what.
macro_rules! hidden {
    ($($name:ident),+ $(,)?) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(***)"))
            }
        }
    )+};
}

hidden!(
    WaveKeys,
    MtnProductKeys,
    OrangeKeys,
    DjamoKeys,
    PawapayKeys,
    Hub2Keys,
    CinetpayKeys,
    PispiKeys,
    GsmaKeys,
    MoovKeys,
    PaystackKeys,
    TwilioKeys,
);
