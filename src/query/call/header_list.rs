//! Headers and trailers of answers, as an error or the statistics of a query show them.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};

/// Names in lower case, and values; bytes that are no UTF-8 are replaced.
pub(crate) type HeaderList = Vec<(String, String)>;

pub(crate) fn header_list(headers: &HeaderMap) -> HeaderList {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

/// How long the server asks to wait: `Retry-After`, or gRPC's `grpc-retry-pushback-ms`.
pub(super) fn retry_after(headers: &[(String, String)]) -> Option<Duration> {
    let header =
        |name: &str| headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim());
    let pushback = || header("grpc-retry-pushback-ms")?.parse().ok().map(Duration::from_millis);
    header("retry-after")
        .and_then(|text| crate::transport::parse_retry_after(text, header("date")))
        .or_else(pushback)
}
