use std::net::{Ipv4Addr, Ipv6Addr};

use super::{ConnectError, Endpoint, Proxy, TunnelStep};

/// SOCKS 5: RFC 1928, with the user and password of RFC 1929.
pub(crate) struct Socks5<'a> {
    proxy: &'a Proxy,
    server: &'a Endpoint,
    state: Socks5State,
}

/// What was done last.
#[derive(Clone, Copy)]
enum Socks5State {
    Start,
    GreetingSent,
    MethodAsked,
    PasswordSent,
    PasswordAsked,
    RequestSent,
    ReplyAsked,
    NameLengthAsked,
    AddressAsked,
}

impl<'a> Socks5<'a> {
    pub(super) fn new(proxy: &'a Proxy, server: &'a Endpoint) -> Self {
        Self { proxy, server, state: Socks5State::Start }
    }

    pub(super) fn step(&mut self, received: &[u8]) -> Result<TunnelStep, ConnectError> {
        use Socks5State as S;
        let (state, step) = match (self.state, received) {
            (S::Start, _) => (S::GreetingSent, TunnelStep::Send(self.greeting())),
            (S::GreetingSent, _) => (S::MethodAsked, TunnelStep::Receive(2)),
            (S::MethodAsked, [VERSION, NO_AUTHENTICATION]) => {
                (S::RequestSent, TunnelStep::Send(self.request()?))
            }
            (S::MethodAsked, [VERSION, USER_AND_PASSWORD]) => match self.password() {
                Some(message) => (S::PasswordSent, TunnelStep::Send(message)),
                None => return Err(self.no_method()),
            },
            (S::MethodAsked, [VERSION, _]) => return Err(self.no_method()),
            (S::PasswordSent, _) => (S::PasswordAsked, TunnelStep::Receive(2)),
            (S::PasswordAsked, [_, 0]) => (S::RequestSent, TunnelStep::Send(self.request()?)),
            (S::PasswordAsked, [_, _]) => {
                return Err(ConnectError::refused_by_proxy(format!(
                    "the proxy {} does not accept the user and password that it was given",
                    self.proxy
                )));
            }
            (S::RequestSent, _) => (S::ReplyAsked, TunnelStep::Receive(4)),
            // The address that the proxy connects from follows: of no use here, but to be read.
            (S::ReplyAsked, [VERSION, 0, _, IPV4]) => (S::AddressAsked, TunnelStep::Receive(4 + 2)),
            (S::ReplyAsked, [VERSION, 0, _, NAME]) => (S::NameLengthAsked, TunnelStep::Receive(1)),
            (S::ReplyAsked, [VERSION, 0, _, IPV6]) => {
                (S::AddressAsked, TunnelStep::Receive(16 + 2))
            }
            (S::ReplyAsked, [VERSION, code, ..]) if *code != 0 => {
                return Err(self.no_tunnel(*code));
            }
            (S::NameLengthAsked, [length]) => {
                (S::AddressAsked, TunnelStep::Receive(usize::from(*length) + 2))
            }
            (S::AddressAsked, _) => (S::AddressAsked, TunnelStep::Done),
            _ => {
                return Err(ConnectError::refused_by_proxy(format!(
                    "the proxy {} does not speak SOCKS 5; is it an HTTP proxy? (then give http://host:port)",
                    self.proxy
                )));
            }
        };
        self.state = state;
        Ok(step)
    }

    fn greeting(&self) -> Vec<u8> {
        match self.proxy.credentials() {
            Some(_) => vec![VERSION, 2, NO_AUTHENTICATION, USER_AND_PASSWORD],
            None => vec![VERSION, 1, NO_AUTHENTICATION],
        }
    }

    fn password(&self) -> Option<Vec<u8>> {
        let (user, password) = self.proxy.credentials()?;
        let mut message = vec![1];
        for text in [user, password] {
            message.push(u8::try_from(text.len()).ok()?);
            message.extend_from_slice(text.as_bytes());
        }
        Some(message)
    }

    fn request(&self) -> Result<Vec<u8>, ConnectError> {
        const CONNECT: u8 = 1;
        let mut message = vec![VERSION, CONNECT, 0];
        let host = self.server.host();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse::<Ipv4Addr>() {
            message.push(IPV4);
            message.extend_from_slice(&address.octets());
        } else if let Ok(address) = bare.parse::<Ipv6Addr>() {
            message.push(IPV6);
            message.extend_from_slice(&address.octets());
        } else {
            let length = u8::try_from(host.len()).map_err(|_| {
                ConnectError::refused_by_proxy(
                    "the name of the host is longer than SOCKS 5 can carry (255 bytes)",
                )
            })?;
            message.extend([NAME, length]);
            message.extend_from_slice(host.as_bytes());
        }
        message.extend_from_slice(&self.server.port().to_be_bytes());
        Ok(message)
    }

    fn no_method(&self) -> ConnectError {
        let proxy = self.proxy;
        ConnectError::refused_by_proxy(match proxy.credentials() {
            Some(_) => format!(
                "the proxy {proxy} accepts neither a user and password nor a client without them"
            ),
            None => format!(
                "the proxy {proxy} wants a user and password: give socks5://user:password@host:port"
            ),
        })
    }

    fn no_tunnel(&self, code: u8) -> ConnectError {
        let (why, may_pass) = match code {
            1 => ("it failed", true),
            2 => ("its rules forbid it", false),
            3 => ("the network is unreachable", true),
            4 => ("the host is unreachable, or its name does not resolve", true),
            5 => ("nothing listens there", true),
            6 => ("the time to live expired", true),
            7 => ("it does not know the command", false),
            8 => ("it does not know this type of address", false),
            _ => ("for a reason that has no name", false),
        };
        let error = ConnectError::refused_by_proxy(format!(
            "the proxy {} opens no way to {}: {why} (SOCKS reply {code})",
            self.proxy, self.server
        ));
        if may_pass { error.retryable() } else { error }
    }
}

const VERSION: u8 = 5;
const NO_AUTHENTICATION: u8 = 0;
const USER_AND_PASSWORD: u8 = 2;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;
