//! Answers that a test puts in place of the server's own.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use http::{HeaderName, HeaderValue, Response, StatusCode};
#[cfg(feature = "query")]
use tonic::{Code, Status};

/// An answer for any request, in place of the server's own: see [`DevServer::answer_writes`] and
/// [`DevServer::answer_queries`].
///
/// ```
/// use influxdb3_dev_server::{Answer, DevServer};
///
/// let server = DevServer::start()?;
/// let busy = Answer::status(503).header("retry-after", "1").body("busy");
/// server.answer_writes(2, busy);
/// server.answer_writes(1, Answer::lost());
/// // … a client that tries again has its points stored once, by its third
/// // request, and hears of it at its fourth …
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// [`DevServer::answer_writes`]: crate::DevServer::answer_writes
/// [`DevServer::answer_queries`]: crate::DevServer::answer_queries
#[derive(Debug, Clone)]
pub struct Answer(pub(crate) Kind);

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Said(Said),
    Closed,
    Lost,
}

#[derive(Debug, Clone)]
pub(crate) struct Said {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: String,
}

impl Answer {
    /// This status, without a body. Nothing is stored, and no query is run. Over Flight it is the nearest gRPC
    /// status: UNAVAILABLE for 503, RESOURCE_EXHAUSTED for 429, and so on.
    ///
    /// # Panics
    /// There is no such status: it has three digits and does not begin with 0.
    pub fn status(status: u16) -> Answer {
        let status = StatusCode::from_u16(status).expect("a status of HTTP");
        Answer(Kind::Said(Said { status, headers: Vec::new(), body: String::new() }))
    }

    /// No answer: over HTTP/1.1 the connection is closed, over HTTP/2 and Flight the stream is reset. Nothing is stored.
    pub fn closed() -> Answer {
        Answer(Kind::Closed)
    }

    /// The request is carried out, and its answer is lost: as [`closed`](Answer::closed), but what was written is
    /// stored.
    pub fn lost() -> Answer {
        Answer(Kind::Lost)
    }

    /// With this header. Over Flight it is not sent.
    ///
    /// # Panics
    /// The name or the value cannot stand in a header, or there is no status.
    pub fn header(mut self, name: &str, value: &str) -> Answer {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a name of a header");
        let value = HeaderValue::from_str(value).expect("a value of a header");
        self.said().headers.push((name, value));
        self
    }

    /// With this body, which is the message over Flight.
    ///
    /// # Panics
    /// There is no status.
    pub fn body(mut self, body: impl Into<String>) -> Answer {
        self.said().body = body.into();
        self
    }

    fn said(&mut self) -> &mut Said {
        match &mut self.0 {
            Kind::Said(said) => said,
            _ => panic!("what is not answered has no headers and no body"),
        }
    }
}

impl Said {
    pub(crate) fn http<B: From<String>>(self) -> Response<B> {
        let mut answer = Response::new(B::from(self.body));
        *answer.status_mut() = self.status;
        answer.headers_mut().extend(self.headers);
        answer
    }

    #[cfg(feature = "query")]
    pub(crate) fn grpc(self) -> Status {
        let code = match self.status.as_u16() {
            401 => Code::Unauthenticated,
            403 => Code::PermissionDenied,
            404 => Code::NotFound,
            408 | 504 => Code::DeadlineExceeded,
            429 => Code::ResourceExhausted,
            501 => Code::Unimplemented,
            503 => Code::Unavailable,
            400..500 => Code::InvalidArgument,
            500.. => Code::Internal,
            _ => Code::Unknown,
        };
        Status::new(code, self.body)
    }
}

/// The answers of the next requests of one kind, in order.
#[derive(Debug, Default)]
pub(crate) struct Answers(Mutex<VecDeque<Answer>>);

impl Answers {
    pub(crate) fn add(&self, requests: usize, answer: &Answer) {
        self.lock().extend(std::iter::repeat_n(answer, requests).cloned());
    }

    /// None if the next request gets its own answer.
    pub(crate) fn next(&self) -> Option<Kind> {
        self.lock().pop_front().map(|Answer(kind)| kind)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Answer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
