//! Writes the same data from files of every format.
//!
//! `cargo run --example write_file --features files` brings its own server. With `INFLUX_HOST` set (and `INFLUX_TOKEN`,
//! `INFLUX_DATABASE` if need be) it talks to that one.

use std::error::Error;

use influxdb3_blocking::{Client, Precision};

mod server;

fn main() -> Result<(), Box<dyn Error>> {
    let (builder, _server) = server::find(Client::builder())?;
    let client = builder.build()?;

    // These know the unit of their timestamps.
    for file in ["home-zstd.feather", "home-snappy.parquet", "home-zlib.orc"] {
        let report = client
            .write_file(path(file))
            .measurement("home")
            .tags(["room"])
            .timestamp_column("time")
            .send()?;
        println!("{file}: {} lines in {} batches", report.lines, report.batches);
    }

    // The times of these are seconds.
    for file in ["home.csv", "home.json"] {
        let report = client
            .write_file(path(file))
            .measurement("home")
            .tags(["room"])
            .timestamp_column("time")
            .precision(Precision::Second)
            .progress(|progress| {
                println!("{file}: {} of {} bytes", progress.bytes_read, progress.bytes_total);
            })
            .send()?;
        println!("{file}: {} lines in {} batches", report.lines, report.batches);
    }

    // Its times are nanoseconds; they are written as seconds.
    client
        .write_file(path("home-ns.json"))
        .measurement("home")
        .tags(["room"])
        .date_unit(Precision::Nanosecond)
        .precision(Precision::Second)
        .send()?;

    // A column names the measurement of each row.
    let report = client
        .write_file(path("home-measurement-column.csv"))
        .tags(["room"])
        .precision(Precision::Second)
        .send()?;
    println!("two measurements: {} lines", report.lines);

    // An error names the file, the line and the column, and says where to go on.
    let wrong = client.write_file(path("home.csv")).measurement("home").timestamp_column("room");
    if let Err(error) = wrong.send() {
        println!("As it should, this failed: {error}");
    }

    client.close()?;
    Ok(())
}

fn path(file: &str) -> String {
    format!("{}/tests/data/{file}", env!("CARGO_MANIFEST_DIR"))
}
