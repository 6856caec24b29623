//! One answer as it comes in: events from the driver, decoded on the caller's thread.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;

use super::attempts::Attempts;
use super::call::Call;
use super::cancel::CancelHandle;
use super::client::QueryClient;
use super::failure::{batch_timed_out, table_timed_out};
use super::flight::Event;
use super::ipc::{Decoded, Decoder};
use super::limits::Limits;
use super::message::FlightData;
use super::progress::{OnProgress, QueryProgress};
use super::retry::Retries;
use super::runtime::{NoEvent, Task};
use super::status::Trailers;
use crate::{Error, ErrorKind, Result};

/// What is asked, and how its answer is taken.
pub(super) struct Question {
    pub(super) ticket: Bytes,
    pub(super) call: Call,
    pub(super) wait: Wait,
    pub(super) retries: Retries,
    pub(super) limits: Limits,
    pub(super) cancel: CancelHandle,
    pub(super) on_progress: Option<OnProgress>,
}

/// How long the caller waits.
#[derive(Clone, Copy)]
pub(super) enum Wait {
    /// Up to a moment, for everything.
    Until(Option<Instant>),
    /// So long for each batch.
    Each(Option<Duration>),
}

/// A running answer whose schema is known.
pub(super) struct Answer {
    exchange: Exchange,
    schema: SchemaRef,
}

/// What comes after the schema.
pub(super) struct Delivery {
    pub(super) batch: RecordBatch,
    pub(super) app_metadata: Bytes,
}

impl Question {
    pub(super) fn tell(&mut self, progress: &QueryProgress) {
        if let Some(on_progress) = &mut self.on_progress {
            on_progress.call(progress);
        }
    }

    pub(super) fn timed_out(&self) -> Error {
        let stage = self.call.stage.get();
        let text = match self.wait {
            Wait::Until(_) => table_timed_out(stage),
            Wait::Each(limit) => batch_timed_out(limit.unwrap_or_default(), stage),
        };
        Error::new(ErrorKind::Timeout, text).with_retryable(true)
    }
}

impl Answer {
    /// Sends the query and waits for the schema.
    pub(super) fn open(client: &QueryClient, question: Question) -> Result<Self> {
        let mut exchange = Exchange::start(client, question)?;
        let deadline = exchange.question.wait.deadline();
        loop {
            let message = exchange.message(deadline)?.ok_or_else(without_schema)?;
            match exchange.decoder.decode(message)? {
                Decoded::Schema(schema) => return Ok(Self { exchange, schema }),
                Decoded::Other => {}
                Decoded::Batch(_) | Decoded::Empty => return Err(without_schema()),
            }
        }
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub(super) fn cancel_handle(&self) -> CancelHandle {
        self.exchange.question.cancel.clone()
    }

    pub(super) fn progress(&self) -> QueryProgress {
        self.exchange.progress
    }

    /// What the server said after the last message: `None` before that.
    pub(super) fn trailers(&self) -> Option<&Trailers> {
        self.exchange.trailers.as_ref()
    }

    /// Waits for the next batch. Ends after the last one, or after an error.
    pub(super) fn next(&mut self) -> Option<Result<Delivery>> {
        let delivery = self.delivery().transpose();
        if !matches!(delivery, Some(Ok(_))) {
            self.exchange.end();
        }
        delivery
    }

    fn delivery(&mut self) -> Result<Option<Delivery>> {
        let deadline = self.exchange.question.wait.deadline();
        loop {
            let Some(message) = self.exchange.message(deadline)? else { return Ok(None) };
            let app_metadata = message.app_metadata.clone();
            let batch = match self.exchange.decoder.decode(message)? {
                // Of the same query, tried once more.
                Decoded::Schema(schema) if schema == self.schema => continue,
                Decoded::Schema(_) => return Err(other_schema()),
                Decoded::Batch(batch) => {
                    self.exchange.count(&batch)?;
                    batch
                }
                Decoded::Empty | Decoded::Other if app_metadata.is_empty() => continue,
                Decoded::Empty | Decoded::Other => RecordBatch::new_empty(Arc::clone(&self.schema)),
            };
            self.exchange.has_delivered = true;
            return Ok(Some(Delivery { batch, app_metadata }));
        }
    }
}

/// A query and the task that answers it.
struct Exchange {
    client: QueryClient,
    question: Question,
    attempts: Attempts,
    /// `None` once it ended, in whatever way.
    task: Option<Task<Event>>,
    decoder: Decoder,
    progress: QueryProgress,
    /// Whether something of the answer has come.
    has_answered: bool,
    /// Whether something of the answer was handed out.
    has_delivered: bool,
    /// There after a clean end.
    trailers: Option<Trailers>,
}

impl Exchange {
    fn start(client: &QueryClient, question: Question) -> Result<Self> {
        let mut exchange = Self {
            attempts: Attempts::new(client, &question.call, question.retries)?,
            client: client.clone(),
            question,
            task: None,
            decoder: Decoder::new(client.config().max_message_size),
            progress: QueryProgress::default(),
            has_answered: false,
            has_delivered: false,
            trailers: None,
        };
        let deadline = exchange.question.wait.deadline();
        exchange.send(deadline)?;
        Ok(exchange)
    }

    /// Sends the query, for the first time or once more.
    fn send(&mut self, deadline: Option<Instant>) -> Result<()> {
        let question = &mut self.question;
        // A task that is aborted at once might have opened a connection.
        if question.cancel.is_cancelled() {
            return Err(cancelled());
        }
        let place = self.attempts.prepare(&mut question.call, deadline)?;
        let task = self.client.start(place, question.ticket.clone(), question.call.clone())?;
        question.cancel.attach(task.abort_handle());
        self.task = Some(task);
        self.decoder = Decoder::new(self.client.config().max_message_size);
        Ok(())
    }

    /// Ends the query; resets its stream, if it has not ended by itself.
    fn end(&mut self) {
        self.task = None;
    }

    /// Waits for the next message; `None` after the last one.
    fn message(&mut self, deadline: Option<Instant>) -> Result<Option<FlightData>> {
        loop {
            let Some(task) = &self.task else { return Ok(None) };
            if self.question.cancel.is_cancelled() {
                return Err(cancelled());
            }
            match task.receive(deadline) {
                Ok(Event::Message(message)) => {
                    self.note_answer();
                    self.progress.bytes_received += message.size() as u64;
                    self.question.limits.check_bytes(self.progress.bytes_received)?;
                    self.question.tell(&self.progress);
                    return Ok(Some(*message));
                }
                Ok(Event::End(trailers)) => {
                    self.note_answer();
                    self.trailers = Some(trailers);
                    return Ok(None);
                }
                Ok(Event::Failed(error)) => self.try_again(error, deadline)?,
                Err(NoEvent::TimedOut) => return Err(self.question.timed_out()),
                Err(NoEvent::Gone) if self.question.cancel.is_cancelled() => {
                    return Err(cancelled());
                }
                Err(NoEvent::Gone) => return Err(gone(&self.client)),
                Err(NoEvent::Forked) => return Err(forked()),
            }
        }
    }

    /// Sends the query once more after this error, if that is of use: with another token, to another host, or later if
    /// that is wanted.
    fn try_again(&mut self, error: Error, deadline: Option<Instant>) -> Result<()> {
        if self.has_delivered {
            return Err(error);
        }
        self.has_answered = false;
        self.attempts.again(&self.client, &mut self.question.call, error, deadline)?;
        self.send(deadline)
    }

    /// The server has begun to answer.
    fn note_answer(&mut self) {
        if !std::mem::replace(&mut self.has_answered, true) {
            self.attempts.answered();
        }
    }

    fn count(&mut self, batch: &RecordBatch) -> Result<()> {
        self.progress.rows += batch.num_rows() as u64;
        self.progress.batches += 1;
        self.question.limits.check_rows(self.progress.rows)?;
        self.question.tell(&self.progress);
        Ok(())
    }
}

impl Wait {
    pub(super) fn deadline(self) -> Option<Instant> {
        match self {
            Self::Until(deadline) => deadline,
            // A duration that leaves the calendar is no limit.
            Self::Each(limit) => limit.and_then(|limit| Instant::now().checked_add(limit)),
        }
    }
}

fn without_schema() -> Error {
    Error::new(
        ErrorKind::Decode,
        "the server's answer cannot be read: it has no schema (is this an InfluxDB 3 query service?)",
    )
}

fn other_schema() -> Error {
    Error::new(
        ErrorKind::Decode,
        "the query was sent once more, and its answer has another schema now",
    )
}

pub(super) fn cancelled() -> Error {
    Error::new(ErrorKind::Cancelled, "the query was cancelled")
}

pub(super) fn forked() -> Error {
    Error::new(
        ErrorKind::Closed,
        "this process was forked while the query ran: its answer belongs to the parent",
    )
}

pub(super) fn gone(client: &QueryClient) -> Error {
    if client.is_closed() {
        Error::new(ErrorKind::Closed, "the client was closed while the query ran")
    } else {
        Error::new(ErrorKind::Internal, "the query's task died; please report this")
    }
}
