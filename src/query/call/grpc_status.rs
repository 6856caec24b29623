//! The status of a gRPC answer, and what it means.

use http::{HeaderMap, HeaderValue};

use super::error_context::ErrorContext;
use super::header_list::{HeaderList, header_list, retry_after};
use crate::{Error, ErrorKind};

/// The metadata beside the status at the end of an answer.
pub(crate) type Trailers = HeaderList;

/// The status of a gRPC answer.
pub(crate) struct GrpcStatus<'a> {
    code: i32,
    message: &'a [u8],
}

impl<'a> GrpcStatus<'a> {
    /// Finds the status among the trailers, or, for an answer without a body, among the headers. A status that is no
    /// number counts as UNKNOWN.
    pub(crate) fn read(headers: &'a HeaderMap) -> Option<Self> {
        const UNKNOWN: i32 = 2;
        let code = headers.get("grpc-status")?.to_str().ok().and_then(|code| code.parse().ok());
        let message = headers.get("grpc-message").map_or(&[][..], HeaderValue::as_bytes);
        Some(Self { code: code.unwrap_or(UNKNOWN), message })
    }

    /// The metadata beside the status.
    ///
    /// # Errors
    ///
    /// The status is not OK.
    pub(crate) fn check(
        &self,
        context: &ErrorContext<'_>,
        headers: &HeaderMap,
    ) -> Result<Trailers, Error> {
        let headers = header_list(headers);
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
            3 if has("table '") && has("' not found") => self.no_table(),
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
            8 if has("Resources exhausted") || has("Error while") => Self::no_resources(),
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
            13 if has("database not found") => self.no_database(),
            13 if has("file limit") => Self::too_many_files(),
            16 => (ErrorKind::Unauthorized, self.unauthenticated().to_owned()),
            3 | 6 | 9 | 11 => Self::refused(),
            _ => Self::server_failed(),
        };
        let text = if message.is_empty() {
            format!("{text} ({name})")
        } else {
            format!("{text} ({name}): {message}")
        };
        let retryable =
            matches!(kind, ErrorKind::Timeout | ErrorKind::RateLimited) || matches!(code, 10 | 14);
        // Another host may run what this one does not implement (a node that takes only writes), and may know the
        // token.
        let is_host_failure = matches!(code, 12 | 14 | 16);
        Error::new(kind, text)
            .with_grpc_status(code)
            .with_retryable(retryable)
            .with_host_failure(is_host_failure)
    }
}
