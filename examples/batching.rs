//! Writes points in batches, with retries and the three callbacks, and then whole files.
//!
//! `cargo run --example batching --features csv,json` brings its own server. With `INFLUX_HOST` set (and
//! `INFLUX_TOKEN`, `INFLUX_DATABASE` if need be) it talks to that one.

use std::error::Error;
use std::time::Duration;

use influxdb3_blocking::{Batch, Client, Point, WriteOptions};

fn success(batch: &Batch) {
    println!("Wrote a batch of {} lines to {}.", batch.lines(), batch.database());
}

fn error(batch: &Batch, error: &influxdb3_blocking::Error) {
    println!("Failed to write a batch of {} lines: {error}", batch.lines());
}

fn retry(batch: &Batch, error: &influxdb3_blocking::Error) {
    println!("Will try a batch of {} lines again: {error}", batch.lines());
}

mod server;

fn main() -> Result<(), Box<dyn Error>> {
    let options = WriteOptions::default()
        .batch_size(500)
        .flush_interval(Duration::from_secs(10))
        .jitter_interval(Duration::from_secs(2))
        .retry_interval(Duration::from_secs(5))
        .max_retries(5)
        .max_retry_delay(Duration::from_secs(30))
        .exponential_base(2)
        .success_callback(success)
        .error_callback(error)
        .retry_callback(retry);

    let (builder, _server) = server::find(Client::builder().write_options(options))?;
    let client = builder.build()?;

    for n in 0..1200 {
        let temp = 20.0 + f64::from(n % 50) / 10.0;
        client.write(Point::new("home").tag("room", "Hall").field("temp", temp)).send()?;
    }
    // The last 200 are in a batch that is neither full nor old enough to leave by itself.
    client.flush()?;

    write_files(&client)?;

    let sql = "SELECT room, count(*) AS readings FROM home GROUP BY room ORDER BY room";
    for row in client.query(sql).table()?.rows() {
        println!("{}: {} readings", row.get::<&str>("room")?, row.get::<i64>("readings")?);
    }

    // Sends what is left. What could not be sent would be in the error.
    client.close()?;
    println!("{:?}", client.write_stats().written);
    Ok(())
}

/// In batches of their own, with the same retries and callbacks.
#[cfg(all(feature = "csv", feature = "json"))]
fn write_files(client: &Client) -> influxdb3_blocking::Result<()> {
    use influxdb3_blocking::Precision;

    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");
    for file in ["home.csv", "home.json"] {
        let report = client
            .write_file(format!("{data}/{file}"))
            .measurement("home")
            .timestamp_column("time")
            .tags(["room"])
            .date_unit(Precision::Second)
            .send()?;
        println!("{file}: {} lines in {} batches", report.lines, report.batches);
    }
    Ok(())
}

#[cfg(not(all(feature = "csv", feature = "json")))]
fn write_files(_: &Client) -> influxdb3_blocking::Result<()> {
    Ok(())
}
