use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[cfg(feature = "query")]
use super::Host;
use super::{Endpoint, Proxy, ProxyScheme};
use crate::{Error, ErrorKind};

/// The stages of connecting. Each is over before the next begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ConnectStage {
    /// A name is looked up: the server's, or the proxy's if there is one.
    Resolving,
    /// A TCP connection is made, to the same.
    Connecting,
    /// The proxy opens a way to the server; TLS with the proxy is a part of it.
    Proxy,
    /// The TLS handshake with the server.
    #[cfg(feature = "tls")]
    Handshake,
}

/// Why there is no connection: the same words for writes and queries.
///
/// On the way through other libraries it is carried as a source and found again by its type.
#[derive(Clone, Debug)]
pub(crate) struct ConnectError {
    pub(crate) stage: ConnectStage,
    pub(crate) kind: ErrorKind,
    pub(crate) message: String,
    /// Whether it may pass by itself.
    pub(crate) is_retryable: bool,
    /// When the attempt began: calls share a connection, and a failure may be older than the call that it reaches.
    pub(crate) began: Instant,
    cause: Option<Arc<dyn StdError + Send + Sync>>,
}

/// The time for all of connecting, and the setting that it comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    pub(crate) time: Duration,
    pub(crate) setting: &'static str,
}

/// Who is at the other end of the first TCP connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Peer<'a> {
    Server(&'a Endpoint),
    Proxy(&'a Proxy),
}

impl ConnectError {
    pub(crate) fn new(stage: ConnectStage, kind: ErrorKind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { stage, kind, message, is_retryable: false, began: Instant::now(), cause: None }
    }

    /// The name does not resolve.
    pub(crate) fn unresolved(peer: Peer<'_>) -> Self {
        let message = format!(
            "cannot connect to {peer}: the host name does not resolve; is it spelled right?"
        );
        Self::new(ConnectStage::Resolving, peer.kind(), message).retryable()
    }

    /// No TCP connection to the peer.
    pub(crate) fn unconnected(peer: Peer<'_>, cause: io::ErrorKind) -> Self {
        use io::ErrorKind as K;
        let (why, hint) = match cause {
            K::ConnectionRefused => ("nothing listens there", peer.refused_hint()),
            K::HostUnreachable | K::NetworkUnreachable => {
                ("there is no way to that address", "; is the network up, and the address right?")
            }
            K::TimedOut => {
                ("no answer came", "; is the address right, and does no firewall stand in between?")
            }
            K::PermissionDenied => {
                ("this program may not connect to it", "; does a firewall or sandbox forbid it?")
            }
            K::ConnectionReset | K::ConnectionAborted => ("the connection was refused", ""),
            _ => ("the connection failed", ""),
        };
        let message = format!("cannot connect to {peer}: {why}{hint}");
        // The system has given up before our limit did: the same kind of error.
        let kind = if cause == K::TimedOut { ErrorKind::Timeout } else { peer.kind() };
        Self::new(ConnectStage::Connecting, kind, message).retryable()
    }

    /// The connection to the proxy broke while it was asked for a way to the server.
    pub(crate) fn broken_proxy(proxy: &Proxy) -> Self {
        let hint = match proxy.scheme() {
            ProxyScheme::Socks5 => "is it a SOCKS 5 proxy?",
            ProxyScheme::Http | ProxyScheme::Https => "is it an HTTP proxy?",
        };
        let message =
            format!("the proxy {proxy} closed the connection before it had answered; {hint}");
        Self::new(ConnectStage::Proxy, ErrorKind::Proxy, message).retryable()
    }

    /// The proxy answered, and does not do what it was asked for.
    pub(crate) fn refused_by_proxy(message: impl Into<String>) -> Self {
        Self::new(ConnectStage::Proxy, ErrorKind::Proxy, message)
    }

    /// No TLS with the proxy.
    #[cfg(feature = "tls")]
    pub(crate) fn no_tls_with_proxy(proxy: &Proxy, cause: &io::Error) -> Self {
        let why = match super::find_tls_error(cause) {
            Some(rustls::Error::InvalidMessage(_)) => {
                "it does not speak TLS on this port; give http://host:port".to_owned()
            }
            Some(error) => super::describe_tls_error(error).replace("the server", "the proxy"),
            None => "it closed the connection in the handshake".to_owned(),
        };
        let message = format!("no TLS connection to the proxy {proxy}: {why}");
        Self::new(ConnectStage::Proxy, ErrorKind::Proxy, message)
    }

    /// TLS works, and the server speaks HTTP/1 only.
    #[cfg(all(feature = "query", feature = "tls"))]
    pub(crate) fn no_http2(endpoint: &Endpoint) -> Self {
        let message = format!(
            "{endpoint} does not offer HTTP/2 over TLS, which queries need; is a proxy in between that speaks \
             HTTP/1 only? (.over_http(true) asks over HTTP/1.1)"
        );
        Self::new(ConnectStage::Handshake, ErrorKind::Tls, message)
    }

    /// The host is called what no certificate can be for.
    #[cfg(feature = "tls")]
    pub(crate) fn unnameable(peer: Peer<'_>) -> Self {
        let message = format!("no TLS connection to {peer}: no certificate can be for that name");
        Self::new(ConnectStage::Handshake, ErrorKind::Tls, message)
    }

    /// In the handshake with the server, the connection broke, or the bytes received were no TLS.
    #[cfg(feature = "tls")]
    pub(crate) fn unfinished_handshake(endpoint: &Endpoint, cause: &io::Error) -> Self {
        if let Some(error) = super::find_tls_error(cause) {
            let why = super::describe_tls_error(error);
            let message = format!("no TLS connection to {endpoint}: {why}");
            return Self::new(ConnectStage::Handshake, ErrorKind::Tls, message);
        }
        let message = match cause.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => format!(
                "{endpoint} closed the connection in the TLS handshake; is it a TLS port? (http:// speaks without)"
            ),
            _ => format!("the TLS handshake with {endpoint} failed"),
        };
        Self::new(ConnectStage::Handshake, ErrorKind::Tls, message).retryable()
    }

    /// The time for connecting was over in this stage.
    pub(crate) fn timed_out(
        stage: ConnectStage,
        endpoint: &Endpoint,
        proxy: Option<&Proxy>,
        limit: Limit,
    ) -> Self {
        let peer = Peer::first(endpoint, proxy);
        let message = match (stage, proxy) {
            (ConnectStage::Resolving, _) => {
                format!(
                    "the host name of {peer} did not resolve {limit}; does the name server answer?"
                )
            }
            (ConnectStage::Proxy, Some(proxy)) => {
                format!("the proxy {proxy} opened no way to {endpoint} {limit}")
            }
            (ConnectStage::Connecting | ConnectStage::Proxy, _) => format!(
                "{peer} did not accept a connection {limit}; is the address right, and does no firewall stand in \
                 between?"
            ),
            #[cfg(feature = "tls")]
            (ConnectStage::Handshake, _) => {
                format!("{endpoint} did not end the TLS handshake {limit}; is it a TLS port?")
            }
        };
        Self::new(stage, ErrorKind::Timeout, message).retryable()
    }

    /// There is no connection yet, and whoever waits for one waits no longer, however far it has come.
    #[cfg(feature = "query")]
    pub(crate) fn not_within(limit: Limit, host: &Host) -> Self {
        let message = match &host.proxy {
            Some(proxy) => {
                format!("no connection to {host} came about {limit}, by way of the proxy {proxy}")
            }
            None => format!(
                "no connection to {host} came about {limit}; is the address right, and does no firewall stand in between?"
            ),
        };
        Self::new(ConnectStage::Connecting, ErrorKind::Timeout, message).retryable()
    }

    #[cfg(feature = "query")]
    pub(crate) fn is_timeout(&self) -> bool {
        self.kind == ErrorKind::Timeout
    }

    pub(crate) fn retryable(self) -> Self {
        Self { is_retryable: true, ..self }
    }

    pub(crate) fn because(self, cause: impl StdError + Send + Sync + 'static) -> Self {
        Self { cause: Some(Arc::new(cause)), ..self }
    }

    pub(crate) fn began(self, began: Instant) -> Self {
        Self { began, ..self }
    }

    /// The caller's error. Nothing of a request was sent.
    pub(crate) fn to_error(&self) -> Error {
        let Self { stage, began, .. } = self;
        log::debug!("connecting, begun {:?} ago, ended at {stage:?}: {self}", began.elapsed());
        let error = Error::new(self.kind, &*self.message)
            .with_retryable(self.is_retryable)
            .with_host_failure(true);
        match &self.cause {
            Some(cause) => error.with_source(SharedCause(Arc::clone(cause))),
            None => error,
        }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for ConnectError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

impl<'a> Peer<'a> {
    pub(crate) fn first(endpoint: &'a Endpoint, proxy: Option<&'a Proxy>) -> Self {
        proxy.map_or(Self::Server(endpoint), Self::Proxy)
    }

    /// As it stands in a URL: IPv6 addresses in brackets.
    pub(crate) fn host(&self) -> &'a str {
        match self {
            Self::Server(endpoint) => endpoint.host(),
            Self::Proxy(proxy) => proxy.host(),
        }
    }

    /// IPv6 addresses without brackets.
    pub(crate) fn bare_host(&self) -> &'a str {
        self.host().trim_start_matches('[').trim_end_matches(']')
    }

    pub(crate) fn port(&self) -> u16 {
        match self {
            Self::Server(endpoint) => endpoint.port(),
            Self::Proxy(proxy) => proxy.port(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::Server(_) => ErrorKind::Connect,
            Self::Proxy(_) => ErrorKind::Proxy,
        }
    }

    fn refused_hint(&self) -> &'static str {
        match self {
            Self::Server(endpoint) if endpoint.port() == 8181 => "; is the server running?",
            Self::Server(_) => {
                "; is the server running, and is this its port? (InfluxDB 3 itself: 8181)"
            }
            Self::Proxy(_) => "; is the proxy running, and are host and port right?",
        }
    }
}

impl fmt::Display for Peer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(endpoint) => endpoint.fmt(f),
            Self::Proxy(proxy) => write!(f, "the proxy {proxy}"),
        }
    }
}

/// `within 10s (connect_timeout)`
impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "within {:?} ({})", self.time, self.setting)
    }
}

/// A cause that several owners have.
#[derive(Debug)]
struct SharedCause(Arc<dyn StdError + Send + Sync>);

impl fmt::Display for SharedCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for SharedCause {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}
