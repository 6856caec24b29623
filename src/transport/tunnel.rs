use super::connect_method::ConnectMethod;
use super::socks5::Socks5;
use super::{ConnectError, Endpoint, Proxy, ProxyScheme, Step};

/// The exchange by which a proxy opens a way to the server, without any I/O: both paths do what it says.
///
/// Not a byte is asked for that may belong to the server.
pub(crate) enum Tunnel<'a> {
    ConnectMethod(ConnectMethod<'a>),
    Socks5(Socks5<'a>),
}

impl<'a> Tunnel<'a> {
    pub(crate) fn new(proxy: &'a Proxy, server: &'a Endpoint) -> Self {
        match proxy.scheme() {
            ProxyScheme::Http | ProxyScheme::Https => {
                Self::ConnectMethod(ConnectMethod::new(proxy, server))
            }
            ProxyScheme::Socks5 => Self::Socks5(Socks5::new(proxy, server)),
        }
    }

    /// Takes what was received, at first nothing.
    pub(crate) fn step(&mut self, received: &[u8]) -> Result<Step, ConnectError> {
        match self {
            Self::ConnectMethod(method) => method.step(received),
            Self::Socks5(socks) => socks.step(received),
        }
    }
}
