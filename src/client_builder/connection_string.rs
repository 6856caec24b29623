//! `https://host:8181/prefix?token=…&database=…`

use super::ClientBuilder;
use super::settings::Setting;
use crate::transport::percent_decode;

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
        if seen.contains(&key) {
            builder.problems.push(format!("the connection string has {key} twice"));
            continue;
        }
        match Setting::of_key(&key) {
            Some(setting) => setting.set_by_key(builder, &value),
            // Other clients of the family have keys of their own; the value may be a secret.
            None => log::warn!(
                "the connection string has the key {key:?}, which means nothing to this client"
            ),
        }
        seen.push(key);
    }
}
