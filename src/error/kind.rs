/// The kinds of [`Error`](crate::Error).
///
/// ```no_run
/// # let client = influxdb3_blocking::Client::from_env()?;
/// use influxdb3_blocking::ErrorKind;
///
/// match client.write("home temp=21.5").send() {
///     Ok(()) => println!("stored"),
///     Err(error) => match error.kind() {
///         ErrorKind::Unauthorized => println!("look at the token"),
///         ErrorKind::PartialWrite => println!("some lines are bad"),
///         _ if error.is_retryable() => println!("later, perhaps"),
///         _ => println!("{error}"),
///     },
/// }
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setting is missing, malformed or contradicts another one; nothing was sent.
    Config,
    /// A record cannot be written as line protocol; nothing of the call was sent.
    InvalidRecord,
    /// No connection: the name does not resolve, the port is closed, or the connection broke.
    Connect,
    /// The TLS handshake failed: an unknown or expired certificate, or a port that speaks plain HTTP.
    Tls,
    /// The proxy refused or could not be used.
    Proxy,
    /// The server answered with a redirect, which a write must not follow.
    Redirect,
    /// A deadline passed.
    Timeout,
    /// The call was cancelled.
    Cancelled,
    /// The token is missing, wrong, expired, or lacks a permission (401, 403).
    Unauthorized,
    /// No such database, table or endpoint.
    NotFound,
    /// The request, a line, a message or an answer is over a limit.
    TooLarge,
    /// Too many requests (429).
    RateLimited,
    /// Some lines are stored and some are not: [`Error::line_errors`](crate::Error::line_errors) names the latter.
    PartialWrite,
    /// The server refused the request, and the same request will be refused again.
    Rejected,
    /// The server failed, or its answer is not one of an InfluxDB 3.
    Server,
    /// The server refused a query, or failed while it ran.
    Query,
    /// The server's answer could not be decoded.
    Decode,
    /// A file could not be read, or the directory of a spool not be used.
    File,
    /// The batching buffer is full.
    BufferFull,
    /// The client is closed, or what is used belongs to the process that this one was forked from.
    Closed,
    /// A bug in this crate; please report it.
    #[default]
    Internal,
}
