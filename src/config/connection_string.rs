//! `https://host:8181/prefix?token=…&database=…`

use super::percent_decode;
use crate::ClientBuilder;

/// Sets what a connection string has.
pub(crate) fn apply(builder: ClientBuilder, text: &str) -> ClientBuilder {
    let (host, query) = text.trim().split_once('?').unwrap_or((text, ""));
    if host.contains("token=") {
        // A problem with the host would show it.
        return builder.problem(
            "the connection string has a token before its '?': write it as https://host:8181?token=…",
        );
    }
    let mut builder = builder.set("host", "the connection string", host);
    let mut seen: Vec<String> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (Some(key), Some(value)) = (percent_decode(key, true), percent_decode(value, true))
        else {
            builder =
                builder.problem("the connection string has a percent sign that starts no escape");
            continue;
        };
        if seen.contains(&key) {
            builder = builder.problem(format!("the connection string has {key} twice"));
            continue;
        }
        if KEYS.contains(&key.as_str()) {
            builder = builder.set(&key, &key, &value);
        } else {
            // Other clients of the family have keys of their own; the value may be a secret.
            log::warn!(
                "the connection string has the key {key:?}, which means nothing to this client"
            );
        }
        seen.push(key);
    }
    builder
}

const KEYS: [&str; 11] = [
    "token",
    "database",
    "org",
    "authScheme",
    "precision",
    "gzipThreshold",
    "writeNoSync",
    "writeAcceptPartial",
    "writeUseV2Api",
    "writeTimeout",
    "queryTimeout",
];
