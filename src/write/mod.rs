//! Writing: from a record to requests, and what the server's answers mean.
//!
//! A synchronous write is `sync.rs`. Batching is `accept.rs` and `batcher.rs` (lines into batches), `worker.rs` (batches to the server,
//! on the threads of `scheduler.rs` and `pool.rs`), `settle.rs` and `close.rs` (how it ends); `open.rs`, `memory.rs`, `lane.rs`, `retry.rs`
//! and `verdict.rs` are what they decide by, without locks, clocks or I/O.

mod accept;
mod answer;
mod batch;
mod batcher;
mod close;
mod contain;
#[cfg(feature = "_files")]
mod file;
#[cfg_attr(not(feature = "_files"), allow(dead_code))] // only files are settled together
mod group;
#[cfg(feature = "gzip")]
mod gzip;
mod http;
mod lane;
mod memory;
mod open;
mod options;
mod pool;
mod request;
mod retry;
mod scheduler;
mod settle;
pub(crate) mod stamp;
mod stats;
mod sync;
mod target;
mod verdict;
mod worker;

#[cfg(feature = "_fuzzing")]
pub(crate) use answer::{Answer, Api};
pub use batch::Batch;
pub(crate) use batcher::Batcher;
#[cfg(feature = "_files")]
pub use file::{FileReport, Progress, WriteFile};
pub(crate) use http::Http;
pub use options::{OnFull, WriteOptions};
pub use request::WriteRequest;
pub use scheduler::ThreadPoolScheduler;
pub use stats::{Amount, WriteStats};
