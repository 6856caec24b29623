//! Batching: a server that restarts again and again while several threads write, or is ill for a while. Nothing is lost,
//! nothing is there twice, and one worker keeps the order.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use crate::support::batching::{NEVER, assert_adds_up};
use crate::support::http::HANGS;
use influxdb3_blocking::{
    Client, Error, ErrorKind, Point, ThreadPoolScheduler, Timestamp, WriteOptions,
};
use influxdb3_dev_server::{DevServer, Fault};

const RESTARTS: usize = 30;
const WRITERS: usize = 4;

/// How many lines are acknowledged before the server restarts.
const ACKNOWLEDGED: usize = 200;

/// Something that is counted by callbacks and waited for.
#[derive(Clone, Default)]
struct Count(Arc<(Mutex<usize>, Condvar)>);

impl Count {
    fn add(&self, more: usize) {
        *self.0.0.lock().unwrap() += more;
        self.0.1.notify_all();
    }

    fn wait_for(&self, more: usize) {
        let count = self.0.0.lock().unwrap();
        let enough = *count + more;
        let (count, _) =
            self.0.1.wait_timeout_while(count, HANGS, |count| *count < enough).unwrap();
        assert!(*count >= enough, "{} of {enough}, and nothing comes", *count);
    }
}

/// What the callbacks of a client have counted.
#[derive(Clone, Default)]
struct Counts {
    /// Lines that were acknowledged.
    written: Count,
    /// Tries that were answered by a server which is being stopped.
    refused: Count,
    /// Tries without an answer.
    unanswered: Count,
}

impl Counts {
    fn add_failure(&self, error: &Error) {
        let count = if error.status().is_some() { &self.refused } else { &self.unanswered };
        count.add(1);
    }
}

/// The n-th point of a writer. Every other one gets its time from the client.
fn point(writer: usize, n: i64) -> Point {
    let point = Point::new("m").tag("writer", writer.to_string()).field("f", n);
    if n % 2 == 0 { point } else { point.time(Timestamp::nanos(n)) }
}

/// Once in each of the ways in which a server goes away and comes back.
fn restart(server: &DevServer, way: usize, counts: &Counts) {
    match way % 3 {
        // Killed: writes that nobody answered are stored all the same.
        0 => server.restart().unwrap(),
        // Stopped in good order: before the port is closed, writes are refused, with the status of a bad request.
        1 => {
            server.set_fault(Fault::Stopping);
            counts.refused.wait_for(1);
            server.stop();
            server.set_fault(None);
            server.resume().unwrap();
        }
        // Gone for a while: connections are refused.
        _ => {
            server.stop();
            counts.unanswered.wait_for(1);
            server.resume().unwrap();
        }
    }
}

/// Writes from several threads for as long as the server restarts. Returns how many points each has written.
fn write_through_restarts(workers: usize) -> (DevServer, Client, Vec<i64>) {
    let server = DevServer::builder()
        .wal_flush_interval(Duration::from_millis(5))
        .record_requests(true)
        .start()
        .unwrap();
    let counts = Counts::default();
    let (written, retried, failed) = (counts.written.clone(), counts.clone(), counts.clone());
    let options = WriteOptions::default()
        .write_scheduler(ThreadPoolScheduler::new(workers))
        .batch_size(50)
        .buffer_limit(64 << 10)
        .flush_interval(NEVER)
        .retry_interval(Duration::from_millis(2))
        .max_retry_delay(Duration::from_millis(20))
        .max_retries(u32::MAX)
        .max_retry_time(NEVER)
        .success_callback(move |batch| written.add(batch.lines()))
        .retry_callback(move |_, error| retried.add_failure(error))
        .error_callback(move |_, error| failed.add_failure(error));
    let client = Client::builder().host(server.url()).database("db").write_options(options);
    let client = client.build().unwrap();
    let is_over = AtomicBool::new(false);
    let points = thread::scope(|scope| {
        let write = |writer| {
            let (client, is_over) = (&client, &is_over);
            scope.spawn(move || {
                let points = (0..).take_while(|_| !is_over.load(Ordering::SeqCst));
                points.inspect(|n| client.write(point(writer, *n)).send().unwrap()).count() as i64
            })
        };
        let writers: Vec<_> = (0..WRITERS).map(write).collect();
        let restarting = scope.spawn(|| {
            let _over = Over(&is_over);
            for way in 0..RESTARTS {
                counts.written.wait_for(ACKNOWLEDGED);
                restart(&server, way, &counts);
            }
            counts.written.wait_for(ACKNOWLEDGED);
        });
        restarting.join().unwrap();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    client.flush().unwrap();
    (server, client, points)
}

/// Ends the writers, also when the test fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn assert_each_once(server: &DevServer, client: &Client, points: &[i64]) {
    let all: i64 = points.iter().sum();
    assert_eq!(server.rows("db", "m") as i64, all);
    let stats = client.write_stats();
    assert_eq!((stats.written.lines, stats.pending.lines), (all as u64, 0), "{stats:?}");
    assert!(stats.retries >= RESTARTS as u64 / 3, "{stats:?}");
    assert_adds_up(client);
    #[cfg(feature = "query")]
    for (writer, points) in points.iter().enumerate() {
        let sql = format!(
            "SELECT f, CAST(time AS BIGINT) AS t FROM m WHERE writer = '{writer}' ORDER BY f"
        );
        let table = client.query(sql).table().unwrap();
        let rows =
            table.rows().map(|row| (row.get::<i64>("f").unwrap(), row.get::<i64>("t").unwrap()));
        let mut expected = 0;
        for (f, time) in rows {
            assert_eq!(f, expected, "of writer {writer}");
            assert!(f % 2 == 0 || time == f, "{f} is at {time}");
            expected += 1;
        }
        assert_eq!(expected, *points, "of writer {writer}");
    }
    client.close().unwrap();
}

/// The lines of each writer arrive in the order in which it has written them. Lines of a request that failed may come
/// again, but none from before that request.
fn assert_in_order(server: &DevServer) {
    // One more than the highest number of a writer so far, and the number that began its last request of new lines.
    let (mut next, mut began) = ([0; WRITERS], [0; WRITERS]);
    for request in server.requests().iter().filter(|request| request.path == "/api/v2/write") {
        let mut lines: [Vec<i64>; WRITERS] = Default::default();
        for line in std::str::from_utf8(&request.body).unwrap().lines() {
            let (key, rest) = line.split_once(" f=").unwrap();
            let writer: usize = key.strip_prefix("m,writer=").unwrap().parse().unwrap();
            lines[writer].push(rest.split_once("i ").unwrap().0.parse().unwrap());
        }
        for (writer, lines) in lines.iter().enumerate().filter(|(_, lines)| !lines.is_empty()) {
            let first = lines[0];
            assert!(lines.iter().copied().eq(first..first + lines.len() as i64), "{lines:?}");
            assert!(first <= next[writer], "writer {writer}: {first} before {}", next[writer]);
            assert!(first >= began[writer], "writer {writer}: {first} again, after newer ones");
            if first == next[writer] {
                began[writer] = first;
            }
            next[writer] = next[writer].max(first + lines.len() as i64);
        }
    }
}

#[test]
fn one_worker_brings_everything_once_and_in_order_through_thirty_restarts() {
    let (server, client, points) = write_through_restarts(1);
    assert_each_once(&server, &client, &points);
    assert_in_order(&server);
}

#[test]
fn four_workers_bring_everything_once_through_thirty_restarts() {
    let (server, client, points) = write_through_restarts(4);
    assert_each_once(&server, &client, &points);
}

#[test]
fn a_fault_that_passes_is_waited_for_on_either_endpoint_and_a_wrong_role_is_not() {
    for is_v2 in [true, false] {
        let server = DevServer::start().unwrap();
        let counts = Counts::default();
        let retried = counts.clone();
        let options = WriteOptions::default()
            .retry_interval(Duration::from_millis(1))
            .max_retry_delay(Duration::from_millis(1))
            .max_retries(u32::MAX)
            .retry_callback(move |_, error| retried.add_failure(error));
        let client = Client::builder().host(server.url()).database("db").use_v2_api(is_v2);
        let client = client.write_options(options).build().unwrap();
        for (n, fault) in [Fault::Stopping, Fault::WalFull, Fault::ObjectStore].iter().enumerate() {
            server.set_fault(*fault);
            client.write(point(0, 2 * n as i64 + 1)).send().unwrap();
            let flushed = thread::scope(|scope| {
                let flushing = scope.spawn(|| client.flush());
                counts.refused.wait_for(2);
                server.set_fault(None);
                flushing.join().unwrap()
            });
            flushed.unwrap();
            assert_eq!(server.rows("db", "m"), n + 1, "{fault:?}");
        }
        server.set_fault(Fault::CompactorOnly);
        client.write(point(0, 7)).send().unwrap();
        let error = client.flush().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Rejected, "{error}");
        assert!(!error.in_doubt() && error.to_string().contains("takes no writes"), "{error}");
        assert_eq!((error.unsent().len(), server.rows("db", "m")), (1, 3));
        client.close().unwrap();
    }
}
