//! Requests without an answer: how far they came, and what that means.

use std::io::{self, Read};
use std::time::Duration;

use ureq::Timeout;

use super::Peer;
use crate::{Error, ErrorKind};

/// A body that knows how much of it was taken, as ureq does not say how far a failed request came.
pub(super) struct WatchedBody<'a> {
    /// What is left of the piece that is being taken.
    piece: &'a [u8],
    rest: std::slice::Iter<'a, &'a [u8]>,
    began: bool,
}

#[derive(Clone, Copy)]
pub(super) struct Progress {
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

    pub(super) fn progress(&self) -> Progress {
        Progress { began: self.began, finished: self.left() == 0 }
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
pub(super) struct Failure {
    pub(super) error: ureq::Error,
    pub(super) progress: Progress,
}

impl Failure {
    /// Whether this is what a connection looks like that the server had closed before.
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

    pub(super) fn into_error(self, peer: &Peer, timeout: Duration) -> Error {
        let began = self.progress.began;
        let was_cut = began && self.is_stale();
        let (kind, message, retryable) = self.describe(peer, timeout);
        let in_doubt = began && !matches!(kind, ErrorKind::Tls | ErrorKind::Proxy);
        Error::new(kind, message)
            .with_in_doubt(in_doubt)
            .with_retryable(retryable)
            .with_was_cut(was_cut)
            .with_source(Box::new(self.error) as Box<dyn std::error::Error + Send + Sync>)
    }

    fn describe(&self, peer: &Peer, timeout: Duration) -> (ErrorKind, String, bool) {
        use ureq::Error as E;
        let base = &peer.base;
        if let Some((message, retryable)) = self.tls_error() {
            return (ErrorKind::Tls, format!("no TLS connection to {base}: {message}"), retryable);
        }
        if let Some(proxy) = peer.proxy.as_ref().filter(|_| self.is_without_connection()) {
            let why = match &self.error {
                E::Io(error) => error.kind().to_string(),
                _ => "its name does not resolve".to_owned(),
            };
            return (ErrorKind::Proxy, format!("cannot connect to the proxy {proxy}: {why}"), true);
        }
        match &self.error {
            E::Timeout(phase) => {
                (ErrorKind::Timeout, self.describe_timeout(*phase, base, timeout), true)
            }
            error if is_unresolved(error) => (
                ErrorKind::Connect,
                format!(
                    "cannot connect to {base}: the host name does not resolve; is it spelled right?"
                ),
                true,
            ),
            E::ConnectionFailed => {
                (ErrorKind::Connect, format!("cannot connect to {base}: no address answered"), true)
            }
            E::ConnectProxyFailed(why) => {
                (ErrorKind::Proxy, format!("the proxy does not connect to {base}: {why}"), true)
            }
            E::InvalidProxyUrl => (ErrorKind::Proxy, "the proxy cannot be used".into(), false),
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
            E::Io(error) => {
                let hint = if error.kind() == io::ErrorKind::ConnectionRefused {
                    "; is the server running, and are host and port right?"
                } else {
                    ""
                };
                (
                    ErrorKind::Connect,
                    format!("cannot connect to {base}: {}{hint}", error.kind()),
                    true,
                )
            }
            _ => (ErrorKind::Internal, format!("the request to {base} could not be made"), false),
        }
    }

    /// Whether no connection was made to whom requests go to first.
    fn is_without_connection(&self) -> bool {
        !self.progress.began
            && match &self.error {
                ureq::Error::Io(_) | ureq::Error::ConnectionFailed => true,
                error => is_unresolved(error),
            }
    }

    fn describe_timeout(&self, phase: Timeout, base: &str, timeout: Duration) -> String {
        match phase {
            Timeout::Resolve => {
                format!("the host name of {base} did not resolve in time (connect_timeout)")
            }
            Timeout::Connect => {
                format!("{base} did not accept a connection in time (connect_timeout)")
            }
            _ if !self.progress.began => {
                format!("no connection to {base} within {timeout:?} (write_timeout)")
            }
            _ if self.progress.finished => format!(
                "no answer from {base} within {timeout:?} (write_timeout); what was sent may be stored or not"
            ),
            _ => format!(
                "the request could not be sent to {base} within {timeout:?} (write_timeout)"
            ),
        }
    }

    /// What went wrong in TLS, if that is what failed, and whether it may pass.
    #[cfg(feature = "tls")]
    fn tls_error(&self) -> Option<(String, bool)> {
        let error = match &self.error {
            ureq::Error::Rustls(error) => error,
            ureq::Error::Io(error) => error.get_ref()?.downcast_ref::<rustls::Error>()?,
            ureq::Error::Tls(message) => return Some(((*message).to_owned(), false)),
            _ => return None,
        };
        Some((crate::transport::describe_tls_error(error), false))
    }

    #[cfg(not(feature = "tls"))]
    fn tls_error(&self) -> Option<(String, bool)> {
        None
    }
}

fn is_unresolved(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::HostNotFound => true,
        // std gives the resolver's failures no kind of their own.
        ureq::Error::Io(error) => error.to_string().starts_with("failed to lookup address"),
        _ => false,
    }
}
