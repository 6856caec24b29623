//! The one remote call: `DoGet`, over a connection that is opened when it is needed and kept.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, TE, USER_AGENT};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri, Version};
use http_body::{Body as _, Frame, SizeHint};
use tonic::body::Body;
use tonic::transport::{Channel, Endpoint};
use tower_service::Service;

use super::flight::{FlightData, encode_ticket};
use super::framer::Framer;
use super::runtime::{Connector, Idle, Outbox};
use super::status::{Circumstances, Failure};
use crate::config::{self, Config, Headers};
use crate::{Error, ErrorKind, Result};

/// A stream may have so much under way. 1 Gbit/s over 100 ms is 12.5 MB.
const STREAM_WINDOW: u32 = 16 << 20;
/// Readers that wait hold their windows: the connection has room for many of them, so that they do not
/// hold up each other.
const CONNECTION_WINDOW: u32 = 1 << 30;
/// Fewer, larger frames: each costs a turn through the HTTP/2 machinery.
const FRAME_SIZE: u32 = 1 << 20;

/// The way to the server's Flight service.
pub(crate) struct Rpc {
    config: Arc<Config>,
    channel: Mutex<Option<Channel>>,
    connector: Connector,
}

/// One call.
pub(crate) struct Call {
    pub(crate) ticket: Vec<u8>,
    pub(crate) database: Arc<str>,
    pub(crate) headers: Headers,
    /// Sent to the server as `grpc-timeout`.
    pub(crate) deadline: Option<Instant>,
}

/// What comes back, in this order: messages, and at last one of the other two.
pub(crate) enum Event {
    Message(FlightData),
    End(Trailers),
    Failed(Error),
}

/// What the server says after the last message.
pub(crate) type Trailers = Vec<(String, String)>;

impl Rpc {
    pub(crate) fn new(config: Arc<Config>) -> Self {
        Self { connector: Connector::new(&config), config, channel: Mutex::new(None) }
    }

    /// Runs the call to its end, on the driver.
    pub(crate) async fn run(self: Arc<Self>, call: Call, outbox: Outbox<Event>) {
        let last = match self.call(&call, &outbox).await {
            Ok(trailers) => Event::End(trailers),
            Err(error) => Event::Failed(error),
        };
        outbox.send(last, 0);
    }

    async fn call(&self, call: &Call, outbox: &Outbox<Event>) -> Result<Trailers> {
        let circumstances = Circumstances { config: &self.config, database: &call.database };
        let mut is_first = true;
        loop {
            let channel = self.channel()?;
            let failure = match self.attempt(call, channel, outbox, &circumstances).await {
                Ok(trailers) => return Ok(trailers),
                Err(Refusal::Final(error)) => return Err(error),
                Err(Refusal::Broken(failure)) => failure,
            };
            // A server that was restarted, or that closes old connections, must not be noticed; a query
            // changes nothing, and nothing of its answer was seen.
            if !is_first || !failure.is_worth_a_retry() {
                let first_words = if failure.leaves_protocol_open(&self.config) {
                    self.connector.first_words().await
                } else {
                    Vec::new()
                };
                return Err(circumstances.broken(failure, &first_words));
            }
            log::debug!("the connection broke before the answer: trying once more ({failure})");
            is_first = false;
            self.channel.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
    }

    async fn attempt(
        &self,
        call: &Call,
        mut channel: Channel,
        outbox: &Outbox<Event>,
        circumstances: &Circumstances<'_>,
    ) -> Result<Trailers, Refusal> {
        let early =
            |error: tonic::transport::Error| Failure { error: error.into(), is_early: true };
        poll_fn(|cx| channel.poll_ready(cx)).await.map_err(early)?;
        let response = channel.call(self.request(call)?).await.map_err(early)?;
        let (head, mut body) = response.into_parts();
        // An answer without a body has its status at the head.
        if let Some(status) = GrpcStatus::read(&head.headers) {
            return status.check(circumstances, &head.headers);
        }
        if !is_grpc(&Response::from_parts(head.clone(), ())) {
            let text = read_text(&mut body).await;
            return Err(Refusal::Final(circumstances.http(
                head.status.as_u16(),
                to_list(&head.headers),
                &text,
            )));
        }
        let mut framer = Framer::new(self.config.max_message_size);
        let mut idle = Idle::new(self.config.idle_timeout);
        let mut messages = 0_usize;
        let mut cost = None;
        loop {
            let mut poll = |cx: &mut Context<'_>| Pin::new(&mut body).poll_frame(cx);
            // While a query is planned nothing is sent; only after the schema there are signs of life.
            let frame = if messages == 0 {
                poll_fn(poll).await
            } else {
                let limit = self.config.idle_timeout;
                idle.watch(&mut poll).await.ok_or_else(|| is_idle(limit))?
            };
            let frame = match frame {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => {
                    let failure = Failure { error: error.into(), is_early: messages == 0 };
                    return Err(Refusal::Broken(failure));
                }
                None => return Err(Refusal::Final(without_status())),
            };
            let data = match frame.into_data() {
                Ok(data) => data,
                Err(other) => match other.into_trailers() {
                    Ok(trailers) => {
                        let status = GrpcStatus::read(&trailers).ok_or_else(without_status)?;
                        let trailers = status.check(circumstances, &trailers)?;
                        if framer.is_in_message() {
                            return Err(Refusal::Final(without_status()));
                        }
                        return Ok(trailers);
                    }
                    Err(_) => continue,
                },
            };
            framer.push(data);
            while let Some(length) = framer.begin()? {
                // Before the rest of the message is read.
                let held = match cost {
                    Some(cost) => cost,
                    None => outbox.reserve(length).await,
                };
                cost = Some(held);
                let Some(message) = framer.take()? else { break };
                outbox.send(Event::Message(message), held);
                cost = None;
                messages += 1;
            }
        }
    }

    fn request(&self, call: &Call) -> Result<Request<Body>> {
        let path =
            format!("{}/arrow.flight.protocol.FlightService/DoGet", self.config.endpoint.path());
        let path = path.parse::<PathAndQuery>().map_err(|error| {
            Error::config("the path of the host cannot be part of a request").with_source(error)
        })?;
        let mut request = Request::new(Body::new(Once(Some(encode_ticket(&call.ticket)))));
        *request.method_mut() = Method::POST;
        *request.version_mut() = Version::HTTP_2;
        *request.uri_mut() = Uri::from(path);
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, HeaderValue::from_static(config::USER_AGENT));
        if let Some(token) = &self.config.token {
            let bearer = format!("Bearer {}", token.reveal());
            let mut value = HeaderValue::try_from(bearer)
                .map_err(|_| Error::config("the token cannot be sent in a header"))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        for (name, value) in self.config.headers.with(&call.headers).iter() {
            let invalid = || Error::config(format!("the header {name} cannot be sent"));
            let name = HeaderName::try_from(name).map_err(|_| invalid())?;
            let mut value = HeaderValue::try_from(value).map_err(|_| invalid())?;
            value.set_sensitive(name == AUTHORIZATION);
            headers.insert(name, value);
        }
        headers.insert(TE, HeaderValue::from_static("trailers"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        if let Some(deadline) = call.deadline {
            let left = deadline.saturating_duration_since(Instant::now());
            if let Ok(value) = HeaderValue::try_from(grpc_timeout(left)) {
                headers.insert("grpc-timeout", value);
            }
        }
        Ok(request)
    }

    /// The channel that all calls share. It connects at the first call, and again when it has to.
    fn channel(&self) -> Result<Channel> {
        let mut channel = self.channel.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = &*channel {
            return Ok(channel.clone());
        }
        Ok(channel.insert(self.open()?).clone())
    }

    fn open(&self) -> Result<Channel> {
        let config = &self.config;
        let unusable = |error: tonic::transport::Error| {
            Error::config(format!("no connection can be made to {}", config.endpoint))
                .with_source(Failure { error: error.into(), is_early: true })
        };
        // PINGs are answered also while a query is planned: a dead connection is known within the limit.
        let interval = (config.idle_timeout / 3).clamp(Duration::from_secs(1), KEEP_ALIVE);
        let patience = (config.idle_timeout - config.idle_timeout / 3).max(Duration::from_secs(1));
        // The connector speaks TLS: tonic must not, and only names the scheme to the server.
        let origin = config.endpoint.to_string();
        let plain = origin.replacen("https://", "http://", 1);
        let origin = origin.parse().map_err(|error: http::uri::InvalidUri| {
            Error::config("the host cannot be part of a request").with_source(error)
        })?;
        let endpoint = Endpoint::from_shared(plain)
            .map_err(unusable)?
            .origin(origin)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_frame_size(FRAME_SIZE)
            .http2_max_header_list_size(64 << 10)
            .http2_keep_alive_interval(interval)
            .keep_alive_timeout(patience)
            .keep_alive_while_idle(true);
        Ok(endpoint.connect_with_connector_lazy(self.connector.clone()))
    }
}

/// The interval of PINGs, unless the idle limit is short.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// Why an attempt gave no whole answer.
enum Refusal {
    Broken(Failure),
    Final(Error),
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Broken(failure)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

/// The status at the end of an answer.
struct GrpcStatus<'a> {
    code: i32,
    message: &'a [u8],
}

impl<'a> GrpcStatus<'a> {
    fn read(headers: &'a HeaderMap) -> Option<Self> {
        let code = headers.get("grpc-status")?.to_str().ok().and_then(|code| code.parse().ok());
        let message = headers.get("grpc-message").map_or(&[][..], HeaderValue::as_bytes);
        Some(Self { code: code.unwrap_or(UNKNOWN), message })
    }

    fn check(
        &self,
        circumstances: &Circumstances<'_>,
        headers: &HeaderMap,
    ) -> Result<Trailers, Refusal> {
        if self.code == 0 {
            return Ok(to_list(headers));
        }
        let raw = String::from_utf8_lossy(self.message);
        let message = config::percent_decode(&raw, false);
        let message = message.as_deref().unwrap_or(&raw);
        Err(Refusal::Final(circumstances.grpc(self.code, message).with_headers(to_list(headers))))
    }
}

const UNKNOWN: i32 = 2;

/// A request body of one piece.
struct Once(Option<Bytes>);

impl http_body::Body for Once {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

fn is_grpc(head: &Response<()>) -> bool {
    let content_type = head.headers().get(CONTENT_TYPE).map_or(&[][..], HeaderValue::as_bytes);
    head.status() == 200 && content_type.starts_with(b"application/grpc")
}

fn to_list(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

/// The beginning of a body that explains an error; whatever comes within a moment.
async fn read_text(body: &mut Body) -> Vec<u8> {
    const ENOUGH: usize = 1 << 10;
    let mut text = Vec::new();
    let mut idle = Idle::new(Duration::from_secs(1));
    while text.len() < ENOUGH {
        let frame = idle.watch(|cx| Pin::new(&mut *body).poll_frame(cx)).await;
        let Some(Some(Ok(frame))) = frame else { break };
        if let Ok(data) = frame.into_data() {
            text.extend_from_slice(&data[..data.len().min(ENOUGH)]);
        }
    }
    text
}

/// At most eight digits and a unit.
fn grpc_timeout(left: Duration) -> String {
    let millis = left.as_millis().max(1);
    if millis < 100_000_000 {
        format!("{millis}m")
    } else {
        format!("{}S", left.as_secs().min(99_999_999))
    }
}

fn without_status() -> Error {
    Error::new(
        ErrorKind::Decode,
        "the server's answer was cut off: it ended without a status, as a proxy in between may do",
    )
    .with_retryable(true)
}

fn is_idle(limit: Duration) -> Error {
    Error::new(
        ErrorKind::Timeout,
        format!(
            "nothing came from the server for {limit:?} (idle_timeout): the connection is dead"
        ),
    )
    .with_retryable(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_has_at_most_eight_digits() {
        assert_eq!(grpc_timeout(Duration::from_millis(1500)), "1500m");
        assert_eq!(grpc_timeout(Duration::ZERO), "1m");
        assert_eq!(grpc_timeout(Duration::from_secs(100_000)), "100000S");
        assert_eq!(grpc_timeout(Duration::MAX), "99999999S");
    }
}
