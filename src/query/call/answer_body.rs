use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use tonic::body::Body;

use super::call_error::CallError;
use super::error_context::ErrorContext;
use super::grpc_status::{GrpcStatus, Trailers};
use super::stage::{CallStage, SharedStage};
use super::transport_failure::TransportFailure;
use crate::query::runtime::within;
use crate::{Error, ErrorKind};

/// The body of a gRPC answer: pieces of messages, and the status at its end.
pub(crate) struct AnswerBody<'a> {
    body: Body,
    stage: &'a SharedStage,
    context: &'a ErrorContext<'a>,
}

/// The next part of an [`AnswerBody`].
pub(crate) enum AnswerPiece {
    /// Bytes, which end anywhere in a message.
    Data(Bytes),
    /// The end: the status is OK.
    End(Trailers),
}

impl<'a> AnswerBody<'a> {
    pub(super) fn new(body: Body, stage: &'a SharedStage, context: &'a ErrorContext<'a>) -> Self {
        Self { body, stage, context }
    }

    /// Waits for the next piece. Before the first message it waits without a limit, as servers send nothing while they plan
    /// a query; from then on up to `idle_timeout`.
    ///
    /// # Errors
    ///
    /// The connection broke or is silent, the status is not OK, or there is none.
    pub(crate) async fn next(&mut self) -> Result<AnswerPiece, CallError> {
        let stage = self.stage.get();
        let limit = self.context.config.idle_timeout;
        loop {
            let frame = self.body.frame();
            let frame = match stage {
                CallStage::Streaming => within(limit, frame).await.ok_or_else(|| is_idle(limit))?,
                _ => frame.await,
            };
            let frame = frame.ok_or_else(without_status)?;
            let frame = frame.map_err(|error| TransportFailure::new(stage, error))?;
            let frame = match frame.into_data() {
                Ok(data) if data.is_empty() => continue,
                Ok(data) => return Ok(AnswerPiece::Data(data)),
                Err(frame) => frame,
            };
            if let Some(trailers) = frame.trailers_ref() {
                let status = GrpcStatus::read(trailers).ok_or_else(without_status)?;
                return Ok(AnswerPiece::End(status.check(self.context, trailers)?));
            }
        }
    }

    /// To be called when a message was received.
    pub(crate) fn has_begun(&self) {
        self.stage.set(CallStage::Streaming);
    }
}

/// The error of an answer whose end is missing.
pub(crate) fn without_status() -> Error {
    Error::new(
        ErrorKind::Decode,
        "the server's answer was cut off: it ended without a status, as a proxy in between may do",
    )
    .with_retryable(true)
}

/// The error of a server that sent nothing for this time.
pub(crate) fn is_idle(limit: Duration) -> Error {
    Error::new(
        ErrorKind::Timeout,
        format!(
            "nothing came from the server for {limit:?} (idle_timeout): the connection is dead"
        ),
    )
    .with_retryable(true)
    .with_host_failure(true)
}

/// The beginning of a body that explains an error: about `enough` bytes, or those that are received within a second.
pub(crate) async fn read_text<B>(body: &mut B, enough: usize) -> Vec<u8>
where
    B: BodyExt<Data = Bytes> + Unpin,
{
    const MOMENT: Duration = Duration::from_secs(1);
    let mut text = Vec::new();
    let reading = async {
        while text.len() < enough {
            let Some(Ok(frame)) = body.frame().await else { break };
            if let Ok(data) = frame.into_data() {
                text.extend_from_slice(&data[..data.len().min(enough)]);
            }
        }
    };
    within(MOMENT, reading).await;
    text
}
