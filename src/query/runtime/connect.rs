//! From a host to a connection that is ready for HTTP: its name, its addresses, the proxy, TLS, all within one time limit.

use std::error::Error as StdError;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
#[cfg(feature = "tls")]
use tokio_rustls::TlsConnector;
use tower_service::Service;

use super::addresses::Addresses;
use crate::config::Config;
use crate::transport::{ConnectError, ConnectStage, Host, Limit, Peer, Proxy, Tunnel, TunnelStep};
#[cfg(feature = "tls")]
use crate::transport::{ProxyScheme, name_of};

/// Opens connections to one server, through the proxy if there is one.
#[derive(Clone)]
pub(crate) struct HostConnector {
    config: Arc<Config>,
    host: Arc<Host>,
    #[cfg(feature = "tls")]
    tls: TlsConnector,
    #[cfg(feature = "tls")]
    proxy_tls: TlsConnector,
    /// Whether the handshake has to agree on HTTP/2 (ALPN).
    #[cfg(feature = "tls")]
    is_http2: bool,
}

/// A connection to a host that HTTP runs on: TCP, TLS, or either in the TLS of a proxy.
pub(crate) type HostStream = Box<dyn Socket>;

pub(crate) trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Socket for T {}

impl HostConnector {
    pub(crate) fn new(config: &Arc<Config>, host: Arc<Host>) -> Self {
        Self {
            config: Arc::clone(config),
            host,
            #[cfg(feature = "tls")]
            tls: config.tls.http2_config().into(),
            #[cfg(feature = "tls")]
            proxy_tls: config.tls.config().into(),
            #[cfg(feature = "tls")]
            is_http2: true,
        }
    }

    #[cfg(feature = "parquet")]
    pub(crate) fn for_http1(config: &Arc<Config>, host: Arc<Host>) -> Self {
        Self {
            #[cfg(feature = "tls")]
            tls: config.tls.config().into(),
            #[cfg(feature = "tls")]
            is_http2: false,
            ..Self::new(config, host)
        }
    }

    /// What the server says to a client that begins to speak HTTP/2, if it speaks something else: the beginning of
    /// that. Empty if it speaks HTTP/2 or says nothing.
    ///
    /// It takes a connection of its own: to be asked only after a call failed and left this open.
    pub(crate) async fn first_bytes(&self) -> Vec<u8> {
        let mut received = Vec::new();
        if let Ok(stream) = self.clone().connect().await {
            let listening = listen(stream, &mut received);
            let _ = tokio::time::timeout(self.config.connect_timeout.min(MOMENT), listening).await;
        }
        received
    }

    async fn connect(self) -> Result<HostStream, ConnectError> {
        let began = Instant::now();
        self.open(ConnectDeadline::new(began, self.config.connect_timeout))
            .await
            .map_err(|error| error.began(began))
    }

    async fn open(&self, deadline: ConnectDeadline) -> Result<HostStream, ConnectError> {
        let (endpoint, proxy) = (&self.host.endpoint, self.host.proxy.as_ref());
        let peer = Peer::first(endpoint, proxy);
        let timed_out =
            |stage| move || ConnectError::timed_out(stage, endpoint, proxy, deadline.limit());

        let addresses = deadline.within(resolve(peer), timed_out(ConnectStage::Resolving)).await?;
        let connecting = connect_tcp(peer, addresses, deadline.left());
        let mut stream = deadline.within(connecting, timed_out(ConnectStage::Connecting)).await?;
        if let Some(proxy) = proxy {
            let tunnelling = self.open_tunnel(proxy, stream);
            stream = deadline.within(tunnelling, timed_out(ConnectStage::Proxy)).await?;
        }
        #[cfg(feature = "tls")]
        if endpoint.is_tls() {
            let handshake = self.handshake(stream);
            stream = deadline.within(handshake, timed_out(ConnectStage::Handshake)).await?;
        }
        Ok(stream)
    }

    async fn open_tunnel(
        &self,
        proxy: &Proxy,
        stream: HostStream,
    ) -> Result<HostStream, ConnectError> {
        #[cfg(feature = "tls")]
        let stream = if proxy.scheme() == ProxyScheme::Https {
            let name = name_of(Peer::Proxy(proxy))?;
            let stream =
                self.proxy_tls.connect(name, stream).await.map_err(|error| {
                    ConnectError::no_tls_with_proxy(proxy, &error).because(error)
                })?;
            Box::new(stream)
        } else {
            stream
        };
        let mut stream = stream;
        let broken = |error: io::Error| ConnectError::broken_proxy(proxy).because(error);
        let mut tunnel = Tunnel::new(proxy, &self.host.endpoint);
        let mut received = Vec::new();
        loop {
            match tunnel.step(&received)? {
                TunnelStep::Send(bytes) => {
                    stream.write_all(&bytes).await.map_err(broken)?;
                    stream.flush().await.map_err(broken)?;
                    received.clear();
                }
                TunnelStep::Receive(count) => {
                    received.resize(count, 0);
                    stream.read_exact(&mut received).await.map_err(broken)?;
                }
                TunnelStep::Done => return Ok(stream),
            }
        }
    }

    #[cfg(feature = "tls")]
    async fn handshake(&self, stream: HostStream) -> Result<HostStream, ConnectError> {
        let endpoint = &self.host.endpoint;
        let name = self.config.tls.server_name(endpoint)?;
        let stream =
            self.tls.connect(name, stream).await.map_err(|error| {
                ConnectError::unfinished_handshake(endpoint, &error).because(error)
            })?;
        // A server that knows no ALPN agrees on nothing, and speaks HTTP/1.
        match stream.get_ref().1.alpn_protocol() {
            Some(b"h2") => Ok(Box::new(stream)),
            _ if !self.is_http2 => Ok(Box::new(stream)),
            _ => Err(ConnectError::no_http2(endpoint)),
        }
    }
}

/// How long a server has time for its first bytes: `connect_timeout` if that is shorter.
const MOMENT: Duration = Duration::from_secs(1);

/// Begins HTTP/2 and reads the server's first bytes into `received`, which stays empty if they are HTTP/2.
async fn listen(mut stream: HostStream, received: &mut Vec<u8>) {
    const ENOUGH: usize = 512;
    // What a client begins with (RFC 9113, 3.4): the preface, and a SETTINGS frame without settings.
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    // A server of HTTP/2 begins with a SETTINGS frame: three bytes of its length, and this type.
    const SETTINGS: u8 = 4;
    // An error is no reason to stop: a server that refuses this may close before it has read all, and say why.
    let _ = stream.write_all(PREFACE).await;
    let mut chunk = [0; ENOUGH];
    while received.len() < ENOUGH {
        match stream.read(&mut chunk).await {
            Ok(count) if count > 0 => received.extend_from_slice(&chunk[..count]),
            _ => return,
        }
        if matches!(received[..], [0, _, _, SETTINGS, ..]) {
            return received.clear();
        }
    }
}

impl Service<Uri> for HostConnector {
    type Response = TokioIo<HostStream>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let connecting = self.clone().connect();
        Box::pin(async { connecting.await.map(TokioIo::new) })
    }
}

/// The end of the time for connecting, all of its stages together.
#[derive(Clone, Copy)]
struct ConnectDeadline {
    began: Instant,
    time: Duration,
}

impl ConnectDeadline {
    fn new(began: Instant, time: Duration) -> Self {
        Self { began, time }
    }

    fn limit(self) -> Limit {
        Limit { time: self.time, setting: "connect_timeout" }
    }

    fn left(self) -> Duration {
        self.time.saturating_sub(self.began.elapsed())
    }

    async fn within<T>(
        self,
        work: impl Future<Output = Result<T, ConnectError>>,
        timed_out: impl FnOnce() -> ConnectError,
    ) -> Result<T, ConnectError> {
        match tokio::time::timeout(self.left(), work).await {
            Ok(Err(error)) if self.left().is_zero() && error.is_timeout() => Err(timed_out()),
            Ok(result) => result,
            Err(_) => Err(timed_out()),
        }
    }
}

async fn resolve(peer: Peer<'_>) -> Result<Vec<SocketAddr>, ConnectError> {
    let found = tokio::net::lookup_host((peer.bare_host(), peer.port())).await;
    let found: Vec<_> =
        found.map_err(|error| ConnectError::unresolved(peer).because(error))?.collect();
    if found.is_empty() { Err(ConnectError::unresolved(peer)) } else { Ok(found) }
}

/// A connection to whichever address answers first, of either family.
async fn connect_tcp(
    peer: Peer<'_>,
    addresses: Vec<SocketAddr>,
    time: Duration,
) -> Result<HostStream, ConnectError> {
    let mut connector = HttpConnector::new_with_resolver(Addresses::new(addresses));
    connector.set_nodelay(true);
    connector.set_keepalive(Some(Duration::from_secs(60)));
    // hyper shares this among the addresses, so that one that does not answer leaves time for the next.
    connector.set_connect_timeout(Some(time));
    let uri: Uri = format!("http://{}:{}", peer.host(), peer.port())
        .parse()
        .map_err(|error: http::uri::InvalidUri| ConnectError::unresolved(peer).because(error))?;
    let connected = match poll_fn(|cx| connector.poll_ready(cx)).await {
        Ok(()) => connector.call(uri).await,
        Err(error) => Err(error),
    };
    match connected {
        Ok(stream) => Ok(Box::new(stream.into_inner())),
        Err(error) => {
            let cause = io_error(&error);
            Err(ConnectError::unconnected(peer, cause.kind()).because(cause))
        }
    }
}

/// The first I/O error in the chain of causes, without its own cause; if there is none, the text of the error as one.
fn io_error(error: &(dyn StdError + 'static)) -> io::Error {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return match error.raw_os_error() {
                Some(code) => io::Error::from_raw_os_error(code),
                None => error.kind().into(),
            };
        }
        cause = error.source();
    }
    io::Error::other(error.to_string())
}
