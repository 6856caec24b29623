//! The way to the server, for both paths: where it is, what stands in between, TLS, why there is no connection, and which
//! of several servers is next.

mod connect_error;
mod connect_method;
mod endpoint;
mod harmless_name;
mod host;
mod host_state;
mod hosts;
mod percent;
mod plain_to_tls;
mod proxy;
mod proxy_variables;
mod retry_after;
mod socks5;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "tls")]
mod tls_error;
mod tunnel;
mod tunnel_step;
#[cfg(feature = "tls")]
mod verifier;

pub(crate) use connect_error::{ConnectError, ConnectStage, Limit, Peer};
pub(crate) use endpoint::Endpoint;
pub(crate) use harmless_name::harmless_name;
pub(crate) use host::Host;
#[cfg(feature = "query")]
pub(crate) use hosts::Failover;
pub(crate) use hosts::Hosts;
pub(crate) use percent::percent_decode;
pub(crate) use plain_to_tls::says_use_https;
pub(crate) use proxy::{Proxy, ProxyScheme};
pub(crate) use proxy_variables::proxy_from_variables;
pub(crate) use retry_after::parse_retry_after;
#[cfg(feature = "tls")]
pub(crate) use tls::{Tls, TlsSettings, name_of};
#[cfg(feature = "tls")]
pub(crate) use tls_error::{describe_tls_error, find_tls_error};
pub(crate) use tunnel::Tunnel;
pub(crate) use tunnel_step::TunnelStep;
