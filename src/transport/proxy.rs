use std::fmt;

use super::endpoint::is_of_scheme;
use super::{Endpoint, harmless_name, percent_decode};

/// A proxy that both paths go through.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct Proxy {
    scheme: ProxyScheme,
    host: String,
    port: u16,
    /// User and password, percent-decoded.
    credentials: Option<(String, String)>,
}

/// What a proxy speaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ProxyScheme {
    /// HTTP with the method CONNECT.
    Http,
    /// The same within TLS.
    Https,
    /// SOCKS 5 (RFC 1928). The proxy resolves the server's name.
    Socks5,
}

impl Proxy {
    /// Reads `scheme://[user:password@]host[:port]`, or the same without a scheme, which then is http.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (ProxyScheme::parse(scheme)?, rest),
            None => (ProxyScheme::Http, text),
        };
        let (credentials, address) = match rest.rsplit_once('@') {
            Some((user, address)) => (Some(parse_credentials(user)?), address),
            None => (None, rest),
        };
        let host = Endpoint::parse_with_port(address, scheme.default_port())
            .map_err(|error| error.replacen("the host", "the proxy", 1))?;
        if !host.path().is_empty() {
            return Err(format!("the proxy has a path: give {scheme}://host:port"));
        }
        let is_too_long =
            |(user, password): &(String, String)| user.len() > 255 || password.len() > 255;
        if scheme == ProxyScheme::Socks5 && credentials.as_ref().is_some_and(is_too_long) {
            return Err(
                "the user or password of the proxy is longer than SOCKS 5 can carry (255 bytes)"
                    .into(),
            );
        }
        Ok(Self { scheme, host: host.host().to_owned(), port: host.port(), credentials })
    }

    pub(crate) fn scheme(&self) -> ProxyScheme {
        self.scheme
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

impl ProxyScheme {
    fn parse(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "http" => Ok(Self::Http),
            "https" if cfg!(feature = "tls") => Ok(Self::Https),
            "https" => {
                Err("the proxy is https, which needs the feature `tls` of this crate".into())
            }
            // The `h` asks the proxy to resolve the server's name, which is done anyway.
            "socks5" | "socks5h" => Ok(Self::Socks5),
            _ => Err(format!(
                "the proxy has the scheme {:?}: use http://, https:// or socks5://",
                // Behind a colon it may be a password.
                harmless_name(text, is_of_scheme)
            )),
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
            Self::Socks5 => 1080,
        }
    }
}

impl fmt::Display for ProxyScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Socks5 => "socks5",
        })
    }
}

/// Without the credentials.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.scheme, self.host, self.port)
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
        percent_decode(part, false)
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
        for (text, shown) in [
            ("proxy:8080", "http://proxy:8080"),
            ("proxy", "http://proxy:80"),
            ("http://[::1]", "http://[::1]:80"),
            ("::1", "http://[::1]:80"),
            ("socks5://proxy", "socks5://proxy:1080"),
            ("SOCKS5H://proxy:9050/", "socks5://proxy:9050"),
        ] {
            assert_eq!(Proxy::parse(text).unwrap().to_string(), shown);
        }
        #[cfg(feature = "tls")]
        assert_eq!(Proxy::parse("https://proxy").unwrap().to_string(), "https://proxy:443");
    }

    #[test]
    fn what_is_no_proxy_says_why() {
        let long = format!("socks5://{}@x", "u".repeat(256));
        for (text, why) in [
            ("socks4://x:1", "\"socks4\": use http://, https:// or socks5://"),
            ("http://", "the proxy has no name"),
            ("http://x/y", "path"),
            ("http://x:0", "the proxy has the port \"0\""),
            ("http://u:%zz@x", "percent-encoded"),
            (&long, "255 bytes"),
        ] {
            let error = Proxy::parse(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
