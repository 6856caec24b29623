use std::fmt;
use std::net::Ipv6Addr;

use super::harmless_name;
use super::harmless_name::harmless_beginning;

/// Where the server is: the host string, parsed once for both paths.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Endpoint {
    tls: bool,
    /// As it stands in a URL: IPv6 addresses in brackets.
    host: String,
    port: u16,
    /// Empty, or `/` and something that does not end in `/`.
    path: String,
}

impl Endpoint {
    /// Reads `http(s)://host[:port][/path]`, or the same without a scheme.
    ///
    /// Without a scheme, a loopback host is plain HTTP, on InfluxDB's own port 8181 by default;
    /// any other host is HTTPS.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("the host is empty: give a URL such as https://cluster.example.io".into());
        }
        if text.to_ascii_lowercase().contains("token=") {
            // It must not be shown, neither now nor later as a part of the path.
            return Err("the host has a token in it: give it with .token(…), or all of it as \
                        https://host:8181?token=… to from_connection_string"
                .into());
        }
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Some(scheme.to_ascii_lowercase()), rest),
            None => (None, text),
        };
        if let Some(mark) = rest.find(['?', '#']) {
            return Err(format!(
                "the host has a query or fragment after {:?}: a connection string goes to from_connection_string",
                harmless(&rest[..mark])
            ));
        }
        let (authority, path) = split_path(rest);
        if authority.contains('@') {
            return Err(
                "the host contains user information before an '@': give the token with .token(…)"
                    .into(),
            );
        }
        let (host, port) = split_port(authority)?;
        let host = check_host(host)?;
        let loopback = is_loopback(&host);
        let (tls, default_port) = match scheme.as_deref() {
            Some("http") => (false, 80),
            Some("https") => (true, 443),
            Some(other) => {
                let shown = harmless_name(other, is_of_scheme);
                return Err(format!("the host has the scheme {shown:?}: use http:// or https://"));
            }
            None if loopback => (false, 8181),
            None => (true, 443),
        };
        Ok(Self { tls, host, port: port.unwrap_or(default_port), path: check_path(path)? })
    }

    /// Reads `host[:port][/path]`, without TLS.
    pub(crate) fn parse_with_port(text: &str, default_port: u16) -> Result<Self, String> {
        let (authority, path) = split_path(text);
        let (host, port) = split_port(authority)?;
        let (host, port) = (check_host(host)?, port.unwrap_or(default_port));
        Ok(Self { tls: false, host, port, path: check_path(path)? })
    }

    pub(crate) fn is_tls(&self) -> bool {
        self.tls
    }

    /// The host as it stands in a URL: IPv6 addresses in brackets.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The path prefix: empty, or `/` and something that does not end in `/`.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }
}

/// `https://host:port/prefix`
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}:{}{}", self.host, self.port, self.path)
    }
}

/// Whether the scheme of a URL may have this character (RFC 3986, 3.1).
pub(super) fn is_of_scheme(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '+' | '-' | '.')
}

fn split_path(text: &str) -> (&str, &str) {
    match text.find('/') {
        Some(slash) => text.split_at(slash),
        None => (text, ""),
    }
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), String> {
    // An IPv6 address without brackets has no port.
    if authority.parse::<Ipv6Addr>().is_ok() {
        return Ok((authority, None));
    }
    let after_brackets = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    match authority[after_brackets..].find(':') {
        None => Ok((authority, None)),
        Some(colon) => {
            let (host, port) = authority.split_at(after_brackets + colon);
            match port[1..].parse() {
                Ok(port) if port != 0 => Ok((host, Some(port))),
                _ => {
                    // It may be the password of a user whose host is missing.
                    let shown = harmless_name(&port[1..], |character| character.is_ascii_digit());
                    Err(format!("the host has the port {shown:?}: use 1 to 65535"))
                }
            }
        }
    }
}

fn check_host(host: &str) -> Result<String, String> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    if let Ok(address) = bare.unwrap_or(host).parse::<Ipv6Addr>() {
        return Ok(format!("[{address}]"));
    }
    if host.is_empty() {
        return Err("the host has no name: give a URL such as https://cluster.example.io".into());
    }
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    if bare.is_some() || !host.bytes().all(is_name) {
        let hint = if host.is_ascii() { "" } else { " (international names need their xn-- form)" };
        return Err(format!("{:?} is no host name or address{hint}", harmless(host)));
    }
    Ok(host.to_ascii_lowercase())
}

fn check_path(path: &str) -> Result<String, String> {
    let path = path.trim_end_matches('/');
    let is_path =
        |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'`');
    if path.bytes().all(is_path) {
        Ok(path.to_owned())
    } else {
        let shown = harmless(path);
        Err(format!("the path {shown:?} of the host has characters that must be percent-encoded"))
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host == "[::1]"
        || host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

/// What of a wrong host may be shown: not what stands before an `@`, and nothing from the first character on that is
/// in no host, as a secret may stand there.
fn harmless(text: &str) -> String {
    let text = text.rsplit_once('@').map_or(text, |(_, host)| host);
    let is_known = |character: char| {
        character.is_alphanumeric() || matches!(character, '-' | '.' | '_' | ':' | '[' | ']' | '/')
    };
    harmless_beginning(text, is_known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_in_all_their_forms() {
        for (text, url) in [
            ("https://cluster.example.io", "https://cluster.example.io:443"),
            ("http://cluster.example.io", "http://cluster.example.io:80"),
            ("HTTP://Example.IO:8181/", "http://example.io:8181"),
            ("https://example.io/influx/", "https://example.io:443/influx"),
            ("https://example.io:8443/a/b", "https://example.io:8443/a/b"),
            ("cluster.example.io", "https://cluster.example.io:443"),
            ("cluster.example.io:8086", "https://cluster.example.io:8086"),
            ("cluster.example.io/prefix", "https://cluster.example.io:443/prefix"),
            ("localhost", "http://localhost:8181"),
            ("localhost:9999", "http://localhost:9999"),
            ("127.0.0.1:9999", "http://127.0.0.1:9999"),
            ("https://localhost", "https://localhost:443"),
            ("::1", "http://[::1]:8181"),
            ("[::1]:8086", "http://[::1]:8086"),
            ("http://[2001:db8::1]", "http://[2001:db8::1]:80"),
            ("2001:DB8::1", "https://[2001:db8::1]:443"),
            ("  http://example.io  ", "http://example.io:80"),
            ("my_host:1", "https://my_host:1"),
        ] {
            assert_eq!(Endpoint::parse(text).map(|e| e.to_string()), Ok(url.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_host_says_why() {
        for (text, why) in [
            ("", "empty"),
            ("  ", "empty"),
            ("http://", "no name"),
            ("http://:80", "no name"),
            ("ftp://example.io", "\"ftp\""),
            ("http://example.io:0", "port \"0\""),
            ("http://example.io:99999", "port \"99999\""),
            ("http://example.io:", "port \"\""),
            ("http://exa mple.io", "no host name"),
            ("http://exämple.io", "xn--"),
            ("http://[::1", "port"),
            ("http://[::g]", "no host name"),
            ("http://example.io/a b", "percent-encoded"),
            ("http://example.io?token=x", "from_connection_string"),
            ("http://user:secret@example.io", ".token("),
            ("user:secret@example.io?x", "\"example.io\""),
            ("http://h&token=secret", ".token("),
            ("http://h/&Token=secret", ".token("),
            ("http://h&key=secret", "\"h…\""),
            ("http://h:80&key=secret", "\"80…\""),
            ("http://h&key=secret?x", "\"h…\""),
            ("http://h/a;key=secret b", "\"/a…\""),
        ] {
            let error = Endpoint::parse(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
