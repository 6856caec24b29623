use std::fmt;
use std::sync::Arc;

use crate::Precision;

/// Lines of one request, sent or not.
///
/// A `&Batch` is a record: a batch from an error's [`unsent`](crate::Error::unsent) can be written again. It goes to
/// its original database, in its own precision.
///
/// ```no_run
/// # let client = influxdb3_blocking::Client::from_env()?;
/// if let Err(error) = client.write("home temp=21.5").send() {
///     for batch in error.unsent() {
///         eprintln!("{} lines for {}", batch.lines(), batch.database());
///         client.write(batch).send()?;
///     }
/// }
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
#[derive(Clone, Eq, PartialEq)]
pub struct Batch {
    pub(crate) database: Arc<str>,
    pub(crate) organization: Arc<str>,
    pub(crate) precision: Precision,
    /// Clones share it.
    pub(crate) line_protocol: Arc<Vec<u8>>,
    pub(crate) lines: usize,
    pub(crate) attempts: u32,
}

impl Batch {
    /// The database that the lines belong to.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The organization, empty if there is none.
    #[must_use]
    pub fn organization(&self) -> &str {
        &self.organization
    }

    /// The precision of the timestamps.
    #[must_use]
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// The lines in line protocol (UTF-8), each ended by a newline.
    #[must_use]
    pub fn line_protocol(&self) -> &[u8] {
        &self.line_protocol
    }

    /// How many lines there are.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.lines
    }

    /// How many times it was sent.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("database", &self.database)
            .field("precision", &self.precision)
            .field("lines", &self.lines)
            .field("bytes", &self.line_protocol.len())
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}
