use http::header::{AUTHORIZATION, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::config::{self, Headers, Token};
use crate::{Error, Result};

/// Sets the headers that every request for a query has: the user agent, the token in its scheme, and the caller's `own`, which
/// replace others of their names.
///
/// The values of the token and of the caller's headers may be secrets: they are marked as sensitive, so that no `Debug` shows
/// them and HTTP/2 does not keep them in its table of headers (RFC 7541, 7.1.3).
///
/// # Errors
///
/// [`ErrorKind::Config`](crate::ErrorKind::Config) if one of them cannot stand in a header.
pub(crate) fn insert_headers(
    headers: &mut HeaderMap,
    scheme: &str,
    token: Option<&Token>,
    own: &Headers,
) -> Result<()> {
    headers.insert(USER_AGENT, HeaderValue::from_static(config::USER_AGENT));
    if let Some(token) = token {
        let value = sensitive(&format!("{scheme} {}", token.reveal()));
        let value = value.ok_or_else(|| Error::config("the token cannot be sent in a header"))?;
        headers.insert(AUTHORIZATION, value);
    }
    for (name, value) in own.iter() {
        let invalid = || Error::config(format!("the header {name} cannot be sent"));
        let value = sensitive(value).ok_or_else(invalid)?;
        headers.insert(HeaderName::try_from(name).map_err(|_| invalid())?, value);
    }
    Ok(())
}

fn sensitive(value: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}
