//! The one error type: what went wrong, what the server said, and the caller's data back.

mod kind;
mod line_error;
mod text;

use std::sync::Arc;
use std::time::Duration;

pub use kind::ErrorKind;
pub use line_error::LineError;

use crate::write::Batch;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, with everything that is known about it.
///
/// Decide by [`kind`](Self::kind); show the text to a person. The text names what to do where something
/// can be done, and never contains a token. `{:#}` prints the chain of causes as well.
///
/// Data that was not written comes back in [`unsent`](Self::unsent), ready to be written again.
///
/// ```
/// use influxdb3_blocking::{Client, ErrorKind};
///
/// let error = Client::builder().host("ftp://example.com").build().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Config);
/// ```
pub struct Error(Box<Inner>);

#[derive(Clone, Default)]
struct Inner {
    kind: ErrorKind,
    message: String,
    status: Option<u16>,
    grpc_status: Option<i32>,
    headers: Vec<(String, String)>,
    retry_after: Option<Duration>,
    line_errors: Vec<LineError>,
    lines_written: usize,
    unsent: Vec<Batch>,
    resume_line: Option<usize>,
    in_doubt: bool,
    retryable: bool,
    was_cut: bool,
    hides_lines: bool,
    may_pass: bool,
    /// Shared by what is made of one error for several batches.
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The HTTP status, if the server answered over HTTP.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The gRPC status code of a failed query, if there was one: 3 is `INVALID_ARGUMENT`, for example.
    #[must_use]
    pub fn grpc_status(&self) -> Option<i32> {
        self.0.grpc_status
    }

    /// A header of the server's answer, by its name in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.0.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// How long the server asked to wait before the next try (`Retry-After`, in seconds or as a date).
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The lines that the server named as bad.
    #[must_use]
    pub fn line_errors(&self) -> &[LineError] {
        &self.0.line_errors
    }

    /// How many lines of the call are known to be stored.
    #[must_use]
    pub fn lines_written(&self) -> usize {
        self.0.lines_written
    }

    /// What was not written, ready to be written again: `client.write(batch).send()`.
    #[must_use]
    pub fn unsent(&self) -> &[Batch] {
        &self.0.unsent
    }

    /// How many lines of a file are settled: where `WriteFile::resume_from_line` goes on.
    ///
    /// Some for the errors of `write_file` that stopped in the middle. Lines that the server refused
    /// (`PartialWrite`) count as settled, and so do those that an earlier call wrote.
    #[must_use]
    pub fn resume_line(&self) -> Option<usize> {
        self.0.resume_line
    }

    /// What was not written, owned.
    #[must_use]
    pub fn into_unsent(self) -> Vec<Batch> {
        self.0.unsent
    }

    /// Whether the same call may well succeed a little later.
    ///
    /// True for connection and I/O errors, timeouts, and the statuses 408, 429, 500, 502, 503 and 504, but
    /// for those answers of status 500 that say that the request itself is at fault, or that the node takes no writes.
    /// True as well for a 400 that tells of the server and not of the request: Core up to 3.10 answers so on
    /// `/api/v2/write` while it is stopping, its WAL buffer is full or its object store fails.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// Whether the server may have acted although the call failed.
    ///
    /// True after a failure or a timeout once sending began, a connection closed without an answer, the statuses 408,
    /// 500, 502 and 504 unless their text says that nothing was taken (the server is stopping, its WAL buffer is full),
    /// and an answer of any status that says that the WAL could not be written. Writing the same lines again is
    /// harmless if they carry timestamps.
    #[must_use]
    pub fn in_doubt(&self) -> bool {
        self.0.in_doubt
    }
}

/// How the rest of the crate makes errors.
impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), ..Inner::default() }))
    }

    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message)
    }

    pub(crate) fn invalid_record(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidRecord, message)
    }

    pub(crate) fn closed() -> Self {
        Self::new(ErrorKind::Closed, "the client is closed")
    }

    /// The same error once more, with the same source.
    pub(crate) fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    #[cfg(feature = "query")]
    pub(crate) fn with_grpc_status(mut self, code: i32) -> Self {
        self.0.grpc_status = Some(code);
        self
    }

    pub(crate) fn with_headers(mut self, headers: Vec<(String, String)>) -> Self {
        self.0.headers = headers;
        self
    }

    pub(crate) fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait;
        self
    }

    pub(crate) fn with_line_errors(mut self, errors: Vec<LineError>) -> Self {
        self.0.line_errors = errors;
        self
    }

    pub(crate) fn with_lines_written(mut self, lines: usize) -> Self {
        self.0.lines_written = lines;
        self
    }

    pub(crate) fn add_lines_written(&mut self, lines: usize) {
        self.0.lines_written += lines;
    }

    pub(crate) fn with_unsent(mut self, unsent: Vec<Batch>) -> Self {
        self.0.unsent = unsent;
        self
    }

    pub(crate) fn add_unsent(&mut self, more: impl IntoIterator<Item = Batch>) {
        self.0.unsent.extend(more);
    }

    pub(crate) fn add_line_errors(&mut self, more: impl IntoIterator<Item = LineError>) {
        self.0.line_errors.extend(more);
    }

    pub(crate) fn take_line_errors(&mut self) -> Vec<LineError> {
        std::mem::take(&mut self.0.line_errors)
    }

    #[cfg(feature = "_files")]
    pub(crate) fn with_resume_line(mut self, line: usize) -> Self {
        self.0.resume_line = Some(line);
        self
    }

    pub(crate) fn with_in_doubt(mut self, in_doubt: bool) -> Self {
        self.0.in_doubt = in_doubt;
        self
    }

    /// What was in doubt stays so.
    pub(crate) fn add_doubt(&mut self, in_doubt: bool) {
        self.0.in_doubt |= in_doubt;
    }

    pub(crate) fn with_retryable(mut self, retryable: bool) -> Self {
        self.0.retryable = retryable;
        self
    }

    /// The connection was closed without an answer.
    pub(crate) fn with_was_cut(mut self, was_cut: bool) -> Self {
        self.0.was_cut = was_cut;
        self
    }

    pub(crate) fn was_cut(&self) -> bool {
        self.0.was_cut
    }

    /// Lines are at fault, nothing is stored, and not all bad lines are named.
    pub(crate) fn with_hides_lines(mut self, hides_lines: bool) -> Self {
        self.0.hides_lines = hides_lines;
        self
    }

    pub(crate) fn hides_lines(&self) -> bool {
        self.0.hides_lines
    }

    /// A 403 of `/api/v2/write`. Before 3.10 the server says so as well when it cannot ask whether the token is good,
    /// so that a token which has just been accepted deserves one more try; to anybody else it is final, which is why it
    /// is not [`retryable`](Self::is_retryable).
    pub(crate) fn with_may_pass(mut self, may_pass: bool) -> Self {
        self.0.may_pass = may_pass;
        self
    }

    pub(crate) fn may_pass(&self) -> bool {
        self.0.may_pass
    }

    pub(crate) fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// Puts `context` and a colon before the message.
    pub(crate) fn in_context(mut self, context: &str) -> Self {
        self.0.message = format!("{context}: {}", self.0.message);
        self
    }

    /// The message without its causes.
    pub(crate) fn message(&self) -> &str {
        &self.0.message
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(feature = "arrow")]
impl From<Error> for arrow_schema::ArrowError {
    fn from(error: Error) -> Self {
        Self::ExternalError(Box::new(error))
    }
}

/// Takes back the [`Error`] that a reader of this crate put into an `ArrowError`; any other becomes
/// [`ErrorKind::Decode`].
#[cfg(feature = "arrow")]
impl From<arrow_schema::ArrowError> for Error {
    fn from(error: arrow_schema::ArrowError) -> Self {
        use arrow_schema::ArrowError;
        match error {
            ArrowError::ExternalError(external) => match external.downcast::<Self>() {
                Ok(error) => *error,
                Err(external) => Self::new(ErrorKind::Decode, "Arrow data could not be processed")
                    .with_source(ArrowError::ExternalError(external)),
            },
            other => {
                Self::new(ErrorKind::Decode, "Arrow data could not be processed").with_source(other)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_pointer_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
        assert_eq!(size_of::<Result<()>>(), size_of::<usize>());
    }

    #[test]
    fn errors_cross_threads() {
        fn check<T: Send + Sync + 'static>() {}
        check::<Error>();
    }

    #[test]
    fn the_plain_text_leaves_the_cause_to_source_and_the_alternate_text_shows_it() {
        let error = Error::new(ErrorKind::Connect, "no connection")
            .with_source(std::io::Error::other("the cable is out"));
        assert_eq!(error.to_string(), "no connection");
        assert_eq!(format!("{error:#}"), "no connection: the cable is out");
    }

    #[test]
    fn long_lists_of_line_errors_are_cut_in_the_text_only() {
        let bad = |n| LineError::new(Some(n), "bad".into()).with_line(Some("m\tx".into()));
        let error = Error::new(ErrorKind::PartialWrite, "12 lines were not stored")
            .with_line_errors((1..=12).map(bad).collect());
        let text = error.to_string();
        assert!(
            text.contains("line 10: bad (m\\tx)") && text.ends_with("and 2 more lines"),
            "{text}"
        );
        assert_eq!(error.line_errors().len(), 12);
    }
}
