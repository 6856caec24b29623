//! Exchanges that broke: at which stage, why, and what that means to a person.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use super::runtime::Observation;
use super::status::ErrorContext;
use crate::transport::ConnectError;
use crate::{Error, ErrorKind};

/// How far a call has come.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub(crate) enum Stage {
    /// To a connection, TLS handshake included.
    #[default]
    Connecting,
    /// The request is under way: nothing of the answer has come.
    Head,
    /// The head has come. The server is planning the query.
    Schema,
    /// Messages have come.
    Streaming,
}

impl Stage {
    const ALL: [Self; 4] = [Self::Connecting, Self::Head, Self::Schema, Self::Streaming];

    /// As the end of a sentence.
    pub(crate) fn when(self) -> &'static str {
        match self {
            Self::Connecting => "while connecting",
            Self::Head => "while waiting for the server to answer",
            Self::Schema => "while waiting for the schema of the answer",
            Self::Streaming => "in the middle of the answer",
        }
    }
}

/// The stage of a call, for the task that makes it and for the one who waits.
#[derive(Clone, Default)]
pub(crate) struct StageCell(Arc<AtomicU8>);

impl StageCell {
    pub(crate) fn set(&self, stage: Stage) {
        self.0.store(stage as u8, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> Stage {
        Stage::ALL[usize::from(self.0.load(Ordering::Relaxed))]
    }
}

/// The connection that a call was to use had ended before.
#[derive(Debug)]
pub(crate) struct ConnectionEnded;

impl fmt::Display for ConnectionEnded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection has ended")
    }
}

impl StdError for ConnectionEnded {}

/// A broken exchange.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    stage: Stage,
    error: Arc<dyn StdError + Send + Sync>,
}

impl Failure {
    pub(crate) fn new(stage: Stage, error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { stage, error: Arc::from(error.into()) }
    }

    /// Whether it is the failure of an attempt to connect that was begun before this.
    pub(crate) fn began_before(&self, moment: Instant) -> bool {
        self.find::<ConnectError>().is_some_and(|error| error.began < moment)
    }

    /// Whether there was none, as it could not be made.
    #[cfg(feature = "parquet")]
    pub(crate) fn is_without_connection(&self) -> bool {
        self.find::<ConnectError>().is_some()
    }

    /// Whether the connection was gone before the call could be sent.
    pub(crate) fn is_ended_connection(&self) -> bool {
        self.find::<ConnectionEnded>().is_some()
    }

    /// Whether a fresh connection may help: there was one, and it broke before anything of the answer was used.
    pub(crate) fn is_worth_another_try(&self, observed: &Observation) -> bool {
        matches!(self.stage, Stage::Head | Stage::Schema)
            && !has_tls_error(observed)
            && !self.is_dead_connection()
            && !self.is_expired()
    }

    /// Whether the server may speak something else than HTTP/2.
    pub(crate) fn leaves_protocol_open(&self, observed: &Observation) -> bool {
        self.stage == Stage::Head && !observed.is_http2
    }

    /// Whether PINGs were not answered.
    fn is_dead_connection(&self) -> bool {
        self.mentions("keep-alive timed out")
    }

    /// Whether the head did not come within the `grpc-timeout` that was sent: tonic keeps to it as well.
    fn is_expired(&self) -> bool {
        self.find::<tonic::TimeoutExpired>().is_some()
    }

    fn find<T: StdError + 'static>(&self) -> Option<&T> {
        self.chain().find_map(|error| error.downcast_ref())
    }

    fn mentions(&self, text: &str) -> bool {
        self.chain().any(|error| error.to_string().contains(text))
    }

    fn chain(&self) -> impl Iterator<Item = &(dyn StdError + 'static)> {
        let first: &(dyn StdError + 'static) = &*self.error;
        std::iter::successors(Some(first), |error: &&(dyn StdError + 'static)| {
            let error: &(dyn StdError + 'static) = *error;
            // The source of an I/O error is the source of what it wraps.
            match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
                Some(wrapped) => Some(wrapped as _),
                None => error.source(),
            }
        })
    }
}

impl fmt::Display for Failure {
    /// The chain of causes on one line, without repetitions.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = String::new();
        for error in self.chain() {
            let text = error.to_string();
            if !last.contains(&text) {
                if !last.is_empty() {
                    f.write_str(": ")?;
                }
                f.write_str(&text)?;
                last = text;
            }
        }
        Ok(())
    }
}

impl StdError for Failure {}

impl ErrorContext<'_> {
    /// The error of a connection that could not be made.
    pub(crate) fn no_connection(&self, failure: Failure) -> Error {
        match failure.find::<ConnectError>() {
            Some(error) => error.to_error(),
            None => self.cut(&failure, &Observation::default()).with_source(failure),
        }
    }

    /// The error of an exchange that broke. `first_words` is what the server says to a client that begins to speak
    /// HTTP/2, if it speaks something else and that is known.
    pub(crate) fn broken(
        &self,
        failure: Failure,
        observed: &Observation,
        first_words: &[u8],
    ) -> Error {
        self.no_tls(&failure, observed)
            .or_else(|| self.too_late(&failure))
            .or_else(|| self.other_protocol(&failure, observed, first_words))
            .unwrap_or_else(|| self.cut(&failure, observed))
            .with_source(failure)
    }

    /// In TLS 1.3 a server refuses a client after the handshake.
    #[cfg(feature = "tls")]
    fn no_tls(&self, failure: &Failure, observed: &Observation) -> Option<Error> {
        let endpoint = self.endpoint;
        if let Some(error) = &observed.tls_error {
            let why = crate::transport::describe_tls_error(error);
            let text = format!("no TLS connection to {endpoint}: {why}");
            return Some(Error::new(ErrorKind::Tls, text).with_host_failure(true));
        }
        if !endpoint.is_tls() || failure.stage != Stage::Head || observed.has_heard {
            return None;
        }
        let question = match self.config.tls.has_client_cert() {
            true => "does the server accept the client_cert?",
            false => "does the server want a client_cert?",
        };
        let text =
            format!("{endpoint} closed the connection right after the TLS handshake: {question}");
        Some(Error::new(ErrorKind::Tls, text).with_retryable(true).with_host_failure(true))
    }

    #[cfg(not(feature = "tls"))]
    fn no_tls(&self, _: &Failure, _: &Observation) -> Option<Error> {
        None
    }

    fn too_late(&self, failure: &Failure) -> Option<Error> {
        let text = if failure.is_expired() {
            table_timed_out(failure.stage)
        } else if failure.is_dead_connection() {
            format!(
                "the connection is dead: the server does not answer to PINGs ({})",
                self.endpoint
            )
        } else {
            return None;
        };
        let is_host_failure = failure.is_dead_connection();
        let error = Error::new(ErrorKind::Timeout, text).with_retryable(true);
        Some(error.with_host_failure(is_host_failure))
    }

    /// On a connection without TLS, a server of another kind shows itself by what it says first.
    fn other_protocol(
        &self,
        failure: &Failure,
        observed: &Observation,
        first_words: &[u8],
    ) -> Option<Error> {
        let endpoint = self.endpoint;
        if endpoint.is_tls() || !failure.leaves_protocol_open(observed) {
            return None;
        }
        match first_words {
            [b'H', b'T', b'T', b'P', b'/', b'1', ..] => Some(self.http1(first_words)),
            // A record of an alert or a handshake, of any version.
            [0x15 | 0x16, 3, ..] => Some(Error::new(
                ErrorKind::Tls,
                format!("the port of {endpoint} speaks TLS: use https://"),
            )),
            [] if !observed.has_heard => Some(
                Error::new(
                    ErrorKind::Connect,
                    format!(
                        "{endpoint} closed the connection without a word: is it a TLS port? (then use https://)"
                    ),
                )
                .with_retryable(true)
                .with_host_failure(true),
            ),
            _ => None,
        }
    }

    /// The error of an exchange over HTTP/1 that gave no whole answer.
    #[cfg(feature = "parquet")]
    pub(crate) fn no_http_answer(&self, failure: Failure) -> Error {
        if failure.is_without_connection() {
            return self.no_connection(failure);
        }
        self.cut(&failure, &Observation::default()).with_source(failure)
    }

    fn cut(&self, failure: &Failure, observed: &Observation) -> Error {
        let endpoint = self.endpoint;
        let when = failure.stage.when();
        let text = if observed.refuses_pings {
            format!(
                "{endpoint} closed the connection {when}, as it wants fewer PINGs: from now on none are sent (see keep_alive_interval)"
            )
        } else {
            format!("the connection to {endpoint} broke {when}")
        };
        Error::new(ErrorKind::Connect, text).with_retryable(true).with_host_failure(true)
    }
}

#[cfg(feature = "tls")]
fn has_tls_error(observed: &Observation) -> bool {
    observed.tls_error.is_some()
}

#[cfg(not(feature = "tls"))]
fn has_tls_error(_: &Observation) -> bool {
    false
}

/// The text of the error of a query that is wanted as a whole.
pub(crate) fn table_timed_out(stage: Stage) -> String {
    format!("the query took longer than its timeout (query_timeout): it ended {}", stage.when())
}

/// The text of the error of a query that is read bit by bit.
pub(crate) fn batch_timed_out(limit: Duration, stage: Stage) -> String {
    format!("nothing came from the query for {limit:?} (query_timeout): it ended {}", stage.when())
}
