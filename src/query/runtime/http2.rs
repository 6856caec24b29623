//! HTTP/2 on a connection of the [`Connector`](super::Connector).

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};

/// A connection on which requests are made. It is closed when its clones and the answers on it are dropped.
#[derive(Clone)]
pub(crate) struct Http2Connection(SendRequest<Full<Bytes>>);

pub(crate) type Http2Body = Incoming;
type BoxError = Box<dyn StdError + Send + Sync>;

/// How HTTP/2 is spoken.
pub(crate) struct Http2Options {
    /// How much a stream may have under way, in bytes, and how much all of a connection.
    pub(crate) stream_window: u32,
    pub(crate) connection_window: u32,
    /// The most bytes of a frame.
    pub(crate) frame_size: u32,
    /// The most bytes of the headers of an answer.
    pub(crate) header_list_size: u32,
    /// How often a PING is sent, also while there are no calls, and how long its answer may take.
    pub(crate) pings: Option<(Duration, Duration)>,
}

/// The connection that a request was to use had ended before it was sent.
#[derive(Debug)]
pub(crate) struct ConnectionEnded;

impl fmt::Display for ConnectionEnded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection has ended")
    }
}

impl StdError for ConnectionEnded {}

impl Http2Connection {
    /// Begins to speak HTTP/2; what the server says to that is seen by the first request. Only in a task.
    pub(crate) async fn begin(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        options: &Http2Options,
    ) -> Result<Self, BoxError> {
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .initial_stream_window_size(options.stream_window)
            .initial_connection_window_size(options.connection_window)
            .max_frame_size(options.frame_size)
            .max_header_list_size(options.header_list_size);
        if let Some((interval, patience)) = options.pings {
            builder
                .keep_alive_interval(interval)
                .keep_alive_timeout(patience)
                .keep_alive_while_idle(true);
        }
        let (requests, connection) = builder.handshake(TokioIo::new(stream)).await?;
        // Why it ended is told to the requests on it.
        tokio::spawn(async { drop(connection.await) });
        Ok(Self(requests))
    }

    /// Sends a request and waits for the head of its answer. Only in a task.
    ///
    /// # Errors
    /// [`ConnectionEnded`] if nothing was sent.
    pub(crate) async fn request(
        mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Http2Body>, BoxError> {
        if self.0.ready().await.is_err() {
            return Err(ConnectionEnded.into());
        }
        self.0.send_request(request).await.map_err(|error| match error.is_canceled() {
            true => ConnectionEnded.into(),
            false => error.into(),
        })
    }
}
