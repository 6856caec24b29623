//! What the server's answer to a write means. Bytes in, a verdict out; no I/O.

use std::time::Duration;

use serde_json::Value;

use crate::transport::parse_retry_after;
use crate::{Error, ErrorKind, LineError, Result};

/// An answer as it came.
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
    /// Decides by status and structure rather than by text, which differs between releases and products.
    /// The exceptions are statuses of the releases 3.6 to 3.10 that contradict the text: see [`ServerState`].
    pub(crate) fn into_write_result(self, api: Api) -> Result<()> {
        if (200..300).contains(&self.status) {
            return self.check_success();
        }
        let told = Told::read(&self.body);
        let state = told.state.filter(|_| matches!(self.status, 400 | 403 | 500..));
        let (kind, message) = match state {
            Some(state) => state.judge(self.status, &self.text(&told)),
            None => self.judge(api, &told),
        };
        let (retryable, in_doubt) = match state {
            Some(state) => (state.passes(), state.leaves_doubt()),
            None => {
                let retryable = matches!(self.status, 408 | 429 | 500 | 502 | 503 | 504)
                    && matches!(
                        kind,
                        ErrorKind::Server | ErrorKind::Timeout | ErrorKind::RateLimited
                    );
                (retryable, retryable && matches!(self.status, 408 | 500 | 502 | 504))
            }
        };
        let retry_after = self.retry_after();
        Err(Error::new(kind, message)
            .with_status(self.status)
            .with_retryable(retryable)
            .with_in_doubt(self.in_doubt || in_doubt)
            .with_retry_after(retry_after)
            .with_host_failure(state.is_some() || is_of_host(self.status))
            .with_may_pass(kind == ErrorKind::Unauthorized && self.status == 403 && api == Api::V2)
            .with_hides_lines(
                kind == ErrorKind::Rejected && api == Api::V2 && told.is_about_lines(),
            )
            .with_line_errors(told.line_errors)
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

    /// A login page of a proxy comes with a success as well.
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

    fn judge(&self, api: Api, told: &Told) -> (ErrorKind, String) {
        use ErrorKind as K;
        let text = self.text(told);
        let too_large = told.text.contains("max request size");
        match self.status {
            413 => (K::TooLarge, format!("the request is too large: {text}")),
            _ if too_large => (K::TooLarge, format!("the request is too large: {text}")),
            300..400 => (
                K::Redirect,
                format!(
                    "the server redirects to {}; a write follows no redirect, so make that the host if it is \
                     the InfluxDB server (is a login or http:// in the way?)",
                    self.header("location").unwrap_or("nowhere")
                ),
            ),
            400 | 422 if told.shape == Shape::List => {
                let count = told.line_errors.len();
                let lines = if count == 1 { "1 line was" } else { &format!("{count} lines were") };
                (K::PartialWrite, format!("{lines} not stored ({text})"))
            }
            400 if told.text.contains("Authorization header") => (
                K::Unauthorized,
                format!("{text}; check auth_scheme (Token or Bearer) and the token"),
            ),
            401 => (K::Unauthorized, unauthorized(&text, "the token is missing, wrong or expired")),
            // Said of points that are too old; the token is as good as any.
            403 if told.text.contains("outside of the retention period") => {
                (K::Rejected, format!("the server refused the write: {text}"))
            }
            403 => {
                (K::Unauthorized, unauthorized(&text, "the token may not write to this database"))
            }
            404 if told.text.contains("database") || told.text.contains("bucket ") => {
                (K::NotFound, format!("{text}; check the database's name"))
            }
            404 | 405 => (K::NotFound, endpoint_hint(api, self.status, &text)),
            408 => (K::Timeout, format!("the server gave up waiting for the request: {text}")),
            429 => (K::RateLimited, format!("too many requests: {text}")),
            500 if told.is_final() => {
                (K::Rejected, format!("the server could not read the request: {text}"))
            }
            500.. => (K::Server, format!("the server failed with status {}: {text}", self.status)),
            _ if api == Api::V2 && told.hides_lines() => (
                K::Rejected,
                format!(
                    "{text}; nothing is stored. With use_v2_api(false) the server names the bad lines and \
                         stores the good ones"
                ),
            ),
            _ => (K::Rejected, format!("the server refused the write: {text}")),
        }
    }

    fn text(&self, told: &Told) -> String {
        if crate::transport::says_use_https(&self.body) {
            return "the port of the host speaks TLS: use https://".to_owned();
        }
        if self.is_html() {
            return format!("a web page, status {}; is the host an InfluxDB server?", self.status);
        }
        if !told.text.is_empty() {
            return told.text.clone();
        }
        ERROR_HEADERS
            .iter()
            .find_map(|name| self.header(name))
            .map_or_else(|| format!("status {} without a text", self.status), str::to_owned)
    }
}

/// What the body of a failure says.
#[derive(Debug, Default)]
struct Told {
    text: String,
    line_errors: Vec<LineError>,
    shape: Shape,
    state: Option<ServerState>,
}

#[derive(Debug, Default, Eq, PartialEq)]
enum Shape {
    #[default]
    Plain,
    /// `data` is one object: nothing is stored.
    One,
    /// `data` is a list: the other lines are stored.
    List,
}

impl Told {
    fn read(body: &[u8]) -> Self {
        // Core sends no Content-Type with its errors, so try.
        let Ok(Value::Object(mut json)) = serde_json::from_slice::<Value>(body) else {
            let text = String::from_utf8_lossy(body);
            let text = text.trim();
            let state = ServerState::of(text);
            return Self { text: shortened(text), state, ..Self::default() };
        };
        let message = text_of(json.get("message")).or_else(|| text_of(json.get("error")));
        let state = message.as_deref().and_then(ServerState::of);
        let text = match (text_of(json.get("code")), message) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            (_, Some(message)) => message,
            (_, None) => shortened(String::from_utf8_lossy(body).trim()),
        };
        let (line_errors, shape) = match json.remove("data") {
            Some(Value::Array(items)) => {
                let errors: Vec<_> = items.iter().filter_map(line_error).collect();
                let shape = if errors.is_empty() { Shape::Plain } else { Shape::List };
                (errors, shape)
            }
            Some(item @ Value::Object(_)) => (line_error(&item).into_iter().collect(), Shape::One),
            // Serverless and Dedicated name the first bad line this way.
            _ => match (line_number(json.get("line")), text_of(json.get("message"))) {
                (Some(line), Some(message)) => {
                    (vec![LineError::new(Some(line), shortened(&message))], Shape::One)
                }
                _ => (Vec::new(), Shape::Plain),
            },
        };
        Self { text: shortened(&text), line_errors, shape, state }
    }

    /// Release 3.6 answers 500 to requests that no repetition can mend.
    fn is_final(&self) -> bool {
        self.text.contains("error decoding gzip") || self.text.contains("not valid utf8")
    }

    /// Whether lines are at fault and the answer does not say which.
    fn hides_lines(&self) -> bool {
        self.line_errors.is_empty() && self.text.contains("line protocol")
    }

    /// Whether lines are at fault, be one named or none.
    fn is_about_lines(&self) -> bool {
        !self.line_errors.is_empty() || self.hides_lines()
    }
}

/// What the server says of itself rather than of the request.
///
/// Core 3.6 to 3.10 answers every failure of its write buffer with 400 on `/api/v2/write`, as if the request were at
/// fault, and with 500 on `/api/v3/write_lp`, be it for good or not; 3.11 has begun to tell them apart by 503. So the
/// text decides, by its beginning, which no line of the request can forge.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum ServerState {
    /// It takes no writes for now, and has taken nothing of this one: it is stopping, its WAL buffer is full, it is
    /// overloaded, its object store fails, or the service that knows the tokens does.
    Unavailable,
    /// It took the lines and could not write them to its WAL: they are stored, or not.
    WalFailed,
    /// It is a node of a cluster that is not there for writes.
    WrongRole,
}

impl ServerState {
    /// The state that a message begins with, if it is about one.
    fn of(message: &str) -> Option<Self> {
        const UNAVAILABLE: [&str; 4] = [
            "error from persister: ",
            "object store error",
            "this service is overloaded",
            "token verification not possible",
        ];
        const UNAVAILABLE_WAL: [&str; 3] =
            ["wal is shutdown", "wal buffer full", "object store error"];
        const WRONG_ROLE: [&str; 2] =
            ["cannot write to a compactor-only server", "cannot write to a read-only server"];
        let rest = message.strip_prefix("write buffer error: ").unwrap_or(message);
        let rest = rest.strip_prefix("catalog update error: ").unwrap_or(rest);
        let begins = |texts: &[&str], rest: &str| texts.iter().any(|text| rest.starts_with(text));
        if let Some(of_wal) = rest.strip_prefix("error from wal: ") {
            let refused = begins(&UNAVAILABLE_WAL, of_wal);
            return Some(if refused { Self::Unavailable } else { Self::WalFailed });
        }
        if begins(&UNAVAILABLE, rest) {
            Some(Self::Unavailable)
        } else {
            begins(&WRONG_ROLE, rest).then_some(Self::WrongRole)
        }
    }

    fn judge(self, status: u16, text: &str) -> (ErrorKind, String) {
        match self {
            Self::Unavailable => (
                ErrorKind::Server,
                format!("the server cannot take writes now (status {status}): {text}"),
            ),
            Self::WalFailed => (
                ErrorKind::Server,
                format!("the server failed to log the write (status {status}): {text}"),
            ),
            Self::WrongRole => (
                ErrorKind::Rejected,
                format!(
                    "this node takes no writes ({text}); set one that does with .write_host(…) (a node \
                     of mode ingest, in a cluster)"
                ),
            ),
        }
    }

    /// Whether the same write may succeed later.
    fn passes(self) -> bool {
        self != Self::WrongRole
    }

    /// Whether the lines may be stored all the same.
    fn leaves_doubt(self) -> bool {
        self == Self::WalFailed
    }
}

/// Whether a status is about the host and not about the request: a proxy has no way to the server, the server is not
/// there for now, or it does not know a token that others may know.
fn is_of_host(status: u16) -> bool {
    matches!(status, 401 | 502..=504 | 520..=524)
}

fn line_error(item: &Value) -> Option<LineError> {
    let message = text_of(item.get("error_message"))?;
    // `original_line` is cut to 20 bytes and may be another line's; the number is right.
    Some(LineError::new(line_number(item.get("line_number")), shortened(&message)))
}

fn line_number(value: Option<&Value>) -> Option<usize> {
    let number = match value? {
        Value::Number(number) => number.as_u64()?,
        Value::String(text) => text.parse().ok()?,
        _ => return None,
    };
    usize::try_from(number).ok().filter(|&number| number > 0)
}

fn text_of(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
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

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARACTERS) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

const SHOWN_CHARACTERS: usize = 2000;

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
