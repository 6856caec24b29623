//! Writing: from a record to requests, and what the server's answers mean.

mod answer;
mod batch;
#[cfg(feature = "gzip")]
mod gzip;
mod http;
mod options;
mod request;
mod sync;
mod target;

pub use batch::Batch;
pub(crate) use http::Http;
pub use options::WriteOptions;
pub use request::WriteRequest;
