//! An answer over HTTP: received as a whole, then read batch by batch.

use std::sync::Arc;
use std::time::Instant;

use arrow_schema::SchemaRef;
use bytes::Bytes;

use super::attempts::Attempts;
use super::cancel::CancelHandle;
use super::parquet_batches::ParquetBatches;
use super::progress::QueryProgress;
use super::query::Query;
use super::received_batch::ReceivedBatch;
use crate::query::call::Trailers;
use crate::query::client::QueryClient;
use crate::query::over_http::{HttpEvent, HttpStatement};
use crate::query::runtime::DriverTask;
use crate::{Error, Result};

/// An answer over HTTP that was received as a whole.
pub(crate) struct HttpAnswer {
    schema: SchemaRef,
    /// `None` once the answer has ended, in whatever way.
    batches: Option<ParquetBatches>,
    query: Query,
    progress: QueryProgress,
    /// What an answer over Flight has after its end: over HTTP an empty list, and `None` before the last batch.
    trailers: Option<Trailers>,
}

impl HttpAnswer {
    /// Sends the query and waits for the whole answer.
    pub(crate) fn open(
        client: &QueryClient,
        mut query: Query,
        statement: HttpStatement,
    ) -> Result<Self> {
        let mut progress = QueryProgress::default();
        let body = receive(client, &mut query, &statement, &mut progress)?;
        let batches = ParquetBatches::open(body)?;
        let schema = Arc::clone(batches.schema());
        Ok(Self { schema, batches: Some(batches), query, progress, trailers: None })
    }

    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub(crate) fn cancel_handle(&self) -> CancelHandle {
        self.query.cancel.clone()
    }

    pub(crate) fn progress(&self) -> QueryProgress {
        self.progress
    }

    pub(crate) fn trailers(&self) -> Option<&Trailers> {
        self.trailers.as_ref()
    }

    /// Decodes the next batch: `None` after the last one, and after an error.
    pub(crate) fn next(&mut self) -> Option<Result<ReceivedBatch>> {
        let next = self.next_batch().transpose();
        if !matches!(next, Some(Ok(_))) {
            self.batches = None;
        }
        next
    }

    fn next_batch(&mut self) -> Result<Option<ReceivedBatch>> {
        let Some(batches) = &mut self.batches else { return Ok(None) };
        self.query.check_cancelled()?;
        let Some(batch) = batches.next()? else {
            self.trailers = Some(Trailers::new());
            return Ok(None);
        };
        self.query.count_batch(&mut self.progress, &batch)?;
        Ok(Some(ReceivedBatch { batch, app_metadata: Bytes::new() }))
    }
}

/// Sends the query, and once more while [`Attempts`] have another try, and waits for the whole answer: the bytes of its
/// file.
fn receive(
    client: &QueryClient,
    query: &mut Query,
    statement: &HttpStatement,
    progress: &mut QueryProgress,
) -> Result<Bytes> {
    let mut attempts = Attempts::new(client, &query.call, query.retries)?;
    loop {
        query.check_cancelled()?;
        let deadline = query.wait.deadline();
        let place = attempts.prepare(&mut query.call, deadline)?;
        let task = client.start_http(place, statement.clone(), query.call.clone())?;
        query.cancel.attach(task.abort_handle());
        // What came of an earlier try is not a part of the answer.
        *progress = QueryProgress::default();
        let error = match collect(client, query, &mut attempts, &task, progress)? {
            Ok(body) => {
                attempts.answered();
                return Ok(body);
            }
            Err(error) => error,
        };
        // No batch was handed out: another try cannot hand out a row twice.
        attempts.again(client, &mut query.call, error, query.wait.deadline())?;
    }
}

/// Waits for the end of an answer. The inner error is the server's or the network's: the query may be sent once more after
/// it. After the outer one it may not.
fn collect(
    client: &QueryClient,
    query: &mut Query,
    attempts: &mut Attempts,
    task: &DriverTask<HttpEvent>,
    progress: &mut QueryProgress,
) -> Result<Result<Bytes, Error>> {
    let mut body = Vec::new();
    let mut deadline: Option<Instant> = query.wait.deadline();
    loop {
        match task.receive(deadline) {
            Ok(HttpEvent::Piece(piece)) => {
                query.count_bytes(progress, piece.len())?;
                body.extend_from_slice(&piece);
                deadline = query.wait.deadline();
            }
            Ok(HttpEvent::End) => return Ok(Ok(body.into())),
            Ok(HttpEvent::Failed(error)) => return Ok(Err(error)),
            Err(why) => return Err(query.without_event(client, why, attempts)),
        }
    }
}
