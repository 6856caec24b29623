//! What the server says of itself rather than of the request.

use crate::ErrorKind;

/// What the server says of itself rather than of the request.
///
/// Core 3.6 to 3.10 answers every failure of its write buffer with 400 on `/api/v2/write`, as if the request were at
/// fault, and with 500 on `/api/v3/write_lp`, temporary or not; 3.11 has begun to answer 503 for the temporary ones. So
/// the text decides, by its beginning, which no line of the request can forge.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ServerState {
    /// It takes no writes for now, and has taken nothing of this one: it is stopping, its WAL buffer is full, it is
    /// overloaded, its object store fails, or the service that knows the tokens does.
    Unavailable,
    /// It took the lines and could not write them to its WAL: they are stored, or not.
    WalFailed,
    /// It is a node of a cluster that is not there for writes.
    WrongRole,
}

impl ServerState {
    /// The state that a message begins with, if it is about one.
    pub(super) fn of(message: &str) -> Option<Self> {
        const UNAVAILABLE: [&str; 4] = [
            "error from persister: ",
            "object store error",
            "this service is overloaded",
            "token verification not possible",
        ];
        const UNAVAILABLE_WAL: [&str; 3] =
            ["wal is shutdown", "wal buffer full", "object store error"];
        const WRONG_ROLE: [&str; 2] =
            ["cannot write to a compactor-only server", "cannot write to a read-only server"];
        let rest = message.strip_prefix("write buffer error: ").unwrap_or(message);
        let rest = rest.strip_prefix("catalog update error: ").unwrap_or(rest);
        let begins = |texts: &[&str], rest: &str| texts.iter().any(|text| rest.starts_with(text));
        if let Some(of_wal) = rest.strip_prefix("error from wal: ") {
            let refused = begins(&UNAVAILABLE_WAL, of_wal);
            return Some(if refused { Self::Unavailable } else { Self::WalFailed });
        }
        if begins(&UNAVAILABLE, rest) {
            Some(Self::Unavailable)
        } else {
            begins(&WRONG_ROLE, rest).then_some(Self::WrongRole)
        }
    }

    pub(super) fn judge(self, status: u16, text: &str) -> (ErrorKind, String) {
        match self {
            Self::Unavailable => (
                ErrorKind::Server,
                format!("the server cannot take writes now (status {status}): {text}"),
            ),
            Self::WalFailed => (
                ErrorKind::Server,
                format!("the server failed to log the write (status {status}): {text}"),
            ),
            Self::WrongRole => (
                ErrorKind::Rejected,
                format!(
                    "this node takes no writes ({text}); set one that does with .write_host(…) (a node \
                     of mode ingest, in a cluster)"
                ),
            ),
        }
    }

    /// Whether the same write may succeed later.
    pub(super) fn passes(self) -> bool {
        self != Self::WrongRole
    }

    /// Whether the lines may be stored all the same.
    pub(super) fn leaves_doubt(self) -> bool {
        self == Self::WalFailed
    }
}
