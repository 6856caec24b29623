use std::fmt;

/// Extra headers of requests: checked, names in lower case. Values may be secrets, so no `Debug` shows them.
#[derive(Clone, Default, Eq, Hash, PartialEq)]
pub(crate) struct Headers(Vec<(String, String)>);

impl Headers {
    /// Sets a header, in place of an earlier one of that name.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let is_token =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(format!("{name:?} is no header name"));
        }
        let name = name.to_ascii_lowercase();
        if RESERVED.contains(&name.as_str()) {
            return Err(format!("the header {name} is the client's own"));
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

/// A wrong one of these would change where a request ends or what its body means.
const RESERVED: [&str; 7] = [
    "connection",
    "content-encoding",
    "content-length",
    "expect",
    "host",
    "te",
    "transfer-encoding",
];

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
        assert!(headers.set("Content-Length", "1").is_err());
    }
}
