//! The `authorization` header, on both paths.

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, header::AUTHORIZATION};

/// A header that is not `<scheme> <token>`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// The token that a request carries, if any. The schemes are `Bearer`, `Token` and `Basic`, written
/// just so, with one space after them; of a `Basic` pair the user does not matter.
pub(crate) fn token(headers: &HeaderMap) -> Result<Option<String>, Malformed> {
    let Some(header) = headers.get(AUTHORIZATION) else {
        return Ok(None);
    };
    let header = header.to_str().map_err(|_| Malformed)?;
    let (scheme, token) = header.split_once(' ').ok_or(Malformed)?;
    if token.is_empty() || token.contains(' ') {
        return Err(Malformed);
    }
    match scheme {
        "Bearer" | "Token" => Ok(Some(token.to_owned())),
        "Basic" => {
            let pair = BASE64_STANDARD.decode(token).map_err(|_| Malformed)?;
            let pair = String::from_utf8(pair).map_err(|_| Malformed)?;
            let (_user, token) = pair.split_once(':').ok_or(Malformed)?;
            if token.is_empty() || token.contains(':') {
                return Err(Malformed);
            }
            Ok(Some(token.to_owned()))
        }
        _ => Err(Malformed),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn parse(header: &'static str) -> Result<Option<String>, Malformed> {
        token(&HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static(header))]))
    }

    #[test]
    fn three_schemes_and_nothing_else() {
        assert_eq!(token(&HeaderMap::new()), Ok(None));
        assert_eq!(parse("Bearer t"), Ok(Some("t".into())));
        assert_eq!(parse("Token t"), Ok(Some("t".into())));
        assert_eq!(parse("Basic dXNlcjp0"), Ok(Some("t".into())));
        assert_eq!(parse("Basic OnQ="), Ok(Some("t".into())));
        for bad in ["t", "bearer t", "Bearer ", "Bearer  t", "Bearer a b", "Basic t", "Digest t"] {
            assert_eq!(parse(bad), Err(Malformed), "{bad}");
        }
    }
}
