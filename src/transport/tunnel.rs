use super::connect_method::ConnectMethod;
use super::socks5::Socks5;
use super::{ConnectError, Endpoint, Proxy, ProxyScheme, TunnelStep};

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
    pub(crate) fn step(&mut self, received: &[u8]) -> Result<TunnelStep, ConnectError> {
        match self {
            Self::ConnectMethod(method) => method.step(received),
            Self::Socks5(socks) => socks.step(received),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes each step with what `receive` gives.
    fn run(proxy: &Proxy, mut receive: impl FnMut(usize) -> Vec<u8>) -> Result<(), ConnectError> {
        let server = Endpoint::parse("http://influx.example.io:8181").unwrap();
        let mut tunnel = Tunnel::new(proxy, &server);
        let mut received = Vec::new();
        loop {
            received = match tunnel.step(&received)? {
                TunnelStep::Send(bytes) => {
                    assert!(!bytes.is_empty());
                    Vec::new()
                }
                TunnelStep::Receive(count) => {
                    assert!((1..=257).contains(&count), "{count}");
                    receive(count)
                }
                TunnelStep::Done => return Ok(()),
            };
        }
    }

    #[test]
    fn whatever_a_proxy_says_the_exchange_comes_to_an_end() {
        let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = move || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed
        };
        let (mut open, mut refused) = (0, 0);
        for (text, good) in [
            ("http://a:b@p", &b"HTTP/1.1 200 OK\r\nVia: x\r\n\r\n"[..]),
            ("socks5://p", b"\x05\0\x05\0\0\x01\x7f\0\0\x01\0\x50"),
            ("socks5://a:b@p", b"\x05\x02\x01\0\x05\0\0\x03\x04here\0\x50"),
        ] {
            let proxy = Proxy::parse(text).unwrap();
            for _ in 0..1_000 {
                // What a proxy would say, with a byte in sixteen changed, and then anything.
                let mut words = good.iter().copied();
                let outcome = run(&proxy, |count| {
                    let byte = |_| match (random(), words.next()) {
                        (any, Some(word)) if any % 16 != 0 => word,
                        (any, _) => any.to_le_bytes()[1],
                    };
                    (0..count).map(byte).collect()
                });
                match outcome {
                    Ok(()) => open += 1,
                    Err(error) => {
                        assert!(error.message.contains("the proxy"), "{error}");
                        refused += 1;
                    }
                }
            }
        }
        assert!(open > 100 && refused > 100, "{open} {refused}");
    }

    #[test]
    fn an_answer_without_an_end_is_given_up() {
        let proxy = Proxy::parse("http://p").unwrap();
        let mut head = b"HTTP/1.1 200 OK\r\n".iter().copied().chain(std::iter::repeat(b'x'));
        let error = run(&proxy, |count| head.by_ref().take(count).collect()).unwrap_err();
        assert_eq!(error.to_string(), "the answer of the proxy http://p:80 has no end");
    }
}
