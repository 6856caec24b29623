//! A sensor that loses nothing: each reading is on the disk before the next one is taken, and the server gets it when it is
//! there. Kill the program at any moment (`kill -9`), or take the server away, and start it again: it goes on where it was.
//!
//! `cargo run --example store_and_forward --features spool` brings its own server, which it stops for a while. With
//! `INFLUX_HOST` set (and `INFLUX_TOKEN`, `INFLUX_DATABASE` if need be) it talks to that one. The readings wait in
//! `SPOOL_DIRECTORY`, or in a directory for temporary files.

use std::error::Error;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use influxdb3_blocking::{Client, OnFull, Point, Spool, SpoolSync, Timestamp, WriteOptions};

mod server;

fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::var_os("SPOOL_DIRECTORY")
        .map_or_else(|| std::env::temp_dir().join("store_and_forward"), PathBuf::from);
    let spool = Spool::directory(&directory)
        .always(true) // or only what cannot be sent: leave it out
        .sync(SpoolSync::Every(Duration::from_secs(1))) // what a loss of power may cost
        .limit(100 << 20);
    let options = WriteOptions::default()
        .spool(spool)
        .on_full(OnFull::DropOldest) // beyond the limit
        .flush_interval(Duration::from_millis(200))
        .retry_interval(Duration::from_millis(200))
        .max_retry_delay(Duration::from_secs(5))
        .retry_callback(|batch, error| println!("{} readings wait: {error}", batch.lines()))
        .error_callback(|batch, error| {
            eprintln!("{} readings are refused: {error}", batch.lines())
        });
    let (builder, server) = server::find(Client::builder().write_options(options))?;
    let client = builder.build()?;

    let found = client.write_stats().spool.found.lines;
    println!("{found} readings are here from last time, in {}", directory.display());

    for n in 0..50 {
        // A sensor that sets the time itself, so that a reading that is sent twice is stored once.
        let reading = Point::new("cellar")
            .tag("sensor", "1")
            .field("temp", 12.0 + f64::from(n % 10) / 10.0)
            .time(Timestamp::now());
        // It is on the disk when this returns.
        client.write(reading).send()?;
        if let Some(server) = &server {
            match n {
                10 => server.stop(),
                30 => server.resume()?,
                _ => {}
            }
        }
        thread::sleep(Duration::from_millis(20));
    }

    // A program that runs for ever has no need of this: here it shows that everything arrives.
    client.drain(Duration::from_secs(30))?;
    let stats = client.write_stats();
    println!(
        "{} readings are at the server, {} wait on the disk",
        stats.written.lines + stats.spool.found_written.lines,
        stats.spool.on_disk.lines
    );
    client.close()?;
    Ok(())
}
