//! Record batches as Flight messages, encoded by `arrow-flight`.

use std::sync::Arc;

use arrow_flight::FlightData;
use arrow_flight::utils::batches_to_flight_data;
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

/// The messages of batches of one schema: the schema, dictionaries, the batches.
pub fn flight_data(batches: &[RecordBatch]) -> Vec<FlightData> {
    batches_to_flight_data(&batches[0].schema(), batches.to_vec()).unwrap()
}

/// The same, encoded.
pub fn messages(batches: &[RecordBatch]) -> Vec<Vec<u8>> {
    flight_data(batches).iter().map(FlightData::encode_to_vec).collect()
}

/// A whole answer of batches of one schema.
pub fn answer(batches: Vec<RecordBatch>) -> Vec<Step> {
    let messages = messages(&batches).into_iter().map(Step::Message);
    std::iter::once(Step::Head).chain(messages).chain([ok()]).collect()
}
