//! The spool: batches on the disk that cannot be sent now. It knows nothing of batching, which decides what goes there and
//! sends what comes from there.
//!
//! A `DiskQueue` is a directory of segments, files of line protocol with comments (`record.rs`). Batches are added to the last
//! one; the `Scanner` reads them, for the `Reader` and when a directory is opened (`opening.rs`). The `Backlog` counts what is
//! unread, what is out, which is being sent, and knows when a segment is over and can go. Whoever sends a batch has a
//! `Ticket`, and when that is dropped the batch has ended.
//!
//! # Invariants
//! - Segments have ascending numbers, each used once; so have batches.
//! - What is behind the end of a segment, as the backlog knows it, is not read: somebody may be writing there.
//! - A segment is removed when everything in it has ended, and everything before it was removed. Nothing else removes one but
//!   the limit.
//! - The state's lock is held while something is written, and while nothing is synced but a segment that is full.

mod backlog;
mod crc32;
mod disk;
mod files;
#[cfg(test)]
mod model;
mod opening;
mod options;
mod queue;
mod reader;
mod record;
mod scanner;
mod stats;
mod syncing;
mod system_disk;
mod target_text;
mod ticket;
mod writing;

pub use options::{Spool, SpoolSync};
pub(crate) use queue::{Contents, DiskQueue, Dropped, Settings, now};
pub(crate) use reader::{DiskBatch, Most, Window};
pub use stats::SpoolStats;
pub(crate) use system_disk::SystemDisk;
pub(crate) use ticket::Ticket;
pub(crate) use writing::{Added, Refused};
