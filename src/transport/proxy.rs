use std::fmt;

use crate::config::Endpoint;

/// An HTTP proxy that both paths go through by CONNECT.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct Proxy {
    host: String,
    port: u16,
    /// User and password, percent-decoded.
    credentials: Option<(String, String)>,
}

impl Proxy {
    /// Reads `http://[user:password@]host:port`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let rest = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some((scheme, _)) => {
                return Err(format!(
                    "the proxy has the scheme {scheme:?}: only http:// proxies are supported"
                ));
            }
            None => text,
        };
        let (credentials, address) = match rest.rsplit_once('@') {
            Some((user, address)) => (Some(parse_credentials(user)?), address),
            None => (None, rest),
        };
        let endpoint = Endpoint::parse(&format!("http://{address}"))
            .map_err(|error| error.replacen("the host", "the proxy", 1))?;
        if !endpoint.path().is_empty() {
            return Err("the proxy has a path: give http://host:port".into());
        }
        Ok(Self { host: endpoint.host().to_owned(), port: endpoint.port(), credentials })
    }

    /// The host as it stands in a URL: IPv6 addresses in brackets.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// User and password.
    pub(crate) fn credentials(&self) -> Option<(&str, &str)> {
        self.credentials.as_ref().map(|(user, password)| (user.as_str(), password.as_str()))
    }
}

/// Without the credentials.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

fn parse_credentials(text: &str) -> Result<(String, String), String> {
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    let decode = |part| {
        crate::config::percent_decode(part, false)
            .ok_or_else(|| "the user or password of the proxy is not percent-encoded".to_owned())
    };
    Ok((decode(user)?, decode(password)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_read_and_their_passwords_are_not_shown() {
        let proxy = Proxy::parse("http://me:p%40ss@proxy.example.io:3128").unwrap();
        assert_eq!((proxy.host(), proxy.port()), ("proxy.example.io", 3128));
        assert_eq!(proxy.credentials(), Some(("me", "p@ss")));
        assert_eq!(format!("{proxy} {proxy:?}").matches("ss").count(), 0);
        assert_eq!(Proxy::parse("proxy:8080").unwrap().to_string(), "http://proxy:8080");
        assert_eq!(Proxy::parse("http://[::1]").unwrap().to_string(), "http://[::1]:80");
    }

    #[test]
    fn what_is_no_proxy_says_why() {
        for (text, why) in [
            ("socks5://x:1", "socks5"),
            ("https://x:1", "only http://"),
            ("http://", "the proxy has no name"),
            ("http://x/y", "path"),
            ("http://u:%zz@x", "percent-encoded"),
        ] {
            let error = Proxy::parse(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
