//! What the server's refusals and the failures of a connection mean.

use std::error::Error as StdError;
use std::io;

use crate::config::{Config, Token};
use crate::transport::ConnectError;
use crate::{Error, ErrorKind};

/// What the texts of errors need to know about a call.
pub(crate) struct Circumstances<'a> {
    pub(crate) config: &'a Config,
    pub(crate) database: &'a str,
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

impl Circumstances<'_> {
    /// The error of a gRPC status that is not OK.
    ///
    /// Decided by the code and by parts of the text that all releases share, as InfluxDB uses the codes freely:
    /// a database that does not exist is INTERNAL, for example.
    pub(crate) fn grpc(&self, code: i32, message: &str) -> Error {
        let name = usize::try_from(code).ok().and_then(|code| NAMES.get(code).copied());
        let name = name.map_or_else(|| format!("gRPC status {code}"), str::to_owned);
        let message = self.scrub(message);
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
                "the server does not implement this: is it InfluxDB 3, and does it speak this query language?"
                    .to_owned(),
            ),
            13 if has("database not found") => (
                ErrorKind::NotFound,
                format!("no such database: {database:?} (it is made by the first write to it)"),
            ),
            13 if has("file limit") => (ErrorKind::Query, "the query reads too many files".to_owned()),
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
        Error::new(kind, text).with_grpc_status(code).with_retryable(retryable)
    }

    /// The error of an HTTP answer that is not gRPC. `body` is the beginning of its text.
    pub(crate) fn http(&self, status: u16, headers: Vec<(String, String)>, body: &[u8]) -> Error {
        let header = |name: &str| {
            headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
        };
        let shown = match (header("content-type"), self.excerpt(body)) {
            ("", body) if body.is_empty() => String::new(),
            (content_type, body) => format!(" ({content_type}): {body}"),
        };
        let endpoint = &self.config.endpoint;
        let (kind, text) = match status {
            300..=399 => (
                ErrorKind::Redirect,
                format!(
                    "{endpoint} redirects queries to {:?} (status {status}): use that host",
                    self.scrub(header("location"))
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
        Error::new(kind, format!("{text}{shown}"))
            .with_status(status)
            .with_headers(headers)
            .with_retryable(retryable)
    }

    /// The error of an exchange that broke. `first_words` is what the server says to a client that begins to speak
    /// HTTP/2, if it speaks something else and that is known.
    pub(crate) fn broken(&self, failure: Failure, first_words: &[u8]) -> Error {
        let endpoint = &self.config.endpoint;
        if let Some(error) = failure.find::<ConnectError>() {
            return error.to_error();
        }
        #[cfg(feature = "tls")]
        if let Some(error) = failure.find::<rustls::Error>() {
            let why = crate::transport::describe_tls_error(error);
            let text = format!("no TLS connection to {endpoint}: {why}");
            return Error::new(ErrorKind::Tls, text).with_source(failure);
        }
        let broke = |kind, text: &str| {
            Error::new(kind, format!("{text} ({endpoint})")).with_retryable(true)
        };
        // tonic holds an answer's head to the `grpc-timeout` that it sends.
        if failure.mentions(TIMEOUT_EXPIRED) {
            return Error::new(ErrorKind::Timeout, super::stream::TABLE_TIMED_OUT)
                .with_retryable(true)
                .with_source(failure);
        }
        if failure.mentions("keep-alive timed out") {
            let text = "the connection is dead: the server does not answer to PINGs";
            return broke(ErrorKind::Timeout, text).with_source(failure);
        }
        if !endpoint.is_tls() {
            if first_words.starts_with(b"HTTP/1") {
                let (status, headers, body) = read_http1(first_words);
                return self
                    .http(status, headers, body)
                    .in_context("the server speaks HTTP/1.1 only");
            }
            // A record of an alert or a handshake, of any version.
            if matches!(first_words[..], [0x15 | 0x16, 3, ..]) {
                return Error::new(
                    ErrorKind::Tls,
                    format!("the port of {endpoint} speaks TLS: use https://"),
                )
                .with_source(failure);
            }
            if first_words.is_empty() && failure.is_early {
                return Error::new(
                    ErrorKind::Connect,
                    format!(
                        "{endpoint} closed the connection without a word: is it a TLS port? (then use https://)"
                    ),
                )
                .with_retryable(true)
                .with_source(failure);
            }
        }
        let error = match (failure.is_early, endpoint.is_tls()) {
            (false, _) => {
                broke(ErrorKind::Connect, "the connection broke in the middle of the answer")
            }
            (true, false) => {
                broke(ErrorKind::Connect, "the connection broke before the server answered")
            }
            // In TLS 1.3 a server refuses a client after the handshake.
            (true, true) if self.has_client_cert() => broke(
                ErrorKind::Tls,
                "the connection broke right after the TLS handshake: does the server accept the client_cert?",
            ),
            (true, true) => broke(
                ErrorKind::Tls,
                "the connection broke right after the TLS handshake: does the server want a client_cert?",
            ),
        };
        error.with_source(failure)
    }

    fn has_client_cert(&self) -> bool {
        #[cfg(feature = "tls")]
        return self.config.tls.has_client_cert();
        #[cfg(not(feature = "tls"))]
        false
    }

    fn unauthenticated(&self) -> &'static str {
        if self.config.token.is_some() {
            "the server does not accept the token: check .token(…)"
        } else {
            "the server wants a token: set .token(…)"
        }
    }

    /// A server may answer with what it was sent.
    fn scrub(&self, text: &str) -> String {
        match self.config.token.as_ref().map(Token::reveal) {
            Some(token) => text.replace(token, "***"),
            None => text.to_owned(),
        }
    }

    /// The beginning of a text, on one line.
    fn excerpt(&self, bytes: &[u8]) -> String {
        const SHOWN: usize = 200;
        let text = self.scrub(&String::from_utf8_lossy(bytes));
        let words: Vec<_> = text.split_whitespace().collect();
        let line = words.join(" ");
        match line.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{}…", &line[..end]),
            None => line,
        }
    }
}

const TIMEOUT_EXPIRED: &str = "Timeout expired";

/// A broken exchange.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: Box<dyn StdError + Send + Sync>,
    /// Nothing of the answer had come.
    pub(crate) is_early: bool,
}

impl Failure {
    /// Whether a fresh connection may help: it was there, and broke.
    pub(crate) fn is_worth_a_retry(&self) -> bool {
        #[cfg(feature = "tls")]
        if self.find::<rustls::Error>().is_some() {
            return false;
        }
        self.is_early
            && self.find::<ConnectError>().is_none()
            && !self.mentions("keep-alive timed out")
            && !self.mentions(TIMEOUT_EXPIRED)
    }

    /// Whether the server may speak something else than HTTP/2.
    pub(crate) fn leaves_protocol_open(&self, config: &Config) -> bool {
        self.is_worth_a_retry() && !config.endpoint.is_tls()
    }

    fn find<T: StdError + 'static>(&self) -> Option<&T> {
        self.chain().find_map(|error| error.downcast_ref())
    }

    fn mentions(&self, text: &str) -> bool {
        self.chain().any(|error| error.to_string().contains(text))
    }

    fn chain(&self) -> impl Iterator<Item = &(dyn StdError + 'static)> {
        let first: &(dyn StdError + 'static) = &*self.error;
        std::iter::successors(Some(first), |error: &&(dyn StdError + 'static)| {
            let error: &(dyn StdError + 'static) = *error;
            // The source of an I/O error is the source of what it wraps.
            match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
                Some(wrapped) => Some(wrapped as _),
                None => error.source(),
            }
        })
    }
}

impl std::fmt::Display for Failure {
    /// The chain of causes on one line, without repetitions.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut last = String::new();
        for error in self.chain() {
            let text = error.to_string();
            if !last.contains(&text) {
                if !last.is_empty() {
                    f.write_str(": ")?;
                }
                f.write_str(&text)?;
                last = text;
            }
        }
        Ok(())
    }
}

impl StdError for Failure {}

type Http1<'a> = (u16, Vec<(String, String)>, &'a [u8]);

/// The beginning of an HTTP/1 answer: status, headers and body.
fn read_http1(bytes: &[u8]) -> Http1<'_> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let (head, body) = match end {
        Some(end) => (&bytes[..end], &bytes[end + 4..]),
        None => (bytes, &[][..]),
    };
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let line = lines.next().unwrap_or_default();
    let status = line.split_ascii_whitespace().nth(1).and_then(|status| status.parse().ok());
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers = headers
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    (status.unwrap_or(0), headers, body)
}
