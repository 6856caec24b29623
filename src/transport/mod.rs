//! What both paths share on the way to the server.

mod proxy;
#[cfg(feature = "tls")]
mod tls;

pub(crate) use proxy::Proxy;
#[cfg(feature = "tls")]
pub(crate) use tls::*;
