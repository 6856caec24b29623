//! Gives what a client is at to the crate `metrics`, and so to whatever recorder a program has.
//!
//! `cargo run --example metrics_facade` writes to a server that it brings along. With `INFLUX_HOST` set
//! (and `INFLUX_TOKEN`, `INFLUX_DATABASE` if need be) it writes to that one.
//!
//! The recorder below only prints. A program has one of its own, such as that of
//! `metrics-exporter-prometheus`, and calls [`publish`] now and then: every ten seconds, or whenever it
//! is scraped.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use influxdb3_blocking::{Client, Point, WeakClient, WriteOptions, WriteStats};
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, Key, KeyName, Metadata, Recorder, SharedString,
    Unit, counter, gauge,
};

mod server;

/// Sets the counters and gauges of a client.
fn publish(stats: &WriteStats) {
    for (end, amount) in [
        ("written", stats.written),
        ("rejected", stats.rejected),
        ("failed", stats.failed),
        ("dropped", stats.dropped),
        ("returned", stats.returned),
    ] {
        counter!("influxdb_write_lines_total", "end" => end).absolute(amount.lines);
    }
    counter!("influxdb_write_requests_total").absolute(stats.requests);
    counter!("influxdb_write_retries_total").absolute(stats.retries);
    let seconds = |time: Option<Duration>| time.unwrap_or_default().as_secs_f64();
    gauge!("influxdb_write_pending_lines").set(stats.pending.lines as f64);
    gauge!("influxdb_write_queued_batches").set(stats.queued as f64);
    gauge!("influxdb_write_in_flight_requests").set(stats.in_flight as f64);
    gauge!("influxdb_write_oldest_pending_seconds").set(seconds(stats.oldest_pending));
    gauge!("influxdb_write_last_latency_seconds").set(seconds(stats.last_latency));
    gauge!("influxdb_write_slowest_latency_seconds").set(seconds(stats.slowest_latency));
}

/// Publishes for as long as the client is there.
fn publish_every(interval: Duration, client: &WeakClient) {
    while let Some(client) = client.upgrade() {
        publish(&client.write_stats());
        // Not to keep it alive while waiting.
        drop(client);
        std::thread::sleep(interval);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    metrics::set_global_recorder(Printer)?;
    let options = WriteOptions::default().batch_size(100);
    let (builder, _server) = server::find(Client::builder().write_options(options))?;
    let client = builder.build()?;
    std::thread::spawn({
        let client = client.downgrade();
        move || publish_every(Duration::from_secs(10), &client)
    });
    for n in 0..1000 {
        client.write(Point::new("count").field("n", n)).send()?;
    }
    client.close()?;
    publish(&client.write_stats());
    Ok(())
}

/// Prints whatever is set.
struct Printer;

struct Printed(Key);

impl Recorder for Printer {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Arc::new(Printed(key.clone())))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Arc::new(Printed(key.clone())))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

impl CounterFn for Printed {
    fn increment(&self, value: u64) {
        println!("{} + {value}", self.0);
    }

    fn absolute(&self, value: u64) {
        println!("{} = {value}", self.0);
    }
}

impl GaugeFn for Printed {
    fn increment(&self, value: f64) {
        println!("{} + {value}", self.0);
    }

    fn decrement(&self, value: f64) {
        println!("{} - {value}", self.0);
    }

    fn set(&self, value: f64) {
        println!("{} = {value}", self.0);
    }
}
