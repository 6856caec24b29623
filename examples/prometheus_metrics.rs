//! Serves what a client is at to Prometheus, in its text format, with nothing but the standard library.
//!
//! `cargo run --example prometheus_metrics` writes to a server that it brings along, serves `/metrics` on
//! a free port of the loopback interface, asks for it once as Prometheus would, prints the answer and
//! ends. With `INFLUX_HOST` set (and `INFLUX_TOKEN`, `INFLUX_DATABASE` if need be) it writes to that one.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use influxdb3_blocking::{Client, Point, WriteOptions, WriteStats};

mod server;

fn main() -> Result<(), Box<dyn Error>> {
    let options = WriteOptions::default().batch_size(100);
    let (builder, _server) = server::find(Client::builder().write_options(options))?;
    let client = builder.build()?;

    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn({
        let client = client.clone();
        move || {
            for connection in listener.incoming().flatten() {
                // Whoever asks and does not wait for the answer is no reason to stop.
                let _ = answer(connection, &client);
            }
        }
    });
    println!("http://{address}/metrics");

    for n in 0..1000 {
        client.write(Point::new("count").tag("shard", "a").field("n", n)).send()?;
    }
    client.flush()?;

    let mut prometheus = TcpStream::connect(address)?;
    prometheus.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    let mut scraped = String::new();
    prometheus.read_to_string(&mut scraped)?;
    println!("{scraped}");
    client.close()?;
    Ok(())
}

/// One request, one answer.
fn answer(mut connection: TcpStream, client: &Client) -> std::io::Result<()> {
    connection.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut request = BufReader::new(connection.try_clone()?).take(16 << 10);
    let mut first = String::new();
    request.read_line(&mut first)?;
    let mut header = String::new();
    while request.read_line(&mut header)? > 2 {
        header.clear();
    }
    let (status, body) = match first.starts_with("GET /metrics ") {
        true => ("200 OK", metrics(&client.write_stats())),
        false => ("404 Not Found", String::new()),
    };
    let length = body.len();
    write!(
        connection,
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    )
}

/// The statistics in Prometheus' text format.
fn metrics(stats: &WriteStats) -> String {
    let mut text = String::new();
    let mut family = |name: &str, kind: &str, help: &str, samples: &[(&str, f64)]| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in samples {
            let _ = writeln!(text, "{name}{labels} {value}");
        }
    };
    let lines = |lines: u64| lines as f64;
    family(
        "influxdb_write_accepted_lines_total",
        "counter",
        "Lines that were accepted.",
        &[("", lines(stats.accepted.lines))],
    );
    family(
        "influxdb_write_ended_lines_total",
        "counter",
        "Accepted lines by how they ended.",
        &[
            ("{end=\"written\"}", lines(stats.written.lines)),
            ("{end=\"rejected\"}", lines(stats.rejected.lines)),
            ("{end=\"failed\"}", lines(stats.failed.lines)),
            ("{end=\"dropped\"}", lines(stats.dropped.lines)),
            ("{end=\"returned\"}", lines(stats.returned.lines)),
        ],
    );
    for (name, help, value) in [
        ("influxdb_write_requests_total", "Requests that stored lines.", stats.requests),
        ("influxdb_write_retries_total", "Times that a batch was sent again.", stats.retries),
        ("influxdb_write_callback_panics_total", "Panics in callbacks.", stats.callback_panics),
    ] {
        family(name, "counter", help, &[("", value as f64)]);
    }
    let seconds = |time: Option<Duration>| time.unwrap_or_default().as_secs_f64();
    for (name, help, value) in [
        ("influxdb_write_pending_lines", "Lines that have not ended.", stats.pending.lines as f64),
        ("influxdb_write_pending_bytes", "Bytes of these lines.", stats.pending.bytes as f64),
        ("influxdb_write_queued_batches", "Batches that wait.", stats.queued as f64),
        ("influxdb_write_in_flight_requests", "Requests on the way.", stats.in_flight as f64),
        (
            "influxdb_write_oldest_pending_seconds",
            "Age of the oldest batch that has not ended; 0 if there is none.",
            seconds(stats.oldest_pending),
        ),
        (
            "influxdb_write_last_latency_seconds",
            "How long the last request took; 0 before the first.",
            seconds(stats.last_latency),
        ),
        (
            "influxdb_write_slowest_latency_seconds",
            "How long the slowest request took; 0 before the first.",
            seconds(stats.slowest_latency),
        ),
    ] {
        family(name, "gauge", help, &[("", value)]);
    }
    text
}
