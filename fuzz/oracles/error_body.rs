//! Any answer to a write: it is judged without a panic and in a text of bounded length, success is success, and what is
//! said of lines is what the body says.
//!
//! The first line of an input is the status and what goes with it (`400 v3 doubt content-type:text/html`), the rest is
//! the body.

use influxdb3_blocking::{ErrorKind, fuzzing};
use serde_json::Value;

/// The longest text of an error: the answer's own and those of ten lines, in characters of four bytes.
const LONGEST: usize = 11 * (4 * 2000 + 200);

pub fn check(data: &[u8]) {
    let end = data.iter().position(|&byte| byte == b'\n').unwrap_or(data.len());
    let (head, body) = (&data[..end], data.get(end + 1..).unwrap_or_default());
    let head = String::from_utf8_lossy(head);
    let mut words = head.split(' ');
    let status = words.next().and_then(|word| word.parse().ok()).unwrap_or(400);
    let (mut v3, mut in_doubt, mut headers) = (false, false, Vec::new());
    for word in words {
        match word.split_once(':') {
            Some((name, value)) => headers.push((name.to_owned(), value.to_owned())),
            None if word == "v3" => v3 = true,
            None => in_doubt |= word == "doubt",
        }
    }

    let is_success = (200..300).contains(&status);
    let judged = fuzzing::judge_answer(status, headers, body.to_vec(), v3, in_doubt);
    let Err(error) = judged else {
        assert!(is_success, "{status} is no success");
        return;
    };
    assert_eq!(error.status(), Some(status));
    let texts = [error.to_string(), format!("{error:#}")];
    for text in &texts {
        assert!(!text.is_empty() && text.len() <= LONGEST + head.len(), "{} bytes", text.len());
    }
    assert!(!format!("{error:?}").is_empty());
    assert!(error.in_doubt() || !in_doubt || is_success, "a doubt was forgotten");
    // What is left out of the text of a page, and what is spelled otherwise in JSON.
    let told = format!("{error}\n{}", String::from_utf8_lossy(body));
    // Other statuses pass only where that tells of the server and not of the request.
    let of_the_server = ["error from ", "object store error", "overloaded", "token verification"];
    let passes = matches!(status, 408 | 429 | 500 | 502..=504 | 520..=524)
        || matches!(status, 400 | 403 | 500..)
            && of_the_server.iter().any(|text| told.contains(text));
    assert!(!error.is_retryable() || passes, "{error}");
    assert!(error.unsent().is_empty() && error.lines_written() == 0);
    if is_success {
        assert_eq!(error.kind(), ErrorKind::Server);
        assert!(texts[0].contains("web page") && error.line_errors().is_empty());
        return;
    }

    // What is said of lines.
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let named = match json.get("data") {
        Some(Value::Array(items)) => items.iter().filter(|item| has_message(item)).count(),
        _ => 0,
    };
    let is_partial = error.kind() == ErrorKind::PartialWrite;
    assert!(!is_partial || named > 0 && matches!(status, 400 | 422), "{error}");
    if named > 0 {
        assert_eq!(error.line_errors().len(), named);
    } else {
        assert!(error.line_errors().len() <= 1);
    }
    let mut told = Vec::new();
    collect(&json, &mut told);
    for line in error.line_errors() {
        assert_ne!(line.line_number(), Some(0), "lines are counted from 1");
        let message = line.message().trim_end_matches('…');
        assert!(message.chars().count() <= 2000, "{message}");
        assert!(told.iter().any(|text| text.starts_with(message)), "not told: {message:?}");
        assert_eq!((line.line(), line.index()), (None, None), "the answer knows neither");
    }
}

fn has_message(item: &Value) -> bool {
    match item.get("error_message") {
        Some(Value::String(text)) => !text.is_empty(),
        other => other.is_some_and(Value::is_number),
    }
}

/// Every text and number of a JSON value.
fn collect(value: &Value, told: &mut Vec<String>) {
    match value {
        Value::String(text) => told.push(text.clone()),
        Value::Number(number) => told.push(number.to_string()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, told)),
        Value::Object(items) => items.values().for_each(|item| collect(item, told)),
        Value::Null | Value::Bool(_) => {}
    }
}
