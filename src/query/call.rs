//! One remote call: a connection, the request and its deadline, one more try if the connection broke, and the head of
//! the answer. What is called, and what its answer means, is a [`Method`].

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, TE, USER_AGENT};
use http::{HeaderName, HeaderValue, Method as HttpMethod, Request, Response, Uri, Version};
use http_body_util::{BodyExt, Full};

use super::connections::{Connections, Lease};
use super::failure::{DeadlinePassed, Failure, Stage, StageCell};
use super::runtime::{Http2Body, Observation, sleep_until, within};
use super::status::{ErrorContext, GrpcStatus, Trailers, to_list};
use crate::config::{self, Config, Headers, Secrets, Token};
use crate::transport::Host;
use crate::{Error, ErrorKind, Result};

/// What is called, and how its answer is read.
pub(crate) trait Method {
    /// `package.Service/Method`.
    const NAME: &'static str;

    /// The request, as gRPC frames it.
    fn request(&self) -> Bytes;

    /// Reads the answer up to its end.
    fn read(
        &self,
        answer: AnswerBody<'_>,
    ) -> impl Future<Output = Result<Trailers, CallError>> + Send;
}

/// What all calls have.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) database: Arc<str>,
    pub(crate) headers: Headers,
    /// Not before this.
    pub(crate) begin: Option<Instant>,
    /// Sent to the server as `grpc-timeout`.
    pub(crate) deadline: Option<Instant>,
    pub(crate) token: Option<Token>,
    pub(crate) stage: StageCell,
}

impl Call {
    /// What the texts of errors need to know.
    pub(crate) fn context<'a>(&'a self, config: &'a Config, host: &'a Host) -> ErrorContext<'a> {
        ErrorContext {
            config,
            endpoint: &host.endpoint,
            has_token: self.token.is_some(),
            database: &self.database,
        }
    }
}

/// Why a try gave no whole answer.
pub(crate) enum CallError {
    /// The connection broke.
    Broken(Failure),
    /// Another try would end in the same way.
    Final(Error),
}

impl From<Failure> for CallError {
    fn from(failure: Failure) -> Self {
        Self::Broken(failure)
    }
}

impl From<Error> for CallError {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

/// The services of one host.
pub(crate) struct Server {
    config: Arc<Config>,
    host: Arc<Host>,
    connections: Arc<Connections>,
}

impl Server {
    pub(crate) fn new(config: Arc<Config>, host: Arc<Host>) -> Self {
        let connections = Connections::new(Arc::clone(&config), Arc::clone(&host));
        Self { config, host, connections: Arc::new(connections) }
    }

    /// Makes the call.
    ///
    /// A server that was restarted, or that closes old connections, is not noticed: what breaks before a message of
    /// the answer has come is tried once more on another connection. A query changes nothing on the server.
    pub(crate) async fn call(&self, method: &impl Method, call: &Call) -> Result<Trailers> {
        self.judged_call(method, call).await.map_err(|error| {
            let headers = self.config.headers.with(&call.headers);
            error.without(&Secrets::new(call.token.as_ref(), &headers))
        })
    }

    async fn judged_call(&self, method: &impl Method, call: &Call) -> Result<Trailers> {
        if let Some(begin) = call.begin {
            sleep_until(begin).await;
        }
        let context = call.context(&self.config, &self.host);
        let mut has_another_try = true;
        loop {
            call.stage.set(Stage::Connecting);
            let lease = self.connections.lease().await;
            let lease = lease.map_err(|failure| context.no_connection(failure))?;
            let failure = match self.attempt(method, call, &lease, &context).await {
                Ok(trailers) => return Ok(trailers),
                Err(CallError::Final(error)) => return Err(error),
                Err(CallError::Broken(failure)) => failure,
            };
            let observed = lease.observation();
            if observed.refuses_pings {
                self.connections.stop_pings();
            }
            // Nothing was sent on a kept connection that has ended meanwhile: that is no try.
            let was_sent = lease.is_new || !failure.is_ended_connection();
            if was_sent && !(has_another_try && failure.is_worth_another_try(&observed)) {
                let first_words = self.first_words(&failure, &observed).await;
                return Err(context.broken(failure, &observed, &first_words));
            }
            log::debug!("the connection broke before the answer: trying once more ({failure})");
            has_another_try &= !was_sent;
            lease.retire();
        }
    }

    /// What a server says first that may not speak HTTP/2.
    async fn first_words(&self, failure: &Failure, observed: &Observation) -> Vec<u8> {
        if self.host.endpoint.is_tls() || !failure.leaves_protocol_open(observed) {
            return Vec::new();
        }
        self.connections.first_words().await
    }

    async fn attempt(
        &self,
        method: &impl Method,
        call: &Call,
        lease: &Lease,
        context: &ErrorContext<'_>,
    ) -> Result<Trailers, CallError> {
        call.stage.set(Stage::Head);
        let answer = lease.http2().request(self.request(method, call)?);
        let answer = match call.deadline {
            None => answer.await,
            Some(deadline) => within(left_until(deadline), answer)
                .await
                .unwrap_or_else(|| Err(DeadlinePassed.into())),
        };
        let answer = answer.map_err(|error| Failure::new(Stage::Head, error))?;
        // An answer without a body has its status at the head.
        if let Some(status) = GrpcStatus::read(answer.headers()) {
            return Ok(status.check(context, answer.headers())?);
        }
        if !is_grpc(&answer) {
            let (head, mut body) = answer.into_parts();
            let text = read_text(&mut body, ENOUGH_TEXT).await;
            return Err(context.http(head.status.as_u16(), to_list(&head.headers), &text).into());
        }
        call.stage.set(Stage::Schema);
        method.read(AnswerBody { body: answer.into_body(), call, context }).await
    }

    fn request<M: Method>(&self, method: &M, call: &Call) -> Result<Request<Full<Bytes>>> {
        let uri = format!("{}/{}", self.host, M::NAME).parse::<Uri>().map_err(|error| {
            Error::config("the path of the host cannot be part of a request").with_source(error)
        })?;
        let mut request = Request::new(Full::new(method.request()));
        *request.method_mut() = HttpMethod::POST;
        *request.version_mut() = Version::HTTP_2;
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, HeaderValue::from_static(config::USER_AGENT));
        if let Some(token) = &call.token {
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
        if let Some(deadline) = call.deadline
            && let Ok(value) = HeaderValue::try_from(grpc_timeout(left_until(deadline)))
        {
            headers.insert("grpc-timeout", value);
        }
        Ok(request)
    }
}

/// The body of a gRPC answer.
pub(crate) struct AnswerBody<'a> {
    body: Http2Body,
    call: &'a Call,
    context: &'a ErrorContext<'a>,
}

/// What comes next in a body.
pub(crate) enum Piece {
    Data(Bytes),
    /// The end: the status is OK.
    End(Trailers),
}

impl AnswerBody<'_> {
    /// Waits for the next piece; longer than the idle limit only before the first message, as nothing comes while a
    /// query is planned.
    pub(crate) async fn next(&mut self) -> Result<Piece, CallError> {
        let stage = self.call.stage.get();
        let limit = self.context.config.idle_timeout;
        loop {
            let frame = self.body.frame();
            let frame = match stage {
                Stage::Streaming => within(limit, frame).await.ok_or_else(|| is_idle(limit))?,
                _ => frame.await,
            };
            let frame = frame.ok_or_else(without_status)?;
            let frame = frame.map_err(|error| Failure::new(stage, error))?;
            let frame = match frame.into_data() {
                Ok(data) if data.is_empty() => continue,
                Ok(data) => return Ok(Piece::Data(data)),
                Err(frame) => frame,
            };
            if let Some(trailers) = frame.trailers_ref() {
                let status = GrpcStatus::read(trailers).ok_or_else(without_status)?;
                return Ok(Piece::End(status.check(self.context, trailers)?));
            }
        }
    }

    /// A message has come.
    pub(crate) fn has_begun(&self) {
        self.call.stage.set(Stage::Streaming);
    }
}

/// The error of an answer whose end is missing.
pub(crate) fn without_status() -> Error {
    Error::new(
        ErrorKind::Decode,
        "the server's answer was cut off: it ended without a status, as a proxy in between may do",
    )
    .with_retryable(true)
}

/// The error of a server that says nothing any more.
pub(crate) fn is_idle(limit: Duration) -> Error {
    Error::new(
        ErrorKind::Timeout,
        format!(
            "nothing came from the server for {limit:?} (idle_timeout): the connection is dead"
        ),
    )
    .with_retryable(true)
    .with_host_failure(true)
}

/// As much as is read of a body that explains an error.
const ENOUGH_TEXT: usize = 1 << 10;

fn is_grpc(answer: &Response<Http2Body>) -> bool {
    let content_type = answer.headers().get(CONTENT_TYPE).map_or(&[][..], HeaderValue::as_bytes);
    answer.status() == 200 && content_type.starts_with(b"application/grpc")
}

/// The beginning of a body that explains an error, about `enough` bytes; whatever comes within a moment.
pub(crate) async fn read_text<B>(body: &mut B, enough: usize) -> Vec<u8>
where
    B: BodyExt<Data = Bytes> + Unpin,
{
    const MOMENT: Duration = Duration::from_secs(1);
    let mut text = Vec::new();
    while text.len() < enough {
        let Some(Some(Ok(frame))) = within(MOMENT, body.frame()).await else { break };
        if let Ok(data) = frame.into_data() {
            text.extend_from_slice(&data[..data.len().min(enough)]);
        }
    }
    text
}

fn left_until(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
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
