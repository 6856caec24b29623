//! What both paths share on the way to the server.

#[cfg(all(feature = "query", feature = "tls"))]
mod accept_any;
mod proxy;
#[cfg(feature = "tls")]
mod tls;

#[cfg(all(feature = "query", feature = "tls"))]
pub(crate) use accept_any::AcceptAny;
pub(crate) use proxy::Proxy;
#[cfg(feature = "tls")]
pub(crate) use tls::*;
