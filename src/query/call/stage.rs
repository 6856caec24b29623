use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

/// The stages of a call, in order.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub(crate) enum CallStage {
    /// It waits for a connection, which may have to be opened: name, address, proxy, TLS.
    #[default]
    Connecting,
    /// The request is being sent, or was sent: nothing of the answer was received.
    Head,
    /// The head of the answer was received, and no message. Servers plan the query meanwhile.
    Schema,
    /// The first message was received.
    Streaming,
}

impl CallStage {
    const ALL: [Self; 4] = [Self::Connecting, Self::Head, Self::Schema, Self::Streaming];

    /// When something happened, as the end of a sentence.
    pub(crate) fn when(self) -> &'static str {
        match self {
            Self::Connecting => "while connecting",
            Self::Head => "while waiting for the server to answer",
            Self::Schema => "while waiting for the schema of the answer",
            Self::Streaming => "in the middle of the answer",
        }
    }
}

/// The stage of a call: set by the task that makes it, read also by the thread that waits for its answer. Clones are of the
/// same call.
#[derive(Clone, Default)]
pub(crate) struct SharedStage(Arc<AtomicU8>);

impl SharedStage {
    pub(crate) fn set(&self, stage: CallStage) {
        self.0.store(stage as u8, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> CallStage {
        CallStage::ALL[usize::from(self.0.load(Ordering::Relaxed))]
    }
}

/// The text of a timeout that holds for the whole answer.
pub(crate) fn table_timed_out(stage: CallStage) -> String {
    format!("the query took longer than its timeout (query_timeout): it ended {}", stage.when())
}

/// The text of a timeout that holds for each batch.
pub(crate) fn batch_timed_out(limit: Duration, stage: CallStage) -> String {
    format!("nothing came from the query for {limit:?} (query_timeout): it ended {}", stage.when())
}
