use std::sync::{Mutex, PoisonError};

/// How much of an answer has been received: of [`QueryRequest::progress`](crate::QueryRequest::progress), and of
/// readers.
///
/// ```no_run
/// # let client = influxdb3_blocking::Client::from_env()?;
/// let mut reader = client.query("SELECT * FROM home").reader()?;
/// while let Some(batch) = reader.next() {
///     batch?;
///     eprintln!("{} rows so far", reader.progress().rows);
/// }
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct QueryProgress {
    /// The bytes of the messages that have been taken, as they were sent: compressed, if they were.
    pub bytes_received: u64,
    /// The rows that were decoded.
    pub rows: u64,
    /// The record batches with rows that were decoded.
    pub batches: u64,
}

/// The caller's function, which is called with the progress. The lock is never contended: it makes what holds this
/// `Sync`, which the function need not be.
pub(crate) struct ProgressCallback(Mutex<ProgressFn>);

type ProgressFn = Box<dyn FnMut(&QueryProgress) + Send>;

impl ProgressCallback {
    pub(crate) fn new(on_progress: impl FnMut(&QueryProgress) + Send + 'static) -> Self {
        Self(Mutex::new(Box::new(on_progress)))
    }

    pub(crate) fn call(&mut self, progress: &QueryProgress) {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)(progress);
    }
}
