//! Faults of a server that is up.

use std::{fmt, time::Duration};

/// A fault of the server, which decides how it answers writes: see [`DevServer::set_fault`].
///
/// The answers are those of release 3.10 as its source has them: 400 and
/// `{"code":"invalid","message":"write buffer error: …"}` on `/api/v2/write`, 500 and the same message as plain text on
/// `/api/v3/write_lp`. A write with faulty parameters, encoding, size or lines is refused as without a fault, and
/// queries and pings are answered as without one. As 3.12, `/api/v2/write` says 503 instead of 400 to
/// [`Stopping`](Self::Stopping), and `/ready` says 503 to it and to [`ObjectStore`](Self::ObjectStore).
///
/// Its `Display` is the message behind `write buffer error: `.
///
/// [`DevServer::set_fault`]: crate::DevServer::set_fault
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It is being stopped: its WAL takes no lines any more. Setting it flushes the WAL, so that the writes which wait
    /// are answered.
    Stopping,
    /// More writes wait for the WAL than it has room for.
    WalFull,
    /// The object store fails. A durable write is taken, answered with an error at the next flush of the WAL, and not
    /// stored; one with `no_sync=true` is answered as if nothing were wrong, and is lost. (A real server tries for ten
    /// seconds before it gives up.)
    ObjectStore,
    /// It is slow: each write waits this long before it is handled normally.
    Slow(Duration),
    /// It is a node of a cluster that compacts files and does nothing else.
    CompactorOnly,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::Stopping => "error from wal: wal is shutdown and not accepting writes",
            Fault::WalFull => "error from wal: wal buffer full with 100000 ops",
            Fault::ObjectStore => {
                "error from wal: error writing wal file: Generic S3 error: error sending request"
            }
            Fault::Slow(_) => "slow",
            Fault::CompactorOnly => "cannot write to a compactor-only server",
        })
    }
}
