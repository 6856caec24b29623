//! What comes on a connection beside the answers of calls: neither HTTP/2 nor gRPC hand it on.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What was observed on one connection so far.
#[derive(Clone, Default)]
pub(crate) struct Observed(Arc<Mutex<Observation>>);

#[derive(Clone, Debug, Default)]
pub(crate) struct Observation {
    /// Whether anything came.
    pub(crate) has_heard: bool,
    /// Whether it began as HTTP/2 does.
    pub(crate) is_http2: bool,
    /// Whether the server has said goodbye because of too many PINGs.
    pub(crate) refuses_pings: bool,
    /// How TLS ended the connection. On its way through HTTP/2 nothing but its text is left of it.
    #[cfg(feature = "tls")]
    pub(crate) tls_error: Option<rustls::Error>,
}

impl Observed {
    pub(crate) fn get(&self) -> Observation {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn update(&self, update: impl FnOnce(&mut Observation)) {
        update(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// A connection that is observed.
pub(crate) struct ObservedStream<S> {
    stream: S,
    has_heard: bool,
    frames: Frames,
    observed: Observed,
}

impl<S> ObservedStream<S> {
    pub(crate) fn new(stream: S, observed: Observed) -> Self {
        Self { stream, has_heard: false, frames: Frames::default(), observed }
    }

    fn came(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if !self.has_heard {
            self.has_heard = true;
            self.observed.update(|observation| observation.has_heard = true);
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
    /// A server that does not like what it hears may say so and close before it has heard all. Then writing fails, and
    /// nobody would read why.
    fn read_last_words(&mut self, cx: &mut Context<'_>) {
        let mut words = [0; 512];
        let mut buffer = ReadBuf::new(&mut words);
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
            self.read_last_words(cx);
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

/// The frames of HTTP/2 (RFC 9113, 4.1) as they pass: a length of 3 bytes, a type, flags, a stream of 4 bytes.
#[derive(Default)]
struct Frames {
    head: [u8; Self::HEAD],
    /// How much of the head has passed.
    passed: usize,
    /// How much of the content is to pass.
    missing: usize,
    has_begun: bool,
    /// The content of a GOAWAY.
    goodbye: Vec<u8>,
}

impl Frames {
    const HEAD: usize = 9;
    const SETTINGS: u8 = 4;
    const GOAWAY: u8 = 7;
    /// A stream, a reason and what servers of gRPC say who have enough of PINGs (gRPC proposal A8).
    const GOODBYE: usize = 8 + TOO_MANY_PINGS.len();

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

    /// A frame of which the head has come.
    fn begin(&mut self, observed: &Observed) {
        let [high, middle, low, kind, ..] = self.head;
        self.missing = u32::from_be_bytes([0, high, middle, low]) as usize;
        self.goodbye.clear();
        // A server begins with its settings (3.4).
        if !self.has_begun {
            self.has_begun = true;
            observed.update(|observation| observation.is_http2 = kind == Self::SETTINGS);
        }
    }

    fn content(&mut self, content: &[u8], observed: &Observed) {
        if self.head[3] != Self::GOAWAY {
            return;
        }
        let room = Self::GOODBYE - self.goodbye.len();
        self.goodbye.extend_from_slice(&content[..content.len().min(room)]);
        if self.goodbye.ends_with(TOO_MANY_PINGS) {
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

    fn goodbye(words: &[u8]) -> Vec<u8> {
        frame(7, &[&[0, 0, 0, 1, 0, 0, 0, 11], words].concat())
    }

    fn observe(bytes: &[u8], piece: usize) -> Observation {
        let observed = Observed::default();
        let mut stream = ObservedStream::new((), observed.clone());
        bytes.chunks(piece).for_each(|piece| stream.came(piece));
        observed.get()
    }

    #[test]
    fn a_goodbye_is_found_in_whatever_pieces_it_comes() {
        let settings = frame(4, &[]);
        let data = frame(0, b"\0\0\x16\x07too_many_pings");
        for (goodbye, refuses_pings) in [
            (goodbye(b"too_many_pings"), true),
            (goodbye(b""), false),
            (goodbye(b"max_age"), false),
            (goodbye(&[b'x'; 100]), false),
        ] {
            let bytes = [&settings[..], &data, &goodbye, &data].concat();
            for piece in 1..=bytes.len() {
                let observation = observe(&bytes, piece);
                assert_eq!(observation.refuses_pings, refuses_pings, "{piece}");
                assert!(observation.has_heard && observation.is_http2);
            }
        }
    }

    #[test]
    fn what_is_no_http2_is_heard_and_no_more() {
        for bytes in
            [&b"HTTP/1.1 400 Bad Request\r\n\r\n<html></html>"[..], &[0x15, 3, 3, 0, 2, 2, 40]]
        {
            let observation = observe(bytes, 3);
            assert!(observation.has_heard && !observation.is_http2 && !observation.refuses_pings);
        }
        assert!(!observe(b"", 1).has_heard);
    }
}
