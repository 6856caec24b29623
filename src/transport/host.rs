use std::fmt;

use super::{Endpoint, Proxy};

/// One server, and the proxy on the way to it, if there is one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Host {
    pub(crate) endpoint: Endpoint,
    pub(crate) proxy: Option<Proxy>,
}

/// `https://host:port/prefix`
impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.endpoint.fmt(f)
    }
}
