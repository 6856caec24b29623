//! One TLS setting for both paths: parsed and checked once, converted in `write/http/` and `query/rpc.rs`.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

/// Whom to trust, and who to be.
#[derive(Clone, Debug, Default)]
pub(crate) struct TlsSettings {
    pub(crate) roots: Roots,
    pub(crate) identity: Option<Arc<Identity>>,
    pub(crate) accept_invalid_certs: bool,
}

/// The certificates at the root of all trust.
#[derive(Clone, Debug, Default)]
pub(crate) enum Roots {
    /// Mozilla's, from webpki-roots.
    #[default]
    Bundled,
    /// The caller's or the system's.
    Certificates(Arc<Vec<CertificateDer<'static>>>),
}

/// A client certificate and its key.
pub(crate) struct Identity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
    /// The same two as they came.
    #[cfg(feature = "query")]
    pub(crate) chain_pem: Vec<u8>,
    pub(crate) key_pem: Vec<u8>,
}

impl Roots {
    /// Every certificate of a PEM bundle; none is an error.
    pub(crate) fn from_pem(pem: &[u8]) -> Result<Self, String> {
        let certificates = certificates(pem, "tls_root_certs")?;
        let mut store = RootCertStore::empty();
        for certificate in &certificates {
            if let Err(error) = store.add(certificate.clone()) {
                return Err(format!("tls_root_certs has a certificate that is no root: {error}"));
            }
        }
        Ok(Self::Certificates(Arc::new(certificates)))
    }

    /// The roots of the operating system.
    #[cfg(feature = "native-certs")]
    pub(crate) fn native() -> Result<Self, String> {
        let found = rustls_native_certs::load_native_certs();
        if found.certs.is_empty() {
            let why = found.errors.first().map_or_else(String::new, |error| format!(": {error}"));
            return Err(format!("the system has no root certificates{why}"));
        }
        // The system's store is not the caller's to mend: a root that rustls cannot read is left out.
        let mut store = RootCertStore::empty();
        let readable =
            |certificate: &CertificateDer<'static>| store.add(certificate.clone()).is_ok();
        Ok(Self::Certificates(Arc::new(found.certs.into_iter().filter(readable).collect())))
    }

    #[cfg(feature = "query")]
    pub(crate) fn store(&self) -> RootCertStore {
        match self {
            Self::Bundled => webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect(),
            Self::Certificates(certificates) => {
                let mut store = RootCertStore::empty();
                store.add_parsable_certificates(certificates.iter().cloned());
                store
            }
        }
    }
}

impl Identity {
    pub(crate) fn from_pem(chain_pem: &[u8], key_pem: &[u8]) -> Result<Self, String> {
        let chain = certificates(chain_pem, "the certificate of client_cert")?;
        let key = PrivateKeyDer::from_pem_slice(key_pem)
            .map_err(|error| format!("the key of client_cert is no PEM private key: {error}"))?;
        let identity = Self {
            chain,
            key,
            #[cfg(feature = "query")]
            chain_pem: chain_pem.to_vec(),
            key_pem: key_pem.to_vec(),
        };
        identity.check()?;
        Ok(identity)
    }

    /// ureq panics at the first request if the two do not belong together.
    fn check(&self) -> Result<(), String> {
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("TLS cannot be set up: {error}"))?
            .with_root_certificates(RootCertStore::empty());
        match builder.with_client_auth_cert(self.chain.clone(), self.key.clone_key()) {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("client_cert: certificate and key cannot be used: {error}")),
        }
    }
}

/// The key is never shown.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("certificates", &self.chain.len()).finish_non_exhaustive()
    }
}

/// The one provider of cryptography, chosen here and not by whatever else the program links.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
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

/// What a TLS failure means and what to do about it.
pub(crate) fn describe_tls_error(error: &rustls::Error) -> String {
    use rustls::{AlertDescription, CertificateError, Error as E};
    match error {
        E::InvalidMessage(_) => {
            "the server does not speak TLS on this port; use http:// or the TLS port".into()
        }
        E::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "the server's certificate is signed by nobody known; give its root with tls_root_certs"
                .into()
        }
        E::InvalidCertificate(CertificateError::BadSignature) => {
            "the server's certificate is not signed by the root of that name that is trusted; give the right \
             one with tls_root_certs"
                .into()
        }
        E::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        ) => "the server's certificate has expired".into(),
        E::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        ) => "the server's certificate is not valid yet; is the clock right?".into(),
        E::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "the server's certificate is for another host name".into(),
        E::AlertReceived(
            alert @ (AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::CertificateUnknown
            | AlertDescription::HandshakeFailure),
        ) => format!("the server refused the handshake ({alert:?}); does it want a client_cert?"),
        E::AlertReceived(alert) => format!("the server ended the handshake: {alert:?}"),
        other => other.to_string(),
    }
}
