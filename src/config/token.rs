use std::fmt;

/// A token, which no `Debug` shows.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct Token(String);

impl Token {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("the token is empty: leave it out if the server needs none".into());
        }
        for scheme in ["Bearer", "Token", "Basic"] {
            let begins = text.get(..scheme.len()).is_some_and(|b| b.eq_ignore_ascii_case(scheme));
            if begins && text[scheme.len()..].starts_with(|c: char| c.is_ascii_whitespace()) {
                return Err(format!(
                    "the token begins with {scheme:?}, which is the scheme of a header: leave it out (the scheme of \
                     writes is auth_scheme, queries always have Bearer)"
                ));
            }
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(
                "the token has blanks, control characters or characters outside ASCII".into()
            );
        }
        Ok(Self(text.to_owned()))
    }

    /// The secret itself, for a request's header and nothing else.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
