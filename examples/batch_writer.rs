//! Several threads write points one by one; batches leave behind them, with retries and callbacks.
//!
//! `cargo run --example batch_writer` brings its own server. With `INFLUX_HOST` set (and `INFLUX_TOKEN`,
//! `INFLUX_DATABASE` if need be) it talks to that one.

use std::error::Error;
use std::thread;
use std::time::Duration;

use influxdb3_blocking::{Client, Point, WriteOptions};

mod server;

fn main() -> Result<(), Box<dyn Error>> {
    let options = WriteOptions::default()
        .batch_size(500)
        .flush_interval(Duration::from_secs(10))
        .jitter_interval(Duration::from_millis(100))
        .retry_interval(Duration::from_secs(5))
        .max_retries(5)
        .success_callback(|batch| println!("wrote {} lines to {}", batch.lines(), batch.database()))
        .error_callback(|batch, error| println!("lost {} lines: {error}", batch.lines()))
        .retry_callback(|batch, error| println!("will try {} lines again: {error}", batch.lines()));

    let (builder, _server) = server::find(Client::builder().write_options(options))?;
    let client = builder.build()?;

    let write = |room: &str| -> influxdb3_blocking::Result<()> {
        for n in 0..600 {
            let temp = 20.0 + f64::from(n % 50) / 10.0;
            client.write(Point::new("home").tag("room", room).field("temp", temp)).send()?;
        }
        Ok(())
    };
    let write = &write;
    let written = thread::scope(|scope| {
        let writers = ["Kitchen", "Bath"].map(|room| scope.spawn(move || write(room)));
        writers.map(|writer| writer.join())
    });
    for result in written {
        result.map_err(|_| "a writer panicked")??;
    }

    // The last lines are in a batch that is neither full nor old enough to leave by itself.
    client.flush()?;
    let sql = "SELECT room, count(*) AS readings FROM home GROUP BY room ORDER BY room";
    for row in client.query(sql).table()?.rows() {
        println!("{}: {} readings", row.get::<&str>("room")?, row.get::<i64>("readings")?);
    }

    // Sends what is left. What could not be sent would be in the error.
    client.close()?;
    let stats = client.write_stats();
    println!("{} lines in {} requests", stats.written.lines, stats.requests);
    Ok(())
}
