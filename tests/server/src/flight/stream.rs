//! Results as Flight messages.

use std::time::Duration;

use arrow_flight::{
    FlightData,
    encode::{FlightDataEncoder, FlightDataEncoderBuilder},
    error::FlightError,
    utils::batches_to_flight_data,
};
use datafusion::{
    arrow::{array::RecordBatch, datatypes::SchemaRef},
    execution::SendableRecordBatchStream,
};
use futures::{StreamExt, TryStreamExt, stream, stream::BoxStream};
use tokio::time::timeout;
use tonic::Status;

use super::errors;

/// Messages of one answer: the schema at once, then batches of about 2 MiB at most, and a batch
/// without rows after each interval without rows.
pub(super) fn messages(
    batches: SendableRecordBatchStream,
    keep_alive: Duration,
) -> BoxStream<'static, Result<FlightData, Status>> {
    let schema = batches.schema();
    let batches = batches.map_err(|error| FlightError::ExternalError(Box::new(error)));
    let encoder = FlightDataEncoderBuilder::new().with_schema(schema).build(batches);
    let schema = encoder.known_schema();
    stream::unfold((encoder, schema), move |(mut encoder, schema)| async move {
        let message = next(&mut encoder, schema.as_ref(), keep_alive).await?;
        Some((message, (encoder, schema)))
    })
    .boxed()
}

async fn next(
    encoder: &mut FlightDataEncoder,
    schema: Option<&SchemaRef>,
    keep_alive: Duration,
) -> Option<Result<FlightData, Status>> {
    loop {
        match timeout(keep_alive, encoder.next()).await {
            Ok(message) => return message.map(|message| message.map_err(status)),
            Err(_) => {
                if let Some(heartbeat) = schema.and_then(without_rows) {
                    return Some(Ok(heartbeat));
                }
            }
        }
    }
}

fn without_rows(schema: &SchemaRef) -> Option<FlightData> {
    let empty = RecordBatch::new_empty(schema.clone());
    batches_to_flight_data(schema, vec![empty]).ok()?.pop()
}

fn status(error: FlightError) -> Status {
    match error {
        FlightError::ExternalError(error) => match error.downcast_ref() {
            Some(error) => errors::running(error),
            None => Status::internal(error.to_string()),
        },
        error => Status::internal(error.to_string()),
    }
}
