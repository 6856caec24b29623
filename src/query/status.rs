//! What the server's refusals mean: gRPC statuses, and answers that are not gRPC.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};

use crate::config::Config;
use crate::transport::Endpoint;
use crate::{Error, ErrorKind};

/// What comes with the end of an answer.
pub(crate) type Trailers = Vec<(String, String)>;

/// What the texts of errors need to know about a call.
pub(crate) struct ErrorContext<'a> {
    pub(crate) config: &'a Config,
    /// The host that is asked.
    pub(crate) endpoint: &'a Endpoint,
    /// Whether a token is sent.
    pub(crate) has_token: bool,
    pub(crate) database: &'a str,
}

/// The status of a gRPC answer.
pub(crate) struct GrpcStatus<'a> {
    code: i32,
    message: &'a [u8],
}

impl<'a> GrpcStatus<'a> {
    /// Finds it among the trailers, or, if an answer has no body, among the headers.
    pub(crate) fn read(headers: &'a HeaderMap) -> Option<Self> {
        const UNKNOWN: i32 = 2;
        let code = headers.get("grpc-status")?.to_str().ok().and_then(|code| code.parse().ok());
        let message = headers.get("grpc-message").map_or(&[][..], HeaderValue::as_bytes);
        Some(Self { code: code.unwrap_or(UNKNOWN), message })
    }

    /// All that came with it, if it is OK.
    pub(crate) fn check(
        &self,
        context: &ErrorContext<'_>,
        headers: &HeaderMap,
    ) -> Result<Trailers, Error> {
        let headers = to_list(headers);
        if self.code == 0 {
            return Ok(headers);
        }
        let raw = String::from_utf8_lossy(self.message);
        let message = crate::transport::percent_decode(&raw, false);
        let message = message.as_deref().unwrap_or(&raw);
        let wait = retry_after(&headers);
        Err(context.grpc(self.code, message).with_headers(headers).with_retry_after(wait))
    }
}

pub(crate) fn to_list(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

/// How long the server asks to wait: `Retry-After`, or what gRPC has for it.
fn retry_after(headers: &[(String, String)]) -> Option<Duration> {
    let header =
        |name: &str| headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim());
    let pushback = || header("grpc-retry-pushback-ms")?.parse().ok().map(Duration::from_millis);
    header("retry-after")
        .and_then(|text| crate::transport::parse_retry_after(text, header("date")))
        .or_else(pushback)
}

/// The names of the gRPC status codes, by number.
const NAMES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

impl ErrorContext<'_> {
    /// The error of a gRPC status that is not OK.
    ///
    /// Decided by the code and by parts of the text that all releases share, as InfluxDB uses the codes freely:
    /// a database that does not exist is INTERNAL, for example.
    fn grpc(&self, code: i32, message: &str) -> Error {
        let name = usize::try_from(code).ok().and_then(|code| NAMES.get(code).copied());
        let name = name.map_or_else(|| format!("gRPC status {code}"), str::to_owned);
        let has = |text: &str| message.contains(text);
        let database = self.database;
        let (kind, text) = match code {
            1 => (ErrorKind::Cancelled, "the server cancelled the query".to_owned()),
            3 if has("table '") && has("' not found") => {
                (ErrorKind::NotFound, format!("no such table in the database {database:?}"))
            }
            4 => (ErrorKind::Timeout, "the query took longer than its timeout".to_owned()),
            5 => (ErrorKind::NotFound, "the server did not find what the query asks for".to_owned()),
            7 => (
                ErrorKind::Unauthorized,
                format!(
                    "the token is expired, or it has no permission to read the database {database:?}"
                ),
            ),
            8 if has("grpc-timeout") || has("timeout elapsed") => {
                (ErrorKind::Timeout, "the query took longer than its timeout".to_owned())
            }
            8 if has("Resources exhausted") || has("Error while") => {
                (ErrorKind::Query, "the server has not enough resources for the query".to_owned())
            }
            8 => (ErrorKind::RateLimited, "the server has too much to do".to_owned()),
            11 if has("message length too large") => (
                ErrorKind::TooLarge,
                "the query is longer than the server takes (4 MiB by default)".to_owned(),
            ),
            12 => (
                ErrorKind::Query,
                "the server does not answer such queries: is it InfluxDB 3, a node with the mode query (.query_host(…)), and does \
                 it know this query language?"
                    .to_owned(),
            ),
            13 if has("database not found") => (
                ErrorKind::NotFound,
                format!("no such database: {database:?} (it is made by the first write to it)"),
            ),
            13 if has("file limit") => (
                ErrorKind::Query,
                "the query reads more files than the server allows: narrow its range of time, or raise the server's \
                 --query-file-limit"
                    .to_owned(),
            ),
            16 => (ErrorKind::Unauthorized, self.unauthenticated().to_owned()),
            3 | 6 | 9 | 11 => (ErrorKind::Query, "the server refused the query".to_owned()),
            _ => (ErrorKind::Server, "the server failed".to_owned()),
        };
        let text = if message.is_empty() {
            format!("{text} ({name})")
        } else {
            format!("{text} ({name}): {message}")
        };
        let retryable =
            matches!(kind, ErrorKind::Timeout | ErrorKind::RateLimited) || matches!(code, 10 | 14);
        // What it does not implement, and what it does not know the token for, others may.
        let is_host_failure = matches!(code, 12 | 14 | 16);
        Error::new(kind, text)
            .with_grpc_status(code)
            .with_retryable(retryable)
            .with_host_failure(is_host_failure)
    }

    /// The error of an HTTP answer that is not gRPC. `body` is the beginning of its text.
    pub(crate) fn http(&self, status: u16, headers: Vec<(String, String)>, body: &[u8]) -> Error {
        let header = |name: &str| {
            headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
        };
        let shown = match (header("content-type"), Self::excerpt(body)) {
            ("", body) if body.is_empty() => String::new(),
            (content_type, body) => format!(" ({content_type}): {body}"),
        };
        let endpoint = self.endpoint;
        let (kind, text) = match status {
            300..=399 => (
                ErrorKind::Redirect,
                format!(
                    "{endpoint} redirects queries to {:?} (status {status}): make that the host if it is the InfluxDB server \
                     (is a login or http:// in the way?)",
                    header("location")
                ),
            ),
            401 => (ErrorKind::Unauthorized, format!("{} (status 401)", self.unauthenticated())),
            403 => (
                ErrorKind::Unauthorized,
                format!("the token has no permission to read {:?} (status 403)", self.database),
            ),
            404 => (
                ErrorKind::NotFound,
                format!("{endpoint} has no Flight service (status 404): is it InfluxDB 3?"),
            ),
            405 => (
                ErrorKind::NotFound,
                format!(
                    "{endpoint} takes no queries (status 405): if it is a node of a cluster, name one of mode query with .query_host(…)"
                ),
            ),
            407 => (ErrorKind::Proxy, "the proxy wants credentials (status 407)".to_owned()),
            413 => (ErrorKind::TooLarge, "the query is too long (status 413)".to_owned()),
            429 => (ErrorKind::RateLimited, "too many requests (status 429)".to_owned()),
            _ => (
                ErrorKind::Server,
                format!(
                    "{endpoint} does not answer as InfluxDB 3 does over gRPC, but with status {status}"
                ),
            ),
        };
        let retryable = matches!(status, 408 | 429 | 500 | 502 | 503 | 504);
        let wait = retry_after(&headers);
        Error::new(kind, format!("{text}{shown}"))
            .with_status(status)
            .with_headers(headers)
            .with_retry_after(wait)
            .with_retryable(retryable)
            .with_host_failure(matches!(status, 401 | 405 | 502..=504 | 520..=524))
    }

    fn unauthenticated(&self) -> &'static str {
        if self.has_token {
            "the server does not accept the token: check .token(…)"
        } else {
            "the server wants a token: set .token(…)"
        }
    }

    /// The beginning of a text, on one line.
    pub(super) fn excerpt(bytes: &[u8]) -> String {
        const SHOWN: usize = 200;
        let text = String::from_utf8_lossy(bytes);
        let words: Vec<_> = text.split_whitespace().collect();
        let line = words.join(" ");
        match line.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{}…", &line[..end]),
            None => line,
        }
    }
}
