//! What it means to a person that a call broke.

use super::error_context::ErrorContext;
#[cfg(feature = "tls")]
use super::stage::CallStage;
use super::stage::table_timed_out;
use super::transport_failure::TransportFailure;
use crate::query::runtime::Observation;
use crate::transport::ConnectError;
use crate::{Error, ErrorKind};

impl ErrorContext<'_> {
    /// The error of a call for which no connection could be opened, or that broke on one that is not observed.
    pub(crate) fn unobserved_failure(&self, failure: TransportFailure) -> Error {
        match failure.find::<ConnectError>() {
            Some(error) => error.to_error(),
            None => self.cut(&failure, &Observation::default()).with_source(failure),
        }
    }

    /// The error of a call that broke on a connection on which this was observed. `first_bytes` is what the server says to
    /// a client that begins to speak HTTP/2, if it speaks something else and that is known; otherwise empty.
    pub(crate) fn observed_failure(
        &self,
        failure: TransportFailure,
        observed: &Observation,
        first_bytes: &[u8],
    ) -> Error {
        self.no_tls(&failure, observed)
            .or_else(|| self.too_late(&failure))
            .or_else(|| self.other_protocol(&failure, observed, first_bytes))
            .unwrap_or_else(|| self.cut(&failure, observed))
            .with_source(failure)
    }

    /// The error of a connection that TLS ended. In TLS 1.3 a server that refuses the client's certificate, or misses it,
    /// says so only after the handshake, so that it is no error of connecting.
    #[cfg(feature = "tls")]
    fn no_tls(&self, failure: &TransportFailure, observed: &Observation) -> Option<Error> {
        let endpoint = self.endpoint;
        if let Some(error) = &observed.tls_error {
            let why = crate::transport::describe_tls_error(error);
            let text = format!("no TLS connection to {endpoint}: {why}");
            return Some(Error::new(ErrorKind::Tls, text).with_host_failure(true));
        }
        if !endpoint.is_tls() || failure.stage != CallStage::Head || observed.has_received {
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
    fn no_tls(&self, _: &TransportFailure, _: &Observation) -> Option<Error> {
        None
    }

    /// The error of a connection that is dead, or of a time that was over.
    fn too_late(&self, failure: &TransportFailure) -> Option<Error> {
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

    /// The error of a server that speaks something else than HTTP/2, as its first bytes show. With TLS, the handshake
    /// settles the protocol.
    fn other_protocol(
        &self,
        failure: &TransportFailure,
        observed: &Observation,
        first_bytes: &[u8],
    ) -> Option<Error> {
        let endpoint = self.endpoint;
        if endpoint.is_tls() || !failure.leaves_protocol_open(observed) {
            return None;
        }
        match first_bytes {
            [b'H', b'T', b'T', b'P', b'/', b'1', ..] => Some(self.http1(first_bytes)),
            // TLS (RFC 8446, 5.1): the type of a record, alert or handshake, and the high byte of its version.
            [0x15 | 0x16, 3, ..] => Some(self.tls_port()),
            [] if !observed.has_received => Some(
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

    /// The error of a connection that broke for no reason that is known.
    fn cut(&self, failure: &TransportFailure, observed: &Observation) -> Error {
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
