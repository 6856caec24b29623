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
