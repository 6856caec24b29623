use std::io;

use rustls::pki_types::ServerName;
use rustls::{AlertDescription, CertificateError, Error};

/// The error of TLS that an I/O error is about.
pub(crate) fn find_tls_error(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

/// What an error of TLS means and what to do about it.
pub(crate) fn describe_tls_error(error: &Error) -> String {
    match error {
        Error::InvalidMessage(_) => {
            "the server does not speak TLS on this port; use http:// or the TLS port".into()
        }
        Error::InvalidCertificate(error) => describe_certificate_error(error),
        Error::AlertReceived(
            alert @ (AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::CertificateUnknown
            | AlertDescription::HandshakeFailure),
        ) => format!("the server refused the handshake ({alert:?}); does it want a client_cert?"),
        Error::AlertReceived(AlertDescription::NoApplicationProtocol) => {
            "the server does not offer HTTP/2, which queries need".into()
        }
        Error::AlertReceived(AlertDescription::UnrecognisedName) => {
            "the server does not know the name that it is called by; give the one it knows with tls_server_name"
                .into()
        }
        Error::AlertReceived(alert) => format!("the server ended the handshake: {alert:?}"),
        other => other.to_string(),
    }
}

fn describe_certificate_error(error: &CertificateError) -> String {
    use CertificateError as E;
    match error {
        E::UnknownIssuer => {
            "the server's certificate is signed by nobody known; give its root with tls_root_certs \
             (or the certificate itself, if it is self-signed)"
                .into()
        }
        // webpki's error has no type of its own here.
        E::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            "the server's certificate is self-signed; give that certificate itself with tls_root_certs".into()
        }
        E::BadSignature => {
            "the server's certificate is not signed by the root of that name that is trusted; give the right \
             one with tls_root_certs"
                .into()
        }
        E::Expired | E::ExpiredContext { .. } => "the server's certificate has expired".into(),
        E::NotValidYet | E::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet; is the clock right?".into()
        }
        E::NotValidForNameContext { expected, presented } => format!(
            "the server's certificate is for {}, not for {}; use that name as the host, or as tls_server_name",
            list(presented),
            name(expected)
        ),
        E::NotValidForName => "the server's certificate is for another host name".into(),
        other => Error::InvalidCertificate(other.clone()).to_string(),
    }
}

fn name(name: &ServerName<'_>) -> String {
    match name {
        ServerName::IpAddress(address) => std::net::IpAddr::from(*address).to_string(),
        name => name.to_str().into_owned(),
    }
}

/// Names as webpki prints them, such as `DnsName("example.io")`, without what stands around them.
fn list(presented: &[String]) -> String {
    const SHOWN: usize = 3;
    let bare = |name: &String| {
        let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
        inner.unwrap_or(name).trim_matches('"').to_owned()
    };
    match presented.len() {
        0 => "no name at all".to_owned(),
        count if count > SHOWN => {
            let shown: Vec<_> = presented[..SHOWN].iter().map(bare).collect();
            format!("{} and {} other names", shown.join(", "), count - SHOWN)
        }
        _ => presented.iter().map(bare).collect::<Vec<_>>().join(", "),
    }
}
