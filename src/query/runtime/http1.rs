//! HTTP/1.1 on the connections of the [`HostConnector`]: requests, and connections that are kept.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection, capture_connection};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tower_service::Service;

use super::BoxError;
use super::connect::{HostConnector, HostStream};
use super::wait::within;
use crate::config::Config;
use crate::transport::{ConnectError, Host, Limit};

/// Makes requests, over connections that are kept for a while.
pub(crate) struct Http1Client {
    client: Client<Http1Connector, Full<Bytes>>,
    host: Arc<Host>,
}

pub(crate) type Http1Body = UnsyncBoxBody<Bytes, BoxError>;

/// How long a connection without a request is kept: less than servers and gateways keep one, so that it is seldom used when
/// they are about to close it.
const IDLE: Duration = Duration::from_secs(20);

impl Http1Client {
    /// Connects to nothing yet.
    pub(crate) fn new(config: &Arc<Config>, host: Arc<Host>) -> Self {
        let connector = Http1Connector(HostConnector::for_http1(config, Arc::clone(&host)));
        let mut builder = Client::builder(TokioExecutor::new());
        let client = builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE).build(connector);
        Self { client, host }
    }

    /// Sends a request and waits for the head of its answer. Only in a task: it needs the runtime.
    ///
    /// `has_connected` is called when there is a connection for it, for which it waits within the limit, if there is
    /// one. A request of which nothing was sent because the kept connection ended is sent over another one.
    pub(crate) async fn request(
        &self,
        mut request: Request<Full<Bytes>>,
        limit: Option<Limit>,
        has_connected: impl FnOnce(),
    ) -> Result<Response<Http1Body>, BoxError> {
        let mut connection = capture_connection(&mut request);
        let mut answer = pin!(self.client.request(request));
        let mut connected = pin!(async { drop(connection.wait_for_connection_metadata().await) });
        // The connection, or else the answer that ends without one.
        let connecting = poll_fn(|cx| match answer.as_mut().poll(cx) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            Poll::Pending => connected.as_mut().poll(cx).map(|()| None),
        });
        let early = match limit {
            None => connecting.await,
            Some(limit) => within(limit.time, connecting)
                .await
                .ok_or_else(|| ConnectError::not_within(limit, &self.host))?,
        };
        if !matches!(early, Some(Err(_))) {
            has_connected();
        }
        let answer = match early {
            Some(answer) => answer?,
            None => answer.await?,
        };
        Ok(answer.map(|body| body.map_err(Into::into).boxed_unsync()))
    }
}

#[derive(Clone)]
struct Http1Connector(HostConnector);

impl Service<Uri> for Http1Connector {
    type Response = TokioIo<Http1Stream>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ConnectError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.0.call(uri);
        Box::pin(async {
            let stream = connecting.await?.into_inner();
            Ok(TokioIo::new(Http1Stream(stream)))
        })
    }
}

/// A stream to the server itself on which HTTP/1.1 is spoken: hyper's client asks each stream for that.
struct Http1Stream(HostStream);

impl Connection for Http1Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Http1Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Http1Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
