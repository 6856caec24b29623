//! A client's settings, parsed and checked by `build`.

mod headers;
mod issued_token;
mod secrets;
mod token;
mod token_source;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

pub(crate) use headers::Headers;
pub(crate) use secrets::Secrets;
pub(crate) use token::Token;
pub(crate) use token_source::TokenSource;
pub(crate) use tokens::{CallToken, Tokens};

use crate::Precision;
use crate::transport::Host;
#[cfg(feature = "tls")]
use crate::transport::Tls;

/// The `user-agent` of requests, for writes and queries.
pub(crate) const USER_AGENT: &str = concat!("influxdb3-blocking/", env!("CARGO_PKG_VERSION"));

/// A client's settings: checked, complete, immutable.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// Hosts for writes, in order of preference; may be empty.
    pub(crate) write_hosts: Vec<Arc<Host>>,
    /// Hosts for queries, in order of preference; may be empty.
    #[cfg(feature = "query")]
    pub(crate) query_hosts: Vec<Arc<Host>>,
    pub(crate) tokens: Tokens,
    /// Of the HTTP path; Flight is always `Bearer`.
    pub(crate) auth_scheme: String,
    pub(crate) database: Option<Arc<str>>,
    /// Empty if there is none.
    pub(crate) organization: Arc<str>,
    pub(crate) headers: Headers,
    pub(crate) connect_timeout: Duration,
    pub(crate) write_timeout: Duration,
    #[cfg(feature = "query")]
    pub(crate) query_timeout: Option<Duration>,
    #[cfg(feature = "query")]
    pub(crate) idle_timeout: Duration,
    #[cfg(feature = "query")]
    pub(crate) keep_alive: KeepAlive,
    #[cfg(feature = "tls")]
    pub(crate) tls: Tls,
    #[cfg(feature = "query")]
    pub(crate) max_message_size: usize,
    pub(crate) max_request_bytes: usize,
    pub(crate) gzip_threshold: Option<usize>,
    pub(crate) precision: Precision,
    pub(crate) use_v2_api: bool,
    pub(crate) no_sync: bool,
    pub(crate) accept_partial: bool,
}

/// The PINGs on connections for queries.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(not(feature = "query"), allow(dead_code))] // without queries there is nothing that sends them
pub(crate) enum KeepAlive {
    /// Often enough for the idle limit.
    #[default]
    Automatic,
    Every(Duration),
    Off,
}
