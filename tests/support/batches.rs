//! Record batches as Flight messages, encoded by `arrow-flight`.

use std::sync::Arc;

use arrow_flight::utils::flight_data_from_arrow_batch;
use arrow_flight::{FlightData, SchemaAsIpc};
use influxdb3_blocking::arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch};
use prost::Message as _;

use super::flight::{Step, ok};

/// A batch of two columns: `n` counts from 0, `f` is half of it.
pub fn numbers(rows: i64) -> RecordBatch {
    let n = Int64Array::from_iter_values(0..rows);
    let f = Float64Array::from_iter_values((0..rows).map(|n| n as f64 / 2.0));
    let columns: [(&str, ArrayRef); 2] = [("n", Arc::new(n)), ("f", Arc::new(f))];
    RecordBatch::try_from_iter(columns).unwrap()
}

/// The message of a batch's schema.
pub fn schema_message(batch: &RecordBatch) -> Vec<u8> {
    let options = Default::default();
    FlightData::from(SchemaAsIpc::new(&batch.schema(), &options)).encode_to_vec()
}

/// The message of a batch.
pub fn batch_message(batch: &RecordBatch) -> Vec<u8> {
    flight_data(batch).encode_to_vec()
}

pub fn flight_data(batch: &RecordBatch) -> FlightData {
    let options = Default::default();
    flight_data_from_arrow_batch(batch, &options).1
}

/// A whole answer of batches of one schema.
pub fn answer(batches: Vec<RecordBatch>) -> Vec<Step> {
    let mut steps = vec![Step::Head, Step::Message(schema_message(&batches[0]))];
    steps.extend(batches.iter().map(|batch| Step::Message(batch_message(batch))));
    steps.push(ok());
    steps
}
