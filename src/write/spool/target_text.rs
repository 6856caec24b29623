//! A target as text in a segment: everything but what is secret.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::Precision;
use crate::config::Headers;
use crate::write::answer::Api;
use crate::write::target::Target;

/// JSON on one line. Headers that may hold a secret are left out.
pub(super) fn to_text(target: &Target) -> String {
    let headers = target.headers.iter().filter(|(name, _)| !is_secret(name));
    let headers: Map<_, _> =
        headers.map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
    json!({
        "database": &*target.database,
        "organization": &*target.organization,
        "precision": target.precision.short_name(),
        "endpoint": endpoint(target.api),
        "no_sync": target.no_sync,
        "accept_partial": target.accept_partial,
        "timeout_ms": u64::try_from(target.timeout.as_millis()).unwrap_or(u64::MAX),
        "headers": headers,
    })
    .to_string()
}

/// The target that a text describes; none if it describes none.
pub(super) fn from_text(text: &str) -> Option<Target> {
    let json: Value = serde_json::from_str(text).ok()?;
    let text = |name: &str| json.get(name).and_then(Value::as_str);
    let is = |name: &str| json.get(name).and_then(Value::as_bool);
    let mut headers = Headers::default();
    for (name, value) in json.get("headers")?.as_object()? {
        headers.set_for_write(name, value.as_str()?).ok()?;
    }
    let api = [Api::V2, Api::V3].into_iter().find(|api| text("endpoint") == Some(endpoint(*api)));
    Some(Target {
        database: Arc::from(text("database")?),
        organization: Arc::from(text("organization")?),
        precision: text("precision")?.parse::<Precision>().ok()?,
        api: api?,
        no_sync: is("no_sync")?,
        accept_partial: is("accept_partial")?,
        headers,
        timeout: Duration::from_millis(json.get("timeout_ms")?.as_u64()?.max(1)),
    })
}

fn endpoint(api: Api) -> &'static str {
    match api {
        Api::V2 => "/api/v2/write",
        Api::V3 => "/api/v3/write_lp",
    }
}

/// Whether the header of this name, in lower case, may hold a token.
fn is_secret(name: &str) -> bool {
    ["auth", "cookie", "token", "key", "secret", "password"].iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        let mut headers = Headers::default();
        headers.set_for_write("x-trace", "a\"b").unwrap();
        Target {
            database: Arc::from("sensors\n\"ü\""),
            organization: Arc::from("o"),
            precision: Precision::Millisecond,
            api: Api::V3,
            no_sync: true,
            accept_partial: false,
            headers,
            timeout: Duration::from_millis(1500),
        }
    }

    #[test]
    fn a_target_comes_back_as_it_was_on_one_line() {
        let text = to_text(&target());
        assert!(!text.contains('\n'), "{text}");
        assert_eq!(from_text(&text), Some(target()));
    }

    #[test]
    fn what_authenticates_is_not_kept() {
        let mut secret = target();
        for name in ["authorization", "x-api-key", "cookie", "x-auth-token"] {
            secret.headers.set_for_write(name, "Token s3cret").unwrap();
        }
        let text = to_text(&secret);
        assert!(!text.contains("s3cret"), "{text}");
        assert_eq!(from_text(&text), Some(target()));
    }

    #[test]
    fn anything_else_is_no_target() {
        for text in ["", "{}", "[]", "null", "{\"database\": 1}"] {
            assert_eq!(from_text(text), None, "{text}");
        }
        let other = to_text(&target()).replace("write_lp", "write_xy");
        assert_eq!(from_text(&other), None);
    }
}
