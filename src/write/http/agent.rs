//! What ureq is told about a client.

use std::sync::Arc;
use std::time::Duration;

use ureq::Agent;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::DefaultConnector;

use super::resolver::{Known, Remembering};
use crate::config::{Config, USER_AGENT};
use crate::{Error, Result};

/// An agent that keeps up to `connections` idle connections, and what it knows of where the server is.
pub(super) fn new(config: &Config, connections: usize) -> Result<(Agent, Arc<Known>)> {
    let settings = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .user_agent(USER_AGENT)
        .accept("application/json")
        .accept_encoding("")
        .max_idle_connections(connections)
        .max_idle_connections_per_host(connections)
        .timeout_await_100(Some(Duration::from_secs(1)))
        .proxy(proxy(config)?);
    #[cfg(feature = "tls")]
    let settings = settings.tls_config(tls_config(&config.tls)?);
    let resolver = Remembering::<DefaultResolver>::default();
    let known = resolver.known();
    Ok((Agent::with_parts(settings.build(), DefaultConnector::default(), resolver), known))
}

fn proxy(config: &Config) -> Result<Option<ureq::Proxy>> {
    let Some(proxy) = &config.proxy else { return Ok(None) };
    let mut builder =
        ureq::Proxy::builder(ureq::ProxyProtocol::Http).host(proxy.host()).port(proxy.port());
    if let Some((user, password)) = proxy.credentials() {
        builder = builder.username(user).password(password);
    }
    let built = builder.build().map_err(|error| {
        Error::config(format!("the proxy {proxy} cannot be used")).with_source(error)
    })?;
    Ok(Some(built))
}

#[cfg(feature = "tls")]
fn tls_config(tls: &crate::transport::TlsSettings) -> Result<ureq::tls::TlsConfig> {
    use crate::transport::Roots;
    use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig, TlsProvider};

    let roots = match &tls.roots {
        Roots::Bundled => RootCerts::WebPki,
        Roots::Certificates(certificates) => RootCerts::Specific(Arc::new(
            certificates.iter().map(|der| Certificate::from_der(der).to_owned()).collect(),
        )),
    };
    let identity = match &tls.identity {
        None => None,
        Some(identity) => {
            let chain: Vec<_> =
                identity.chain.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
            let key = PrivateKey::from_pem(&identity.key_pem).map_err(|error| {
                Error::config("the key of client_cert cannot be used").with_source(error)
            })?;
            Some(ClientCert::new_with_certs(&chain, key))
        }
    };
    Ok(TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(crate::transport::provider())
        .root_certs(roots)
        .client_cert(identity)
        .disable_verification(tls.accept_invalid_certs)
        .build())
}
