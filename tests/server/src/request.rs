//! What was asked of the server, for tests to look at.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, Method};

/// A request as the server received it. Kept if [`record_requests`] is on.
///
/// A Flight call is here as well: its path is the gRPC method, its headers are the metadata, and
/// its body is the ticket.
///
/// [`record_requests`]: crate::DevServerBuilder::record_requests
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Request {
    /// `POST`, `GET`, …
    pub method: Method,
    /// The path as sent, percent-encoding included.
    pub path: String,
    /// The query string as sent, without the `?`; empty if there was none.
    pub query: String,
    /// All headers.
    pub headers: HeaderMap,
    /// The body. A gzip body stands here decoded, unless it could not be decoded.
    pub body: Bytes,
    /// Bytes of the body as sent.
    pub encoded_len: usize,
}

/// Requests in the order in which they were received.
#[derive(Debug, Default)]
pub(crate) struct Requests(Option<Mutex<Vec<Request>>>);

impl Requests {
    pub(crate) fn new(on: bool) -> Requests {
        Requests(on.then(Mutex::default))
    }

    /// Keeps the request, if requests are recorded; only then it is made.
    pub(crate) fn push(&self, request: impl FnOnce() -> Request) {
        if let Some(mut requests) = self.lock() {
            requests.push(request());
        }
    }

    pub(crate) fn all(&self) -> Vec<Request> {
        self.lock().map(|requests| requests.clone()).unwrap_or_default()
    }

    fn lock(&self) -> Option<MutexGuard<'_, Vec<Request>>> {
        let requests = self.0.as_ref()?;
        Some(requests.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
