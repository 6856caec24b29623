//! What the server's answer to a write means. Bytes in, a verdict out; no I/O.

mod error_body;
mod page;
mod server_state;

use std::time::Duration;

use self::error_body::{ErrorBody, LineData};
use self::page::{Page, is_of_gateway};
use crate::transport::parse_retry_after;
use crate::{Error, ErrorKind, Result};

/// An answer as it was received.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether the request was sent before, without an answer.
    pub(crate) in_doubt: bool,
}

/// Which endpoint was asked, as some answers only make sense with it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Api {
    V2,
    V3,
}

impl Answer {
    /// `Ok` if the lines are stored.
    ///
    /// The body decides first, by its structure, as texts differ between releases and products; then the status; then
    /// whether the body is a web page. The texts that count are those of the releases 3.6 to 3.10
    /// that contradict the status: see [`ServerState`](server_state::ServerState).
    pub(crate) fn into_write_result(self, api: Api) -> Result<()> {
        if (200..300).contains(&self.status) {
            return self.check_success();
        }
        let body = ErrorBody::read(&self.body);
        let state = body.state.filter(|_| matches!(self.status, 400 | 403 | 500..));
        let (kind, message) = match state {
            Some(state) => state.judge(self.status, &self.text(&body)),
            None => self.judge(api, &body),
        };
        let (retryable, in_doubt) = match state {
            Some(state) => (state.passes(), state.leaves_doubt()),
            None => {
                let retryable = matches!(self.status, 408 | 429 | 500 | 502..=504 | 520..=524)
                    && matches!(
                        kind,
                        ErrorKind::Server | ErrorKind::Timeout | ErrorKind::RateLimited
                    );
                // Of those, 429, 503, 521 and 523 mean that no server has taken the request.
                let may_be_stored = matches!(self.status, 408 | 500 | 502 | 504 | 520 | 522 | 524);
                (retryable, retryable && may_be_stored)
            }
        };
        let hides_lines = kind == ErrorKind::Rejected && api == Api::V2 && body.is_about_lines();
        let retry_after = self.retry_after();
        Err(Error::new(kind, message)
            .with_status(self.status)
            .with_retryable(retryable)
            .with_in_doubt(self.in_doubt || in_doubt)
            .with_retry_after(retry_after)
            .with_host_failure(state.is_some() || is_of_host(self.status))
            .with_may_pass(kind == ErrorKind::Unauthorized && self.status == 403 && api == Api::V2)
            .with_hides_lines(hides_lines)
            .with_advice((hides_lines && body.hides_lines()).then_some(NAMES_LINES))
            .with_line_errors(body.line_errors)
            .with_headers(self.headers))
    }

    /// `Ok` with the body if the status is a success, for requests other than writes.
    pub(crate) fn into_body(self, what: &str) -> Result<Self> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        match self.into_write_result(Api::V3) {
            Err(error) => Err(error.in_context(what)),
            Ok(()) => Err(Error::new(ErrorKind::Internal, "a failure was read as a success")),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn is_html(&self) -> bool {
        let html = |text: &str| text.to_ascii_lowercase().contains("html");
        self.header("content-type").is_some_and(html)
            || html(&String::from_utf8_lossy(&self.body[..self.body.len().min(64)]))
    }

    /// How long the server asks to wait: seconds, or a date; a date that has passed is no wait.
    ///
    /// A date is measured against the server's own clock, its `Date`, and against the local clock only where that is
    /// missing: the two may be far apart.
    fn retry_after(&self) -> Option<Duration> {
        parse_retry_after(self.header("retry-after")?, self.header("date"))
    }

    /// A login page of a proxy may have a success status.
    fn check_success(self) -> Result<()> {
        if self.status == 204 || !self.is_html() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Server,
            format!(
                "status {} with a web page instead of InfluxDB's answer; nothing is stored, as far as one can \
                 tell. Is the host right, or is a proxy in between?",
                self.status
            ),
        )
        .with_status(self.status)
        .with_headers(self.headers))
    }

    fn judge(&self, api: Api, body: &ErrorBody) -> (ErrorKind, String) {
        use ErrorKind as K;
        let text = self.text(body);
        let too_large = self.status == 413 || body.text.contains("max request size");
        match self.status {
            _ if too_large => (
                K::TooLarge,
                format!(
                    "the request is too large: {text}; make max_request_bytes what the server and the proxies in front \
                     of it take"
                ),
            ),
            300..400 => (
                K::Redirect,
                format!(
                    "the server redirects to {}; a write follows no redirect, so make that the host if it is \
                     the InfluxDB server (is a login or http:// in the way?)",
                    self.header("location").unwrap_or("nowhere")
                ),
            ),
            400 | 422 if body.line_data == LineData::List => {
                let count = body.line_errors.len();
                let lines = if count == 1 { "1 line was" } else { &format!("{count} lines were") };
                (K::PartialWrite, format!("{lines} not stored ({text})"))
            }
            400 if body.text.contains("Authorization header") => (
                K::Unauthorized,
                format!("{text}; check auth_scheme (Token or Bearer) and the token"),
            ),
            401 => (K::Unauthorized, unauthorized(&text, "the token is missing, wrong or expired")),
            _ if body.names_missing_database() => {
                (K::NotFound, format!("{text}; check the database's name"))
            }
            // Said of points that are too old; the token is as good as any.
            403 if body.text.contains("outside of the retention period") => {
                (K::Rejected, format!("the server refused the write: {text}"))
            }
            403 => {
                (K::Unauthorized, unauthorized(&text, "the token may not write to this database"))
            }
            404 if body.text.contains("database") && Page::read(&self.body).is_none() => {
                (K::NotFound, format!("{text}; check the database's name"))
            }
            404 | 405 => (K::NotFound, endpoint_hint(api, self.status, &text)),
            408 => (K::Timeout, format!("the server gave up waiting for the request: {text}")),
            429 => (K::RateLimited, format!("too many requests: {text}")),
            500 if body.is_final() => {
                (K::Rejected, format!("the server could not read the request: {text}"))
            }
            status if is_of_gateway(status) => (
                K::Server,
                format!(
                    "a proxy in front of the server has no answer of it, status {status}: {text}"
                ),
            ),
            500.. => (K::Server, format!("the server failed with status {}: {text}", self.status)),
            _ if api == Api::V2 && body.hides_lines() => (K::Rejected, text),
            _ => (K::Rejected, format!("the server refused the write: {text}")),
        }
    }

    fn text(&self, body: &ErrorBody) -> String {
        if body.state.is_none() && crate::transport::says_use_https(&self.body) {
            return "the port of the host speaks TLS: use https://".to_owned();
        }
        if let Some(page) = Page::read(&self.body) {
            return page.describe(self.status);
        }
        if !body.text.is_empty() {
            return body.text.clone();
        }
        ERROR_HEADERS
            .iter()
            .find_map(|name| self.header(name))
            .map_or_else(|| format!("status {} without a text", self.status), str::to_owned)
    }
}

/// Whether a status is about the host and not about the request: a proxy has no way to the server, the server is not
/// there for now, or it does not know a token that others may know.
fn is_of_host(status: u16) -> bool {
    matches!(status, 401 | 502..=504 | 520..=524)
}

fn unauthorized(text: &str, why: &str) -> String {
    if text.starts_with("status ") { why.to_owned() } else { format!("{why} ({text})") }
}

fn endpoint_hint(api: Api, status: u16, text: &str) -> String {
    let (path, other) = match api {
        Api::V2 => ("/api/v2/write", "use_v2_api(false)"),
        Api::V3 => ("/api/v3/write_lp", "use_v2_api(true)"),
    };
    let what = if status == 405 { "does not allow writes to" } else { "does not know" };
    format!("the server {what} {path} ({text}); try {other}, and check the path of the host")
}

/// What to do about lines that the server does not name.
const NAMES_LINES: &str = "nothing of the request is stored. With use_v2_api(false) the server names the bad lines and \
                           stores the good ones";

const ERROR_HEADERS: [&str; 3] = ["x-platform-error-code", "x-influx-error", "x-influxdb-error"];

#[cfg(test)]
mod tests {
    use super::*;

    fn error(api: Api, status: u16, body: &str) -> Error {
        let body = body.as_bytes().to_vec();
        let answer = Answer { status, headers: Vec::new(), body, in_doubt: false };
        answer.into_write_result(api).unwrap_err()
    }

    #[test]
    fn only_a_403_of_v2_that_blames_the_token_may_pass() {
        assert!(error(Api::V2, 403, "").may_pass());
        assert!(error(Api::V2, 403, r#"{"error":"not permitted"}"#).may_pass());
        let old = r#"{"code":"forbidden","message":"dml handler error: data in table t is outside of the retention period"}"#;
        for (api, status, body) in
            [(Api::V3, 403, ""), (Api::V2, 401, ""), (Api::V2, 400, ""), (Api::V2, 403, old)]
        {
            assert!(!error(api, status, body).may_pass(), "{status} {body}");
        }
        assert!(!error(Api::V2, 403, "").is_retryable(), "before a success nothing speaks for it");
    }
}
