//! Writing: from a record to a request and the server's answer.

mod batch;

pub use batch::Batch;
