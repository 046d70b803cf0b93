//! The keys that the simulated operators know. The parent process gives them; those below are for a simulator that is
//! started by hand, and open nothing but it.

use serde::{Deserialize, Serialize};

/// The keys of every operator.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Credentials {
    /// Wave Business.
    pub wave: WaveKeys,
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

hidden!(WaveKeys);
