//! Certificates.

use std::{fmt, io, sync::Arc};

use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

/// A certificate chain and its key, as PEM.
#[derive(Clone)]
pub(crate) struct Pem {
    pub(crate) certs: Vec<u8>,
    pub(crate) key: Vec<u8>,
}

/// A key does not belong into a log.
impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pem").finish_non_exhaustive()
    }
}

pub(crate) fn acceptor(pem: &Pem) -> io::Result<TlsAcceptor> {
    let certs = CertificateDer::pem_slice_iter(&pem.certs)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| invalid("certificate", error))?;
    let key =
        PrivateKeyDer::from_pem_slice(&pem.key).map_err(|error| invalid("private key", error))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(certs, key))
        .map_err(|error| invalid("certificate or key", error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn invalid(what: &str, error: impl fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("{what}: {error}"))
}
