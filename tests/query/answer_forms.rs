//! The forms in which an answer can be taken.
#![cfg(feature = "query")]

use std::sync::Arc;

use crate::support::batches::{answer, flight_data, messages, numbers};
use crate::support::flight::{FlightServer, Step, ok};
use arrow_flight::encode::{DictionaryHandling, FlightDataEncoderBuilder};
use futures::TryStreamExt as _;
use influxdb3_blocking::arrow_array::{
    Array, ArrayRef, DictionaryArray, RecordBatch, RecordBatchReader, StringArray, types::Int32Type,
};
use influxdb3_blocking::{Client, Reader};

fn client(server: &FlightServer) -> Client {
    Client::builder().host(server.url()).database("sensors").build().unwrap()
}

#[test]
fn a_reader_is_an_arrow_reader() {
    fn take(reader: impl RecordBatchReader) -> usize {
        assert_eq!(reader.schema().fields().len(), 2);
        reader.map(|batch| batch.unwrap().num_rows()).sum()
    }
    let server = FlightServer::replay(answer(vec![numbers(3), numbers(0), numbers(4)]));
    let reader: Reader = client(&server).query("SELECT 1").reader().unwrap();
    assert_eq!(take(reader), 7);
}

#[test]
fn chunks_show_the_metadata_beside_the_data() {
    let mut data = flight_data(&[numbers(2), numbers(0), numbers(0)]);
    data[1].app_metadata = b"first".to_vec().into();
    // The empty batch is kept for its metadata, the other one is a sign of life.
    data[2].app_metadata = b"second".to_vec().into();
    let alone =
        arrow_flight::FlightData { app_metadata: b"third".to_vec().into(), ..Default::default() };
    data.push(alone);
    let messages = data.iter().map(prost::Message::encode_to_vec).map(Step::Message);
    let steps = std::iter::once(Step::Head).chain(messages).chain([ok()]).collect();
    let server = FlightServer::replay(steps);
    let chunks = client(&server).query("SELECT 1").chunks().unwrap();
    assert_eq!(chunks.schema(), numbers(0).schema());
    let chunks: Vec<_> = chunks
        .map(|chunk| chunk.unwrap())
        .map(|chunk| (chunk.data.num_rows(), String::from_utf8(chunk.app_metadata).unwrap()))
        .collect();
    assert_eq!(chunks, [(2, "first".into()), (0, "second".into()), (0, "third".into())]);
    // A reader is about rows.
    assert_eq!(client(&server).query("SELECT 1").reader().unwrap().count(), 1);
}

#[test]
fn the_schema_comes_alone() {
    let (done, reset) = std::sync::mpsc::channel();
    let steps =
        vec![Step::Head, Step::Message(messages(&[numbers(3)])[0].clone()), Step::UntilReset(done)];
    let server = FlightServer::replay(steps);
    assert_eq!(client(&server).query("SELECT 1").schema().unwrap(), numbers(3).schema());
    reset.recv().unwrap();
}

#[test]
fn statistics_come_after_the_rows() {
    let mut steps = answer(vec![numbers(3)]);
    steps.pop();
    let trailers = vec![
        ("x-influxdata-planning-duration-seconds", "0.5".to_owned()),
        ("x-influxdata-max-memory-bytes", "1048576".to_owned()),
    ];
    steps.push(Step::Status(0, String::new(), trailers));
    let server = FlightServer::replay(steps);
    let table = client(&server).query("SELECT 1").table().unwrap();
    assert_eq!(table.stats().planning_duration.unwrap().as_millis(), 500);
    let mut reader = client(&server).query("SELECT 1").reader().unwrap();
    assert!(reader.next().unwrap().is_ok() && reader.stats().is_none());
    assert!(reader.next().is_none());
    assert_eq!(reader.stats().unwrap().max_memory_bytes, Some(1 << 20));
}

#[test]
fn dictionaries_are_read_replaced_and_extended() {
    let batch = |words: &[&str]| {
        let column: DictionaryArray<Int32Type> = words.iter().copied().collect();
        let columns: [(&str, ArrayRef); 1] = [("room", Arc::new(column))];
        RecordBatch::try_from_iter(columns).unwrap()
    };
    let batches = [batch(&["a", "b", "a"]), batch(&["c", "c", "d"])].map(Ok);
    let encoder = FlightDataEncoderBuilder::new()
        .with_dictionary_handling(DictionaryHandling::Resend)
        .build(futures::stream::iter(batches));
    // The schema, and then twice a dictionary and a batch: the second dictionary replaces the first.
    let mut data: Vec<_> = futures::executor::block_on(encoder.try_collect()).unwrap();
    assert_eq!(data.len(), 5);
    // And a delta: the second dictionary once more, this time added to what is there.
    let mut delta = data[3].clone();
    delta.data_header = as_delta(&delta.data_header).into();
    data.push(delta);
    data.push(data[4].clone());
    let messages = data.iter().map(prost::Message::encode_to_vec).map(Step::Message);
    let steps = std::iter::once(Step::Head).chain(messages).chain([ok()]).collect();
    let table = client(&FlightServer::replay(steps)).query("SELECT 1").table().unwrap();
    let rooms: Vec<&str> = table.rows().map(|row| row.get("room").unwrap()).collect();
    assert_eq!(rooms, ["a", "b", "a", "c", "c", "d", "c", "c", "d"]);
    let column = &table.column("room").unwrap()[2];
    let dictionary = column.as_any().downcast_ref::<DictionaryArray<Int32Type>>().unwrap();
    let values = dictionary.values().as_any().downcast_ref::<StringArray>().unwrap();
    assert_eq!(values.iter().flatten().collect::<Vec<_>>(), ["c", "d", "c", "d"]);
}

/// The header of a dictionary batch with its flag `isDelta` set.
fn as_delta(header: &[u8]) -> Vec<u8> {
    let message = arrow_ipc::root_as_message(header).unwrap();
    let dictionary = message.header_as_dictionary_batch().unwrap();
    let values = dictionary.data().unwrap();
    let mut builder = flatbuffers::FlatBufferBuilder::new();
    let nodes: Vec<_> = values.nodes().unwrap().iter().copied().collect();
    let buffers: Vec<_> = values.buffers().unwrap().iter().copied().collect();
    let nodes = builder.create_vector(&nodes);
    let buffers = builder.create_vector(&buffers);
    let mut batch = arrow_ipc::RecordBatchBuilder::new(&mut builder);
    batch.add_length(values.length());
    batch.add_nodes(nodes);
    batch.add_buffers(buffers);
    let batch = batch.finish();
    let mut delta = arrow_ipc::DictionaryBatchBuilder::new(&mut builder);
    delta.add_id(dictionary.id());
    delta.add_isDelta(true);
    delta.add_data(batch);
    let delta = delta.finish().as_union_value();
    let mut root = arrow_ipc::MessageBuilder::new(&mut builder);
    root.add_version(message.version());
    root.add_header_type(arrow_ipc::MessageHeader::DictionaryBatch);
    root.add_bodyLength(message.bodyLength());
    root.add_header(delta);
    let root = root.finish();
    builder.finish(root, None);
    builder.finished_data().to_vec()
}

#[cfg(feature = "ipc-compression")]
#[test]
fn compressed_bodies_are_read() {
    use arrow_ipc::CompressionType;
    use arrow_ipc::writer::IpcWriteOptions;
    for codec in [CompressionType::LZ4_FRAME, CompressionType::ZSTD] {
        let options = IpcWriteOptions::default().try_with_compression(Some(codec)).unwrap();
        let encoder = FlightDataEncoderBuilder::new()
            .with_options(options)
            .build(futures::stream::iter([Ok(numbers(5000)), Ok(numbers(1))]));
        let data: Vec<_> = futures::executor::block_on(encoder.try_collect()).unwrap();
        assert!(data[1].data_body.len() < 5000 * 16);
        let messages: Vec<_> =
            data.iter().map(prost::Message::encode_to_vec).map(Step::Message).collect();
        let steps: Vec<_> = std::iter::once(Step::Head).chain(messages).chain([ok()]).collect();
        let server = FlightServer::replay(steps);
        let table = client(&server).query("SELECT 1").table().unwrap();
        assert_eq!(table.batches(), [numbers(5000), numbers(1)]);
        // What a body says it takes when it is decompressed is held to the limit as well.
        let limited = Client::builder()
            .host(server.url())
            .database("sensors")
            .max_message_size(data[1].data_body.len() + 2000)
            .build()
            .unwrap();
        let error = limited.query("SELECT 1").table().unwrap_err();
        assert_eq!(error.kind(), influxdb3_blocking::ErrorKind::TooLarge, "{error}");
        assert!(error.to_string().contains("decompressed"), "{error}");
    }
}

#[cfg(not(feature = "ipc-compression"))]
#[test]
fn compressed_bodies_without_the_feature_name_it() {
    let mut data = flight_data(&[numbers(3)]);
    let message = arrow_ipc::root_as_message(&data[1].data_header).unwrap();
    let batch = message.header_as_record_batch().unwrap();
    let mut builder = flatbuffers::FlatBufferBuilder::new();
    let nodes: Vec<_> = batch.nodes().unwrap().iter().copied().collect();
    let buffers: Vec<_> = batch.buffers().unwrap().iter().copied().collect();
    let nodes = builder.create_vector(&nodes);
    let buffers = builder.create_vector(&buffers);
    let compression = arrow_ipc::BodyCompressionBuilder::new(&mut builder).finish();
    let mut compressed = arrow_ipc::RecordBatchBuilder::new(&mut builder);
    compressed.add_length(batch.length());
    compressed.add_nodes(nodes);
    compressed.add_buffers(buffers);
    compressed.add_compression(compression);
    let compressed = compressed.finish().as_union_value();
    let mut root = arrow_ipc::MessageBuilder::new(&mut builder);
    root.add_version(message.version());
    root.add_header_type(arrow_ipc::MessageHeader::RecordBatch);
    root.add_bodyLength(message.bodyLength());
    root.add_header(compressed);
    let root = root.finish();
    builder.finish(root, None);
    data[1].data_header = builder.finished_data().to_vec().into();
    let messages = data.iter().map(prost::Message::encode_to_vec).map(Step::Message);
    let steps = std::iter::once(Step::Head).chain(messages).chain([ok()]).collect();
    let error = client(&FlightServer::replay(steps)).query("SELECT 1").table().unwrap_err();
    assert!(error.to_string().contains("`ipc-compression`"), "{error}");
}
