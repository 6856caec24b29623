use crate::config::Config;
use crate::transport::Endpoint;
use crate::{Error, ErrorKind};

/// What the errors of a call need to know about it. They are made by methods of this, each next to what it judges.
pub(crate) struct ErrorContext<'a> {
    pub(crate) config: &'a Config,
    /// The host that is asked.
    pub(crate) endpoint: &'a Endpoint,
    /// Whether a token is sent.
    pub(crate) has_token: bool,
    pub(crate) database: &'a str,
}

/// The kind and the first sentence of errors that a server can report in two ways: as a status of gRPC, and over HTTP.
impl ErrorContext<'_> {
    pub(crate) fn no_database(&self) -> (ErrorKind, String) {
        let database = self.database;
        let text = format!("no such database: {database:?} (it is made by the first write to it)");
        (ErrorKind::NotFound, text)
    }

    pub(crate) fn no_table(&self) -> (ErrorKind, String) {
        (ErrorKind::NotFound, format!("no such table in the database {:?}", self.database))
    }

    pub(crate) fn too_many_files() -> (ErrorKind, String) {
        let text = "the query reads more files than the server allows: narrow its range of time, or raise the server's \
                    --query-file-limit";
        (ErrorKind::Query, text.to_owned())
    }

    pub(crate) fn no_resources() -> (ErrorKind, String) {
        (ErrorKind::Query, "the server has not enough resources for the query".to_owned())
    }

    pub(crate) fn refused() -> (ErrorKind, String) {
        (ErrorKind::Query, "the server refused the query".to_owned())
    }

    pub(crate) fn server_failed() -> (ErrorKind, String) {
        (ErrorKind::Server, "the server failed".to_owned())
    }

    /// The error of a host that was asked without TLS and speaks it.
    pub(super) fn tls_port(&self) -> Error {
        let text = format!("the port of {} speaks TLS: use https://", self.endpoint);
        Error::new(ErrorKind::Tls, text)
    }

    /// The sentence about a token that is wrong or missing.
    pub(super) fn unauthenticated(&self) -> &'static str {
        if self.has_token {
            "the server does not accept the token: check .token(…)"
        } else {
            "the server wants a token: set .token(…)"
        }
    }

    /// The beginning of a text of the server, at most 200 characters, on one line.
    pub(super) fn excerpt(bytes: &[u8]) -> String {
        const SHOWN: usize = 200;
        let text = String::from_utf8_lossy(bytes);
        let words: Vec<_> = text.split_whitespace().collect();
        let line = words.join(" ");
        match line.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{}…", &line[..end]),
            None => line,
        }
    }
}
