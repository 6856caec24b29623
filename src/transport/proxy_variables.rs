use std::ffi::OsString;
use std::net::IpAddr;

use super::{Endpoint, Proxy};

/// The proxy that the environment names for a server, if it names one and does not except the server.
///
/// `HTTPS_PROXY` is for `https://` and `HTTP_PROXY` for `http://`, `ALL_PROXY` for either; the lower case of a name is
/// read first. `NO_PROXY` lists what is excepted: see [`is_excepted`]. An empty variable counts as unset.
pub(crate) fn proxy_from_variables(
    endpoint: &Endpoint,
    get: impl Fn(&str) -> Option<OsString>,
) -> Result<Option<Proxy>, String> {
    let read = |name: &str| match get(name).map(OsString::into_string) {
        None => Ok(None),
        Some(Ok(value)) => Ok(Some(value).filter(|value| !value.trim().is_empty())),
        Some(Err(_)) => Err(format!("{name} is not UTF-8")),
    };
    if let Some((_, list)) = first(["no_proxy", "NO_PROXY"], read)?
        && is_excepted(endpoint, &list)
    {
        return Ok(None);
    }
    let names = match (endpoint.is_tls(), get("REQUEST_METHOD")) {
        (true, _) => ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"],
        (false, None) => ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"],
        // In a CGI program the sender of the request can set HTTP_PROXY, by a header `Proxy`.
        (false, Some(_)) => ["http_proxy", "http_proxy", "all_proxy", "ALL_PROXY"],
    };
    match first(names, read)? {
        None => Ok(None),
        // The value may have a password.
        Some((name, value)) => {
            Proxy::parse(&value).map(Some).map_err(|problem| format!("{name}: {problem}"))
        }
    }
}

fn first<const N: usize>(
    names: [&'static str; N],
    read: impl Fn(&str) -> Result<Option<String>, String>,
) -> Result<Option<(&'static str, String)>, String> {
    for name in names {
        if let Some(value) = read(name)? {
            return Ok(Some((name, value)));
        }
    }
    Ok(None)
}

/// Whether an entry of a list, separated by commas or blanks, is about the server: `*` is about all, a name about
/// itself and what ends in `.name` (with or without a leading dot or `*.`), an address about itself, and
/// `10.0.0.0/8` about a network. An entry with a port is about that port only.
fn is_excepted(endpoint: &Endpoint, list: &str) -> bool {
    let host = bare(endpoint.host());
    let address = host.parse::<IpAddr>().ok();
    list.split(|c: char| c == ',' || c.is_whitespace()).filter(|entry| !entry.is_empty()).any(
        |entry| {
            if entry == "*" {
                return true;
            }
            if let (Some(address), Some((network, bits))) = (address, entry.split_once('/')) {
                return is_in_network(address, network, bits);
            }
            let (entry, port) = split_port(entry);
            if port.is_some_and(|port| port != endpoint.port()) {
                return false;
            }
            match (address, bare(entry).parse::<IpAddr>()) {
                (Some(address), Ok(entry)) => address == entry,
                (Some(_), Err(_)) | (None, Ok(_)) => false,
                (None, Err(_)) => is_in_domain(host, entry),
            }
        },
    )
}

fn is_in_domain(host: &str, entry: &str) -> bool {
    let domain = entry.strip_prefix('*').unwrap_or(entry);
    let domain = domain.strip_prefix('.').unwrap_or(domain).trim_end_matches('.');
    let host = host.trim_end_matches('.');
    let Some(start) = host.len().checked_sub(domain.len()) else { return false };
    // A host is ASCII, and so is what equals its end.
    !domain.is_empty()
        && host.get(start..).is_some_and(|end| end.eq_ignore_ascii_case(domain))
        && (start == 0 || host.as_bytes()[start - 1] == b'.')
}

fn is_in_network(address: IpAddr, network: &str, bits: &str) -> bool {
    let (Ok(network), Ok(bits)) = (bare(network).parse::<IpAddr>(), bits.parse::<u32>()) else {
        return false;
    };
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) if bits <= 32 => {
            let differing = address.to_bits() ^ network.to_bits();
            differing.checked_shr(32 - bits).unwrap_or(0) == 0
        }
        (IpAddr::V6(address), IpAddr::V6(network)) if bits <= 128 => {
            let differing = address.to_bits() ^ network.to_bits();
            differing.checked_shr(128 - bits).unwrap_or(0) == 0
        }
        _ => false,
    }
}

/// An entry and its port; an IPv6 address without brackets has none.
fn split_port(entry: &str) -> (&str, Option<u16>) {
    if entry.parse::<IpAddr>().is_ok() {
        return (entry, None);
    }
    match entry.rsplit_once(':') {
        Some((host, port)) => match port.parse() {
            Ok(port) => (host, Some(port)),
            Err(_) => (entry, None),
        },
        None => (entry, None),
    }
}

fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(host: &str, variables: &[(&str, &str)]) -> Result<Option<String>, String> {
        let get = |name: &str| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let proxy = proxy_from_variables(&Endpoint::parse(host).unwrap(), get);
        proxy.map(|proxy| proxy.map(|proxy| proxy.to_string()))
    }

    #[test]
    fn the_scheme_of_the_host_decides_which_variable_counts() {
        let some = |text: &str| Ok(Some(text.to_owned()));
        let all = [
            ("HTTPS_PROXY", "http://secure:1"),
            ("HTTP_PROXY", "http://plain:2"),
            ("ALL_PROXY", "socks5://all:3"),
        ];
        assert_eq!(found("https://h", &all), some("http://secure:1"));
        assert_eq!(found("http://h", &all), some("http://plain:2"));
        assert_eq!(found("https://h", &all[1..]), some("socks5://all:3"));
        assert_eq!(found("http://h", &all[..1]), Ok(None));
        assert_eq!(found("http://h", &[]), Ok(None));
        let both = [("HTTPS_PROXY", "upper:1"), ("https_proxy", "lower:1")];
        assert_eq!(found("https://h", &both), some("http://lower:1"));
        let empty = [("https_proxy", " "), ("all_proxy", ""), ("ALL_PROXY", "all:1")];
        assert_eq!(found("https://h", &empty), some("http://all:1"));
    }

    #[test]
    fn a_header_of_a_request_to_a_cgi_program_sets_no_proxy() {
        let variables = [("HTTP_PROXY", "http://evil:1"), ("REQUEST_METHOD", "GET")];
        assert_eq!(found("http://h", &variables), Ok(None));
        let variables = [("http_proxy", "good:1"), ("REQUEST_METHOD", "GET")];
        assert_eq!(found("http://h", &variables), Ok(Some("http://good:1".into())));
    }

    #[test]
    fn a_variable_that_is_no_proxy_is_named_without_its_value() {
        let error = found("http://h", &[("http_proxy", "ftp://me:s3cret@p:1")]).unwrap_err();
        assert!(error.starts_with("http_proxy: ") && !error.contains("s3cret"), "{error}");
    }

    #[test]
    fn exceptions_are_names_suffixes_ports_addresses_and_networks() {
        for (host, list, expected) in [
            ("https://influx.corp.io", "corp.io", true),
            ("https://influx.corp.io", ".corp.io", true),
            ("https://influx.corp.io", "*.corp.io", true),
            ("https://influx.corp.io", "CORP.io", true),
            ("https://corp.io", ".corp.io", true),
            ("https://influxcorp.io", "corp.io", false),
            ("https://influx.corp.io", "x.influx.corp.io", false),
            ("https://influx.corp.io", "other.io, influx.corp.io", true),
            ("https://influx.corp.io", "other.io influx.corp.io", true),
            ("https://influx.corp.io", "*", true),
            ("https://influx.corp.io", "", false),
            ("https://influx.corp.io", ".", false),
            ("https://influx.corp.io:8181", "corp.io:8181", true),
            ("https://influx.corp.io:8181", "corp.io:443", false),
            ("http://10.1.2.3", "10.0.0.0/8", true),
            ("http://11.1.2.3", "10.0.0.0/8", false),
            ("http://11.1.2.3", "0.0.0.0/0", true),
            ("http://10.1.2.3", "10.1.2.3/32", true),
            ("http://10.1.2.3", "10.1.2.3/33", false),
            ("http://10.1.2.3", "10.1.2.3", true),
            ("http://10.1.2.3:8181", "10.1.2.3:8181", true),
            ("http://10.1.2.3:8181", "10.1.2.3:80", false),
            ("http://10.1.2.3", "2.3", false),
            ("http://influx.corp.io", "10.0.0.0/8", false),
            ("http://[2001:db8::1]:8181", "2001:db8::/32", true),
            ("http://[2001:db9::1]:8181", "2001:db8::/32", false),
            ("http://[2001:db8::1]:8181", "2001:db8::1", true),
            ("http://[2001:db8::1]:8181", "[2001:db8::1]:8181", true),
            ("http://[2001:db8::1]:8181", "[2001:db8::1]:80", false),
            ("http://localhost:8181", "localhost,127.0.0.1", true),
            ("http://127.0.0.1:8181", "localhost,127.0.0.1", true),
        ] {
            let variables = [("ALL_PROXY", "p:1"), ("NO_PROXY", list)];
            let is_excepted = found(host, &variables).unwrap().is_none();
            assert_eq!(is_excepted, expected, "{host} {list:?}");
        }
    }
}
