//! Arrow IPC as arrow-rs and others write it: files by their end, streams as they come, and nothing allocated for what
//! is not there.
#![cfg(all(feature = "feather", feature = "query"))]

use std::path::PathBuf;
use std::sync::Arc;

use arrow_ipc::MetadataVersion;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use influxdb3_blocking::arrow_array::types::Int8Type;
use influxdb3_blocking::arrow_array::*;
use influxdb3_blocking::{Client, Error, ErrorKind, FileFormat, Precision, Result};

use crate::support::http::Server;

fn batch(rooms: [&str; 2]) -> RecordBatch {
    RecordBatch::try_from_iter([
        ("time", Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef),
        ("room", Arc::new(rooms.into_iter().collect::<DictionaryArray<Int8Type>>())),
        ("f", Arc::new(Float64Array::from(vec![Some(0.5), None]))),
    ])
    .unwrap()
}

const LINES: &str = "m room=\"a\",f=0.5 1\nm room=\"b\" 2\n";

fn file(batches: &[RecordBatch], options: IpcWriteOptions) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer =
        FileWriter::try_new_with_options(&mut bytes, batches[0].schema_ref(), options).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.finish().unwrap();
    drop(writer);
    bytes
}

fn stream(batches: &[RecordBatch]) -> Vec<u8> {
    let mut writer = StreamWriter::try_new(Vec::new(), batches[0].schema_ref()).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.finish().unwrap();
    writer.into_inner().unwrap()
}

fn written(bytes: &[u8]) -> Result<String> {
    let server = Server::accepting();
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    let read = client.write_reader(bytes, FileFormat::Feather).measurement("m");
    let from_reader = read.precision(Precision::Second).send();
    let text = |from: usize| {
        server.requests()[from..].iter().map(|request| request.text()).collect::<String>()
    };
    let (of_reader, before) = (text(0), server.requests().len());

    // The same from a file.
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("files-ipc");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{:?}.arrow", std::thread::current().id()));
    std::fs::write(&path, bytes).unwrap();
    let of_file = client.write_file(&path).measurement("m").precision(Precision::Second).send();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(of_file.is_ok(), from_reader.is_ok());
    assert_eq!(text(before), of_reader);
    of_file.map(|_| of_reader)
}

fn refused(bytes: &[u8]) -> Error {
    let error = written(bytes).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File, "{error}");
    error
}

#[test]
fn files_of_arrow_rs_are_read_whatever_their_alignment() {
    let default = file(&[batch(["a", "b"])], IpcWriteOptions::default());
    assert_eq!(written(&default).unwrap(), LINES);
    for alignment in [8, 16, 32, 64] {
        for (legacy, version) in [
            (false, MetadataVersion::V5),
            (false, MetadataVersion::V4),
            (true, MetadataVersion::V4),
        ] {
            let options = IpcWriteOptions::try_new(alignment, legacy, version).unwrap();
            let bytes = file(&[batch(["a", "b"]), batch(["a", "b"])], options);
            let name = format!("{alignment} {legacy} {version:?}");
            assert_eq!(written(&bytes).unwrap(), LINES.repeat(2), "{name}");
        }
    }
    assert_eq!(written(&stream(&[batch(["a", "b"])])).unwrap(), LINES);
}

#[test]
fn a_stream_may_replace_its_dictionaries_and_end_without_a_word() {
    let bytes = stream(&[batch(["a", "b"]), batch(["c", "d"])]);
    let expected = format!("{LINES}m room=\"c\",f=0.5 1\nm room=\"d\" 2\n");
    assert_eq!(written(&bytes).unwrap(), expected);
    // The end of a stream is a mark and a length of 0.
    assert_eq!(written(&bytes[..bytes.len() - 8]).unwrap(), expected);
    // What is cut off anywhere else is told, and the batches before it are written.
    let cut = refused(&bytes[..bytes.len() - 20]);
    assert_eq!((cut.lines_written(), cut.resume_line()), (2, Some(2)), "{cut}");
}

#[test]
fn a_file_without_its_end_is_refused_before_anything_is_written() {
    let bytes = file(&[batch(["a", "b"])], IpcWriteOptions::default());
    for cut in [bytes.len() - 1, bytes.len() - 10, bytes.len() / 2, 70, 9] {
        let error = refused(&bytes[..cut]);
        assert_eq!(error.lines_written(), 0, "{cut}: {error}");
    }
}

#[test]
fn lengths_that_are_not_there_are_not_allocated() {
    let bytes = file(&[batch(["a", "b"])], IpcWriteOptions::default());
    let end = bytes.len();
    let footer = i32::from_le_bytes(bytes[end - 10..end - 6].try_into().unwrap()) as usize;
    // Every number of 64 bits in the footer, of which the places and lengths of messages are some, becomes huge.
    for place in (end - 10 - footer..end - 18).step_by(4) {
        let mut damaged = bytes.clone();
        damaged[place..place + 8].copy_from_slice(&(1_i64 << 46).to_le_bytes());
        if let Err(error) = written(&damaged) {
            assert!(matches!(error.kind(), ErrorKind::File | ErrorKind::InvalidRecord), "{error}");
        }
    }
    let mut damaged = bytes;
    damaged[end - 10..end - 6].copy_from_slice(&i32::MAX.to_le_bytes());
    refused(&damaged);
    let mut stream = stream(&[batch(["a", "b"])]);
    stream[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    refused(&stream);
}
