use std::time::Duration;

/// What a batching client does with lines while its buffer is full, which is when the server is slower than the
/// program, or gone.
///
/// The buffer is full when [`buffer_limit`](crate::WriteOptions::buffer_limit) is reached.
///
/// ```
/// use std::time::Duration;
///
/// use influxdb3_blocking::{OnFull, WriteOptions};
///
/// let options = WriteOptions::default()
///     .buffer_limit(64 << 20)
///     .on_full(OnFull::BlockFor(Duration::from_secs(1)));
/// # let _ = options;
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum OnFull {
    /// `send` waits until there is room. The default.
    ///
    /// Lines that the buffer can hold are taken all at once; of more, as many as there is room for.
    #[default]
    Block,
    /// `send` waits this long and then fails with [`BufferFull`](crate::ErrorKind::BufferFull). The lines that were
    /// not taken are in the error's [`unsent`](crate::Error::unsent).
    BlockFor(Duration),
    /// `send` fails with [`BufferFull`](crate::ErrorKind::BufferFull) at once. No line of the call is taken; all are in
    /// the error's [`unsent`](crate::Error::unsent).
    Error,
    /// The lines for which there is no room are thrown away, and counted as dropped.
    DropNewest,
    /// The batches that were accepted first are thrown away, and counted as dropped, to make room; but for those that
    /// are on the way.
    DropOldest,
}
