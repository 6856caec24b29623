//! Answers in HTTP that are not gRPC, as gateways and other servers give them, and what they mean.

use super::error_context::ErrorContext;
use super::header_list::{HeaderList, retry_after};
use crate::{Error, ErrorKind};

impl ErrorContext<'_> {
    /// The error of an HTTP answer that is not gRPC. `body` is the beginning of its text.
    pub(crate) fn http(&self, status: u16, headers: HeaderList, body: &[u8]) -> Error {
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
}
