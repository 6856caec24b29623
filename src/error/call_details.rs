//! What an error holds about the call that failed: the server's answer, and the caller's lines.

use std::sync::Arc;
use std::time::Duration;

use super::plain_cause::PlainCause;
use super::{Error, ErrorKind, LineError};
use crate::Batch;

#[derive(Clone, Default)]
pub(super) struct CallDetails {
    /// What to do, or to know, behind the message.
    pub(super) advice: Option<&'static str>,
    pub(super) status: Option<u16>,
    pub(super) grpc_status: Option<i32>,
    headers: Vec<(String, String)>,
    pub(super) retry_after: Option<Duration>,
    pub(super) line_errors: Vec<LineError>,
    pub(super) lines_written: usize,
    pub(super) unsent: Vec<Batch>,
    pub(super) resume_line: Option<usize>,
    in_doubt: bool,
    retryable: bool,
    was_cut: bool,
    hides_lines: bool,
    may_pass: bool,
    is_host_failure: bool,
}

/// The server's answer, and the outcome of the lines. (Feature `write`.)
impl Error {
    /// The HTTP status, if the server answered over HTTP.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// if let Err(error) = client.write("home temp=21.5").send() {
    ///     match error.status() {
    ///         Some(status) => eprintln!("the server answered {status}: {error}"),
    ///         None => eprintln!("there is no answer: {error}"),
    ///     }
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.call.status
    }

    /// The gRPC status code of a failed query, if there was one: 3 is `INVALID_ARGUMENT`, for example.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// # #[cfg(feature = "query")]
    /// if let Err(error) = client.query("SELECT * FROM nowhere").table() {
    ///     if error.grpc_status() == Some(3) {
    ///         eprintln!("the query is wrong: {error}");
    ///     }
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn grpc_status(&self) -> Option<i32> {
        self.0.call.grpc_status
    }

    /// A header of the server's answer, by its name in any case.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// if let Err(error) = client.write("home temp=21.5").send() {
    ///     if let Some(id) = error.header("x-request-id") {
    ///         eprintln!("{error}; ask the operator about the request {id}");
    ///     }
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.0.call.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// How long the server asked to wait before the next try (`Retry-After`, in seconds or as a date).
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// use std::time::Duration;
    ///
    /// if let Err(error) = client.write("home temp=21.5").send() {
    ///     let wait = error.retry_after().unwrap_or(Duration::from_secs(5));
    ///     println!("next try in {wait:?}");
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.call.retry_after
    }

    /// The lines that the server named as bad.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let lines = "home temp=21.5\nhome temp=hot";
    /// if let Err(error) = client.write(lines).use_v2_api(false).send() {
    ///     for line in error.line_errors() {
    ///         eprintln!("{line}");
    ///     }
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn line_errors(&self) -> &[LineError] {
        &self.0.call.line_errors
    }

    /// How many lines of the call are known to be stored.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let lines = ["home temp=21.5", "home temp=hot"];
    /// if let Err(error) = client.write(lines).use_v2_api(false).send() {
    ///     println!("{} of {} are stored", error.lines_written(), lines.len());
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn lines_written(&self) -> usize {
        self.0.call.lines_written
    }

    /// What was not written, ready to be written again: `client.write(batch).send()`.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// if let Err(error) = client.write("home temp=21.5").send() {
    ///     for batch in error.unsent() {
    ///         assert_eq!(batch.line_protocol(), b"home temp=21.5\n");
    ///     }
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn unsent(&self) -> &[Batch] {
        &self.0.call.unsent
    }

    /// How many lines of a file are settled: where `WriteFile::resume_from_line` goes on.
    ///
    /// Some for the errors of `write_file` that stopped in the middle. Lines that the server refused
    /// (`PartialWrite`) count as settled, and so do those that an earlier call wrote.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// # #[cfg(feature = "csv")] {
    /// let file = || client.write_file("home.csv").measurement("home");
    /// if let Err(error) = file().send() {
    ///     if let Some(line) = error.resume_line() {
    ///         file().resume_from_line(line).send()?;
    ///     }
    /// }
    /// # }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn resume_line(&self) -> Option<usize> {
        self.0.call.resume_line
    }

    /// What was not written, owned.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// if let Err(error) = client.write("home temp=21.5").send() {
    ///     client.write(error.into_unsent()).send()?; // once more
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn into_unsent(self) -> Vec<Batch> {
        self.0.call.unsent
    }

    /// Whether the same call may succeed a little later.
    ///
    /// True for connection and I/O errors, timeouts, and the statuses 408, 429, 500, 502, 503, 504 and 520 to 524 (of
    /// proxies that have no answer of the server), but for those answers of status 500 that say that the request itself
    /// is at fault, or that the node takes no writes.
    /// Also true if a token file or token function failed, if it is true for one of several hosts, and for a 400 whose
    /// text is about the server and not about the request: Core up to 3.10 answers so on `/api/v2/write` while it is
    /// stopping, its WAL buffer is full or its object store fails.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// // Nobody listens there, but somebody may in a minute.
    /// if let Err(error) = client.write("home temp=21.5").send() {
    ///     assert!(error.is_retryable());
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.call.retryable
    }

    /// Whether the server may have acted although the call failed.
    ///
    /// True after a failure or a timeout once sending began, a connection closed without an answer, the statuses 408,
    /// 500, 502, 504, 520, 522 and 524 unless their text says that nothing was taken (the server is stopping, its WAL
    /// buffer is full), and an answer of any status that says that the WAL could not be written. Writing the same lines
    /// again is harmless if they carry timestamps.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// // There is no connection, so nothing can be stored.
    /// if let Err(error) = client.write("home temp=21.5").send() {
    ///     assert!(!error.in_doubt());
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn in_doubt(&self) -> bool {
        self.0.call.in_doubt
    }
}

/// How the rest of the crate makes errors of calls.
impl Error {
    pub(crate) fn closed() -> Self {
        Self::new(ErrorKind::Closed, "the client is closed")
    }

    /// The same error once more, with the same source.
    pub(crate) fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }

    /// Sets the advice at the end of the text, in place of an earlier one.
    pub(crate) fn with_advice(mut self, advice: Option<&'static str>) -> Self {
        self.0.call.advice = advice;
        self
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.0.call.status = Some(status);
        self
    }

    #[cfg(feature = "query")]
    pub(crate) fn with_grpc_status(mut self, code: i32) -> Self {
        self.0.call.grpc_status = Some(code);
        self
    }

    pub(crate) fn with_headers(mut self, headers: Vec<(String, String)>) -> Self {
        self.0.call.headers = headers;
        self
    }

    pub(crate) fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.0.call.retry_after = wait;
        self
    }

    pub(crate) fn with_line_errors(mut self, errors: Vec<LineError>) -> Self {
        self.0.call.line_errors = errors;
        self
    }

    pub(crate) fn with_lines_written(mut self, lines: usize) -> Self {
        self.0.call.lines_written = lines;
        self
    }

    pub(crate) fn add_lines_written(&mut self, lines: usize) {
        self.0.call.lines_written += lines;
    }

    pub(crate) fn with_unsent(mut self, unsent: Vec<Batch>) -> Self {
        self.0.call.unsent = unsent;
        self
    }

    pub(crate) fn add_unsent(&mut self, more: impl IntoIterator<Item = Batch>) {
        self.0.call.unsent.extend(more);
    }

    pub(crate) fn add_line_errors(&mut self, more: impl IntoIterator<Item = LineError>) {
        self.0.call.line_errors.extend(more);
    }

    pub(crate) fn take_line_errors(&mut self) -> Vec<LineError> {
        std::mem::take(&mut self.0.call.line_errors)
    }

    #[cfg(feature = "_files")]
    pub(crate) fn with_resume_line(mut self, line: usize) -> Self {
        self.0.call.resume_line = Some(line);
        self
    }

    pub(crate) fn with_in_doubt(mut self, in_doubt: bool) -> Self {
        self.0.call.in_doubt = in_doubt;
        self
    }

    /// Sets the doubt if `in_doubt` is true; false does not remove an earlier doubt.
    pub(crate) fn add_doubt(&mut self, in_doubt: bool) {
        self.0.call.in_doubt |= in_doubt;
    }

    pub(crate) fn with_retryable(mut self, retryable: bool) -> Self {
        self.0.call.retryable = retryable;
        self
    }

    /// The connection was closed without an answer.
    pub(crate) fn with_was_cut(mut self, was_cut: bool) -> Self {
        self.0.call.was_cut = was_cut;
        self
    }

    pub(crate) fn was_cut(&self) -> bool {
        self.0.call.was_cut
    }

    /// Lines are at fault, nothing of the request is stored, and not all bad lines are named.
    pub(crate) fn with_hides_lines(mut self, hides_lines: bool) -> Self {
        self.0.call.hides_lines = hides_lines;
        self
    }

    pub(crate) fn hides_lines(&self) -> bool {
        self.0.call.hides_lines
    }

    /// A 403 of `/api/v2/write`. Before 3.10 the server also answers it when it cannot check the token, so batching
    /// tries once more if the token was accepted before. For any other caller it is final, which is why it is not
    /// [`retryable`](Self::is_retryable).
    pub(crate) fn with_may_pass(mut self, may_pass: bool) -> Self {
        self.0.call.may_pass = may_pass;
        self
    }

    pub(crate) fn may_pass(&self) -> bool {
        self.0.call.may_pass
    }

    /// It is about this host and not about the request: another host may succeed.
    pub(crate) fn with_host_failure(mut self, is_host_failure: bool) -> Self {
        self.0.call.is_host_failure = is_host_failure;
        self
    }

    pub(crate) fn is_host_failure(&self) -> bool {
        self.0.call.is_host_failure
    }

    pub(crate) fn with_message(mut self, message: String) -> Self {
        self.0.message = message;
        self
    }

    /// Changes the texts that the server may have written: the message, the values of headers, what is wrong with lines, and
    /// the causes. A cause whose text is changed is nothing but a text from then on.
    pub(crate) fn change_texts(&mut self, change: impl Fn(&mut String)) {
        change(&mut self.0.message);
        self.0.call.headers.iter_mut().for_each(|(_, value)| change(value));
        self.0.call.line_errors.iter_mut().for_each(|line| change(line.message_mut()));
        let source = self.0.source.as_deref();
        if let Some(plain) = source.and_then(|source| PlainCause::changed(source, change)) {
            self.0.source = Some(Arc::new(plain));
        }
    }
}
