//! An answer over HTTP: received as a whole, then read batch by batch.

use std::sync::Arc;
use std::time::Instant;

use arrow_schema::SchemaRef;
use bytes::Bytes;

use super::exchange::{HttpEvent, HttpQuery};
use super::parquet::Batches;
use crate::query::answer::{Delivery, Question, cancelled, forked, gone};
use crate::query::attempts::Attempts;
use crate::query::cancel::CancelHandle;
use crate::query::client::QueryClient;
use crate::query::progress::QueryProgress;
use crate::query::runtime::{NoEvent, Task};
use crate::query::status::Trailers;
use crate::{Error, Result};

/// A whole answer, as it came.
pub(in crate::query) struct HttpAnswer {
    schema: SchemaRef,
    /// `None` once it ended, in whatever way.
    batches: Option<Batches>,
    question: Question,
    progress: QueryProgress,
    /// There after a clean end. HTTP has none.
    trailers: Option<Trailers>,
}

impl HttpAnswer {
    /// Sends the query and waits for the whole answer.
    pub(in crate::query) fn open(
        client: &QueryClient,
        mut question: Question,
        query: HttpQuery,
    ) -> Result<Self> {
        let mut progress = QueryProgress::default();
        let body = receive(client, &mut question, &query, &mut progress)?;
        let batches = Batches::open(body)?;
        let schema = Arc::clone(batches.schema());
        Ok(Self { schema, batches: Some(batches), question, progress, trailers: None })
    }

    pub(in crate::query) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub(in crate::query) fn cancel_handle(&self) -> CancelHandle {
        self.question.cancel.clone()
    }

    pub(in crate::query) fn progress(&self) -> QueryProgress {
        self.progress
    }

    pub(in crate::query) fn trailers(&self) -> Option<&Trailers> {
        self.trailers.as_ref()
    }

    pub(in crate::query) fn next(&mut self) -> Option<Result<Delivery>> {
        let delivery = self.delivery().transpose();
        if !matches!(delivery, Some(Ok(_))) {
            self.batches = None;
        }
        delivery
    }

    fn delivery(&mut self) -> Result<Option<Delivery>> {
        let Some(batches) = &mut self.batches else { return Ok(None) };
        if self.question.cancel.is_cancelled() {
            return Err(cancelled());
        }
        let Some(batch) = batches.next()? else {
            self.trailers = Some(Trailers::new());
            return Ok(None);
        };
        self.progress.rows += batch.num_rows() as u64;
        self.progress.batches += 1;
        self.question.limits.check_rows(self.progress.rows)?;
        self.question.tell(&self.progress);
        Ok(Some(Delivery { batch, app_metadata: Bytes::new() }))
    }
}

/// Sends the query, once more if that is wanted and of use, and waits for the whole answer.
fn receive(
    client: &QueryClient,
    question: &mut Question,
    query: &HttpQuery,
    progress: &mut QueryProgress,
) -> Result<Bytes> {
    let mut attempts = Attempts::new(client, &question.call, question.retries)?;
    loop {
        if question.cancel.is_cancelled() {
            return Err(cancelled());
        }
        let deadline = question.wait.deadline();
        let place = attempts.prepare(&mut question.call, deadline)?;
        let task = client.start_http(place, query.clone(), question.call.clone())?;
        question.cancel.attach(task.abort_handle());
        let error = match collect(client, question, &task, progress)? {
            Ok(body) => {
                attempts.answered();
                return Ok(body);
            }
            Err(error) => error,
        };
        // Nothing of an answer was handed out.
        attempts.again(client, &mut question.call, error, question.wait.deadline())?;
    }
}

/// Waits for the end of an answer: whole, or with an error after which the query may be sent once more.
fn collect(
    client: &QueryClient,
    question: &mut Question,
    task: &Task<HttpEvent>,
    progress: &mut QueryProgress,
) -> Result<Result<Bytes, Error>> {
    let mut body = Vec::new();
    let mut deadline: Option<Instant> = question.wait.deadline();
    loop {
        match task.receive(deadline) {
            Ok(HttpEvent::Piece(piece)) => {
                progress.bytes_received += piece.len() as u64;
                question.limits.check_bytes(progress.bytes_received)?;
                body.extend_from_slice(&piece);
                question.tell(progress);
                deadline = question.wait.deadline();
            }
            Ok(HttpEvent::End) => return Ok(Ok(body.into())),
            Ok(HttpEvent::Failed(error)) => return Ok(Err(error)),
            Err(NoEvent::TimedOut) => return Err(question.timed_out()),
            Err(NoEvent::Gone) if question.cancel.is_cancelled() => return Err(cancelled()),
            Err(NoEvent::Gone) => return Err(gone(client)),
            Err(NoEvent::Forked) => return Err(forked()),
        }
    }
}
