use std::time::{Duration, SystemTime};

/// What `Retry-After` asks for: seconds or an HTTP date; a date that has passed is no wait.
///
/// A date is measured on the server's clock, by the `Date` of the same answer, if it has one.
pub(crate) fn parse_retry_after(text: &str, date: Option<&str>) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(text.trim()).ok()?;
    let said = date.and_then(|date| httpdate::parse_http_date(date.trim()).ok());
    let now = said.unwrap_or_else(SystemTime::now);
    Some(until.duration_since(now).unwrap_or(Duration::ZERO))
}
