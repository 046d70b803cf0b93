//! TLS to the database, with the roots that browsers trust; `sslmode=disable` in the URL switches it off.

use std::sync::{Arc, LazyLock};

use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

static CONFIG: LazyLock<Arc<ClientConfig>> = LazyLock::new(|| {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    match versions {
        Ok(builder) => Arc::new(builder.with_root_certificates(roots).with_no_client_auth()),
        // ring knows TLS 1.2 and 1.3; a build without both would not have compiled.
        Err(error) => unreachable!("ring supports the default TLS versions: {error}"),
    }
});

pub(super) fn connector() -> MakeRustlsConnect {
    MakeRustlsConnect::new(ClientConfig::clone(&CONFIG))
}
