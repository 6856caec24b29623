//! The HTTP half: routes, authentication, everything but Flight.

mod auth;
mod body;
mod names;
mod params;
#[cfg(feature = "query")]
mod query;
mod write;

use std::{fmt, sync::Arc};

use bytes::Bytes;
use http::{
    Method, Request, Response, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        CONTENT_TYPE,
    },
    request::Parts,
};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;

pub(crate) use self::auth::token;
use crate::{Fault, answers, clock, shared::Shared, tasks::Tasks, tokens::Access, uuid::Uuid};

pub(crate) type Answer = Response<Full<Bytes>>;

/// The body of an answer of either half.
#[cfg(feature = "query")]
pub(crate) type Body = tonic::body::Body;
#[cfg(not(feature = "query"))]
pub(crate) type Body = Full<Bytes>;

fn with_body(answer: Answer) -> Response<Body> {
    #[cfg(feature = "query")]
    return answer.map(Body::new);
    #[cfg(not(feature = "query"))]
    answer
}

/// What is said to a query where there are none.
#[cfg(not(feature = "query"))]
pub(crate) const NO_QUERIES: &str = "the dev server was built without its feature query";

/// The connection is closed without an answer.
#[derive(Debug)]
pub(crate) struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("closed without an answer")
    }
}

impl std::error::Error for Closed {}

/// Answers one request. The body is read to its end before anything else is looked at, as in the
/// real server: nothing is ever refused while the client is still sending.
pub(crate) async fn answer(
    shared: &Arc<Shared>,
    tasks: &Tasks,
    request: Request<Incoming>,
) -> Result<Response<Body>, Closed> {
    let mut answer = answer_of(shared, tasks, request).await?;
    if shared.release.names_cluster() {
        let cluster = http::HeaderValue::from_str(&shared.cluster.to_string());
        answer.headers_mut().insert("cluster-uuid", cluster.expect("digits and letters"));
    }
    Ok(answer)
}

async fn answer_of(
    shared: &Arc<Shared>,
    tasks: &Tasks,
    request: Request<Incoming>,
) -> Result<Response<Body>, Closed> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Closed)?.to_bytes();
    shared.requests.push(|| record(shared, &parts, &body));

    let answers = match (parts.method.as_str(), parts.uri.path()) {
        ("POST", "/api/v3/write_lp" | "/api/v2/write") => shared.write_answers.next(),
        ("GET" | "POST", "/api/v3/query_sql" | "/api/v3/query_influxql") => {
            shared.query_answers.next()
        }
        _ => None,
    };
    match answers {
        None => own_answer(shared, tasks, &parts, &body).await,
        Some(answers::Kind::Said(said)) => Ok(with_body(said.http())),
        Some(answers::Kind::Closed) => Err(Closed),
        Some(answers::Kind::Lost) => {
            own_answer(shared, tasks, &parts, &body).await?;
            Err(Closed)
        }
    }
}

async fn own_answer(
    shared: &Arc<Shared>,
    tasks: &Tasks,
    parts: &Parts,
    body: &Bytes,
) -> Result<Response<Body>, Closed> {
    // Nothing but queries computes.
    #[cfg(not(feature = "query"))]
    let _ = tasks;
    #[cfg(feature = "query")]
    if let ("GET" | "POST", Some(language)) =
        (parts.method.as_str(), query::language_of(parts.uri.path()))
        && let Ok(token) = token(&parts.headers)
        && shared.tokens.access(token.as_deref()) == Access::Granted
    {
        return Ok(query::answer(shared, tasks, language, parts, body).await);
    }
    without_query(shared, parts, body).await.map(with_body)
}

async fn without_query(shared: &Shared, parts: &Parts, body: &Bytes) -> Result<Answer, Closed> {
    if parts.method == Method::OPTIONS {
        return Ok(preflight());
    }
    match token(&parts.headers) {
        Err(auth::Malformed) => return Ok(malformed()),
        Ok(token) if shared.tokens.access(token.as_deref()) != Access::Granted => {
            return Ok(text(StatusCode::UNAUTHORIZED, shared.release.unauthorized()));
        }
        Ok(_) => {}
    }
    match (parts.method.as_str(), parts.uri.path()) {
        ("POST", "/api/v3/write_lp") => write::v3(shared, parts, body).await,
        ("POST", "/api/v2/write") => Ok(write::v2(shared, parts, body).await),
        ("GET" | "POST", "/ping") => Ok(ping(shared)),
        ("GET", "/health" | "/api/v1/health") => Ok(allow_origin(text(StatusCode::OK, "OK"))),
        #[cfg(not(feature = "query"))]
        ("GET" | "POST", "/api/v3/query_sql" | "/api/v3/query_influxql") => {
            Ok(text(StatusCode::NOT_IMPLEMENTED, NO_QUERIES))
        }
        ("GET", "/ready") if shared.release.has_ready() => Ok(allow_origin(ready(shared))),
        _ => Ok(text(StatusCode::NOT_FOUND, shared.release.not_found())),
    }
}

/// An answer without a content type, as most are.
fn text(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer
}

fn no_content() -> Answer {
    allow_origin(text(StatusCode::NO_CONTENT, ""))
}

fn allow_origin(mut answer: Answer) -> Answer {
    let any = http::HeaderValue::from_static("*");
    answer.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, any);
    answer
}

fn preflight() -> Answer {
    let mut answer = no_content();
    let any = http::HeaderValue::from_static("*");
    answer.headers_mut().insert(ACCESS_CONTROL_ALLOW_METHODS, any.clone());
    answer.headers_mut().insert(ACCESS_CONTROL_ALLOW_HEADERS, any);
    answer
}

fn malformed() -> Answer {
    text(
        StatusCode::BAD_REQUEST,
        "{\"error\": \"Authorization header was malformed, the request was not in the form of \
         'Authorization: <auth-scheme> <token>', supported auth-schemes are Bearer, Token and \
         Basic\"}",
    )
}

fn ready(shared: &Shared) -> Answer {
    match shared.fault() {
        Some(Fault::Stopping | Fault::ObjectStore) => {
            text(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
        }
        _ => text(StatusCode::OK, "OK"),
    }
}

fn ping(shared: &Shared) -> Answer {
    let version = shared.release.version();
    let product =
        if shared.release.names_cluster() { "\"product_name\":\"InfluxDB 3 Core\"," } else { "" };
    let body = format!(
        "{{{product}\"version\":\"{version}\",\"revision\":\"dev-server\",\"process_id\":\"{}\"}}",
        shared.process_id()
    );
    let id = Uuid::v7(clock::now_nanos()).to_string();
    let mut answer = allow_origin(text(StatusCode::OK, body));
    let headers = [
        (CONTENT_TYPE.as_str(), "application/json"),
        ("request-id", &id),
        ("x-request-id", &id),
        ("x-influxdb-build", "Core"),
        ("x-influxdb-version", version),
    ];
    for (name, value) in headers {
        let name = http::HeaderName::from_bytes(name.as_bytes()).expect("a name from above");
        let value = http::HeaderValue::from_str(value).expect("digits and letters");
        answer.headers_mut().insert(name, value);
    }
    answer
}

fn record(shared: &Shared, parts: &Parts, body: &Bytes) -> crate::Request {
    let decoded = body::decode(&parts.headers, body, shared.max_request_bytes, shared.release);
    crate::Request {
        method: parts.method.clone(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers.clone(),
        body: decoded.unwrap_or_else(|_| body.clone()),
        encoded_len: body.len(),
    }
}
