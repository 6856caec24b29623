//! One query over HTTP, in a task on the driver's thread.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri};
use http_body_util::{BodyExt as _, Full};

use crate::config::Config;
use crate::query::call::{
    Call, CallStage, ErrorContext, TransportFailure, header_list, insert_headers, is_idle,
    read_text,
};
use crate::query::runtime::{EventSender, Http1Body, Http1Client, sleep_until, within};
use crate::query::statement::Language;
use crate::transport::Host;
use crate::{Error, Result};

/// A statement as it is sent over HTTP.
#[derive(Clone)]
pub(crate) struct HttpStatement {
    /// A part of the path.
    pub(crate) language: Language,
    /// The JSON of [`Statement::http_body`](crate::query::statement::Statement::http_body).
    pub(crate) body: Bytes,
}

/// What the task of a query over HTTP sends: pieces of the answer's body, and at last one of the other two.
pub(crate) enum HttpEvent {
    Piece(Bytes),
    End,
    Failed(Error),
}

/// One host, and the connections to it that are kept.
pub(crate) struct HttpServer {
    config: Arc<Config>,
    host: Arc<Host>,
    client: Http1Client,
}

impl HttpServer {
    /// Connects to nothing yet. Needs no runtime.
    pub(crate) fn new(config: Arc<Config>, host: Arc<Host>) -> Self {
        Self { client: Http1Client::new(&config, Arc::clone(&host)), config, host }
    }

    /// Sends the query, and hands over the pieces of its answer as events.
    pub(crate) async fn query(
        &self,
        statement: &HttpStatement,
        call: &Call,
        events: &EventSender<HttpEvent>,
    ) -> Result<()> {
        let asked = self.judged_query(statement, call, events).await;
        asked.map_err(|error| call.without_secrets(&self.config, error))
    }

    async fn judged_query(
        &self,
        statement: &HttpStatement,
        call: &Call,
        events: &EventSender<HttpEvent>,
    ) -> Result<()> {
        if let Some(begin) = call.begin {
            sleep_until(begin).await;
        }
        let context = call.context(&self.config, &self.host);
        let (head, mut body) = self.head(statement, call, &context).await?.into_parts();
        let headers = || header_list(&head.headers);
        let status = head.status.as_u16();
        if !head.status.is_success() {
            return Err(context.http_query(
                status,
                headers(),
                &read_text(&mut body, ENOUGH_TEXT).await,
            ));
        }
        let content_type = text_of(&head.headers, &CONTENT_TYPE);
        if content_type.contains("html") || content_type.contains("json") {
            return Err(context.no_parquet(headers(), content_type));
        }
        call.stage.set(CallStage::Streaming);
        let limit = self.config.idle_timeout;
        loop {
            let frame = within(limit, body.frame()).await.ok_or_else(|| is_idle(limit))?;
            let Some(frame) = frame else { return Ok(()) };
            let frame = frame.map_err(|error| {
                context.unobserved_failure(TransportFailure::new(CallStage::Streaming, error))
            })?;
            if let Ok(piece) = frame.into_data() {
                let credit = events.reserve(piece.len()).await;
                events.send(HttpEvent::Piece(piece), Some(credit));
            }
        }
    }

    /// Sends the query and waits for the head of its answer.
    ///
    /// A kept connection that the server is about to close is not noticed: one that breaks before the head is
    /// received is tried once more on another. A query changes nothing on the server.
    async fn head(
        &self,
        statement: &HttpStatement,
        call: &Call,
        context: &ErrorContext<'_>,
    ) -> Result<Response<Http1Body>> {
        let mut has_another_try = true;
        loop {
            call.stage.set(CallStage::Connecting);
            let request = self.request(statement, call)?;
            let has_connected = || call.stage.set(CallStage::Head);
            let asked = self.client.request(request, call.connect_limit, has_connected).await;
            let failure = match asked {
                Ok(answer) => return Ok(answer),
                Err(error) => TransportFailure::new(CallStage::Head, error),
            };
            if !has_another_try || failure.is_without_connection() {
                return Err(context.unobserved_failure(failure));
            }
            log::debug!(
                "the connection broke before the answer: trying once more ({})",
                call.shown_failure(&self.config, &failure)
            );
            has_another_try = false;
        }
    }

    fn request(&self, statement: &HttpStatement, call: &Call) -> Result<Request<Full<Bytes>>> {
        let language = statement.language.name();
        let uri = format!("{}/api/v3/query_{language}", self.host);
        let uri = uri.parse::<Uri>().map_err(|error| {
            Error::config("the host cannot be part of a request").with_source(error)
        })?;
        let mut request = Request::new(Full::new(statement.body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static(PARQUET));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let own = self.config.headers.with(&call.headers);
        insert_headers(headers, &self.config.auth_scheme, call.token.as_ref(), &own)?;
        Ok(request)
    }
}

const PARQUET: &str = "application/vnd.apache.parquet";

fn text_of<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// How many bytes are read of a body that explains an error, which may be a page of HTML.
const ENOUGH_TEXT: usize = 16 << 10;
