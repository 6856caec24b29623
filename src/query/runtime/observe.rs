//! What is received on a connection beside the answers of calls and what hyper and tonic do not report: whether it is
//! HTTP/2 at all, why the server ends the connection, and why TLS does.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The observation of one connection, which its [`ObservedStream`] goes on with. Clones are of the same connection.
#[derive(Clone, Default)]
pub(crate) struct Observed(Arc<Mutex<Observation>>);

/// What was observed so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observation {
    /// Whether a byte was received.
    pub(crate) has_received: bool,
    /// Whether it began as HTTP/2 does.
    pub(crate) is_http2: bool,
    /// Whether the server has sent a GOAWAY because of too many PINGs.
    pub(crate) refuses_pings: bool,
    /// The error with which TLS ended the connection. hyper and tonic keep nothing but its text.
    #[cfg(feature = "tls")]
    pub(crate) tls_error: Option<rustls::Error>,
}

impl Observation {
    #[cfg(feature = "tls")]
    pub(crate) fn has_tls_error(&self) -> bool {
        self.tls_error.is_some()
    }

    #[cfg(not(feature = "tls"))]
    pub(crate) fn has_tls_error(&self) -> bool {
        false
    }
}

impl Observed {
    pub(crate) fn get(&self) -> Observation {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn update(&self, update: impl FnOnce(&mut Observation)) {
        update(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// A stream whose bytes are observed as they are read.
pub(crate) struct ObservedStream<S> {
    stream: S,
    has_received: bool,
    frames: Http2Frames,
    observed: Observed,
}

impl<S> ObservedStream<S> {
    pub(crate) fn new(stream: S, observed: Observed) -> Self {
        Self { stream, has_received: false, frames: Http2Frames::default(), observed }
    }

    fn came(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if !self.has_received {
            self.has_received = true;
            self.observed.update(|observation| observation.has_received = true);
        }
        self.frames.read(bytes, &self.observed);
    }

    fn failed(&self, error: &io::Error) {
        #[cfg(feature = "tls")]
        if let Some(error) = error.get_ref().and_then(|error| error.downcast_ref()) {
            self.observed.update(|observation| {
                observation.tls_error = Some(rustls::Error::clone(error));
            });
        }
        #[cfg(not(feature = "tls"))]
        let _ = error;
    }
}

impl<S: AsyncRead + Unpin> ObservedStream<S> {
    /// Reads received bytes once more after writing failed: a server that refuses a client may say why and close before
    /// it has read all, and h2 does not read from a connection that it could not write to.
    fn read_last_bytes(&mut self, cx: &mut Context<'_>) {
        let mut bytes = [0; 512];
        let mut buffer = ReadBuf::new(&mut bytes);
        match Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
            Poll::Ready(Ok(())) => self.came(buffer.filled()),
            Poll::Ready(Err(error)) => self.failed(&error),
            Poll::Pending => {}
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ObservedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, buffer));
        match &read {
            Ok(()) => self.came(&buffer.filled()[before..]),
            Err(error) => self.failed(error),
        }
        Poll::Ready(read)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> ObservedStream<S> {
    fn written<T>(&mut self, cx: &mut Context<'_>, written: io::Result<T>) -> io::Result<T> {
        if written.is_err() {
            self.read_last_bytes(cx);
        }
        written
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for ObservedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes));
        Poll::Ready(self.written(cx, written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = ready!(Pin::new(&mut self.stream).poll_flush(cx));
        Poll::Ready(self.written(cx, flushed))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, slices));
        Poll::Ready(self.written(cx, written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// Follows the frames of HTTP/2 (RFC 9113, 4.1) as their bytes pass: a length of 3 bytes, a type, flags, the id of a stream of
/// 4 bytes, and the content.
#[derive(Default)]
struct Http2Frames {
    head: [u8; Self::HEAD],
    /// How many bytes of the head have passed.
    passed: usize,
    /// How many bytes of the content are to pass.
    missing: usize,
    /// Whether the first frame has begun.
    has_begun: bool,
    /// The beginning of the content of a GOAWAY.
    goaway: Vec<u8>,
}

impl Http2Frames {
    const HEAD: usize = 9;
    const SETTINGS: u8 = 4;
    const GOAWAY: u8 = 7;
    /// The content of a GOAWAY as far as it is kept: the id of a stream, an error code, and the text that servers of gRPC
    /// send when they get too many PINGs (gRPC proposal A8).
    const GOAWAY_CONTENT: usize = 8 + TOO_MANY_PINGS.len();

    fn read(&mut self, mut bytes: &[u8], observed: &Observed) {
        while !bytes.is_empty() {
            if self.missing > 0 {
                let (content, rest) = bytes.split_at(self.missing.min(bytes.len()));
                self.missing -= content.len();
                bytes = rest;
                self.content(content, observed);
                continue;
            }
            let (head, rest) = bytes.split_at((Self::HEAD - self.passed).min(bytes.len()));
            self.head[self.passed..self.passed + head.len()].copy_from_slice(head);
            self.passed += head.len();
            bytes = rest;
            if self.passed == Self::HEAD {
                self.passed = 0;
                self.begin(observed);
            }
        }
    }

    /// The head of a frame has passed.
    fn begin(&mut self, observed: &Observed) {
        let [high, middle, low, kind, ..] = self.head;
        self.missing = u32::from_be_bytes([0, high, middle, low]) as usize;
        self.goaway.clear();
        // A server of HTTP/2 begins with SETTINGS (RFC 9113, 3.4).
        if !self.has_begun {
            self.has_begun = true;
            observed.update(|observation| observation.is_http2 = kind == Self::SETTINGS);
        }
    }

    fn content(&mut self, content: &[u8], observed: &Observed) {
        if self.head[3] != Self::GOAWAY {
            return;
        }
        let room = Self::GOAWAY_CONTENT - self.goaway.len();
        self.goaway.extend_from_slice(&content[..content.len().min(room)]);
        if self.goaway.ends_with(TOO_MANY_PINGS) {
            observed.update(|observation| observation.refuses_pings = true);
        }
    }
}

const TOO_MANY_PINGS: &[u8] = b"too_many_pings";

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, content: &[u8]) -> Vec<u8> {
        let mut frame = vec![0, 0, content.len() as u8, kind, 0, 0, 0, 0, 0];
        frame.extend(content);
        frame
    }

    fn goaway(text: &[u8]) -> Vec<u8> {
        frame(7, &[&[0, 0, 0, 1, 0, 0, 0, 11], text].concat())
    }

    fn observe(bytes: &[u8], piece: usize) -> Observation {
        let observed = Observed::default();
        let mut stream = ObservedStream::new((), observed.clone());
        bytes.chunks(piece).for_each(|piece| stream.came(piece));
        observed.get()
    }

    #[test]
    fn a_goaway_is_found_in_whatever_pieces_it_comes() {
        let settings = frame(4, &[]);
        let data = frame(0, b"\0\0\x16\x07too_many_pings");
        for (goaway, refuses_pings) in [
            (goaway(b"too_many_pings"), true),
            (goaway(b""), false),
            (goaway(b"max_age"), false),
            (goaway(&[b'x'; 100]), false),
        ] {
            let bytes = [&settings[..], &data, &goaway, &data].concat();
            for piece in 1..=bytes.len() {
                let observation = observe(&bytes, piece);
                assert_eq!(observation.refuses_pings, refuses_pings, "{piece}");
                assert!(observation.has_received && observation.is_http2);
            }
        }
    }

    #[test]
    fn what_is_no_http2_is_heard_and_no_more() {
        for bytes in
            [&b"HTTP/1.1 400 Bad Request\r\n\r\n<html></html>"[..], &[0x15, 3, 3, 0, 2, 2, 40]]
        {
            let observation = observe(bytes, 3);
            assert!(
                observation.has_received && !observation.is_http2 && !observation.refuses_pings
            );
        }
        assert!(!observe(b"", 1).has_received);
    }
}
