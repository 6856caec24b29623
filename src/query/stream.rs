//! One answer as it comes in: events from the driver, decoded on the caller's thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::QueryClient;
use super::ipc::{Decoded, Decoder};
use super::rpc::{Call, Event, Trailers};
use super::runtime::{Aborter, Silence, Task};
use crate::{Error, ErrorKind, Result};

/// A running answer whose schema is known.
pub(super) struct Answer {
    schema: SchemaRef,
    /// `None` once it ended, in whatever way.
    task: Option<Task<Event>>,
    decoder: Decoder,
    client: QueryClient,
    cancel: Cancel,
    wait: Wait,
    /// There after a clean end.
    trailers: Option<Trailers>,
}

/// How long the caller waits.
#[derive(Clone, Copy)]
pub(super) enum Wait {
    /// Up to a moment, for everything.
    Until(Option<Instant>),
    /// So long for each batch.
    Each(Option<Duration>),
}

/// What comes after the schema.
pub(super) struct Delivery {
    pub(super) batch: RecordBatch,
    pub(super) app_metadata: Vec<u8>,
}

/// Shared with cancel handles.
#[derive(Clone)]
pub(super) struct Cancel {
    cancelled: Arc<AtomicBool>,
    aborter: Aborter,
}

impl Cancel {
    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
        self.aborter.abort();
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }
}

impl Answer {
    /// Sends the query and waits for the schema.
    pub(super) fn open(client: &QueryClient, call: Call, wait: Wait) -> Result<Self> {
        let deadline = wait.deadline();
        let task = client.start(call)?;
        let cancel = Cancel { cancelled: Arc::default(), aborter: task.aborter() };
        let mut decoder = Decoder::new(client.config().max_message_size);
        let schema = loop {
            let message = match task.receive(deadline) {
                Ok(Event::Message(message)) => message,
                Ok(Event::Failed(error)) => return Err(error),
                Ok(Event::End(_)) => return Err(without_schema()),
                Err(Silence::TimedOut) => return Err(timed_out(wait)),
                Err(Silence::Gone) => return Err(gone(client)),
            };
            match decoder.decode(message)? {
                Decoded::Schema(schema) => break schema,
                Decoded::Other => {}
                Decoded::Batch(_) | Decoded::Empty => return Err(without_schema()),
            }
        };
        let (client, task) = (client.clone(), Some(task));
        Ok(Self { schema, task, decoder, client, cancel, wait, trailers: None })
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub(super) fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }

    /// What the server said after the last message: `None` before that.
    pub(super) fn trailers(&self) -> Option<&Trailers> {
        self.trailers.as_ref()
    }

    /// Waits for the next batch. Ends after the last one, or after an error.
    pub(super) fn next(&mut self) -> Option<Result<Delivery>> {
        let delivery = self.receive().transpose();
        if !matches!(delivery, Some(Ok(_))) {
            // Also resets the stream, if it has not ended by itself.
            self.task = None;
        }
        delivery
    }

    fn receive(&mut self) -> Result<Option<Delivery>> {
        let deadline = self.wait.deadline();
        loop {
            let Some(task) = &self.task else { return Ok(None) };
            if self.cancel.is_cancelled() {
                return Err(cancelled());
            }
            let message = match task.receive(deadline) {
                Ok(Event::Message(message)) => message,
                Ok(Event::Failed(error)) => return Err(error),
                Ok(Event::End(trailers)) => {
                    self.trailers = Some(trailers);
                    return Ok(None);
                }
                Err(Silence::TimedOut) => return Err(timed_out(self.wait)),
                Err(Silence::Gone) if self.cancel.is_cancelled() => return Err(cancelled()),
                Err(Silence::Gone) => return Err(gone(&self.client)),
            };
            let app_metadata = message.app_metadata.clone();
            let batch = match self.decoder.decode(message)? {
                Decoded::Batch(batch) => batch,
                Decoded::Empty | Decoded::Other if app_metadata.is_empty() => continue,
                _ => RecordBatch::new_empty(Arc::clone(&self.schema)),
            };
            return Ok(Some(Delivery { batch, app_metadata }));
        }
    }
}

impl Wait {
    fn deadline(self) -> Option<Instant> {
        match self {
            Self::Until(deadline) => deadline,
            // A duration that leaves the calendar is no limit.
            Self::Each(limit) => limit.and_then(|limit| Instant::now().checked_add(limit)),
        }
    }
}

pub(super) const TABLE_TIMED_OUT: &str = "the query took longer than its timeout (query_timeout)";

fn without_schema() -> Error {
    Error::new(
        ErrorKind::Decode,
        "the server's answer cannot be read: it has no schema (is this an InfluxDB 3 query service?)",
    )
}

fn timed_out(wait: Wait) -> Error {
    let text = match wait {
        Wait::Until(_) => TABLE_TIMED_OUT.to_owned(),
        Wait::Each(limit) => format!(
            "nothing came from the query for {:?} (query_timeout)",
            limit.unwrap_or_default()
        ),
    };
    Error::new(ErrorKind::Timeout, text).with_retryable(true)
}

fn cancelled() -> Error {
    Error::new(ErrorKind::Cancelled, "the query was cancelled")
}

fn gone(client: &QueryClient) -> Error {
    if client.is_closed() {
        Error::new(ErrorKind::Closed, "the client was closed while the query ran")
    } else {
        Error::new(ErrorKind::Internal, "the query's task died; please report this")
    }
}
