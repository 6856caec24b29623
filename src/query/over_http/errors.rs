//! Answers to a query over HTTP that are no file of Parquet, and what they mean.

use serde_json::Value;

use crate::query::call::{ErrorContext, HeaderList};
use crate::{Error, ErrorKind};

impl ErrorContext<'_> {
    /// The error of an answer whose status is no success.
    ///
    /// Decided by parts of the text that all releases share, as the statuses differ: a query that cannot be planned is
    /// 500 in Core 3.6, and 400 or 405 in 3.10.
    pub(super) fn http_query(&self, status: u16, headers: HeaderList, body: &[u8]) -> Error {
        let message = message(body);
        let has = |text: &str| message.contains(text);
        let is_about_the_query = has("query error")
            || has("planning")
            || has("InfluxQL")
            || has("DataFusion")
            || has("datafusion");
        let (kind, text) = match status {
            404 if has("database not found") => self.no_database(),
            404 => (
                ErrorKind::NotFound,
                format!(
                    "{} takes no queries over HTTP (status 404): is it InfluxDB 3?",
                    self.endpoint
                ),
            ),
            400 | 405 | 500 if has("table '") && has("' not found") => self.no_table(),
            400 | 405 | 500 if has("file limit") => Self::too_many_files(),
            400 | 405 | 500 if has("Resources exhausted") => Self::no_resources(),
            400 if has("Authorization header") => (
                ErrorKind::Unauthorized,
                "the server cannot read the token: check .token(…) and .auth_scheme(…)".to_owned(),
            ),
            400 => Self::refused(),
            405 | 500 if is_about_the_query => Self::refused(),
            500 => Self::server_failed(),
            // Redirects, tokens, proxies, too many requests: the status says all.
            _ => return self.http(status, headers, body),
        };
        let text = match message.is_empty() {
            true => format!("{text} (status {status})"),
            false => format!("{text} (status {status}): {message}"),
        };
        let retryable = kind == ErrorKind::Server;
        Error::new(kind, text).with_status(status).with_headers(headers).with_retryable(retryable)
    }

    /// The error of a success that is no file of Parquet, such as the login page of a proxy.
    pub(super) fn no_parquet(&self, headers: HeaderList, content_type: &str) -> Error {
        let text = format!(
            "{} answered a query with {content_type:?} and not with Parquet: is the host right, or is a proxy in between?",
            self.endpoint
        );
        Error::new(ErrorKind::Server, text).with_status(200).with_headers(headers)
    }
}

/// What the server says: the text of its JSON (`error` or `message`), or the whole body.
fn message(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let json = serde_json::from_slice::<Value>(body).ok();
    let said = json.as_ref().and_then(|json| json.get("error").or_else(|| json.get("message")));
    said.and_then(Value::as_str).unwrap_or_else(|| text.trim()).to_owned()
}
