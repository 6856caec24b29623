//! URLs without what is secret in them.

/// Without what stands before an `@`, which may have a password, and without parameters, which may have a token.
pub(crate) fn redacted(url: &str) -> String {
    let url = url.split_once('?').map_or(url, |(before, _)| before);
    let (scheme, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| (scheme, rest));
    let Some((_, host)) = rest.rsplit_once('@') else { return url.to_owned() };
    if scheme.is_empty() { format!("…@{host}") } else { format!("{scheme}://…@{host}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(redacted("socks5://me:secret@proxy:1080"), "socks5://…@proxy:1080");
        assert_eq!(redacted("https://host:8181/?token=secret"), "https://host:8181/");
        assert_eq!(redacted("localhost:8181"), "localhost:8181");
    }
}
