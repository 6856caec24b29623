//! What a caller has in hand while a query runs: cancelling, retries, limits, progress, statistics.
#![cfg(feature = "query")]

use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::batches::{answer, messages, numbers};
use crate::support::flight::{FlightServer, Step};
use influxdb3_blocking::{
    CancelHandle, Client, Error, ErrorKind, QueryProgress, QueryRequest, Result,
};

/// Longer than anything here takes: it only tells a hang from a pass.
const LONG: Duration = Duration::from_secs(60);

fn client(server: &FlightServer) -> Client {
    Client::builder().host(server.url()).database("sensors").build().unwrap()
}

type Form = fn(QueryRequest<'_>) -> Result<()>;

/// Each way to take an answer, up to its end.
fn forms() -> Vec<(&'static str, Form)> {
    vec![
        ("table", |query| query.table().map(drop)),
        ("schema", |query| query.schema().map(drop)),
        ("reader", |query| {
            query.reader()?.try_for_each(|batch| batch.map(drop).map_err(Into::into))
        }),
        ("chunks", |query| query.chunks()?.try_for_each(|chunk| chunk.map(drop))),
        #[cfg(feature = "serde")]
        ("rows", |query| query.rows::<(i64, f64)>()?.try_for_each(|row| row.map(drop))),
        #[cfg(feature = "polars")]
        ("dataframe", |query| query.dataframe().map(drop)),
    ]
}

#[test]
fn every_form_is_cancelled_before_its_answer_has_begun() {
    for (name, run) in forms() {
        for begun in [vec![], vec![Step::Head]] {
            let (called, calls) = mpsc::channel();
            let steps = begun.into_iter().chain([Step::Tell(called), Step::Stall]).collect();
            let server = FlightServer::replay(steps);
            let client = client(&server);
            let query = client.query("SELECT 1").timeout(LONG);
            let cancel = query.cancel_handle();
            let waiting = thread::scope(|scope| {
                let waiting = scope.spawn(|| run(query));
                calls.recv().unwrap();
                cancel.cancel();
                waiting.join().unwrap()
            });
            assert_eq!(waiting.unwrap_err().kind(), ErrorKind::Cancelled, "{name}");
        }
    }
}

#[test]
fn every_form_that_goes_on_is_cancelled_in_the_middle() {
    for (name, run) in forms().into_iter().filter(|(name, _)| *name != "schema") {
        let (sent, all) = mpsc::channel();
        let mut steps = answer(vec![numbers(3)]);
        steps.pop();
        steps.extend([Step::Tell(sent), Step::Stall]);
        let server = FlightServer::replay(steps);
        let client = client(&server);
        let query = client.query("SELECT 1").timeout(LONG);
        let cancel = query.cancel_handle();
        let waiting = thread::scope(|scope| {
            let waiting = scope.spawn(|| run(query));
            all.recv().unwrap();
            cancel.cancel();
            waiting.join().unwrap()
        });
        assert_eq!(waiting.unwrap_err().kind(), ErrorKind::Cancelled, "{name}");
    }
}

#[test]
fn the_server_is_told_of_a_query_that_was_cancelled() {
    let (done, reset) = mpsc::channel();
    let (called, calls) = mpsc::channel();
    let server = FlightServer::replay(vec![Step::Head, Step::Tell(called), Step::UntilReset(done)]);
    let client = client(&server);
    let query = client.query("SELECT 1").timeout(LONG);
    let cancel = query.cancel_handle();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| query.table());
        calls.recv().unwrap();
        cancel.clone().cancel();
        assert_eq!(waiting.join().unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
    });
    reset.recv_timeout(LONG).unwrap();
    assert!(cancel.is_cancelled());
}

#[test]
fn a_query_that_was_cancelled_before_it_was_sent_is_not_sent() {
    let server = FlightServer::replay(answer(vec![numbers(3)]));
    let client = client(&server);
    for (name, run) in forms() {
        let query = client.query("SELECT 1");
        query.cancel_handle().cancel();
        assert_eq!(run(query).unwrap_err().kind(), ErrorKind::Cancelled, "{name}");
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_handle_cancels_one_query_and_does_nothing_after_its_end() {
    let server = FlightServer::replay(answer(vec![numbers(3)]));
    let client = client(&server);
    let query = client.query("SELECT 1");
    let handle: CancelHandle = query.cancel_handle();
    let mut reader = query.reader().unwrap();
    assert_eq!(reader.by_ref().map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 3);
    handle.cancel();
    assert!(reader.next().is_none());
    assert_eq!(client.query("SELECT 1").table().unwrap().num_rows(), 3);
}

fn refusals() -> Vec<(&'static str, Vec<Step>)> {
    let html = |status| {
        vec![Step::HttpHead(status, vec![("content-type", "text/html".into())]), Step::End]
    };
    let schema = messages(&[numbers(3)])[0].clone();
    vec![
        ("UNAVAILABLE", vec![Step::StatusOnly(14, "restarting".into())]),
        ("RESOURCE_EXHAUSTED", vec![Step::StatusOnly(8, "slow down".into())]),
        ("429", html(429)),
        ("502", html(502)),
        ("503", html(503)),
        ("504", html(504)),
        // The schema has come, but no row.
        (
            "late",
            vec![
                Step::Head,
                Step::Message(schema.clone()),
                Step::Status(14, "restarting".into(), vec![]),
            ],
        ),
        ("cut", vec![Step::Head, Step::Message(schema), Step::Hangup]),
    ]
}

#[test]
fn what_a_server_did_not_take_is_sent_again_when_that_is_asked_for() {
    for (name, refusal) in refusals() {
        let whole = answer(vec![numbers(3)]);
        let server =
            FlightServer::start(move |_, n| if n < 2 { refusal.clone() } else { whole.clone() });
        let client = client(&server);
        let error = client.query("SELECT 1").table().unwrap_err();
        assert!(error.is_retryable(), "{name}: {error}");
        assert_eq!(server.calls().len(), 1, "{name}");
        let table = client.query("SELECT 1").retries(1).table();
        assert_eq!(table.unwrap_or_else(|error| panic!("{name}: {error}")).num_rows(), 3);
        assert_eq!(server.calls().len(), 3, "{name}");
    }
}

#[test]
fn every_form_is_sent_again() {
    let now = vec![("retry-after", "0".to_owned())];
    for (form, run) in forms() {
        let whole = answer(vec![numbers(3)]);
        let refusal = vec![Step::Head, Step::Status(14, "restarting".into(), now.clone())];
        let server =
            FlightServer::start(move |_, n| if n < 2 { refusal.clone() } else { whole.clone() });
        let client = client(&server);
        run(client.query("SELECT 1").retries(2)).unwrap_or_else(|error| panic!("{form}: {error}"));
        assert_eq!(server.calls().len(), 3, "{form}");
    }
}

#[test]
fn rows_of_a_query_that_is_sent_again_come_once() {
    let whole = answer(vec![numbers(3), numbers(4)]);
    let refusal = refusals().pop().unwrap().1;
    let server =
        FlightServer::start(move |_, n| if n < 2 { refusal.clone() } else { whole.clone() });
    let client = client(&server);
    let mut reader = client.query("SELECT 1").retries(5).reader().unwrap();
    let rows: Vec<_> = reader.by_ref().map(|batch| batch.unwrap().num_rows()).collect();
    assert_eq!((rows, reader.progress().rows), (vec![3, 4], 7));
}

#[test]
fn retries_end_and_what_does_not_pass_is_not_tried_again() {
    let unavailable = FlightServer::replay(vec![Step::StatusOnly(14, "restarting".into())]);
    let error = client(&unavailable).query("SELECT 1").retries(2).table().unwrap_err();
    assert_eq!(error.grpc_status(), Some(14));
    assert_eq!(unavailable.calls().len(), 3);
    // A wrong query, a row that was handed out.
    let mut cut = answer(vec![numbers(3)]);
    cut.pop();
    cut.push(Step::Status(14, "restarting".into(), vec![]));
    for steps in [vec![Step::StatusOnly(3, "no such column".into())], cut] {
        let server = FlightServer::replay(steps);
        client(&server).query("SELECT 1").retries(5).table().unwrap_err();
        assert_eq!(server.calls().len(), 1);
    }
}

#[test]
fn a_retry_waits_as_long_as_the_server_asks_and_not_beyond_the_timeout() {
    let wait = |seconds: &str| {
        let headers = vec![("retry-after", seconds.to_owned())];
        vec![Step::Head, Step::Status(14, "restarting".into(), headers)]
    };
    let (short, long, whole) = (wait("1"), wait("3600"), answer(vec![numbers(3)]));
    let server = FlightServer::start(move |call, n| match n {
        0 => short.clone(),
        _ if call.ticket.contains("never") => long.clone(),
        _ => whole.clone(),
    });
    let client = client(&server);
    let start = Instant::now();
    assert_eq!(client.query("SELECT 1").retries(1).table().unwrap().num_rows(), 3);
    assert!(start.elapsed() >= Duration::from_secs(1));
    // An hour does not fit into a minute: the error comes at once, and is the server's.
    let error = client.query("SELECT never").retries(1).timeout(LONG).table().unwrap_err();
    assert_eq!((error.grpc_status(), error.retry_after()), (Some(14), Some(LONG * 60)));
    assert!(start.elapsed() < LONG);
}

#[test]
fn a_wait_for_a_retry_can_be_cancelled() {
    let headers = vec![("retry-after", "3600".to_owned())];
    let (answered, answers) = mpsc::channel();
    let server = FlightServer::replay(vec![
        Step::Head,
        Step::Status(14, "restarting".into(), headers),
        Step::Tell(answered),
    ]);
    let client = client(&server);
    let query = client.query("SELECT 1").retries(1);
    let cancel = query.cancel_handle();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| query.table());
        answers.recv().unwrap();
        cancel.cancel();
        assert_eq!(waiting.join().unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
    });
}

#[test]
fn an_answer_that_is_larger_than_wanted_ends_with_the_name_of_the_limit() {
    let server = FlightServer::replay(answer(vec![numbers(30), numbers(40)]));
    let client = client(&server);
    for (form, run) in forms().into_iter().filter(|(form, _)| *form != "schema") {
        run(client.query("SELECT 1").max_rows(70).max_bytes(1 << 20)).unwrap();
        let error = run(client.query("SELECT 1").max_rows(69)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{form}: {error}");
        assert!(error.to_string().contains("more than 69 rows (max_rows)"), "{form}: {error}");
        let error = run(client.query("SELECT 1").max_bytes(1000)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{form}: {error}");
        assert!(error.to_string().contains("more than 1000 bytes (max_bytes)"), "{form}: {error}");
    }
    let mut reader = client.query("SELECT 1").max_rows(69).reader().unwrap();
    assert_eq!(reader.next().unwrap().unwrap().num_rows(), 30);
    let error = Error::from(reader.next().unwrap().unwrap_err());
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(reader.next().is_none());
}

/// What was told, in its order.
fn listen(query: QueryRequest<'_>) -> (QueryRequest<'_>, Receiver<QueryProgress>) {
    let (told, heard) = mpsc::channel();
    (query.progress(move |progress| told.send(*progress).unwrap()), heard)
}

#[test]
fn progress_grows_with_each_message_up_to_the_whole() {
    let batches = [numbers(3), numbers(0), numbers(4)];
    let sizes: Vec<u64> = crate::support::batches::flight_data(&batches)
        .iter()
        .map(|data| (data.data_header.len() + data.data_body.len()) as u64)
        .collect();
    let server = FlightServer::replay(answer(batches.to_vec()));
    let client = client(&server);
    for (form, run) in forms().into_iter().filter(|(form, _)| *form != "schema") {
        let (query, heard) = listen(client.query("SELECT 1"));
        run(query).unwrap();
        let told: Vec<_> = heard.iter().collect();
        assert!(
            told.is_sorted_by_key(|progress| (progress.bytes_received, progress.rows)),
            "{form}"
        );
        assert_eq!(told[0].bytes_received, sizes[0], "{form}");
        let last = told[told.len() - 1];
        assert_eq!((last.rows, last.batches), (7, 2), "{form}");
        assert_eq!(last.bytes_received, sizes.iter().sum::<u64>(), "{form}");
    }
    let mut reader = client.query("SELECT 1").reader().unwrap();
    assert_eq!((reader.progress().rows, reader.progress().bytes_received), (0, sizes[0]));
    reader.next().unwrap().unwrap();
    assert_eq!((reader.progress().rows, reader.progress().batches), (3, 1));
}

#[test]
fn a_reader_with_a_progress_can_be_shared_and_sent() {
    fn check<T: Send + Sync>(_: &T) {}
    let server = FlightServer::replay(answer(vec![numbers(3)]));
    let rows = Arc::new(Mutex::new(0));
    let seen = Arc::clone(&rows);
    let mut reader = client(&server)
        .query("SELECT 1")
        .progress(move |progress| *seen.lock().unwrap() = progress.rows)
        .reader()
        .unwrap();
    check(&reader);
    assert!(reader.all(|batch| batch.is_ok()));
    assert_eq!(*rows.lock().unwrap(), 3);
}

#[test]
fn every_form_has_the_statistics() {
    let mut steps = answer(vec![numbers(3)]);
    steps.pop();
    let seconds = |name, value: &str| (name, value.to_owned());
    steps.push(Step::Status(
        0,
        String::new(),
        vec![
            seconds("x-influxdata-planning-duration-seconds", "0.75"),
            seconds("x-influxdata-logical-planning-duration-seconds", "0.25"),
            seconds("x-influxdata-physical-planning-duration-seconds", "0.5"),
        ],
    ));
    let server = FlightServer::replay(steps);
    let client = client(&server);
    let query = || client.query("SELECT 1");
    let mut all = vec![("table", query().table().unwrap().stats().clone())];
    let mut reader = query().reader().unwrap();
    assert!(reader.by_ref().all(|batch| batch.is_ok()));
    all.push(("reader", reader.stats().unwrap()));
    let mut chunks = query().chunks().unwrap();
    assert!(chunks.by_ref().all(|chunk| chunk.is_ok()));
    all.push(("chunks", chunks.stats().unwrap()));
    #[cfg(feature = "serde")]
    {
        let mut rows = query().rows::<(i64, f64)>().unwrap();
        assert!(rows.stats().is_none() && rows.by_ref().all(|row| row.is_ok()));
        assert_eq!(rows.progress().rows, 3);
        all.push(("rows", rows.stats().unwrap()));
    }
    #[cfg(feature = "polars")]
    {
        let (frame, stats) = query().dataframe_and_stats().unwrap();
        assert_eq!(frame.height(), 3);
        all.push(("dataframe", stats));
    }
    for (form, stats) in all {
        let millis = |duration: Option<Duration>| duration.unwrap().as_millis();
        assert_eq!(millis(stats.planning_duration), 750, "{form}");
        assert_eq!(millis(stats.logical_planning_duration), 250, "{form}");
        assert_eq!(millis(stats.physical_planning_duration), 500, "{form}");
    }
}

#[test]
fn a_query_whose_retry_has_another_schema_is_an_error() {
    use influxdb3_blocking::arrow_array::{ArrayRef, Int64Array, RecordBatch};
    let other: [(&str, ArrayRef); 1] = [("x", Arc::new(Int64Array::from(vec![1])))];
    let other = answer(vec![RecordBatch::try_from_iter(other).unwrap()]);
    let schema = messages(&[numbers(3)])[0].clone();
    let late =
        vec![Step::Head, Step::Message(schema), Step::Status(14, "restarting".into(), vec![])];
    let server = FlightServer::start(move |_, n| if n == 0 { late.clone() } else { other.clone() });
    let error = client(&server).query("SELECT 1").retries(1).table().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("another schema"), "{error}");
}
