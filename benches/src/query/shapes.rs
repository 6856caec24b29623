//! What is streamed, encoded once.

use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, DictionaryArray, Float64Array, RecordBatch, StringArray, TimestampNanosecondArray,
};
use arrow_flight::encode::{DictionaryHandling, FlightDataEncoderBuilder};
use bytes::{BufMut, Bytes, BytesMut};
use futures::TryStreamExt as _;
use prost::Message as _;

/// A shape, its columns beside the time.
pub struct Shape {
    pub id: &'static str,
    pub title: &'static str,
    columns: fn(usize) -> Vec<(String, ArrayRef)>,
}

pub const SHAPES: [Shape; 4] = [
    Shape { id: "numbers", title: "time and 4 floats", columns: numbers },
    Shape { id: "tags", title: "time, 2 floats, 2 tags as dictionaries", columns: tags },
    Shape { id: "wide", title: "time and 50 floats", columns: wide },
    Shape { id: "text", title: "time and 2 texts of 24 bytes", columns: text },
];

/// An answer of whole batches, as the gRPC messages that it is.
pub struct Encoded {
    pub head: Vec<Bytes>,
    pub batch: Bytes,
}

impl Shape {
    pub fn batch(&self, rows: usize) -> RecordBatch {
        let time = TimestampNanosecondArray::from_iter_values(
            (0..rows as i64).map(|n| 1_700_000_000_000_000_000 + n),
        );
        let mut columns: Vec<(String, ArrayRef)> = vec![("time".into(), Arc::new(time))];
        columns.extend((self.columns)(rows));
        RecordBatch::try_from_iter(columns).unwrap()
    }

    pub fn encode(&self, rows: usize) -> Encoded {
        let batch = self.batch(rows);
        let encoder = FlightDataEncoderBuilder::new()
            .with_dictionary_handling(DictionaryHandling::Resend)
            .with_max_flight_data_size(usize::MAX)
            .build(futures::stream::iter([Ok(batch)]));
        let data: Vec<_> = futures::executor::block_on(encoder.try_collect()).unwrap();
        let mut messages: Vec<_> = data.iter().map(|data| frame(&data.encode_to_vec())).collect();
        let batch = messages.pop().unwrap();
        Encoded { head: messages, batch }
    }
}

fn frame(message: &[u8]) -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_u8(0);
    bytes.put_u32(message.len() as u32);
    bytes.put_slice(message);
    bytes.freeze()
}

fn floats(rows: usize, seed: usize) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(
        (0..rows).map(|n| ((n * 31 + seed) % 1000) as f64 / 7.0),
    ))
}

fn numbers(rows: usize) -> Vec<(String, ArrayRef)> {
    (0..4).map(|n| (format!("f{n}"), floats(rows, n))).collect()
}

fn wide(rows: usize) -> Vec<(String, ArrayRef)> {
    (0..50).map(|n| (format!("f{n}"), floats(rows, n))).collect()
}

fn tags(rows: usize) -> Vec<(String, ArrayRef)> {
    let tag = |count: usize| -> ArrayRef {
        let names: Vec<_> = (0..count).map(|n| format!("a tag value {n}")).collect();
        let tag: DictionaryArray<Int32Type> =
            (0..rows).map(|n| names[n % count].as_str()).collect();
        Arc::new(tag)
    };
    vec![
        ("f0".into(), floats(rows, 0)),
        ("f1".into(), floats(rows, 1)),
        ("room".into(), tag(8)),
        ("sensor".into(), tag(200)),
    ]
}

fn text(rows: usize) -> Vec<(String, ArrayRef)> {
    let text = |seed: usize| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(
            (0..rows).map(|n| format!("some text, row {:09}", n + seed)),
        ))
    };
    vec![("t0".into(), text(0)), ("t1".into(), text(7))]
}
