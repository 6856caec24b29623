//! Requests without an answer: how much was sent, and what that means.

use std::io::{self, Read};
use std::time::Duration;

use crate::transport::ConnectError;
use crate::{Error, ErrorKind};

/// A body that counts how much of it was taken, as ureq does not report how much of a failed request was sent.
pub(super) struct WatchedBody<'a> {
    /// What is left of the piece that is being taken.
    piece: &'a [u8],
    rest: std::slice::Iter<'a, &'a [u8]>,
    began: bool,
}

#[derive(Clone, Copy)]
pub(super) struct SendProgress {
    pub(super) began: bool,
    finished: bool,
}

impl<'a> WatchedBody<'a> {
    /// A body of pieces, one behind the other.
    pub(super) fn new(pieces: &'a [&'a [u8]]) -> Self {
        Self { piece: &[], rest: pieces.iter(), began: false }
    }

    /// How many bytes were not taken yet.
    pub(super) fn left(&self) -> usize {
        self.piece.len() + self.rest.as_slice().iter().map(|piece| piece.len()).sum::<usize>()
    }

    pub(super) fn progress(&self) -> SendProgress {
        SendProgress { began: self.began, finished: self.left() == 0 }
    }
}

impl Read for WatchedBody<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.began = true;
        let mut filled = 0;
        while filled < buffer.len() {
            if self.piece.is_empty() {
                let Some(next) = self.rest.next() else { break };
                self.piece = next;
            }
            filled += self.piece.read(&mut buffer[filled..])?;
        }
        Ok(filled)
    }
}

/// A request without an answer.
pub(super) struct RequestFailure {
    pub(super) error: ureq::Error,
    pub(super) progress: SendProgress,
}

impl RequestFailure {
    /// Whether the failure looks like that of a connection which the server closed before the request.
    pub(super) fn is_stale(&self) -> bool {
        use io::ErrorKind as K;
        let broken = |kind| {
            matches!(
                kind,
                K::UnexpectedEof | K::ConnectionReset | K::BrokenPipe | K::ConnectionAborted
            )
        };
        matches!(&self.error, ureq::Error::Io(error) if broken(error.kind()))
            && self.tls_error().is_none()
    }

    pub(super) fn into_error(self, base: &str, timeout: Duration) -> Error {
        if let ureq::Error::Other(other) = &self.error
            && let Some(error) = other.downcast_ref::<ConnectError>()
        {
            return error.to_error();
        }
        let began = self.progress.began;
        let was_cut = began && self.is_stale();
        let (kind, message, retryable) = self.describe(base, timeout);
        let in_doubt = began && kind != ErrorKind::Tls;
        Error::new(kind, message)
            .with_in_doubt(in_doubt)
            .with_retryable(retryable)
            .with_was_cut(was_cut)
            .with_host_failure(retryable || kind == ErrorKind::Tls)
            .with_source(Box::new(self.error) as Box<dyn std::error::Error + Send + Sync>)
    }

    fn describe(&self, base: &str, timeout: Duration) -> (ErrorKind, String, bool) {
        use ureq::Error as E;
        if let Some(message) = self.tls_error() {
            return (ErrorKind::Tls, format!("no TLS connection to {base}: {message}"), false);
        }
        match &self.error {
            E::Timeout(_) => (ErrorKind::Timeout, self.describe_timeout(base, timeout), true),
            E::Protocol(_) => (
                ErrorKind::Server,
                format!(
                    "{base} answered something that is not HTTP; does the port speak TLS (then use https://), or \
                     another protocol?"
                ),
                false,
            ),
            E::LargeResponseHeader(..) => (
                ErrorKind::Server,
                format!("the header of the answer of {base} is too large"),
                false,
            ),
            E::Io(error) if self.progress.began => (
                ErrorKind::Connect,
                match error.kind() {
                    io::ErrorKind::UnexpectedEof if self.progress.finished => format!(
                        "{base} closed the connection without an answer; what was sent may be stored or not"
                    ),
                    kind => format!("the connection to {base} broke while sending: {kind}"),
                },
                true,
            ),
            E::Io(error) => (
                ErrorKind::Connect,
                format!(
                    "the connection to {base} broke before anything was sent: {}",
                    error.kind()
                ),
                true,
            ),
            _ => (ErrorKind::Internal, format!("the request to {base} could not be made"), false),
        }
    }

    fn describe_timeout(&self, base: &str, timeout: Duration) -> String {
        let limit = format!("within {timeout:?} (write_timeout)");
        if self.progress.finished {
            format!("no answer from {base} {limit}; what was sent may be stored or not")
        } else {
            format!("the request could not be sent to {base} {limit}")
        }
    }

    /// What went wrong in TLS after the handshake, if that is what failed.
    #[cfg(feature = "tls")]
    fn tls_error(&self) -> Option<String> {
        let ureq::Error::Io(error) = &self.error else { return None };
        crate::transport::find_tls_error(error).map(crate::transport::describe_tls_error)
    }

    #[cfg(not(feature = "tls"))]
    fn tls_error(&self) -> Option<String> {
        None
    }
}
