use std::fmt;

use crate::transport::harmless_name;

/// Extra headers of requests: checked, names in lower case. Values may be secrets, so no `Debug` shows them.
#[derive(Clone, Default, Eq, Hash, PartialEq)]
pub(crate) struct Headers(Vec<(String, String)>);

impl Headers {
    /// Sets a header of requests of any kind, in place of an earlier one of that name.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        if name.eq_ignore_ascii_case("content-type") {
            return Err("the header content-type cannot be set here: queries over gRPC have their own; set it on a \
                        single write"
                .into());
        }
        self.set_for_write(name, value)
    }

    /// Sets a header of a write, in place of an earlier one of that name.
    pub(crate) fn set_for_write(&mut self, name: &str, value: &str) -> Result<(), String> {
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if name.is_empty() || !name.chars().all(is_token) {
            // `Authorization: Bearer …` may have been given as the name.
            return Err(format!("{:?} is no header name", harmless_name(name, is_token)));
        }
        let name = name.to_ascii_lowercase();
        if let Some(why) = why_refused(&name) {
            return Err(format!("the header {name} cannot be set: {why}"));
        }
        if !value.bytes().all(|byte| byte == b'\t' || byte == b' ' || byte.is_ascii_graphic()) {
            return Err(format!("the value of the header {name} is not printable ASCII"));
        }
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some(entry) => value.clone_into(&mut entry.1),
            None => self.0.push((name, value.to_owned())),
        }
        Ok(())
    }

    /// These headers, with those of `other` in place of the ones of the same name.
    pub(crate) fn with(&self, other: &Self) -> Self {
        let mut merged = self.clone();
        for (name, value) in &other.0 {
            match merged.0.iter_mut().find(|(known, _)| known == name) {
                Some(entry) => entry.1.clone_from(value),
                None => merged.0.push((name.clone(), value.clone())),
            }
        }
        merged
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// Why a header is not for a caller to set, if it is not. The name is in lower case.
fn why_refused(name: &str) -> Option<&'static str> {
    Some(match name {
        "host" => "it is what .host(…) says",
        "content-length" | "content-encoding" | "expect" => {
            "it says what the body of a request is, which the client does itself"
        }
        // RFC 9110, 7.6.1, and what HTTP/2 forbids beside those (RFC 9113, 8.2.2).
        "connection" | "http2-settings" | "keep-alive" | "proxy-connection" | "te" | "trailer"
        | "transfer-encoding" | "upgrade" => {
            "it is about one connection (hop by hop), which the client keeps itself"
        }
        "proxy-authenticate" | "proxy-authorization" => {
            "it is for the proxy and would be sent to the server; give .proxy(\"http://user:password@host:port\")"
        }
        "accept-encoding" => "answers are read as they are, so they must not be compressed",
        name if name.starts_with("grpc-") => {
            "it belongs to gRPC, by which queries are made; the time limit of a query is its timeout"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_values_are_not_shown_and_bad_ones_are_refused() {
        let mut headers = Headers::default();
        headers.set("X-Secret", "s3cret").unwrap();
        headers.set("x-secret", "other").unwrap();
        assert_eq!(headers.iter().collect::<Vec<_>>(), [("x-secret", "other")]);
        assert_eq!(format!("{headers:?}"), "[\"x-secret\"]");
        assert!(headers.set("bad name", "x").is_err());
        assert!(headers.set("x", "a\r\nb: c").is_err());
        assert!(headers.set("Content-Type", "text/plain").is_err());
        headers.set_for_write("Content-Type", "text/plain").unwrap();
    }
}
