use std::time::{Duration, Instant};

use arrow_array::RecordBatch;

use super::attempts::Attempts;
use super::cancel::CancelHandle;
use super::limits::AnswerLimits;
use super::progress::{ProgressCallback, QueryProgress};
use super::retries::Retries;
use crate::query::call::{Call, batch_timed_out, table_timed_out};
use crate::query::client::QueryClient;
use crate::query::runtime::NoEvent;
use crate::{Error, ErrorKind, Result};

/// A query on its way: its call, and how its answer is taken. What it asks is beside it, as Flight and HTTP send that in
/// forms of their own.
pub(crate) struct Query {
    pub(crate) call: Call,
    pub(crate) wait: Wait,
    pub(crate) retries: Retries,
    pub(crate) limits: AnswerLimits,
    pub(crate) cancel: CancelHandle,
    pub(crate) on_progress: Option<ProgressCallback>,
}

/// How long the caller waits; `None` is without a limit.
#[derive(Clone, Copy)]
pub(crate) enum Wait {
    /// Until this moment, for the whole answer.
    Until(Option<Instant>),
    /// This long for the schema, and for each batch.
    Each(Option<Duration>),
}

impl Query {
    /// Counts bytes of the answer, and calls the caller's progress function.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooLarge`] if the answer has too many.
    pub(super) fn count_bytes(&mut self, progress: &mut QueryProgress, bytes: usize) -> Result<()> {
        progress.bytes_received += bytes as u64;
        self.limits.check_bytes(progress.bytes_received)?;
        self.tell(progress);
        Ok(())
    }

    /// Counts a batch and its rows, and calls the caller's progress function.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooLarge`] if the answer has too many rows.
    pub(super) fn count_batch(
        &mut self,
        progress: &mut QueryProgress,
        batch: &RecordBatch,
    ) -> Result<()> {
        progress.rows += batch.num_rows() as u64;
        progress.batches += 1;
        self.limits.check_rows(progress.rows)?;
        self.tell(progress);
        Ok(())
    }

    /// # Errors
    ///
    /// [`ErrorKind::Cancelled`] if the query was cancelled.
    pub(super) fn check_cancelled(&self) -> Result<()> {
        if self.cancel.is_cancelled() { Err(cancelled()) } else { Ok(()) }
    }

    /// The error of a query whose task sent no event.
    pub(super) fn without_event(
        &self,
        client: &QueryClient,
        why: NoEvent,
        attempts: &mut Attempts,
    ) -> Error {
        match why {
            NoEvent::TimedOut => attempts.timed_out(&self.call, self.timed_out()),
            NoEvent::Gone if self.cancel.is_cancelled() => cancelled(),
            NoEvent::Gone if client.is_closed() => {
                Error::new(ErrorKind::Closed, "the client was closed while the query ran")
            }
            NoEvent::Gone => {
                Error::new(ErrorKind::Internal, "the query's task died; please report this")
            }
            NoEvent::Forked => Error::new(
                ErrorKind::Closed,
                "this process was forked while the query ran: its answer belongs to the parent",
            ),
        }
    }

    fn tell(&mut self, progress: &QueryProgress) {
        if let Some(on_progress) = &mut self.on_progress {
            on_progress.call(progress);
        }
    }

    fn timed_out(&self) -> Error {
        let stage = self.call.stage.get();
        let text = match self.wait {
            Wait::Until(_) => table_timed_out(stage),
            Wait::Each(limit) => batch_timed_out(limit.unwrap_or_default(), stage),
        };
        Error::new(ErrorKind::Timeout, text).with_retryable(true)
    }
}

impl Wait {
    /// The end of a wait that begins now.
    pub(super) fn deadline(self) -> Option<Instant> {
        match self {
            Self::Until(deadline) => deadline,
            // A duration is no limit if its end is beyond what an `Instant` can be.
            Self::Each(limit) => limit.and_then(|limit| Instant::now().checked_add(limit)),
        }
    }
}

fn cancelled() -> Error {
    Error::new(ErrorKind::Cancelled, "the query was cancelled")
}
