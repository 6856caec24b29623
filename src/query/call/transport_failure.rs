use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use super::stage::CallStage;
use crate::query::runtime::Observation;
use crate::transport::ConnectError;

/// The source of the error of a call whose connection ended before the call was sent.
#[derive(Debug)]
pub(crate) struct ConnectionEnded;

impl fmt::Display for ConnectionEnded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection has ended")
    }
}

impl StdError for ConnectionEnded {}

/// An error of the connection or of HTTP, and the stage at which it ended a call.
#[derive(Clone, Debug)]
pub(crate) struct TransportFailure {
    pub(super) stage: CallStage,
    error: Arc<dyn StdError + Send + Sync>,
}

impl TransportFailure {
    pub(crate) fn new(stage: CallStage, error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { stage, error: Arc::from(error.into()) }
    }

    /// Whether an attempt to connect failed that was begun before this moment.
    pub(crate) fn began_before(&self, moment: Instant) -> bool {
        self.find::<ConnectError>().is_some_and(|error| error.began < moment)
    }

    /// Whether no connection could be opened.
    #[cfg(feature = "parquet")]
    pub(crate) fn is_without_connection(&self) -> bool {
        self.find::<ConnectError>().is_some()
    }

    /// Whether the connection ended before the call was sent: then the server has received nothing of it.
    pub(crate) fn is_ended_connection(&self) -> bool {
        self.find::<ConnectionEnded>().is_some()
    }

    /// Whether another connection may help: this one broke before a message of the answer was received, and neither TLS
    /// nor a timeout ended it.
    pub(crate) fn is_worth_another_try(&self, observed: &Observation) -> bool {
        matches!(self.stage, CallStage::Head | CallStage::Schema)
            && !observed.has_tls_error()
            && !self.is_dead_connection()
            && !self.is_expired()
    }

    /// Whether the server may speak something else than HTTP/2: nothing of HTTP/2 was received.
    pub(crate) fn leaves_protocol_open(&self, observed: &Observation) -> bool {
        self.stage == CallStage::Head && !observed.is_http2
    }

    /// Whether PINGs were not answered, which only the text of hyper's error says.
    pub(super) fn is_dead_connection(&self) -> bool {
        self.mentions("keep-alive timed out")
    }

    /// Whether the head was not received within the `grpc-timeout` that was sent: tonic ends the call then, too.
    pub(super) fn is_expired(&self) -> bool {
        self.find::<tonic::TimeoutExpired>().is_some()
    }

    /// The first error of this type in the chain of causes.
    pub(super) fn find<T: StdError + 'static>(&self) -> Option<&T> {
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

impl fmt::Display for TransportFailure {
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

impl StdError for TransportFailure {}
