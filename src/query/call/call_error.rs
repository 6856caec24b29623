use super::transport_failure::TransportFailure;
use crate::Error;

/// Why a call gave no whole answer.
pub(crate) enum CallError {
    /// The connection broke: the call may be tried once more on another one.
    Broken(TransportFailure),
    /// The server has answered, or the call cannot be sent: it is not tried once more.
    Final(Error),
}

impl From<TransportFailure> for CallError {
    fn from(failure: TransportFailure) -> Self {
        Self::Broken(failure)
    }
}

impl From<Error> for CallError {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}
