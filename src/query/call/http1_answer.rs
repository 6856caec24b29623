//! Servers that answer a client of HTTP/2 in HTTP/1: what they may be, and what to do about it.

use super::error_context::ErrorContext;
use super::header_list::HeaderList;
use crate::transport::says_use_https;
use crate::{Error, ErrorKind};

/// The beginning of an answer in HTTP/1.
struct Http1Answer<'a> {
    /// 0 if it cannot be read.
    status: u16,
    /// Names in lower case.
    headers: HeaderList,
    body: &'a [u8],
}

impl ErrorContext<'_> {
    /// The error of an answer in HTTP/1 of which this is the beginning.
    pub(super) fn http1(&self, bytes: &[u8]) -> Error {
        let endpoint = self.endpoint;
        let answer = Http1Answer::read(bytes);
        // InfluxDB 1 and 2 say what they are with each answer: 1.8.10, v2.7.11.
        let version = answer.header("x-influxdb-version").unwrap_or_default();
        if matches!(version.trim_start_matches('v').split('.').next(), Some("1" | "2")) {
            let text = format!(
                "{endpoint} is InfluxDB {}: queries need InfluxDB 3 (whose port is 8181 unless it was told otherwise)",
                Self::excerpt(version.as_bytes())
            );
            return Error::new(ErrorKind::Server, text)
                .with_status(answer.status)
                .with_headers(answer.headers);
        }
        if says_use_https(answer.body) {
            return self.tls_port().with_status(answer.status).with_headers(answer.headers);
        }
        // These statuses mean the same in HTTP/1 and in HTTP/2.
        if matches!(answer.status, 300..=399 | 401 | 403 | 407 | 429 | 503) {
            return self.http(answer.status, answer.headers, answer.body);
        }
        let content_type = answer.header("content-type").unwrap_or("no content-type");
        let text = format!(
            "{endpoint} speaks HTTP/1.1 only, and queries need HTTP/2: what stands in front of the server has to pass \
             gRPC on, or ask with .over_http(true) (status {}, {}: {})",
            answer.status,
            Self::excerpt(content_type.as_bytes()),
            Self::excerpt(answer.body)
        );
        Error::new(ErrorKind::Server, text).with_status(answer.status).with_headers(answer.headers)
    }
}

impl<'a> Http1Answer<'a> {
    fn read(bytes: &'a [u8]) -> Self {
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
        Self { status: status.unwrap_or(0), headers, body }
    }

    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}
