use std::time::{Duration, SystemTime};

/// What `Retry-After` asks for: seconds or an HTTP date; a date that has passed is no wait.
pub(crate) fn parse_retry_after(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text.trim()).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or(Duration::ZERO))
}
