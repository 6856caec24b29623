/// Whether an answer in plain HTTP is what a port that speaks TLS says to a client that does not: nginx, programs in Go
/// (InfluxDB 1 and 2 as well), Apache.
pub(crate) fn says_use_https(body: &[u8]) -> bool {
    const TEXTS: [&str; 3] = [
        "plain HTTP request was sent to HTTPS port",
        "sent an HTTP request to an HTTPS server",
        "speaking plain HTTP to an SSL-enabled server port",
    ];
    let text = String::from_utf8_lossy(body);
    TEXTS.iter().any(|known| text.contains(known))
}
