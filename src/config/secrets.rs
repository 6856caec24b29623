use std::borrow::Cow;
use std::fmt;

use super::{Headers, Token};
use crate::Error;

/// The secrets of a request, which no text may show: its token, and an `authorization` header that the caller set.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    pub(crate) fn new(token: Option<&Token>, headers: &Headers) -> Self {
        let own = headers.iter().find(|(name, _)| *name == "authorization");
        // `Bearer secret`: the scheme is no secret.
        let own = own.and_then(|(_, value)| value.split_whitespace().next_back());
        let all = token.map(Token::reveal).into_iter().chain(own);
        Self(all.map(str::to_owned).collect())
    }

    /// The text with `***` in place of each secret. For texts of a server, which may repeat the request: after they
    /// were judged.
    ///
    /// A secret of 20 bytes or more is hidden wherever it occurs, one of 8 or more that is not all letters as a whole
    /// word. Any other (`t`, `database`) is hidden only where a token is introduced, so that the text stays readable.
    pub(crate) fn hide<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut shown = Cow::Borrowed(text);
        for secret in &self.0 {
            if let Some(hidden) = hide_one(&shown, secret) {
                shown = Cow::Owned(hidden);
            }
        }
        shown
    }
}

impl Error {
    /// The error with its request's secrets hidden: the server may have repeated them.
    pub(crate) fn without(mut self, secrets: &Secrets) -> Self {
        self.change_texts(|text| {
            if let Cow::Owned(hidden) = secrets.hide(text) {
                *text = hidden;
            }
        });
        self
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Secrets of this length or more are hidden wherever they occur, also inside words.
const UNMISTAKABLE: usize = 20;
/// Secrets of this length or more that are not all letters are hidden as whole words.
const NO_WORD: usize = 8;

/// The text with `***` in place of the secret; none if it does not occur.
fn hide_one(text: &str, secret: &str) -> Option<String> {
    let mut shown = String::new();
    let mut end = 0;
    for (start, _) in text.match_indices(secret) {
        let (before, after) = (&text[..start], &text[start + secret.len()..]);
        if is_secret(before, secret, after) {
            shown.push_str(&text[end..start]);
            shown.push_str("***");
            end = start + secret.len();
        }
    }
    if end == 0 {
        return None;
    }
    shown.push_str(&text[end..]);
    Some(shown)
}

/// Whether this occurrence of the secret, between `before` and `after`, is to be hidden.
fn is_secret(before: &str, secret: &str, after: &str) -> bool {
    if secret.len() >= UNMISTAKABLE {
        return true;
    }
    let is_of_word = |c: char| c.is_alphanumeric() || c == '_';
    let goes_on = |inner: Option<char>, outer: Option<char>| {
        inner.is_some_and(is_of_word) && outer.is_some_and(is_of_word)
    };
    if goes_on(secret.chars().next(), before.chars().next_back())
        || goes_on(secret.chars().next_back(), after.chars().next())
    {
        return false;
    }
    let is_no_word = secret.len() >= NO_WORD && !secret.chars().all(char::is_alphabetic);
    is_no_word || introduces_token(before)
}

/// Whether the text ends with something that introduces a token, such as `Bearer `.
fn introduces_token(before: &str) -> bool {
    // "the token is missing" goes on with a word; a scheme has a capital.
    const SCHEMES: [&str; 3] = ["Token ", "Basic ", "token="];
    const IN_ANY_CASE: [&str; 4] = ["bearer ", "token:", "token: ", "\"token\":\""];
    let ends_with = |mark: &&str| {
        let end = before.len().checked_sub(mark.len()).and_then(|start| before.get(start..));
        end.is_some_and(|end| end.eq_ignore_ascii_case(mark))
    };
    SCHEMES.iter().any(|mark| before.ends_with(mark)) || IN_ANY_CASE.iter().any(ends_with)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(secret: &str, text: &str) -> String {
        Secrets(vec![secret.to_owned()]).hide(text).into_owned()
    }

    #[test]
    fn a_secret_that_may_be_a_word_leaves_texts_readable() {
        let text = "Cannot retrieve database: External error: database not found, don't ask the token is t";
        for word in ["t", "e", "database", "not", "is", "token", "found", "External"] {
            assert_eq!(hidden(word, text), text, "{word}");
        }
        for (word, text, expected) in [
            ("t", "not Bearer t, but", "not Bearer ***, but"),
            ("database", "Authorization: Token database", "Authorization: Token ***"),
            ("t", "?token=t&db=t", "?token=***&db=t"),
            ("abc", "{\"Token\":\"abc\"}", "{\"Token\":\"***\"}"),
        ] {
            assert_eq!(hidden(word, text), expected);
        }
    }

    #[test]
    fn a_secret_that_looks_like_one_is_hidden_wherever_it_stands() {
        for (secret, text, expected) in [
            ("hunter2-go", "unknown hunter2-go.", "unknown ***."),
            ("hunter2-go", "'hunter2-go'", "'***'"),
            // Another word.
            ("hunter2-go", "hunter2-gone", "hunter2-gone"),
            ("apiv3_0123456789abcdef", "%3Dapiv3_0123456789abcdefX", "%3D***X"),
            ("my-super-secret-auth-token", "no my-super-secret-auth-token?", "no ***?"),
        ] {
            assert_eq!(hidden(secret, text), expected);
        }
    }

    #[test]
    fn the_callers_own_header_is_a_secret_without_its_scheme() {
        let mut headers = Headers::default();
        headers.set("Authorization", "Bearer own-secret-1").unwrap();
        let secrets = Secrets::new(Some(&Token::parse("t0ken-secret").unwrap()), &headers);
        assert_eq!(secrets.hide("Bearer own-secret-1, t0ken-secret"), "Bearer ***, ***");
        for value in ["Bearer own-secret-1 ", "own-secret-1\t", " Bearer  own-secret-1 \t"] {
            headers.set("Authorization", value).unwrap();
            let secrets = Secrets::new(None, &headers);
            assert_eq!(secrets.hide("not Bearer own-secret-1 !"), "not Bearer *** !", "{value:?}");
        }
        assert!(matches!(secrets.hide("nothing"), Cow::Borrowed(_)));
        assert_eq!(format!("{secrets:?}"), "***");
    }
}
