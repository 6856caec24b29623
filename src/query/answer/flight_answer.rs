//! An answer over Flight as it is received: messages from the task, decoded on the caller's thread.

use std::sync::Arc;
use std::time::Instant;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;

use super::attempts::Attempts;
use super::cancel::CancelHandle;
use super::progress::QueryProgress;
use super::query::Query;
use super::received_batch::ReceivedBatch;
use crate::query::call::Trailers;
use crate::query::client::QueryClient;
use crate::query::flight::{Decoded, Decoder, FlightData, FlightEvent};
use crate::query::runtime::DriverTask;
use crate::query::unreadable::unreadable;
use crate::{Error, ErrorKind, Result};

/// An answer over Flight whose schema was received.
pub(crate) struct FlightAnswer {
    running: RunningQuery,
    schema: SchemaRef,
}

impl FlightAnswer {
    /// Sends the query of this ticket and waits for the schema of its answer.
    pub(crate) fn open(client: &QueryClient, query: Query, ticket: Bytes) -> Result<Self> {
        let mut running = RunningQuery::start(client, query, ticket)?;
        let deadline = running.query.wait.deadline();
        loop {
            let message = running.message(deadline)?.ok_or_else(without_schema)?;
            match running.decoder.decode(message)? {
                Decoded::Schema(schema) => return Ok(Self { running, schema }),
                Decoded::Other => {}
                Decoded::Batch(_) | Decoded::Empty => return Err(without_schema()),
            }
        }
    }

    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub(crate) fn cancel_handle(&self) -> CancelHandle {
        self.running.query.cancel.clone()
    }

    pub(crate) fn progress(&self) -> QueryProgress {
        self.running.progress
    }

    /// What the server said after the last message: `None` before that.
    pub(crate) fn trailers(&self) -> Option<&Trailers> {
        self.running.trailers.as_ref()
    }

    /// Waits for the next batch: `None` after the last one, and after an error.
    pub(crate) fn next(&mut self) -> Option<Result<ReceivedBatch>> {
        let next = self.next_batch().transpose();
        if !matches!(next, Some(Ok(_))) {
            self.running.end();
        }
        next
    }

    fn next_batch(&mut self) -> Result<Option<ReceivedBatch>> {
        let deadline = self.running.query.wait.deadline();
        loop {
            let Some(message) = self.running.message(deadline)? else { return Ok(None) };
            let app_metadata = message.app_metadata.clone();
            let batch = match self.running.decoder.decode(message)? {
                // The query was sent once more: its answer begins again.
                Decoded::Schema(schema) if schema == self.schema => continue,
                Decoded::Schema(_) => return Err(other_schema()),
                Decoded::Batch(batch) => {
                    let RunningQuery { query, progress, .. } = &mut self.running;
                    query.count_batch(progress, &batch)?;
                    batch
                }
                Decoded::Empty | Decoded::Other if app_metadata.is_empty() => continue,
                Decoded::Empty | Decoded::Other => RecordBatch::new_empty(Arc::clone(&self.schema)),
            };
            self.running.has_handed_out = true;
            return Ok(Some(ReceivedBatch { batch, app_metadata }));
        }
    }
}

/// A query and the task that answers it.
struct RunningQuery {
    client: QueryClient,
    query: Query,
    ticket: Bytes,
    attempts: Attempts,
    /// `None` once the query has ended, in whatever way.
    task: Option<DriverTask<FlightEvent>>,
    decoder: Decoder,
    progress: QueryProgress,
    /// Whether a message of the answer, or its end, was received since the query was sent last.
    has_answered: bool,
    /// Whether a batch was handed out: then the query is not sent again, as its rows would be handed out twice.
    has_handed_out: bool,
    /// The trailers of the status OK at the end.
    trailers: Option<Trailers>,
}

impl RunningQuery {
    fn start(client: &QueryClient, query: Query, ticket: Bytes) -> Result<Self> {
        let mut running = Self {
            attempts: Attempts::new(client, &query.call, query.retries)?,
            client: client.clone(),
            query,
            ticket,
            task: None,
            decoder: Decoder::new(client.config().max_message_size),
            progress: QueryProgress::default(),
            has_answered: false,
            has_handed_out: false,
            trailers: None,
        };
        let deadline = running.query.wait.deadline();
        running.send(deadline)?;
        Ok(running)
    }

    /// Sends the query, for the first time or once more.
    fn send(&mut self, deadline: Option<Instant>) -> Result<()> {
        let query = &mut self.query;
        // Asked before there is a task: one that is aborted later may have opened a connection already.
        query.check_cancelled()?;
        let place = self.attempts.prepare(&mut query.call, deadline)?;
        let task = self.client.start(place, self.ticket.clone(), query.call.clone())?;
        query.cancel.attach(task.abort_handle());
        self.task = Some(task);
        // Nothing of an earlier try was handed out.
        self.progress = QueryProgress::default();
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
            self.query.check_cancelled()?;
            match task.receive(deadline) {
                Ok(FlightEvent::Message(message)) => {
                    self.note_answer();
                    self.query.count_bytes(&mut self.progress, message.size())?;
                    return Ok(Some(message));
                }
                Ok(FlightEvent::End(trailers)) => {
                    self.note_answer();
                    self.trailers = Some(trailers);
                    return Ok(None);
                }
                Ok(FlightEvent::Failed(error)) => self.try_again(error, deadline)?,
                Err(why) => {
                    let Self { client, query, attempts, .. } = self;
                    return Err(query.without_event(client, why, attempts));
                }
            }
        }
    }

    /// Sends the query once more after this error: with another token, to another host, or later if retries are wanted.
    ///
    /// # Errors
    ///
    /// Another try is of no use, or a batch was handed out: this error.
    fn try_again(&mut self, error: Error, deadline: Option<Instant>) -> Result<()> {
        if self.has_handed_out {
            return Err(error);
        }
        self.has_answered = false;
        self.attempts.again(&self.client, &mut self.query.call, error, deadline)?;
        self.send(deadline)
    }

    /// The server has begun to answer.
    fn note_answer(&mut self) {
        if !std::mem::replace(&mut self.has_answered, true) {
            self.attempts.answered();
        }
    }
}

fn without_schema() -> Error {
    unreadable("it has no schema (is this an InfluxDB 3 query service?)")
}

fn other_schema() -> Error {
    Error::new(
        ErrorKind::Decode,
        "the query was sent once more, and its answer has another schema now",
    )
}
