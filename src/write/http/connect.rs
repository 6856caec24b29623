//! How a connection for writes is made: name, addresses, the proxy and TLS, within one time limit.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::http::Uri;
use ureq::http::uri::InvalidUri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    ConnectionDetails, Connector as UreqConnector, NextTimeout, TcpConnector, Transport,
    TransportAdapter,
};

#[cfg(feature = "tls")]
use super::tls::TlsTransport;
use crate::config::Config;
use crate::transport::{ConnectError, ConnectStage, Host, Limit, Peer, Proxy, Tunnel, TunnelStep};
#[cfg(feature = "tls")]
use crate::transport::{ProxyScheme, Tls, name_of};

/// Opens connections to one server, through the proxy if there is one. A name is looked up for each connection, and
/// not for a request that finds one.
#[derive(Debug)]
pub(super) struct Connector {
    host: Arc<Host>,
    #[cfg(feature = "tls")]
    tls: Tls,
    connect_timeout: Duration,
}

/// For ureq, which asks before each request, also where a connection is there.
#[derive(Debug)]
pub(super) struct NoResolver;

impl Resolver for NoResolver {
    fn resolve(
        &self,
        _: &Uri,
        _: &ureq::config::Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        Ok(self.empty())
    }
}

impl UreqConnector for Connector {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        let deadline = Deadline::new(details, self.connect_timeout);
        match self.open(details, &deadline) {
            Ok(stream) => {
                let host = details.uri.authority().map_or("", |host| host.as_str());
                log::debug!("connected to {host} for writes in {:?}", deadline.began.elapsed());
                Ok(Some(stream))
            }
            Err(error) => Err(ureq::Error::Other(Box::new(error.began(deadline.began)))),
        }
    }
}

impl Connector {
    pub(super) fn new(config: &Config, host: Arc<Host>) -> Self {
        Self {
            host,
            #[cfg(feature = "tls")]
            tls: config.tls.clone(),
            connect_timeout: config.connect_timeout,
        }
    }

    fn open(
        &self,
        details: &ConnectionDetails<'_>,
        deadline: &Deadline,
    ) -> Result<Box<dyn Transport>, ConnectError> {
        let Host { endpoint, proxy } = &*self.host;
        let peer = Peer::first(endpoint, proxy.as_ref());
        let timed_out = |stage| self.timed_out(stage, deadline);
        let uri: Uri = format!("http://{}:{}", peer.host(), peer.port())
            .parse()
            .map_err(|error: InvalidUri| ConnectError::unresolved(peer).because(error))?;
        let addresses = match resolve(peer, &uri, details, deadline) {
            Ok(addresses) => addresses,
            Err(ureq::Error::Timeout(_)) => return Err(timed_out(ConnectStage::Resolving)),
            Err(error) => return Err(ConnectError::unresolved(peer).because(error)),
        };
        let mut stream = match connect_tcp(&uri, addresses, details, deadline) {
            Ok(stream) => stream,
            Err(ureq::Error::Timeout(_)) => return Err(timed_out(ConnectStage::Connecting)),
            Err(ureq::Error::Io(error)) => {
                return Err(ConnectError::unconnected(peer, error.kind()).because(error));
            }
            Err(error) => {
                return Err(ConnectError::unconnected(peer, io::ErrorKind::Other).because(error));
            }
        };
        if let Some(proxy) = proxy {
            stream = self.open_tunnel(proxy, stream, details, deadline)?;
        }
        #[cfg(feature = "tls")]
        if endpoint.is_tls() {
            let (config, name) = (self.tls.config(), self.tls.server_name(endpoint)?);
            let timeout = deadline.next(details.timeout);
            return match TlsTransport::connect(config, name, stream, details, timeout) {
                Ok(stream) => Ok(Box::new(stream)),
                Err(error) if is_timeout(&error) => Err(timed_out(ConnectStage::Handshake)),
                Err(error) => {
                    Err(ConnectError::unfinished_handshake(endpoint, &error).because(error))
                }
            };
        }
        Ok(stream)
    }

    fn open_tunnel(
        &self,
        proxy: &Proxy,
        stream: Box<dyn Transport>,
        details: &ConnectionDetails<'_>,
        deadline: &Deadline,
    ) -> Result<Box<dyn Transport>, ConnectError> {
        #[cfg(feature = "tls")]
        let stream = if proxy.scheme() == ProxyScheme::Https {
            let (config, name) = (self.tls.config(), name_of(Peer::Proxy(proxy))?);
            let timeout = deadline.next(details.timeout);
            match TlsTransport::connect(config, name, stream, details, timeout) {
                Ok(stream) => Box::new(stream),
                Err(error) if is_timeout(&error) => {
                    return Err(self.timed_out(ConnectStage::Proxy, deadline));
                }
                Err(error) => {
                    return Err(ConnectError::no_tls_with_proxy(proxy, &error).because(error));
                }
            }
        } else {
            stream
        };
        let broken = |error: io::Error| {
            if is_timeout(&error) {
                return self.timed_out(ConnectStage::Proxy, deadline);
            }
            ConnectError::broken_proxy(proxy).because(error)
        };
        let mut stream = TransportAdapter::new(stream, details.current_time.clone());
        stream.set_timeout(deadline.next(details.timeout));
        let mut tunnel = Tunnel::new(proxy, &self.host.endpoint);
        let mut received = Vec::new();
        loop {
            match tunnel.step(&received)? {
                TunnelStep::Send(bytes) => {
                    stream.write_all(&bytes).map_err(broken)?;
                    received.clear();
                }
                TunnelStep::Receive(count) => {
                    received.resize(count, 0);
                    stream.read_exact(&mut received).map_err(broken)?;
                }
                TunnelStep::Done => return Ok(stream.into_inner()),
            }
        }
    }

    fn timed_out(&self, stage: ConnectStage, deadline: &Deadline) -> ConnectError {
        let Host { endpoint, proxy } = &*self.host;
        ConnectError::timed_out(stage, endpoint, proxy.as_ref(), deadline.limit)
    }
}

/// The end of the time for connecting, all of its stages together.
struct Deadline {
    began: Instant,
    /// None if there is none.
    time: Option<Duration>,
    limit: Limit,
}

impl Deadline {
    /// `connect_timeout` is the limit unless the request as a whole has less time, or other hosts want their share of
    /// it.
    fn new(details: &ConnectionDetails<'_>, connect_timeout: Duration) -> Self {
        let time = match details.timeout.after {
            after if after.is_not_happening() => None,
            after => Some(*after),
        };
        let timeouts = details.config.timeouts();
        let limit = match (timeouts.connect, timeouts.global) {
            (Some(share), Some(global)) if share < connect_timeout.min(global) => {
                Limit { time: share, setting: "its share of write_timeout" }
            }
            (_, Some(global)) if global < connect_timeout => {
                Limit { time: global, setting: "write_timeout" }
            }
            _ => Limit { time: connect_timeout, setting: "connect_timeout" },
        };
        Self { began: Instant::now(), time, limit }
    }

    /// What is left, as ureq wants it.
    fn next(&self, timeout: NextTimeout) -> NextTimeout {
        match self.time {
            None => timeout,
            Some(time) => {
                NextTimeout { after: time.saturating_sub(self.began.elapsed()).into(), ..timeout }
            }
        }
    }
}

/// The system is asked in a thread of its own, which is abandoned when the time is over; not for an address.
fn resolve(
    peer: Peer<'_>,
    uri: &Uri,
    details: &ConnectionDetails<'_>,
    deadline: &Deadline,
) -> Result<ResolvedSocketAddrs, ureq::Error> {
    let resolver = DefaultResolver::default();
    let Ok(address) = peer.bare_host().parse::<IpAddr>() else {
        return resolver.resolve(uri, details.config, deadline.next(details.timeout));
    };
    let mut addresses = resolver.empty();
    addresses.push(SocketAddr::new(address, peer.port()));
    Ok(addresses)
}

fn connect_tcp(
    uri: &Uri,
    addrs: ResolvedSocketAddrs,
    details: &ConnectionDetails<'_>,
    deadline: &Deadline,
) -> Result<Box<dyn Transport>, ureq::Error> {
    let details = ConnectionDetails {
        uri,
        addrs,
        config: details.config,
        request_level: details.request_level,
        resolver: details.resolver,
        now: (details.current_time)(),
        timeout: deadline.next(details.timeout),
        current_time: details.current_time.clone(),
        run_connector: details.run_connector.clone(),
        register_shutdown: details.register_shutdown.clone(),
    };
    match TcpConnector::default().connect(&details, None::<()>)? {
        Some(stream) => Ok(Box::new(stream)),
        None => Err(ureq::Error::ConnectionFailed),
    }
}

fn is_timeout(error: &io::Error) -> bool {
    let wrapped = error.get_ref().and_then(|error| error.downcast_ref::<ureq::Error>());
    matches!(wrapped, Some(ureq::Error::Timeout(_))) || error.kind() == io::ErrorKind::TimedOut
}
