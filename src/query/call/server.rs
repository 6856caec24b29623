//! Calls of one host: a connection, the request with its deadline, another try if the connection broke, and the head of the
//! answer. What is called, and how the rest of the answer is read, is a [`GrpcMethod`].

use std::future::poll_fn;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::{CONTENT_TYPE, TE};
use http::uri::PathAndQuery;
use http::{HeaderValue, Request, Response, Uri, Version};
use http_body_util::Full;
use tonic::body::Body;
use tower_service::Service as _;

use super::answer_body::{AnswerBody, read_text};
use super::call_error::CallError;
use super::connections::{Connections, Lease};
use super::error_context::ErrorContext;
use super::grpc_status::{GrpcStatus, Trailers};
use super::header_list::header_list;
use super::method::GrpcMethod;
use super::request_headers::insert_headers;
use super::stage::{CallStage, SharedStage};
use super::transport_failure::TransportFailure;
use crate::config::{Config, Headers, Secrets, Token};
use crate::query::runtime::{Observation, sleep_until, within};
use crate::transport::{ConnectError, Host, Limit};
use crate::{Error, Result};

/// The settings of a call of any method, and its stage.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) database: Arc<str>,
    pub(crate) headers: Headers,
    /// The call is not sent before this moment.
    pub(crate) begin: Option<Instant>,
    /// Sent to the server as `grpc-timeout`.
    pub(crate) deadline: Option<Instant>,
    /// How long it waits for a connection, if other hosts are left that need time, too. `connect_timeout` may end that before.
    pub(crate) connect_limit: Option<Limit>,
    pub(crate) token: Option<Token>,
    pub(crate) stage: SharedStage,
}

impl Call {
    /// What the errors of this call to this host need to know.
    pub(crate) fn context<'a>(&'a self, config: &'a Config, host: &'a Host) -> ErrorContext<'a> {
        ErrorContext {
            config,
            endpoint: &host.endpoint,
            has_token: self.token.is_some(),
            database: &self.database,
        }
    }

    /// The error without the token and the caller's `authorization`, which a server may have put into its text.
    pub(crate) fn without_secrets(&self, config: &Config, error: Error) -> Error {
        error.without(&self.secrets(config))
    }

    /// The text of a failure for the log, in the same way.
    pub(crate) fn shown_failure(&self, config: &Config, failure: &TransportFailure) -> String {
        self.secrets(config).hide(&failure.to_string()).into_owned()
    }

    fn secrets(&self, config: &Config) -> Secrets {
        Secrets::new(self.token.as_ref(), &config.headers.with(&self.headers))
    }
}

/// One host, and the connections to it.
pub(crate) struct GrpcServer {
    config: Arc<Config>,
    host: Arc<Host>,
    connections: Arc<Connections>,
}

impl GrpcServer {
    pub(crate) fn new(config: Arc<Config>, host: Arc<Host>) -> Self {
        let connections = Connections::new(Arc::clone(&config), Arc::clone(&host));
        Self { config, host, connections: Arc::new(connections) }
    }

    /// Makes the call.
    ///
    /// A call that breaks before a message of the answer was received is tried once more on another connection, as
    /// queries change nothing on the server. So a server that was restarted, or closes old connections, makes no error.
    ///
    /// # Errors
    ///
    /// What the network, the server or the method says, without secrets.
    pub(crate) async fn call(&self, method: &impl GrpcMethod, call: &Call) -> Result<Trailers> {
        let called = self.judged_call(method, call).await;
        called.map_err(|error| call.without_secrets(&self.config, error))
    }

    /// As [`call`](Self::call); errors may show secrets.
    async fn judged_call(&self, method: &impl GrpcMethod, call: &Call) -> Result<Trailers> {
        if let Some(begin) = call.begin {
            sleep_until(begin).await;
        }
        let context = call.context(&self.config, &self.host);
        let mut has_another_try = true;
        loop {
            call.stage.set(CallStage::Connecting);
            let lease = self.lease(call).await;
            let lease = lease.map_err(|failure| context.unobserved_failure(failure))?;
            let failure = match self.attempt(method, call, &lease, &context).await {
                Ok(trailers) => return Ok(trailers),
                Err(CallError::Final(error)) => return Err(error),
                Err(CallError::Broken(failure)) => failure,
            };
            let observed = lease.observation();
            if observed.refuses_pings {
                self.connections.stop_pings();
            }
            // On a kept connection that ended meanwhile, nothing was sent: that does not count as a try.
            let was_sent = lease.is_new || !failure.is_ended_connection();
            if was_sent && !(has_another_try && failure.is_worth_another_try(&observed)) {
                let first_bytes = self.first_bytes(&failure, &observed).await;
                return Err(context.observed_failure(failure, &observed, &first_bytes));
            }
            log::debug!(
                "the connection broke before the answer: trying once more ({})",
                call.shown_failure(&self.config, &failure)
            );
            has_another_try &= !was_sent;
            lease.retire();
        }
    }

    /// A place on a connection. The attempt to connect that this call waits for may be that of others, too: it goes on when
    /// this call gives up.
    async fn lease(&self, call: &Call) -> Result<Lease, TransportFailure> {
        let leasing = self.connections.lease();
        let Some(limit) = call.connect_limit else { return leasing.await };
        within(limit.time, leasing).await.unwrap_or_else(|| {
            let error = ConnectError::not_within(limit, &self.host);
            Err(TransportFailure::new(CallStage::Connecting, error))
        })
    }

    /// What the server says to a client that begins to speak HTTP/2; empty unless it may speak something else.
    async fn first_bytes(&self, failure: &TransportFailure, observed: &Observation) -> Vec<u8> {
        if self.host.endpoint.is_tls() || !failure.leaves_protocol_open(observed) {
            return Vec::new();
        }
        self.connections.first_bytes().await
    }

    /// One try on this connection.
    async fn attempt(
        &self,
        method: &impl GrpcMethod,
        call: &Call,
        lease: &Lease,
        context: &ErrorContext<'_>,
    ) -> Result<Trailers, CallError> {
        call.stage.set(CallStage::Head);
        let failed = |error: tonic::transport::Error| TransportFailure::new(CallStage::Head, error);
        let mut channel = lease.channel();
        poll_fn(|cx| channel.poll_ready(cx)).await.map_err(failed)?;
        let request = self.request(method, call)?;
        let answer = channel.call(request).await.map_err(failed)?;
        // gRPC's "Trailers-Only": an answer without a body has its status among the headers.
        if let Some(status) = GrpcStatus::read(answer.headers()) {
            return Ok(status.check(context, answer.headers())?);
        }
        if !is_grpc(&answer) {
            let (head, mut body) = answer.into_parts();
            let text = read_text(&mut body, ENOUGH_TEXT).await;
            return Err(context
                .http(head.status.as_u16(), header_list(&head.headers), &text)
                .into());
        }
        call.stage.set(CallStage::Schema);
        method.read(AnswerBody::new(answer.into_body(), &call.stage, context)).await
    }

    fn request<M: GrpcMethod>(&self, method: &M, call: &Call) -> Result<Request<Body>> {
        let path = format!("{}/{}", self.host.endpoint.path(), M::NAME);
        let path = path.parse::<PathAndQuery>().map_err(|error| {
            Error::config("the path of the host cannot be part of a request").with_source(error)
        })?;
        let mut request = Request::new(Body::new(Full::new(method.request())));
        *request.method_mut() = http::Method::POST;
        *request.version_mut() = Version::HTTP_2;
        *request.uri_mut() = Uri::from(path);
        let headers = request.headers_mut();
        let own = self.config.headers.with(&call.headers);
        insert_headers(headers, "Bearer", call.token.as_ref(), &own)?;
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
}

/// How many bytes are read of a body that explains an error.
const ENOUGH_TEXT: usize = 1 << 10;

/// As gRPC demands of an answer: status 200, and this content type.
fn is_grpc(answer: &Response<Body>) -> bool {
    let content_type = answer.headers().get(CONTENT_TYPE).map_or(&[][..], HeaderValue::as_bytes);
    answer.status() == 200 && content_type.starts_with(b"application/grpc")
}

/// The value of `grpc-timeout`: at most eight digits and a unit, milliseconds or seconds.
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
