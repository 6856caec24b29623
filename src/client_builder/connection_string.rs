//! `https://host:8181/prefix?token=…&database=…`

use super::ClientBuilder;
use super::settings::Setting;
use crate::transport::{harmless_name, percent_decode};

/// Sets what a connection string has.
pub(super) fn set_from_connection_string(builder: &mut ClientBuilder, text: &str) {
    let (host, query) = text.trim().split_once('?').unwrap_or((text, ""));
    if host.contains("token=") {
        // The error of a wrong host would show the token.
        builder.problems.push(
            "the connection string has a token before its '?': write it as https://host:8181?token=…"
                .into(),
        );
        return;
    }
    Setting::host().set_by_key(builder, host);
    let mut seen: Vec<String> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (Some(key), Some(value)) = (percent_decode(key, true), percent_decode(value, true))
        else {
            builder
                .problems
                .push("the connection string has a percent sign that starts no escape".into());
            continue;
        };
        let setting = Setting::of_key(&key);
        let shown = match setting {
            Some(_) => key.clone(),
            None => shown_key(&key, pair.contains('=')),
        };
        if seen.contains(&key) {
            builder.problems.push(format!("the connection string has {shown:?} twice"));
            continue;
        }
        match setting {
            Some(setting) => setting.set_by_key(builder, &value),
            // Other clients of the family have keys of their own; the value may be a secret.
            None => log::warn!(
                "the connection string has the key {shown:?}, which means nothing to this client"
            ),
        }
        seen.push(key);
    }
}

/// What may be shown of a key that is not known: a token without its `token=` looks like one, and so does what follows an `&`
/// in a token that is not percent-encoded.
fn shown_key(key: &str, has_value: bool) -> String {
    let is_of_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if has_value { harmless_name(key, is_of_key) } else { "…".to_owned() }
}
