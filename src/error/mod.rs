//! The one error type: what went wrong, the server's answer, and the caller's data.

#[cfg(feature = "write")]
mod call_details;
mod kind;
#[cfg(feature = "write")]
mod line_error;
#[cfg(feature = "write")]
mod plain_cause;
mod text;

use std::sync::Arc;

#[cfg(feature = "write")]
use call_details::CallDetails;
pub use kind::ErrorKind;
#[cfg(feature = "write")]
pub use line_error::LineError;

/// The result of everything in this crate that can fail.
///
/// ```
/// use influxdb3_blocking::{Client, Result};
///
/// fn connect() -> Result<Client> {
///     Client::builder().host("http://localhost:8181").build()
/// }
/// # connect().unwrap();
/// ```
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, with all details that are known.
///
/// Decide by [`kind`](Self::kind); show the text to a person. The text names what to do where something
/// can be done, and never contains a token. `{:#}` prints the chain of causes as well.
///
/// With the feature `write`, data that was not written is in [`unsent`](Self::unsent), ready to be written again.
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
    #[cfg(feature = "write")]
    call: CallDetails,
    /// Shared by what is made of one error for several batches.
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// What went wrong.
    ///
    /// ```
    /// use influxdb3_blocking::{ErrorKind, Point, Precision};
    ///
    /// let point = Point::new("home"); // has no field
    /// if let Err(error) = point.to_line_protocol(Precision::Second) {
    ///     assert_eq!(error.kind(), ErrorKind::InvalidRecord);
    /// }
    /// ```
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
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

    /// The message without its causes and without advice.
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

    #[cfg(feature = "write")]
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
