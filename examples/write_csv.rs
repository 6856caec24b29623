//! A CSV file becomes lines: which columns are what, what was chosen, and how to go on after an error.
//!
//! `cargo run --example write_csv --features csv` brings its own server. With `INFLUX_HOST` set (and `INFLUX_TOKEN`,
//! `INFLUX_DATABASE` if need be) it talks to that one.

use std::error::Error;
use std::io::Write;

use influxdb3_blocking::{Client, FileFormat, Precision};

mod server;

const HOME: &str = "time,room,temp,hum,note\n\
                    1641024000,Kitchen,21,35.9,\n\
                    1641024000,Living Room,21.1,35.9,window open\n\
                    1641027600,Kitchen,23,36.2,NA\n";

/// As a spreadsheet of a country with decimal commas writes it, with a row that is none.
const EXPORT: &str = "Zeit;Raum;Temperatur\n\
                      01.01.2022 10:00;Kitchen;22,7\n\
                      total;;44,5\n\
                      01.01.2022 11:00;Bath;21,8\n";

fn main() -> Result<(), Box<dyn Error>> {
    let (builder, _server) = server::find(Client::builder())?;
    let client = builder.build()?;

    let path = std::env::temp_dir().join(format!("home-{}.csv", std::process::id()));
    std::fs::File::create(&path)?.write_all(HOME.as_bytes())?;
    let written = client
        .write_file(&path)
        .measurement("home")
        .tags(["room"])
        .timestamp_column("time")
        .precision(Precision::Second)
        .send();
    std::fs::remove_file(&path)?;
    let report = written?;
    println!("{} lines in {} batches, as {:?}", report.lines, report.batches, report.columns);

    // From a reader: a pipe, a socket, standard input. Here it is text.
    let report = client
        .write_reader(EXPORT.as_bytes(), FileFormat::Csv)
        .delimiter(b';')
        .decimal_comma(true)
        .time_format("%d.%m.%Y %H:%M")
        .rename("Zeit", "time")
        .rename("Raum", "room")
        .rename("Temperatur", "temp")
        .measurement("home")
        .tags(["room"])
        .skip_bad_rows(true)
        .send()?;
    println!("{} lines; left out: {:?}", report.lines, report.skipped_rows);

    // An error names the line and the column. Nothing is written if the types are at fault.
    let wrong = client.write_reader(HOME.as_bytes(), FileFormat::Csv).measurement("home");
    if let Err(error) = wrong.timestamp_column("room").send() {
        println!("As it should, this failed: {error}");
    }

    let table = client.query("SELECT room, temp FROM home ORDER BY time, room").table()?;
    println!("{} rows", table.num_rows());
    client.close()?;
    Ok(())
}
