//! What goes wrong on the way: the right error, in time, and never an answer that looks complete and is not.
#![cfg(feature = "query")]

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::batches::{answer, flight_data, messages, numbers};
use crate::support::flight::{FlightServer, Step, grpc_message, ok};
use h2::Reason;
use influxdb3_blocking::arrow_array::{ArrayRef, NullArray, RecordBatch};
use influxdb3_blocking::{Client, ClientBuilder, Error, ErrorKind, Reader};

/// Longer than anything here takes: it only tells a hang from a pass.
const LONG: Duration = Duration::from_secs(60);

fn builder(server: &FlightServer) -> ClientBuilder {
    Client::builder().host(server.url()).database("sensors")
}

fn client(server: &FlightServer) -> Client {
    builder(server).build().unwrap()
}

/// The rows that came, and the error after them, if there was one.
fn drain(mut reader: Reader) -> (usize, Option<Error>) {
    let mut rows = 0;
    let mut failed = None;
    for batch in &mut reader {
        assert!(failed.is_none(), "something came after an error");
        match batch {
            Ok(batch) => rows += batch.num_rows(),
            Err(error) => failed = Some(Error::from(error)),
        }
    }
    assert!(reader.next().is_none());
    (rows, failed)
}

#[test]
fn a_stream_that_is_cut_after_any_message_is_no_clean_end() {
    let whole = answer(vec![numbers(3), numbers(4), numbers(5)]);
    for kept in 1..whole.len() {
        for end in [
            Step::Hangup,
            Step::End,
            Step::Reset(Reason::INTERNAL_ERROR),
            Step::Reset(Reason::NO_ERROR),
        ] {
            let mut steps = whole[..kept].to_vec();
            steps.push(end);
            let server = FlightServer::replay(steps);
            let rows = match client(&server).query("SELECT 1").reader() {
                Ok(reader) => {
                    let (rows, error) = drain(reader);
                    let error = error.expect("a cut stream must not end well");
                    assert!(
                        matches!(error.kind(), ErrorKind::Connect | ErrorKind::Decode),
                        "{error}"
                    );
                    assert!(error.is_retryable(), "{error}");
                    rows
                }
                Err(_) => 0,
            };
            // The head and the schema have no rows. A hangup may overtake what was sent before.
            assert!(rows <= [0, 0, 0, 3, 7, 12][kept], "{kept} {rows}");
        }
    }
}

#[test]
fn a_message_that_is_cut_anywhere_is_no_clean_end() {
    let messages = messages(&[numbers(3)]);
    let batch = grpc_message(&messages[1]);
    for length in (1..batch.len()).step_by(37) {
        let steps = vec![
            Step::Head,
            Step::Message(messages[0].clone()),
            Step::Raw(batch[..length].to_vec()),
            ok(),
        ];
        let server = FlightServer::replay(steps);
        let (rows, error) = drain(client(&server).query("SELECT 1").reader().unwrap());
        assert_eq!((rows, error.unwrap().kind()), (0, ErrorKind::Decode), "{length}");
    }
}

#[test]
fn messages_may_come_in_any_pieces() {
    let mut bytes = Vec::new();
    for message in messages(&[numbers(100), numbers(50)]) {
        bytes.extend(grpc_message(&message));
    }
    for size in [1, 3, 64, 1000] {
        let pieces = bytes.chunks(size).map(|piece| Step::Raw(piece.to_vec()));
        let steps = std::iter::once(Step::Head).chain(pieces).chain([ok()]).collect();
        let table = client(&FlightServer::replay(steps)).query("SELECT 1").table().unwrap();
        assert_eq!(table.batches(), [numbers(100), numbers(50)], "{size}");
    }
}

#[test]
fn an_error_comes_once_after_the_rows_before_it() {
    let mut steps = answer(vec![numbers(3), numbers(4)]);
    steps.pop();
    steps.push(Step::Status(
        8,
        "Error while execution: Resources exhausted: memory".into(),
        vec![],
    ));
    let server = FlightServer::replay(steps);
    let client = client(&server);
    let (rows, error) = drain(client.query("SELECT 1").reader().unwrap());
    let error = error.unwrap();
    assert_eq!((rows, error.kind(), error.grpc_status()), (7, ErrorKind::Query, Some(8)));
    assert_eq!(client.query("SELECT 1").table().unwrap_err().kind(), ErrorKind::Query);
}

#[test]
fn contradictions_are_errors_and_the_client_lives_on() {
    let good = messages(&[numbers(3)]);
    let (schema, batch) = (good[0].clone(), good[1].clone());
    let mut shorter = flight_data(&[numbers(3)]).remove(1);
    shorter.data_body = shorter.data_body.slice(..8);
    let shorter = prost::Message::encode_to_vec(&shorter);
    let mut garbled = flight_data(&[numbers(3)]).remove(1);
    garbled.data_header = vec![0xff; 64].into();
    let garbled = prost::Message::encode_to_vec(&garbled);
    for (name, messages, rows) in [
        ("no schema", vec![batch.clone()], 0),
        ("nothing", vec![], 0),
        ("a second schema", vec![schema.clone(), batch.clone(), schema.clone(), batch.clone()], 3),
        ("a body that is too short", vec![schema.clone(), batch.clone(), shorter, batch], 3),
        ("a header that is none", vec![schema.clone(), garbled], 0),
        ("no protobuf", vec![schema, vec![0xff; 9]], 0),
    ] {
        let messages = messages.into_iter().map(Step::Message);
        let steps: Vec<_> = std::iter::once(Step::Head).chain(messages).chain([ok()]).collect();
        let whole = answer(vec![numbers(1)]);
        let server =
            FlightServer::start(move |_, n| if n == 0 { steps.clone() } else { whole.clone() });
        let client = client(&server);
        match client.query("SELECT 1").reader() {
            Ok(reader) => {
                let (read, error) = drain(reader);
                assert_eq!((read, error.unwrap().kind()), (rows, ErrorKind::Decode), "{name}");
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::Decode, "{name}: {error}"),
        }
        assert_eq!(client.query("SELECT 1").table().unwrap().num_rows(), 1, "{name}");
        assert_eq!(server.connections(), 1, "{name}");
    }
}

#[test]
fn rows_that_take_no_bytes_are_not_believed_in_any_number() {
    let nulls: [(&str, ArrayRef); 1] = [("nothing", Arc::new(NullArray::new(3)))];
    let honest = flight_data(&[RecordBatch::try_from_iter(nulls).unwrap()]);
    for (rows, kind) in
        [(3, None), (1 << 31, Some(ErrorKind::Decode)), (i64::MAX, Some(ErrorKind::Decode))]
    {
        let mut data = honest.clone();
        data[1].data_header = rows_of_nulls(rows).into();
        let messages = data.iter().map(prost::Message::encode_to_vec).map(Step::Message);
        let steps = std::iter::once(Step::Head).chain(messages).chain([ok()]).collect();
        let answer = client(&FlightServer::replay(steps)).query("SELECT NULL").table();
        match kind {
            None => assert_eq!(answer.unwrap().num_rows(), 3),
            Some(kind) => assert_eq!(answer.unwrap_err().kind(), kind, "{rows}"),
        }
    }
}

/// The header of a batch whose one column is null in so many rows.
fn rows_of_nulls(rows: i64) -> Vec<u8> {
    let mut builder = flatbuffers::FlatBufferBuilder::new();
    let nodes = builder.create_vector(&[arrow_ipc::FieldNode::new(rows, rows)]);
    let buffers = builder.create_vector::<arrow_ipc::Buffer>(&[]);
    let mut batch = arrow_ipc::RecordBatchBuilder::new(&mut builder);
    batch.add_length(rows);
    batch.add_nodes(nodes);
    batch.add_buffers(buffers);
    let batch = batch.finish().as_union_value();
    let mut root = arrow_ipc::MessageBuilder::new(&mut builder);
    root.add_version(arrow_ipc::MetadataVersion::V5);
    root.add_header_type(arrow_ipc::MessageHeader::RecordBatch);
    root.add_header(batch);
    let root = root.finish();
    builder.finish(root, None);
    builder.finished_data().to_vec()
}

#[test]
fn batches_without_rows_are_skipped() {
    let batches = vec![numbers(0), numbers(2), numbers(0), numbers(0), numbers(1), numbers(0)];
    let server = FlightServer::replay(answer(batches));
    let table = client(&server).query("SELECT 1").table().unwrap();
    assert_eq!(table.batches(), [numbers(2), numbers(1)]);
    let server = FlightServer::replay(answer(vec![numbers(0)]));
    let table = client(&server).query("SELECT 1").table().unwrap();
    assert_eq!((table.num_rows(), table.schema()), (0, numbers(0).schema()));
}

#[test]
fn a_message_over_the_limit_names_both_sizes_and_the_setting() {
    let server = FlightServer::replay(answer(vec![numbers(3), numbers(100_000)]));
    let limited = builder(&server).max_message_size(100_000).build().unwrap();
    let (rows, error) = drain(limited.query("SELECT 1").reader().unwrap());
    let error = error.unwrap();
    assert_eq!((rows, error.kind()), (3, ErrorKind::TooLarge));
    let text = error.to_string();
    assert!(text.contains("100000") && text.contains("max_message_size"), "{text}");
    assert!(text.contains("16"), "{text}");
    assert_eq!(client(&server).query("SELECT 1").table().unwrap().num_rows(), 100_003);
}

#[test]
fn a_message_may_be_larger_than_the_read_ahead() {
    let rows = 3 << 20;
    let server = FlightServer::replay(answer(vec![numbers(rows), numbers(rows), numbers(1)]));
    let table = client(&server).query("SELECT 1").table().unwrap();
    assert_eq!(table.num_rows() as i64, 2 * rows + 1);
}

#[test]
fn a_table_is_bounded_by_its_timeout_and_the_server_is_told() {
    let mut steps = answer(vec![numbers(3)]);
    steps.pop();
    steps.push(Step::Stall);
    let server = FlightServer::replay(steps);
    let client = builder(&server).query_timeout(LONG).build().unwrap();
    let start = Instant::now();
    let error = client.query("SELECT 1").timeout(Duration::from_millis(500)).table().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.to_string().contains("query_timeout"), "{error}");
    assert!(start.elapsed() < LONG);
    let told = server.calls()[0].header("grpc-timeout").unwrap().to_owned();
    let millis: u64 = told.strip_suffix('m').unwrap().parse().unwrap();
    assert!((1..=500).contains(&millis), "{told}");
}

#[test]
fn a_reader_is_bounded_batch_by_batch_and_the_server_is_not_told() {
    let mut steps = answer(vec![numbers(3)]);
    steps.pop();
    // Signs of life do not prolong the wait.
    steps.push(Step::Message(messages(&[numbers(0)])[1].clone()));
    steps.push(Step::Stall);
    let server = FlightServer::replay(steps);
    let client = client(&server);
    let reader = client.query("SELECT 1").timeout(Duration::from_secs(1)).reader().unwrap();
    let (rows, error) = drain(reader);
    assert_eq!((rows, error.unwrap().kind()), (3, ErrorKind::Timeout));
    assert!(server.calls()[0].header("grpc-timeout").is_none());
}

#[test]
fn a_schema_that_does_not_come_is_bounded_too() {
    let server = FlightServer::replay(vec![Step::Stall]);
    let client = client(&server);
    let timeout = Duration::from_millis(50);
    let error = client.query("SELECT 1").timeout(timeout).reader().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:#}");
    let error = client.query("SELECT 1").timeout(timeout).table().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:#}");
}

#[test]
fn a_silent_connection_is_dead_after_the_idle_timeout() {
    let mut steps = answer(vec![numbers(3)]);
    steps.pop();
    steps.push(Step::Stall);
    let server = FlightServer::replay(steps);
    let client = builder(&server).idle_timeout(Duration::from_millis(500)).build().unwrap();
    let (rows, error) = drain(client.query("SELECT 1").reader().unwrap());
    let error = error.unwrap();
    assert_eq!((rows, error.kind()), (3, ErrorKind::Timeout));
    assert!(error.to_string().contains("idle_timeout"), "{error}");
}

#[test]
fn a_reader_that_is_not_read_is_not_idle() {
    // More than is read ahead, so that the driver waits for the reader, and not for the network.
    let batches: Vec<_> = (0..5).map(|_| numbers(1 << 20)).collect();
    let server = FlightServer::replay(answer(batches));
    let client = builder(&server).idle_timeout(Duration::from_millis(1500)).build().unwrap();
    let mut reader = client.query("SELECT 1").reader().unwrap();
    assert_eq!(reader.next().unwrap().unwrap().num_rows(), 1 << 20);
    thread::sleep(Duration::from_millis(2500)); // The pause is what is tested, not a synchronisation.
    assert_eq!(drain(reader).0, 4 << 20);
}

#[test]
fn a_paused_reader_does_not_hold_up_other_queries() {
    let batches: Vec<_> = (0..8).map(|_| numbers(1 << 19)).collect();
    let large = answer(batches);
    let small = answer(vec![numbers(1)]);
    let server = FlightServer::start(move |_, n| if n < 4 { large.clone() } else { small.clone() });
    let client = client(&server);
    let paused: Vec<_> = (0..4).map(|_| client.query("SELECT 1").reader().unwrap()).collect();
    assert_eq!(client.query("SELECT 1").timeout(LONG).table().unwrap().num_rows(), 1);
    for reader in paused {
        assert_eq!(drain(reader).0, 8 << 19);
    }
}

#[test]
fn dropping_a_reader_resets_its_stream() {
    let (done, reset) = mpsc::channel();
    let mut steps = answer(vec![numbers(3)]);
    steps.pop();
    steps.push(Step::UntilReset(done));
    let server = FlightServer::replay(steps);
    let client = client(&server);
    let mut reader = client.query("SELECT 1").reader().unwrap();
    assert_eq!(reader.next().unwrap().unwrap().num_rows(), 3);
    drop(reader);
    reset.recv_timeout(LONG).unwrap();
}

#[test]
fn a_reader_is_cancelled_from_another_thread_while_it_waits() {
    let (done, reset) = mpsc::channel();
    let mut steps = answer(vec![numbers(3)]);
    steps.pop();
    steps.push(Step::UntilReset(done));
    let server = FlightServer::replay(steps);
    let client = client(&server);
    let reader = client.query("SELECT 1").reader().unwrap();
    let handle = reader.cancel_handle();
    let waiting = thread::spawn(move || drain(reader));
    let also = handle.clone();
    also.cancel();
    let (rows, error) = waiting.join().unwrap();
    assert!(rows <= 3);
    assert_eq!(error.unwrap().kind(), ErrorKind::Cancelled);
    reset.recv_timeout(LONG).unwrap();
    handle.cancel();
}

#[test]
fn a_restarted_server_is_not_noticed() {
    let whole = answer(vec![numbers(3)]);
    let server = FlightServer::start(move |_, n| match n {
        // Each second call finds the connection gone, in another way.
        1 => vec![Step::Hangup],
        3 => vec![Step::Reset(Reason::REFUSED_STREAM)],
        5 => vec![Step::Head, Step::Hangup],
        _ => whole.clone(),
    });
    let client = client(&server);
    for _ in 0..4 {
        assert_eq!(client.query("SELECT 1").table().unwrap().num_rows(), 3);
    }
    assert_eq!(server.calls().len(), 7);
}

#[test]
fn a_server_that_said_goodbye_gets_the_next_call_on_a_new_connection() {
    let mut first = vec![Step::GoAway];
    first.splice(0..0, answer(vec![numbers(3)]));
    let whole = answer(vec![numbers(3)]);
    let server =
        FlightServer::start(move |_, n| if n == 0 { first.clone() } else { whole.clone() });
    let client = client(&server);
    for _ in 0..3 {
        assert_eq!(client.query("SELECT 1").table().unwrap().num_rows(), 3);
    }
    assert!(server.connections() >= 2);
}

#[test]
fn a_connection_that_always_breaks_is_an_error_after_one_more_try() {
    let server = FlightServer::replay(vec![Step::Hangup]);
    let error = client(&server).query("SELECT 1").table().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.is_retryable() && !error.in_doubt());
    assert_eq!(server.calls().len(), 2);
}

#[test]
fn rows_that_were_seen_are_not_asked_for_again() {
    let mut steps = answer(vec![numbers(3)]);
    steps.pop();
    steps.push(Step::Hangup);
    let server = FlightServer::replay(steps);
    assert_eq!(client(&server).query("SELECT 1").table().unwrap_err().kind(), ErrorKind::Connect);
    assert_eq!(server.calls().len(), 1);
}

#[test]
fn answers_that_are_not_grpc_show_what_they_are() {
    for (status, kind, retryable) in [
        (200, ErrorKind::Server, false),
        (301, ErrorKind::Redirect, false),
        (401, ErrorKind::Unauthorized, false),
        (403, ErrorKind::Unauthorized, false),
        (404, ErrorKind::NotFound, false),
        (429, ErrorKind::RateLimited, true),
        (502, ErrorKind::Server, true),
        (503, ErrorKind::Server, true),
    ] {
        let headers = vec![
            ("content-type", "text/html".to_owned()),
            ("location", "https://login.example.io/".to_owned()),
        ];
        let page = b"<html>\n <h1>Sign in</h1> tok_secret".to_vec();
        let steps = vec![Step::HttpHead(status, headers), Step::Raw(page), Step::End];
        let server = FlightServer::replay(steps);
        let client = builder(&server).token("tok_secret").build().unwrap();
        let error = client.query("SELECT 1").table().unwrap_err();
        assert_eq!((error.kind(), error.status()), (kind, Some(status)), "{error}");
        assert_eq!(error.is_retryable(), retryable, "{error}");
        let text = format!("{error:#} {error:?}");
        assert!(text.contains("text/html") && text.contains("<h1>Sign in</h1>"), "{text}");
        assert!(!text.contains("tok_secret"), "{text}");
        if status == 301 {
            assert!(text.contains("https://login.example.io/"), "{text}");
        }
    }
}

#[test]
fn what_is_sent_with_a_query() {
    let server = FlightServer::replay(answer(vec![numbers(1)]));
    let client = Client::builder()
        .host(format!("{}/some/prefix", server.url()))
        .database("sensors")
        .token("tok_secret")
        .header("x-trace", "client")
        .header("x-other", "kept")
        .build()
        .unwrap();
    client.query("SELECT 1").database("other").header("X-Trace", "query").table().unwrap();
    let call = &server.calls()[0];
    assert_eq!(call.path, "/some/prefix/arrow.flight.protocol.FlightService/DoGet");
    assert_eq!(call.header("authorization"), Some("Bearer tok_secret"));
    assert_eq!(call.header("x-trace"), Some("query"));
    assert_eq!(call.header("x-other"), Some("kept"));
    assert_eq!(call.header("te"), Some("trailers"));
    assert_eq!(call.header("content-type"), Some("application/grpc"));
    let agent = call.header("user-agent").unwrap();
    assert!(
        agent.starts_with(concat!("influxdb3-blocking/", env!("CARGO_PKG_VERSION"))),
        "{agent}"
    );
    assert_eq!(call.ticket, r#"{"database":"other","sql_query":"SELECT 1","query_type":"sql"}"#);
}

#[test]
fn mistakes_in_settings_are_told_before_anything_is_sent() {
    let server = FlightServer::replay(answer(vec![numbers(1)]));
    let client = Client::builder().host(server.url()).build().unwrap();
    let error = client.query("SELECT 1").table().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains(".database("), "{error}");
    let error = client
        .query("SELECT 1")
        .database("")
        .param("x", f64::NAN)
        .header("content-length", "1")
        .timeout(Duration::ZERO)
        .reader()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let text = error.to_string();
    for problem in ["database", "\"x\" is NaN", "content-length", "timeout"] {
        assert!(text.contains(problem), "{text}");
    }
    assert_eq!(server.connections(), 0);
}
