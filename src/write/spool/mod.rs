//! The spool: batches on the disk that cannot be sent now. Independent of batching, which decides what is written to
//! the disk and sends what is read from it.
//!
//! A `DiskQueue` is a directory of segments, files of line protocol with comments (`segment_format.rs`). Batches are
//! added to the last one; the `Scanner` reads them, for the `QueueReader` and when a directory is opened
//! (`opening.rs`). The `Backlog` counts what is unread and what is leased, that is being sent, and knows when a
//! segment is finished and can go. A batch that is being sent has a `DiskLease`; when that is dropped, the batch has
//! ended.
//!
//! # Invariants
//! - Segments have ascending numbers, each used once; so have batches.
//! - Bytes after a segment's end, as the backlog has it, are not read: they may be half written.
//! - A segment is removed when everything in it has ended, and everything before it was removed. Nothing else removes
//!   one but the limit.
//! - The state's lock is held while something is written, and while nothing is synced but a segment that is full.

mod active_segment;
mod backlog;
mod clock;
mod disk;
mod files;
mod lease;
#[cfg(test)]
mod model;
mod opening;
mod options;
mod queue;
mod read_position;
mod reader;
mod scanner;
mod segment_format;
mod settings;
mod shared_queue;
mod stats;
mod syncing;
mod system_disk;
mod target_text;
mod writing;

pub(crate) use clock::unix_millis;
pub(crate) use lease::DiskLease;
pub use options::{Spool, SpoolSync};
pub(crate) use queue::{Contents, DiskQueue};
pub(crate) use reader::{DiskBatch, LostLines, ReadLimits, ReadOutcome};
pub(crate) use settings::SpoolSettings;
pub use stats::SpoolStats;
pub(crate) use system_disk::SystemDisk;
pub(crate) use writing::{Added, Refused};
