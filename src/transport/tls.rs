use std::fmt;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{PemObject, SectionKind};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, KeyLogFile, RootCertStore};

use super::verifier::Verifier;
use super::{ConnectError, Endpoint, Peer};

/// What a person sets about TLS: one setting for writes and queries.
#[derive(Clone, Debug, Default)]
pub(crate) struct TlsSettings {
    /// In place of the bundled roots, if there are any.
    roots: Vec<CertificateDer<'static>>,
    /// Beside the others.
    added: Vec<CertificateDer<'static>>,
    /// The system's roots in place of the bundled ones.
    #[cfg(feature = "native-certs")]
    pub(crate) native_roots: bool,
    identity: Option<Arc<Identity>>,
    server_name: Option<ServerName<'static>>,
    pub(crate) accept_invalid_certs: bool,
    pub(crate) key_log: bool,
}

/// What both paths use: checked and converted once.
#[derive(Clone)]
pub(crate) struct Tls {
    config: Arc<ClientConfig>,
    server_name: Option<ServerName<'static>>,
    #[cfg(feature = "query")]
    has_client_cert: bool,
}

/// A client certificate, with its chain, and its key.
struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl TlsSettings {
    /// Trusts the certificates of a PEM bundle in place of the bundled roots.
    pub(crate) fn set_roots(&mut self, pem: &[u8]) -> Result<(), String> {
        self.roots = roots(pem, "tls_root_certs")?;
        Ok(())
    }

    /// Trusts the certificates of a PEM bundle as well.
    pub(crate) fn add_roots(&mut self, pem: &[u8]) -> Result<(), String> {
        self.added.extend(roots(pem, "tls_add_root_certs")?);
        Ok(())
    }

    pub(crate) fn set_identity(&mut self, chain_pem: &[u8], key_pem: &[u8]) -> Result<(), String> {
        let chain = certificates(chain_pem, "the certificate of client_cert")?;
        self.identity = Some(Arc::new(Identity { chain, key: private_key(key_pem)? }));
        // Fails unless the key belongs to the certificate.
        self.client_config(RootCertStore::empty()).map(drop)
    }

    pub(crate) fn set_server_name(&mut self, name: &str) -> Result<(), String> {
        let name = name.trim();
        let parsed = ServerName::try_from(name.to_owned())
            .map_err(|_| format!("tls_server_name {name:?} is no host name or address"))?;
        self.server_name = Some(parsed);
        Ok(())
    }

    /// What is left to be wrong with them as a whole is a problem of building.
    pub(crate) fn build(&self) -> Result<Tls, String> {
        Ok(Tls {
            config: Arc::new(self.client_config(self.root_store()?)?),
            server_name: self.server_name.clone(),
            #[cfg(feature = "query")]
            has_client_cert: self.identity.is_some(),
        })
    }

    fn client_config(&self, roots: RootCertStore) -> Result<ClientConfig, String> {
        let unusable = |error: rustls::Error| format!("TLS cannot be set up: {error}");
        let provider = provider();
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(unusable)?;
        let own: Vec<_> = self.roots.iter().chain(&self.added).cloned().collect();
        let builder = if self.accept_invalid_certs {
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Verifier::accepting_all(provider)))
        } else if own.is_empty() {
            builder.with_root_certificates(roots)
        } else {
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Verifier::new(provider, own, roots)))
        };
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some(identity) => builder
                .with_client_auth_cert(identity.chain.clone(), identity.key.clone_key())
                .map_err(|error| {
                    format!("client_cert: certificate and key cannot be used: {error}")
                })?,
        };
        if self.key_log {
            config.key_log = Arc::new(KeyLogFile::new());
        }
        Ok(config)
    }

    fn root_store(&self) -> Result<RootCertStore, String> {
        let mut store = RootCertStore::empty();
        #[cfg(feature = "native-certs")]
        if self.native_roots {
            if !self.roots.is_empty() {
                return Err(
                    "tls_native_roots and tls_root_certs exclude each other: add your own with tls_add_root_certs"
                        .into(),
                );
            }
            add_native_roots(&mut store)?;
        }
        if self.roots.is_empty() && store.is_empty() {
            store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        store.add_parsable_certificates(self.roots.iter().chain(&self.added).cloned());
        Ok(store)
    }
}

impl Tls {
    /// For HTTP/1 and for proxies: no protocol is asked for.
    pub(crate) fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }

    /// For HTTP/2, which is asked for by name.
    #[cfg(feature = "query")]
    pub(crate) fn http2_config(&self) -> Arc<ClientConfig> {
        let mut config = ClientConfig::clone(&self.config);
        config.alpn_protocols = vec![b"h2".to_vec()];
        Arc::new(config)
    }

    /// The name that the server is asked for by and has to prove.
    pub(crate) fn server_name(
        &self,
        endpoint: &Endpoint,
    ) -> Result<ServerName<'static>, ConnectError> {
        match &self.server_name {
            Some(name) => Ok(name.clone()),
            None => name_of(Peer::Server(endpoint)),
        }
    }

    #[cfg(feature = "query")]
    pub(crate) fn has_client_cert(&self) -> bool {
        self.has_client_cert
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("server_name", &self.server_name).finish_non_exhaustive()
    }
}

/// The key is never shown.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("certificates", &self.chain.len()).finish_non_exhaustive()
    }
}

/// A host as certificates name it.
pub(crate) fn name_of(peer: Peer<'_>) -> Result<ServerName<'static>, ConnectError> {
    ServerName::try_from(peer.bare_host().to_owned()).map_err(|_| ConnectError::unnameable(peer))
}

/// The one provider of cryptography, chosen here and not by whatever else the program links or installs.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// The certificates of a PEM bundle: there is one at least, and each can be a root.
fn roots(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates = certificates(pem, what)?;
    let mut store = RootCertStore::empty();
    for certificate in &certificates {
        store.add(certificate.clone()).map_err(|error| {
            format!("{what} has a certificate that cannot be trusted as it cannot be read: {error}")
        })?;
    }
    Ok(certificates)
}

fn certificates(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let parsed: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match parsed {
        Ok(certificates) if certificates.is_empty() => {
            Err(format!("{what} has no certificate: give PEM text with BEGIN CERTIFICATE"))
        }
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(format!("{what} is no PEM text: {error}")),
    }
}

fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, String> {
    let encrypted = [&b"BEGIN ENCRYPTED PRIVATE KEY"[..], b"Proc-Type: 4,ENCRYPTED"];
    if encrypted.iter().any(|mark| pem.windows(mark.len()).any(|window| window == *mark)) {
        return Err(
            "the key of client_cert is encrypted, and a password cannot be given: decrypt it once, for example with \
             `openssl pkey -in key.pem -out decrypted.pem`"
                .into(),
        );
    }
    let sections: Vec<_> = <(SectionKind, Vec<u8>)>::pem_slice_iter(pem).flatten().collect();
    if sections.iter().any(|(kind, _)| *kind == SectionKind::Certificate)
        && PrivateKeyDer::from_pem_slice(pem).is_err()
    {
        return Err("the key of client_cert is a certificate: give the private key second".into());
    }
    PrivateKeyDer::from_pem_slice(pem).map_err(|_| {
        "the key of client_cert is no PEM private key: give PEM text with BEGIN PRIVATE KEY".into()
    })
}

/// The roots of the operating system.
#[cfg(feature = "native-certs")]
fn add_native_roots(store: &mut RootCertStore) -> Result<(), String> {
    let found = rustls_native_certs::load_native_certs();
    // The system's store is not the caller's to mend: a root that rustls cannot read is left out.
    store.add_parsable_certificates(found.certs);
    if store.is_empty() {
        let why = found.errors.first().map_or_else(String::new, |error| format!(": {error}"));
        return Err(format!("the system has no root certificates{why}"));
    }
    Ok(())
}
