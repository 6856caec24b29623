//! How long a point waits that comes alone.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use influxdb3_blocking::{Client, Point, WriteOptions};

use crate::report::Table;
use crate::sink::Sink;

const FLUSH: Duration = Duration::from_millis(20);
const TIMES: usize = 200;

/// From `send` to the success callback, beyond the interval.
pub fn print() {
    let sink = Sink::start();
    let (sender, written) = mpsc::channel();
    let options = WriteOptions::default()
        .flush_interval(FLUSH)
        .success_callback(move |_| sender.send(Instant::now()).expect("the receiver"));
    let client = Client::builder()
        .host(sink.url())
        .database("bench")
        .write_options(options)
        .build()
        .expect("a client");
    let mut late: Vec<_> = (0..TIMES)
        .map(|n| {
            let start = Instant::now();
            client.write(Point::new("m").field("f", n as i64)).send().expect("accepted");
            written.recv().expect("written").duration_since(start).saturating_sub(FLUSH)
        })
        .collect();
    client.close().expect("closed");
    late.sort_unstable();
    let at = |share: usize| late[(TIMES - 1) * share / 100];
    let micros = |time: Duration| format!("{:.0}", time.as_secs_f64() * 1e6);
    let title = format!(
        "Batching: how much later than after {FLUSH:?} a point that comes alone is written"
    );
    let table = Table::begin("batching", &title, &["µs, median", "99 of 100", "most"]);
    table.row(
        "one producer, no load",
        &[micros(at(50)), micros(at(99)), micros(at(100))],
        "latency",
    );
}
