use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{ConnectError, Endpoint, Proxy, TunnelStep};

/// `CONNECT host:port HTTP/1.1` (RFC 9110, 9.3.6).
pub(crate) struct ConnectMethod<'a> {
    proxy: &'a Proxy,
    server: &'a Endpoint,
    is_sent: bool,
    head: Vec<u8>,
}

impl<'a> ConnectMethod<'a> {
    pub(super) fn new(proxy: &'a Proxy, server: &'a Endpoint) -> Self {
        Self { proxy, server, is_sent: false, head: Vec::new() }
    }

    pub(super) fn step(&mut self, received: &[u8]) -> Result<TunnelStep, ConnectError> {
        if !self.is_sent {
            self.is_sent = true;
            return Ok(TunnelStep::Send(self.request()));
        }
        self.head.extend_from_slice(received);
        let is_line = self.head.ends_with(b"\n");
        if is_line && !self.head.starts_with(b"HTTP/") || self.head.starts_with(&[TLS_ALERT, 3]) {
            return Err(self.no_http());
        }
        if self.head.ends_with(b"\r\n\r\n") || self.head.ends_with(b"\n\n") {
            return self.judge();
        }
        if self.head.len() > LONGEST_HEAD {
            return Err(ConnectError::refused_by_proxy(format!(
                "the answer of the proxy {} has no end",
                self.proxy
            )));
        }
        // Byte by byte: what follows the head may be from the server, which may speak first.
        Ok(TunnelStep::Receive(1))
    }

    fn request(&self) -> Vec<u8> {
        let target = format!("{}:{}", self.server.host(), self.server.port());
        let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
        if let Some((user, password)) = self.proxy.credentials() {
            let credentials = STANDARD.encode(format!("{user}:{password}"));
            request.push_str(&format!("Proxy-Authorization: Basic {credentials}\r\n"));
        }
        request.push_str("\r\n");
        request.into_bytes()
    }

    fn judge(&self) -> Result<TunnelStep, ConnectError> {
        let head = String::from_utf8_lossy(&self.head);
        let line = head.lines().next().unwrap_or_default();
        let (proxy, server) = (self.proxy, self.server);
        let status = line.split_ascii_whitespace().nth(1).unwrap_or_default();
        let status: u16 = status.parse().unwrap_or(0);
        match status {
            200..=299 => Ok(TunnelStep::Done),
            // tinyproxy asks for credentials with 401, others with 407.
            401 | 407 => Err(ConnectError::refused_by_proxy(match self.proxy.credentials() {
                Some(_) => format!(
                    "the proxy {proxy} does not accept the user and password that it was given (status {status}){}",
                    schemes(&head)
                ),
                None => format!(
                    "the proxy {proxy} wants a user and password (status {status}): give {}://user:password@host:port{}",
                    proxy.scheme(),
                    schemes(&head)
                ),
            })),
            403 | 405 | 501 => Err(ConnectError::refused_by_proxy(format!(
                "the proxy {proxy} refuses a tunnel to {server} ({line:?}): it has to allow CONNECT to port {} \
                 (http:// goes through a tunnel, too)",
                server.port()
            ))),
            _ => {
                let error = ConnectError::refused_by_proxy(format!(
                    "the proxy {proxy} opens no tunnel to {server} ({line:?})"
                ));
                let may_pass = matches!(status, 408 | 429 | 500 | 502..=504);
                Err(if may_pass { error.retryable() } else { error })
            }
        }
    }

    fn no_http(&self) -> ConnectError {
        let proxy = self.proxy;
        if self.head.first() == Some(&TLS_ALERT) {
            return ConnectError::refused_by_proxy(format!(
                "the proxy {proxy} speaks TLS: give https://host:port"
            ));
        }
        let line = String::from_utf8_lossy(&self.head);
        ConnectError::refused_by_proxy(format!(
            "the proxy {proxy} answered {:?}: is it an HTTP proxy?",
            line.trim_end()
        ))
    }
}

/// What other ways to authenticate than Basic the proxy has, if it does not have that.
fn schemes(head: &str) -> String {
    let offered: Vec<_> = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| name.eq_ignore_ascii_case("proxy-authenticate"))
        .filter_map(|(_, value)| value.split_ascii_whitespace().next())
        .collect();
    if offered.is_empty() || offered.iter().any(|scheme| scheme.eq_ignore_ascii_case("basic")) {
        return String::new();
    }
    format!("; it knows {} only, and this client Basic only", offered.join(", "))
}

/// The first byte of a TLS record that carries an alert.
const TLS_ALERT: u8 = 0x15;

const LONGEST_HEAD: usize = 16 << 10;
