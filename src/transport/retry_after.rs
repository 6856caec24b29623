use std::time::{Duration, SystemTime};

/// What `Retry-After` asks for: seconds or an HTTP date; a date that has passed is no wait.
///
/// A date is measured against the server's own clock, the `Date` of the same answer, and against the local clock only
/// where that is missing: the two may be far apart.
pub(crate) fn retry_after(asked: &str, date: Option<&str>) -> Option<Duration> {
    if let Ok(seconds) = asked.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(asked.trim()).ok()?;
    let said = date.and_then(|date| httpdate::parse_http_date(date.trim()).ok());
    let now = said.unwrap_or_else(SystemTime::now);
    Some(until.duration_since(now).unwrap_or(Duration::ZERO))
}
