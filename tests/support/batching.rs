//! What tests of batching share.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use influxdb3_blocking::{Batch, Client, Error, ErrorKind, Point, Timestamp, WriteOptions};

use super::http::{HANGS, Server};

/// Longer than any test.
pub const NEVER: Duration = Duration::from_secs(3600);

/// Batching without timers: batches leave when they are full or flushed, each as a request of its own, and retries follow
/// at once.
pub fn options() -> WriteOptions {
    WriteOptions::default()
        .merge_waiting(false)
        .flush_interval(NEVER)
        .retry_interval(Duration::from_millis(1))
        .max_retry_delay(Duration::from_millis(1))
}

pub fn client(server: &Server, options: WriteOptions) -> Client {
    client_at(&server.url(), options)
}

pub fn client_at(url: &str, options: WriteOptions) -> Client {
    Client::builder().host(url).database("db").write_options(options).build().unwrap()
}

/// `m f=<n>i <n>`
pub fn point(n: i64) -> Point {
    Point::new("m").field("f", n).time(Timestamp::nanos(n))
}

pub fn points(range: std::ops::Range<i64>) -> Vec<Point> {
    range.map(point).collect()
}

/// The numbers of the points in line protocol.
pub fn numbers(line_protocol: &[u8]) -> Vec<i64> {
    let text = std::str::from_utf8(line_protocol).unwrap();
    text.lines().map(|line| line.rsplit(' ').next().unwrap().parse().unwrap()).collect()
}

/// A call of a callback.
#[derive(Clone, Debug)]
pub struct Event {
    /// `success`, `error` or `retry`.
    pub name: &'static str,
    pub batch: Batch,
    pub kind: Option<ErrorKind>,
    pub text: String,
}

/// The calls of a client's callbacks, in order.
#[derive(Clone, Debug, Default)]
pub struct Events(Arc<(Mutex<Vec<Event>>, Condvar)>);

impl Events {
    pub fn new() -> Self {
        Self::default()
    }

    /// Has all three callbacks of `options` recorded.
    pub fn record(&self, options: WriteOptions) -> WriteOptions {
        let (success, error, retry) = (self.clone(), self.clone(), self.clone());
        options
            .success_callback(move |batch| success.push("success", batch, None))
            .error_callback(move |batch, reason| error.push("error", batch, Some(reason)))
            .retry_callback(move |batch, reason| retry.push("retry", batch, Some(reason)))
    }

    pub fn push(&self, name: &'static str, batch: &Batch, error: Option<&Error>) {
        self.0.0.lock().unwrap().push(Event {
            name,
            batch: batch.clone(),
            kind: error.map(Error::kind),
            text: error.map(ToString::to_string).unwrap_or_default(),
        });
        self.0.1.notify_all();
    }

    pub fn all(&self) -> Vec<Event> {
        self.0.0.lock().unwrap().clone()
    }

    pub fn names(&self) -> Vec<&'static str> {
        self.all().iter().map(|event| event.name).collect()
    }

    pub fn count(&self, name: &str) -> usize {
        self.all().iter().filter(|event| event.name == name).count()
    }

    /// The numbers of the points that this callback was told, in order.
    pub fn numbers(&self, name: &str) -> Vec<i64> {
        let all = self.all();
        let told = all.iter().filter(|event| event.name == name);
        told.flat_map(|event| numbers(event.batch.line_protocol())).collect()
    }

    /// Waits until there are `count` calls of a callback.
    pub fn wait_for(&self, name: &str, count: usize) {
        let events = self.0.0.lock().unwrap();
        let too_few = |events: &mut Vec<Event>| {
            events.iter().filter(|event| event.name == name).count() < count
        };
        let (events, _) = self.0.1.wait_timeout_while(events, HANGS, too_few).unwrap();
        let found = events.iter().filter(|event| event.name == name).count();
        assert!(found >= count, "only {found} of {count} calls: {events:?}");
    }
}

/// The sum that must always be right.
pub fn assert_adds_up(client: &Client) {
    let stats = client.write_stats();
    let parts =
        [stats.written, stats.rejected, stats.failed, stats.dropped, stats.returned, stats.pending];
    let lines: u64 = parts.iter().map(|part| part.lines).sum();
    let bytes: u64 = parts.iter().map(|part| part.bytes).sum();
    assert_eq!((stats.accepted.lines, stats.accepted.bytes), (lines, bytes), "{stats:?}");
}
