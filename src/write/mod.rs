//! Writing: from a record to requests, and what the server's answers mean.

mod answer;
mod batch;
#[cfg(feature = "_files")]
mod file;
#[cfg(feature = "gzip")]
mod gzip;
mod http;
mod options;
mod request;
mod sync;
mod target;

pub use batch::Batch;
#[cfg(feature = "_files")]
pub use file::{FileReport, Progress, WriteFile};
pub(crate) use http::Http;
pub use options::WriteOptions;
pub use request::WriteRequest;
